"""Figures of findings count what they say."""

import numpy as np
import pytest

from models.training.sagittal.evaluate_findings import auc, canal_figures
from models.training.sagittal.tables import CanalRow


def row(person: str, kind: str, rank: int | None, has_cord: bool = True) -> CanalRow:
    return CanalRow(person, "T8", kind, has_cord, {}, rank)


def figures(rows: list[CanalRow], probability: list[float]) -> dict[str, dict]:
    cuts = {"canal_cord": 0.75, "canal_cauda": 0.75}
    return {one["name"]: one for one in canal_figures(rows, np.array(probability), cuts, "test")}


def test_auc_of_a_perfect_and_of_a_blind_order() -> None:
    truth = np.array([0, 0, 1, 1])
    assert auc({"y": truth, "p": np.array([0.1, 0.2, 0.3, 0.4])}) == 1.0
    assert auc({"y": truth, "p": np.full(4, 0.5)}) == 0.5
    assert np.isnan(auc({"y": np.zeros(3), "p": np.zeros(3)}))


def test_a_person_with_several_alarms_counts_once() -> None:
    found = figures([row("a", "unaltered", 0), row("a", "unaltered", 0), row("b", "unaltered", 0)], [0.9, 0.9, 0.1])
    assert found["canal_false_alarms_clear_levels"]["value"] == 0.5


def test_an_alarm_beside_a_graded_bulge_is_not_false() -> None:
    found = figures([row("a", "unaltered", None), row("a", "unaltered", 0)], [0.9, 0.1])
    assert found["canal_false_alarms_clear_levels"]["alarms"] == 0
    assert found["canal_alarms_all_levels"]["alarms"] == 1


def test_pinches_are_judged_apart_from_the_unaltered() -> None:
    found = figures([row("a", "unaltered", 0), row("a", "pinched", 1), row("a", "pinched", 0)], [0.1, 0.9, 0.8])
    assert found["pinched_cord_sensitivity"]["value"] == 1.0
    assert found["pinched_cord_specificity"]["value"] == pytest.approx(0.0)
