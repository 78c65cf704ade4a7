"""Judge findings: ``python -m models.training.sagittal.evaluate_findings --data FOLDER [--test] [--out FILE]``.

Measured are the outlines of the model beside ``--model``, or with ``--masks truth`` the public masks.
Without ``--test``: the training and calibration people, each judged by weights that never saw them. With it: the test
people, by the numbers of ``findings.toml``. Intervals resample people.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from dashboard.inference.finding_models import read_finding_models
from dashboard.study.finding_models import SpineModels, steps
from models.training.evaluation.tables import figures_text
from models.training.sagittal.findings import (
    CANAL_FINDINGS,
    DISC_FINDINGS,
    SEED,
    Fitted,
    fit_all,
    rank_of,
    usable,
)
from models.training.sagittal.model_source import MASKS, source_of
from models.training.sagittal.tables import CanalRow, DiscRow, Source, read_people
from models.training.statistics import Table, bootstrap, entry, quadratic_kappa, rate
from models.training.volumes import spider_split

# Pinches of each test person: more than are fitted on, since their share found is the figure.
TEST_PINCHES = 60


def auc(table: Table) -> float:
    """Area under the curve of table["p"] for table["y"]; nan where one class only."""
    y, count = table["y"] > 0, len(table["y"])
    positives = int(y.sum())
    if not 0 < positives < count:
        return float("nan")
    ranks = stats.rankdata(table["p"])
    return float((ranks[y].sum() - positives * (positives + 1) / 2) / (positives * (count - positives)))


def kappa(table: Table) -> float:
    """Quadratic weighted kappa of Pfirrmann grades 1 to 5."""
    return quadratic_kappa(table["y"] - 1, table["g"] - 1, 5)


def judged_discs(rows: Sequence[DiscRow], models: SpineModels) -> dict[str, np.ndarray]:
    """(n, steps) probabilities of every disc, by finding."""
    return {name: np.array([getattr(models, name).at_least(row.features) for row in rows]) for name in DISC_FINDINGS}


def disc_figures(
    rows: Sequence[DiscRow], at_least: dict[str, np.ndarray], cuts: dict[str, float], split: str
) -> list[dict[str, Any]]:
    """Figures of every finding of discs; `at_least` is aligned with ``usable(rows, name)`` where shorter."""
    rng, out = np.random.default_rng(SEED), []
    for name in DISC_FINDINGS:
        kept = list(rows) if len(at_least[name]) == len(rows) else usable(rows, name)
        people = np.array([row.person for row in kept])
        count = len(np.unique(people))
        if name == "pfirrmann":
            guess = np.array([2 + steps(p) for p in at_least[name]])
            table = {"y": np.array([row.graded[name] for row in kept]), "g": guess}
            value, ci = bootstrap(table, people, kappa, rng)
            out.append(entry("pfirrmann_quadratic_kappa", split, len(kept), count, value, ci))
            exact, ci = bootstrap(table, people, lambda t: rate(t["y"] == t["g"]), rng)
            out.append(entry("pfirrmann_exact", split, len(kept), count, exact, ci))
            continue
        table = {"y": np.array([rank_of(row, name) for row in kept]), "p": at_least[name][:, 0]}
        positives = int(table["y"].sum())
        value, ci = bootstrap(table, people, auc, rng)
        out.append(entry(f"{name}_auc", split, len(kept), count, value, ci, positives=positives))
        cut = cuts[name]
        shares: dict[str, Callable[[Table], float]] = {
            "sensitivity": lambda t, cut=cut: rate(t["p"][t["y"] > 0] >= cut),
            "specificity": lambda t, cut=cut: rate(t["p"][t["y"] == 0] < cut),
        }
        for figure, share in shares.items():
            value, ci = bootstrap(table, people, share, rng)
            out.append(entry(f"{name}_{figure}", split, len(kept), count, value, ci, cut=cut))
    return out


def canal_figures(
    rows: Sequence[CanalRow], probability: np.ndarray, cuts: dict[str, float], split: str
) -> list[dict[str, Any]]:
    """False alarms a study, beside levels graded without bulge, herniation or slip; sensitivity to known pinches."""
    rng = np.random.default_rng(SEED)
    cut = np.array([cuts["canal_cord" if row.has_cord else "canal_cauda"] for row in rows])
    alarm = (probability >= cut) | np.array([row.csf_effaced for row in rows])
    people = np.array([row.person for row in rows])
    unaltered = np.array([row.kind == "unaltered" for row in rows])
    rank = np.array([-1 if row.rank is None else row.rank for row in rows])
    clear = unaltered & (rank == 0)
    figures = []
    wanted = {"canal_false_alarms_clear_levels": clear}
    # Where unclear levels were left out beforehand there is nothing to say of all of them.
    wanted |= {"canal_alarms_all_levels": unaltered} if (unaltered & ~clear).any() else {}
    for figure, kept in wanted.items():
        names = np.unique(people[kept])
        table = {"a": np.array([(alarm & kept & (people == person)).any() for person in names])}
        value, ci = bootstrap(table, names, lambda t: rate(t["a"]), rng)
        figures.append(entry(figure, split, len(names), len(names), value, ci, alarms=int(table["a"].sum())))
    for has_cord, where in ((True, "cord"), (False, "cauda")):
        here = ~unaltered & np.array([row.has_cord == has_cord for row in rows])
        for figure, kept, is_alarm in (
            ("sensitivity", here & (rank == 1), True),
            ("specificity", here & (rank == 0), False),
        ):
            table = {"hit": alarm[kept] == is_alarm}
            value, ci = bootstrap(table, people[kept], lambda t: rate(t["hit"]), rng)
            n = int(kept.sum())
            figures.append(entry(f"pinched_{where}_{figure}", split, n, len(np.unique(people[kept])), value, ci))
    return figures


def judged_canals(rows: Sequence[CanalRow], models: SpineModels) -> np.ndarray:
    """(n) probability of every row by the model that belongs to it."""
    return np.array(
        [(models.canal_cord if row.has_cord else models.canal_cauda).probability(row.features) for row in rows]
    )


def evaluate_test(folder: Path, source: Source, models: SpineModels) -> list[dict[str, Any]]:
    """Figures of the test people. `source` gives prediction and spine of a person: truth masks, or a model's."""
    discs, canals = read_people(folder, spider_split(folder)["test"], source, TEST_PINCHES, SEED)
    cuts = {name: getattr(models, name).cut for name in (*DISC_FINDINGS, *CANAL_FINDINGS)}
    figures = disc_figures(discs, judged_discs(discs, models), cuts, "test")
    return figures + canal_figures(canals, judged_canals(canals, models), cuts, "test")


