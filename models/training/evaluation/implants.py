"""Tumours of measured grade in real slices of people not trained on, by the implanter that never trained anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import special

from dashboard.inference import Models
from models.training.cases import TUNING_CORDS, SeriesCase, cord_case
from models.training.evaluation.bars import BY
from models.training.evaluation.healthy import test_cases
from models.training.evaluation.series import Verdict, judge, predict, thresholds
from models.training.implanter import paint_test_case
from models.training.labels import COMPRESSION_PIXEL_MM, GRADES
from models.training.measure import SliceMasks
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
    region: str
    truth: int
    bone_only: bool
    implanted: bool
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Implanted:
    """A series with disease in about a third of its slices.

    ``images`` as in the series; ``truth`` rank a slice; ``bone``, ``done`` (slices) whether disease stays in bone, and
    whether the slice was painted at all; ``masks`` of the painted squares, None where nothing was painted.
    """

    series: SeriesCase
    images: np.ndarray
    truth: np.ndarray
    bone: np.ndarray
    done: np.ndarray
    masks: list[SliceMasks | None]


def implants(folder: Path, models: Models, rng: np.random.Generator, rounds: int) -> dict[str, Any]:
    """Metrics, confusion matrices and reliability, by contrast and region."""
    cases = [c for series in test_cases(folder) for _ in range(rounds) for c in run_series(models, series, rng)]
    metrics: list[dict[str, Any]] = []
    tables: dict[str, Any] = {"confusion": {}, "reliability": {}}
    for contrast, region, chosen in groups(cases):
        metrics += figures(chosen, {"contrast": contrast, "region": region}, models, rng)
        graded = [c for c in chosen if c.verdict.graded]
        key = contrast if contrast in ("all", "t2", "t2star") else f"{contrast}, {region}"
        matrix = np.zeros((6, 6), int)
        for c in graded:
            matrix[c.truth, c.verdict.rank] += 1
        tables["confusion"][key] = {"rows_truth_columns_found": list(GRADES), "counts": matrix.tolist()}
        for name, k in (("1c_or_worse", 2), ("2_or_3", 3)):
            probability = np.array([c.verdict.at_least[k] for c in graded])
            truth = np.array([c.truth > k for c in graded])
            tables["reliability"][f"{key}_{name}"] = reliability(probability, truth)
    return {"metrics": metrics + _tuning(folder, models, rounds), "tables": tables}


def groups(cases: Sequence[Case]) -> list[tuple[str, str, list[Case]]]:
    """Cases by contrast, by region and by both: name of contrast, name of region, cases.

    Groups of the same cases are listed once; the last holds all.
    """
    kinds, regions = sorted({c.kind for c in cases}), sorted({c.region for c in cases})
    wanted = [(kind, region) for kind in [*kinds, "all"] for region in [*regions, "all"]]
    found: dict[frozenset[int], tuple[str, str, list[Case]]] = {}
    for kind, region in wanted:
        chosen = [c for c in cases if kind in (c.kind, "all") and region in (c.region, "all")]
        if not chosen:
            continue
        same = frozenset(id(c) for c in chosen)
        held = sorted({c.region for c in chosen})
        # A group without a name of its own is named by what it holds; the whole is always "all".
        contrast = "all" if len(chosen) == len(cases) else " and ".join(sorted({c.kind for c in chosen}))
        found[same] = (contrast, " and ".join(held), chosen)
    whole = found.pop(frozenset(id(c) for c in cases), None)
    return [*found.values(), *([whole] if whole is not None else [])]


def _tuning(folder: Path, models: Models, rounds: int) -> list[dict[str, Any]]:
    """The volumes that calibration saw, apart: the only cervical T2 there is."""
    # A generator of their own: the test cases stay the same whether these are measured or not.
    rng = np.random.default_rng(12)
    series = [cord_case(folder, name) for name in TUNING_CORDS]
    cases = [c for one in series for _ in range(rounds) for c in run_series(models, one, rng)]
    return [
        line
        for contrast, region, chosen in groups(cases)
        if contrast != "all"
        for line in figures(chosen, {"contrast": contrast, "region": region}, models, rng, "tuning")
    ]


def implant_series(series: SeriesCase, rng: np.random.Generator) -> Implanted:
    """Implant into about a third of the slices of a series."""
    images = series.images.copy()
    truth = np.zeros(len(images), int)
    bone = np.zeros(len(images), bool)
    done = np.zeros(len(images), bool)
    masks: list[SliceMasks | None] = [None] * len(images)
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
        masks[index] = painted.masks
    return Implanted(series, images, truth, bone, done, masks)


def run_series(models: Models, series: SeriesCase, rng: np.random.Generator) -> list[Case]:
    """Implant into a series, analyse it whole, pair truth with verdict."""
    made = implant_series(series, rng)
    prediction = predict(models, made.images, (series.spacing_mm, _PX, _PX))
    cuts = thresholds(models)
    found = {one.slice_index: it for one, it in zip(prediction.slices, judge(prediction, cuts), strict=True)}
    return [
        Case(
            series.person,
            series.kind,
            series.region,
            int(made.truth[i]),
            bool(made.bone[i]),
            bool(made.done[i]),
            found[i],
        )
        for i in range(len(made.images))
    ]


def figures(
    cases: Sequence[Case], about: Mapping[str, str], models: Models, rng: np.random.Generator, split: str = "test"
) -> list[dict[str, Any]]:
    """Agreement, sensitivity, specificity and calibration of one group; `about` names it in each line."""
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
        out.append(entry(name, split, int(pick.sum()), people, value, ci, **about))
    for by in (BY, "head", "rules"):
        ranks = np.array([_rank(c.verdict, by) for c in graded])
        table = {"truth": truth, "found": ranks, "bone": np.array([c.bone_only for c in graded], bool)}
        for name, figure in _FIGURES.items():
            value, ci = bootstrap(table, person, figure, rng)
            n = int(_COUNTS.get(name, lambda t: len(t["truth"]))(table))
            out.append(entry(name, split, n, people, value, ci, **about, by=by))
    out += _calibration(graded, person, about, models, rng, split)
    return out


def _rank(verdict: Verdict, by: str) -> int:
    if by == BY:
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
    graded: Sequence[Case],
    person: np.ndarray,
    about: Mapping[str, str],
    models: Models,
    rng: np.random.Generator,
    split: str,
) -> list[dict[str, Any]]:
    """Expected calibration error of the head before and after scaling, and of the grade as it is given."""
    stated = models.compression.manifest.calibration
    out = []
    for name, k in (("1c_or_worse", 2), ("2_or_3", 3)):
        after = np.array([c.verdict.head[k] for c in graded])
        logit = (special.logit(np.clip(after, 1e-6, 1 - 1e-6)) - stated.offset[k]) / stated.scale[k]
        stages = {
            "head before": special.expit(logit),
            "head after": after,
            BY: np.array([c.verdict.at_least[k] for c in graded]),
        }
        truth = np.array([c.truth > k for c in graded])
        for stage, probability in stages.items():
            table = {"p": probability, "t": truth}
            value, ci = bootstrap(table, person, lambda t: expected_calibration_error(t["p"], t["t"]), rng)
            people = len(set(person))
            out.append(entry(f"calibration_error_{name}", split, len(graded), people, value, ci, **about, by=stage))
    return out
