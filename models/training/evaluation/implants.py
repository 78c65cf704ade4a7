"""Tumours of measured grade in real slices of people not trained on, by the implanter that never trained anything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import special

from dashboard.inference import Models
from models.training.cases import SeriesCase
from models.training.evaluation.healthy import test_cases
from models.training.evaluation.series import Verdict, judge, predict, thresholds
from models.training.implanter import paint_test_case
from models.training.labels import COMPRESSION_PIXEL_MM, GRADES
from models.training.statistics import (
    Table,
    bootstrap,
    entry,
    expected_calibration_error,
    quadratic_kappa,
    rate,
    reliability,
)
from models.training.volumes import WIDE_PX

# A third of a series carries disease: the pooled percentiles must stay those of a mostly healthy series.
_SHARE = 0.34
_PX = COMPRESSION_PIXEL_MM


@dataclass(frozen=True, slots=True)
class Case:
    """One slice: truth and verdict."""

    person: str
    kind: str
    truth: int
    bone_only: bool
    implanted: bool
    verdict: Verdict


def implants(folder: Path, models: Models, rng: np.random.Generator, rounds: int) -> dict[str, Any]:
    """Metrics, confusion matrices and reliability."""
    cases = [c for series in test_cases(folder) for _ in range(rounds) for c in run_series(models, series, rng)]
    metrics: list[dict[str, Any]] = []
    tables: dict[str, Any] = {"confusion": {}, "reliability": {}}
    for kind in ("t2", "t2star", "all"):
        chosen = [c for c in cases if kind in (c.kind, "all")]
        metrics += figures(chosen, kind, models, rng)
        graded = [c for c in chosen if c.verdict.graded]
        matrix = np.zeros((6, 6), int)
        for c in graded:
            matrix[c.truth, c.verdict.rank] += 1
        tables["confusion"][kind] = {"rows_truth_columns_found": list(GRADES), "counts": matrix.tolist()}
        for name, k in (("1c_or_worse", 2), ("2_or_3", 3)):
            probability = np.array([c.verdict.both[k] for c in graded])
            truth = np.array([c.truth > k for c in graded])
            tables["reliability"][f"{kind}_{name}"] = reliability(probability, truth)
    return {"metrics": metrics, "tables": tables}


def run_series(models: Models, series: SeriesCase, rng: np.random.Generator) -> list[Case]:
    """Implant into about a third of the slices of a series, analyse it whole, pair truth with verdict."""
    images = series.images.copy()
    truth = np.zeros(len(images), int)
    bone = np.zeros(len(images), bool)
    done = np.zeros(len(images), bool)
    for index in range(len(images)):
        if rng.random() >= _SHARE:
            continue
        wish = str(rng.choice(["bone", *GRADES[1:]], p=[0.1, 0.14, 0.16, 0.18, 0.22, 0.2]))
        painted = paint_test_case(rng, series.slice(index), wish)
        if painted is None:
            continue
        r, c = series.windows[index]
        images[index, r : r + WIDE_PX, c : c + WIDE_PX] = painted.image
        truth[index], bone[index], done[index] = GRADES.index(painted.grade), painted.bone_only, True
    prediction = predict(models, images, (series.spacing_mm, _PX, _PX))
    cuts = thresholds(models)
    found = {one.slice_index: judge(one, cuts) for one in prediction.slices}
    return [
        Case(series.person, series.kind, int(truth[i]), bool(bone[i]), bool(done[i]), found[i])
        for i in range(len(images))
    ]


def figures(cases: list[Case], kind: str, models: Models, rng: np.random.Generator) -> list[dict[str, Any]]:
    """Agreement, sensitivity, specificity and calibration of one contrast."""
    graded = [c for c in cases if c.verdict.graded]
    person = np.array([c.person for c in graded])
    people = len(set(person))
    if not graded:
        return []
    truth = np.array([c.truth for c in graded])
    out = []
    everyone = np.array([c.person for c in cases])
    for name, least in (("implants_not_graded", 0), ("implants_2_or_3_not_graded", 4)):
        pick = np.array([c.truth >= least for c in cases])
        lost = np.array([not c.verdict.graded for c in cases])[pick]
        value, ci = bootstrap({"lost": lost}, everyone[pick], lambda t: rate(t["lost"]), rng)
        out.append(entry(name, "test", int(pick.sum()), people, value, ci, contrast=kind))
    for by in ("head and rules", "head", "rules"):
        ranks = np.array([_rank(c.verdict, by) for c in graded])
        table = {"truth": truth, "found": ranks, "bone": np.array([c.bone_only for c in graded], bool)}
        for name, figure in _FIGURES.items():
            value, ci = bootstrap(table, person, figure, rng)
            n = int(_COUNTS.get(name, lambda t: len(t["truth"]))(table))
            out.append(entry(name, "test", n, people, value, ci, contrast=kind, by=by))
    out += _calibration(graded, person, kind, models, rng)
    return out


def _rank(verdict: Verdict, by: str) -> int:
    if by == "head and rules":
        return verdict.rank
    return verdict.head_rank if by == "head" else int((verdict.rules >= 0.5).sum())


def _sensitivity(least: int) -> Callable[[Table], float]:
    return lambda t: rate((t["found"] >= least)[t["truth"] >= least])


def _specificity(least: int) -> Callable[[Table], float]:
    return lambda t: rate((t["found"] < least)[t["truth"] < least])


_FIGURES: dict[str, Callable[[Table], float]] = {
    "quadratic_weighted_kappa": lambda t: quadratic_kappa(t["truth"], t["found"]),
    "exact_agreement": lambda t: rate(t["truth"] == t["found"]),
    "sensitivity_1c_or_worse": _sensitivity(3),
    "specificity_1c_or_worse": _specificity(3),
    "sensitivity_2_or_3": _sensitivity(4),
    "specificity_2_or_3": _specificity(4),
    "grade_2_or_3_called_0_to_1b": lambda t: rate((t["found"] <= 2)[t["truth"] >= 4]),
    "bone_only_called_1a_or_worse": lambda t: rate((t["found"] >= 1)[t["bone"]]),
}
_COUNTS: dict[str, Callable[[Table], int]] = {
    "sensitivity_1c_or_worse": lambda t: (t["truth"] >= 3).sum(),
    "specificity_1c_or_worse": lambda t: (t["truth"] < 3).sum(),
    "sensitivity_2_or_3": lambda t: (t["truth"] >= 4).sum(),
    "specificity_2_or_3": lambda t: (t["truth"] < 4).sum(),
    "grade_2_or_3_called_0_to_1b": lambda t: (t["truth"] >= 4).sum(),
    "bone_only_called_1a_or_worse": lambda t: t["bone"].sum(),
}


def _calibration(
    graded: list[Case], person: np.ndarray, kind: str, models: Models, rng: np.random.Generator
) -> list[dict[str, Any]]:
    """Expected calibration error of the head before and after scaling, and of head and rules together."""
    stated = models.compression.manifest.calibration
    out = []
    for name, k in (("1c_or_worse", 2), ("2_or_3", 3)):
        after = np.array([c.verdict.head[k] for c in graded])
        logit = (special.logit(np.clip(after, 1e-6, 1 - 1e-6)) - stated.offset[k]) / stated.scale[k]
        stages = {
            "head before": special.expit(logit),
            "head after": after,
            "head and rules": np.array([c.verdict.both[k] for c in graded]),
        }
        truth = np.array([c.truth > k for c in graded])
        for stage, probability in stages.items():
            table = {"p": probability, "t": truth}
            value, ci = bootstrap(table, person, lambda t: expected_calibration_error(t["p"], t["t"]), rng)
            out.append(
                entry(
                    f"calibration_error_{name}",
                    "test",
                    len(graded),
                    len(set(person)),
                    value,
                    ci,
                    contrast=kind,
                    by=stage,
                )
            )
    return out