def evaluate_left_out(
    fitted: dict[str, Fitted], discs: Sequence[DiscRow], canals: Sequence[CanalRow]
) -> list[dict[str, Any]]:
    """Figures of training and calibration people, each judged by weights that never saw them."""
    cuts = {name: one.cut for name, one in fitted.items()}
    figures = disc_figures(discs, {name: fitted[name].at_least for name in DISC_FINDINGS}, cuts, "tuning")
    kept, probability = [], []
    for name in CANAL_FINDINGS:
        own = [row for row in canals if row.has_cord == (name == "canal_cord") and row.rank is not None]
        kept += own
        probability += list(fitted[name].at_least[:, 0])
    return figures + canal_figures(kept, np.array(probability), cuts, "tuning")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Judge the findings of the sagittal view.")
    parser.add_argument("--data", type=Path, required=True, help="folder of public volumes")
    parser.add_argument("--model", type=Path, default=Path("models/sagittal"), help="folder with findings.toml")
    parser.add_argument("--test", action="store_true", help="judge the test people")
    parser.add_argument("--masks", choices=MASKS, default="model", help="whose masks are measured")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    source = source_of(arguments.masks, arguments.data, arguments.model.parent)
    if arguments.test:
        figures = evaluate_test(arguments.data, source, read_finding_models(arguments.model).models)
    else:
        figures = evaluate_left_out(*fit_all(arguments.data, source))
    print(figures_text(figures))
    if arguments.out:
        arguments.out.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
