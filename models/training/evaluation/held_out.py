"""A site's held-out readings judged by one model and one calibration, slice by slice, as the dashboard grades them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from scipy import special

from dashboard.grading.bilsky import grade_from
from dashboard.inference.segmentation import clean
from models.training.calibration import STEPS, Calibration, Outputs, slice_weights
from models.training.labels import COMPRESSION_PIXEL_MM, GRADES, IGNORE, SEGMENTATION
from models.training.readings import Reading
from models.training.run import run_onnx
from models.training.statistics import Table, bootstrap, dice, entry, quadratic_kappa, rate

KAPPA, LOSS, RECOGNISED = "quadratic_weighted_kappa", "ordinal_loss", "not_gradable_recognised"
_OUTLINED = ("csf", "cord", "tumour")
# Readings at once; their outlines take 180 kB each.
_CHUNK = 256


def outputs_of(content: bytes, readings: Sequence[Reading]) -> tuple[Outputs, Table]:
    """Raw outputs of a model file, and the overlap (N) of its outlines with corrected ones, nan where none are."""
    parts = [_some_outputs(content, readings[start : start + _CHUNK]) for start in range(0, len(readings), _CHUNK)]
    overlaps = np.concatenate([part[1] for part in parts])
    table = {f"dice_{name}": overlaps[:, at] for at, name in enumerate(_OUTLINED)}
    return Outputs.join([part[0] for part in parts]), table


def _some_outputs(content: bytes, readings: Sequence[Reading]) -> tuple[Outputs, np.ndarray]:
    segmentation, ordinal, scene = run_onnx(content, np.stack([r.image for r in readings])[:, None])
    ranks = np.array([r.rank for r in readings])
    scenes = np.array([r.scene for r in readings])
    overlaps = np.array([_overlaps(s, r.labels) for s, r in zip(segmentation, readings, strict=True)])
    # A reading is one slice: what lies beside it is not known.
    alone = np.zeros((len(readings), 2))
    return Outputs(ordinal, scene, ranks, scenes, np.ones(len(readings), bool), alone), overlaps


def judge(found: Outputs, calibration: Calibration) -> Table:
    """Per reading: truth (rank, -1 none), scene, head (N, 5), rank found, graded or not."""
    logits = found.ordinal * np.array(calibration.scale) + np.array(calibration.offset)
    head = np.minimum.accumulate(special.expit(logits), axis=1)
    cuts = calibration.grade_cut
    gradable = special.softmax(found.scene / calibration.scene_temperature, axis=1)[:, 0]
    return {
        "truth": found.ranks,
        "scene": found.scenes,
        "head": head,
        "found": np.array([GRADES.index(grade_from(p, cuts)) for p in head]),
        "graded": gradable >= calibration.gradable_min,
    }


def not_worse(new: Table, old: Table, kappa_slack: float) -> bool:
    """Whether the ordinal loss does not rise and kappa does not fall beyond the slack; kappa of one class is no bar."""
    fallen = value(old, KAPPA) - value(new, KAPPA)
    return value(new, LOSS) <= value(old, LOSS) and not fallen > kappa_slack


def value(table: Table, name: str) -> float:
    """One figure."""
    chosen, figure = _FIGURES[name]
    pick = chosen(table)
    return figure({key: column[pick] for key, column in table.items()})


def figures(table: Table, person: np.ndarray, when: str, rng: np.random.Generator) -> list[dict[str, Any]]:
    """All figures that the readings allow, each with its interval by person."""
    out = []
    for name, (chosen, figure) in _FIGURES.items():
        pick = chosen(table)
        if not pick.any():
            continue
        found, ci = bootstrap({key: column[pick] for key, column in table.items()}, person[pick], figure, rng)
        out.append(entry(name, "test", int(pick.sum()), len(set(person[pick])), found, ci, when=when))
    return out


def changes(before: Table, after: Table, person: np.ndarray, rng: np.random.Generator) -> list[dict[str, Any]]:
    """What became of agreement and ordinal loss, with the interval of the difference over the same people."""
    both = {f"0{key}": column for key, column in before.items()} | {f"1{key}": column for key, column in after.items()}
    pick = before["truth"] >= 0
    table = {key: column[pick] for key, column in both.items()}

    def gain(t: Table, name: str) -> float:
        old, new = ({key[1:]: column for key, column in t.items() if key[0] == side} for side in "01")
        return value(new, name) - value(old, name)

    out = []
    for name in (KAPPA, LOSS):
        found, ci = bootstrap(table, person[pick], partial(gain, name=name), rng)
        out.append(entry(name, "test", int(pick.sum()), len(set(person[pick])), found, ci, when="after minus before"))
    return out


def ordinal_loss(table: Table) -> float:
    """Mean negative log-likelihood of the five cuts by the head; slices of grade 0 weigh as they did in calibration."""
    ranks = table["truth"]
    target = ranks[:, None] > np.arange(STEPS)
    p = np.clip(table["head"], 1e-6, 1 - 1e-6)
    cost = -np.where(target, np.log(p), np.log1p(-p)).mean(axis=1)
    return float((cost * slice_weights(ranks, np.ones(len(ranks), bool))).sum())


def _overlaps(segmentation: np.ndarray, labels: np.ndarray) -> list[float]:
    known = labels != IGNORE
    if not known.any():
        return [float("nan")] * len(_OUTLINED)
    found = clean(segmentation, COMPRESSION_PIXEL_MM).argmax(axis=0)
    classes = [SEGMENTATION.index(name) for name in _OUTLINED]
    return [dice((found == k) & known, labels == k) for k in classes]


def _from(least: int) -> Callable[[Table], np.ndarray]:
    return lambda t: t["truth"] >= least


def _below(least: int) -> Callable[[Table], np.ndarray]:
    return lambda t: (t["truth"] >= 0) & (t["truth"] < least)


def _called(least: int) -> Callable[[Table], float]:
    return lambda t: rate(t["found"] >= least)


def _not_called(least: int) -> Callable[[Table], float]:
    return lambda t: rate(t["found"] < least)


def _outlined(name: str) -> tuple[Callable[[Table], np.ndarray], Callable[[Table], float]]:
    return (lambda t: np.isfinite(t.get(name, np.full(len(t["truth"]), np.nan)))), (lambda t: float(t[name].mean()))


# Name: which readings count, and the figure on them.
_FIGURES: dict[str, tuple[Callable[[Table], np.ndarray], Callable[[Table], float]]] = {
    KAPPA: (_from(0), lambda t: quadratic_kappa(t["truth"], t["found"])),
    LOSS: (_from(0), ordinal_loss),
    "exact_agreement": (_from(0), lambda t: rate(t["truth"] == t["found"])),
    "sensitivity_1c_or_worse": (_from(3), _called(3)),
    "specificity_1c_or_worse": (_below(3), _not_called(3)),
    "sensitivity_2_or_3": (_from(4), _called(4)),
    "specificity_2_or_3": (_below(4), _not_called(4)),
    "grade_2_or_3_called_0_to_1b": (_from(4), _not_called(3)),
    "gradable_not_graded": (lambda t: t["scene"] == 0, lambda t: rate(~t["graded"])),
    RECOGNISED: (lambda t: t["scene"] > 0, lambda t: rate(~t["graded"])),
    **{f"dice_{name}": _outlined(f"dice_{name}") for name in _OUTLINED},
}
