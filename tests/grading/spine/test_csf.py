"""What fills a canal is told by the CSF that is missing there, however wide the canal is outlined."""

from dataclasses import replace

import numpy as np
import pytest

from dashboard.grading.spine.canal import CanalStation, canal_profile
from dashboard.grading.spine.canal_findings import canal_finding
from dashboard.grading.spine.csf import csf_effaced, with_csf_signal
from dashboard.grading.spine.triage import SagittalTriage, sagittal_triage
from dashboard.grading.urgency import Tier
from dashboard.study.levels import LEVELS
from dashboard.study.sagittal import SagittalPrediction
from tests.grading.spine.drawn import CANAL, CORD, PIXEL_MM, Drawing, drawn, flat_models, one_model, place

TISSUE = 0.35
# Nothing is narrow to these models.
MODELS = flat_models()


def filled(
    top_mm: float, length_mm: float, share: float = 1.0, cord_end: str = "L1", tissue: float = TISSUE
) -> tuple[CanalStation, ...]:
    """Stations of the drawn spine whose canal, outlined as before, holds tissue in a share of its depth."""
    prediction, spine = drawn(Drawing(cord_end=cord_end))
    image = prediction.image.copy()
    rows = slice(round(top_mm / PIXEL_MM), round((top_mm + length_mm) / PIXEL_MM))
    inside = np.isin(prediction.labels[:, rows], (CANAL, CORD))
    columns = np.flatnonzero(inside.any(axis=(0, 1)))
    inside[:, :, columns[0] + round(share * len(columns)) :] = False
    image[:, rows][inside] = tissue
    changed = replace(prediction, image=image)
    return with_csf_signal(canal_profile(changed, spine), changed)


def judged(stations: tuple[CanalStation, ...], is_t2: bool = True) -> SagittalTriage:
    return sagittal_triage("1.2.3", frozenset(LEVELS), stations, MODELS, is_t2=is_t2)


def lost(stations: tuple[CanalStation, ...]) -> list[str | None]:
    return [one.level for one in stations if csf_effaced(one)]


def test_a_plain_canal_has_its_csf_and_its_ends_are_not_told() -> None:
    stations = filled(130.0, 16.0, share=0.0)
    told = [one.csf_signal for one in stations if one.csf_signal is not None]
    assert told == pytest.approx([1.0] * len(told))
    assert stations[0].csf_signal is stations[-1].csf_signal is None
    assert len(told) > 30


def test_tissue_that_fills_the_canal_takes_the_csfs_place() -> None:
    stations = filled(130.0, 16.0)
    assert set(lost(stations)) == {"L3"}
    assert min(one.csf_signal for one in stations if one.csf_signal is not None) == pytest.approx(TISSUE, abs=0.02)
    assert all(one.canal_mm > 12 for one in stations)
    # Fat and CSF alike are no tissue that is darker.
    assert lost(filled(130.0, 16.0, tissue=0.9)) == []


def test_a_speck_and_tissue_that_leaves_half_open_are_not_told() -> None:
    assert lost(filled(130.0, 2.0)) == []
    assert lost(filled(130.0, 16.0, share=0.4)) == []


def test_a_filled_canal_is_suspected_without_a_probability_and_asks_for_images() -> None:
    found = judged(filled(130.0, 16.0))
    assert found.suspected
    assert (found.worst.station.level, found.worst.told_probability) == ("L3", None)
    assert found.claim().tier is Tier.SOON
    document = found.to_document()
    assert (document["suspected"], document["probability"], document["needs"]) == (True, None, "axial images")
    assert document["worst"]["csf_signal_percent"] == pytest.approx(100 * TISSUE, abs=2)
    with_cord = judged(filled(130.0, 16.0, cord_end="L5")).claim()
    assert with_cord.tier is Tier.URGENT and "of the cord" in with_cord.reasons[0]


def test_the_finding_says_what_is_missing_and_against_what() -> None:
    found = canal_finding(judged(filled(130.0, 16.0)), "L3", place("L3"))
    assert (found.status, found.probability, found.unit) == ("suspected", None, "%")
    assert found.value == pytest.approx(65, abs=2)
    assert found.text.startswith("CSF effacement suspected (canal 14.")
    assert "CSF signal 65 % less than above and below): axial images needed" in found.text


def test_a_level_is_suspected_though_a_place_that_is_not_has_the_higher_probability() -> None:
    unsure = replace(MODELS, canal_cauda=one_model("canal_cauda", offset=0.9, cut=0.75))
    triage = sagittal_triage("1.2.3", frozenset(LEVELS), filled(130.0, 16.0), unsure)
    assert max(one.probability for one in triage.places) > 1 - TISSUE
    assert canal_finding(triage, "L3", place("L3")).status == "suspected"


def test_in_other_contrasts_csf_tells_nothing() -> None:
    assert not judged(filled(130.0, 16.0), is_t2=False).suspected


def test_a_canal_that_was_not_outlined_has_no_signal() -> None:
    prediction, spine = drawn()
    stations = canal_profile(prediction, spine)
    blank: SagittalPrediction = replace(prediction, labels=np.zeros_like(prediction.labels))
    assert all(one.csf_signal is None for one in with_csf_signal(stations, blank))
