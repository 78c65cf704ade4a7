"""Healthy real slices, and slices that must not be graded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from dashboard.grading import Tier, grade_study
from dashboard.inference import Models, analyse_series
from dashboard.study import Study
from models.training.cases import (
    T2STAR_CORDS,
    TUNING_CORDS,
    SeriesCase,
    canonical,
    cord_case,
    cut_case,
    image_path,
    spider_case,
)
from models.training.evaluation.bars import BRAIN, BY
from models.training.evaluation.series import Verdict, as_series, judge, thresholds
from models.training.labels import COMPRESSION_PIXEL_MM, SCENES
from models.training.statistics import bootstrap, entry, rate
from models.training.volumes import spider_slices, spider_split

_PX = COMPRESSION_PIXEL_MM
_TEST_BRAIN = "study2"


@dataclass(frozen=True, slots=True)
class Looked:
    """One series as the dashboard sees it: its slices one by one, and what it makes of the whole as a study."""

    person: str
    verdicts: tuple[Verdict, ...]
    graded: bool
    tier: Tier

    @property
    def held_back(self) -> bool:
        """True where nothing was graded, or the study is put as not analysed: nobody takes it for well."""
        return not self.graded or self.tier is Tier.NOT_ANALYSED


@lru_cache(maxsize=1)
def test_cases(folder: Path) -> list[SeriesCase]:
    """Series of the test people that show a cord: lumbar reformats (T2) and cervical T2*."""
    lumbar = [spider_case(folder, person) for person in spider_split(folder)["test"]]
    cervical = [cord_case(folder, name) for name in T2STAR_CORDS if name not in TUNING_CORDS]
    return [case for case in [*lumbar, *cervical] if case is not None]


def healthy_and_negatives(folder: Path, models: Models, rng: np.random.Generator) -> list[dict[str, Any]]:
    """False alarms on healthy people, and the share of ungradable slices recognised."""
    cases = test_cases(folder)
    out = []
    everyone = []
    for kind in ("t2", "t2star"):
        seen = [_look(models, c.person, c.images, (c.spacing_mm, _PX, _PX)) for c in cases if c.kind == kind]
        everyone += seen
        out += _false_alarms(seen, f"healthy {'T2, lower thoracic' if kind == 't2' else 'T2*, cervical'}", "test", rng)
    # A generator of its own: one figure more changes no case that is drawn after it.
    out += _false_alarms(everyone, "healthy, all test people", "test", np.random.default_rng(13))
    out += _false_alarms(
        [_unmasked(folder, models, "sct_t2s")], "healthy T2*, cervical, 7.5 mm apart (no mask)", "test", rng
    )
    out += _false_alarms(_tuning(folder, models), "healthy T2 and T2*, cervical, tuning volumes", "tuning", rng)
    out += _recognised([_unmasked(folder, models, "sct_t1")], "T1", "wrong_contrast", rng)
    out += _recognised([_unmasked(folder, models, "sct_mt_sub-01")], "magnetisation transfer", "wrong_contrast", rng)
    out += _recognised(list(_cauda(folder, models)), "cauda equina", "no_cord", rng)
    for name, turn in _TURNS.items():
        seen = [_look(models, c.person, *turn(c.images[::2], (2 * c.spacing_mm, _PX, _PX))) for c in cases]
        out += _recognised(seen, name, "wrong_geometry", rng)
    out += _recognised(list(_cut(folder, models)), "canal cut by the edge of the field", "", rng)
    out += _recognised(list(_sagittal(folder, models)), "sagittal planes fed as axial", "wrong_geometry", rng)
    out += _recognised(list(_brain(folder, models)), BRAIN, "not_spine", rng)
    return out


Images = tuple[np.ndarray, tuple[float, float, float]]
_TURNS: dict[str, Callable[[np.ndarray, tuple[float, float, float]], Images]] = {
    "front to back": lambda a, s: (a[:, ::-1], s),
    "quarter turn": lambda a, s: (np.rot90(a, 1, (1, 2)), (s[0], s[2], s[1])),
    "half turn": lambda a, s: (np.rot90(a, 2, (1, 2)), s),
    "spacing 1.5 times too large": lambda a, s: (a, (s[0], 1.5 * s[1], 1.5 * s[2])),
    "spacing 1.5 times too small": lambda a, s: (a, (s[0], s[1] / 1.5, s[2] / 1.5)),
}


def _look(models: Models, person: str, images: np.ndarray, spacing: tuple[float, float, float]) -> Looked:
    cuts = thresholds(models)
    series = as_series(images, spacing)
    prediction = analyse_series(series, models)
    result = grade_study(Study("1.2", (series,)), {series.series_instance_uid: prediction}, cuts)
    verdicts = tuple(judge(prediction, cuts))
    return Looked(person, verdicts, result.grade is not None, result.urgency.tier)


def _unmasked(folder: Path, models: Models, name: str) -> Looked:
    images, spacing = canonical(image_path(folder, name))
    return _look(models, name, images, spacing)


def _tuning(folder: Path, models: Models) -> list[Looked]:
    cases = [cord_case(folder, name) for name in TUNING_CORDS]
    return [_look(models, c.person, c.images, (c.spacing_mm, _PX, _PX)) for c in cases]


def _cauda(folder: Path, models: Models) -> Iterator[Looked]:
    for person in spider_split(folder)["test"]:
        below = [s.image for s in spider_slices(folder, person, 6.0) if s.has_cord is False]
        if below:
            yield _look(models, person, np.stack(below), (6.0, _PX, _PX))


def _cut(folder: Path, models: Models) -> Iterator[Looked]:
    for person in spider_split(folder)["test"]:
        case = cut_case(folder, person)
        if case is not None:
            yield _look(models, case.person, case.images, (case.spacing_mm, _PX, _PX))


def _sagittal(folder: Path, models: Models) -> Iterator[Looked]:
    for person in spider_split(folder)["test"]:
        images, spacing = canonical(folder / "spider" / f"{person}_t2.nii.gz")
        planes = images.transpose(2, 1, 0)[2:-2:3]
        yield _look(models, person, planes, (3 * spacing[2], spacing[1], spacing[0]))


def _brain(folder: Path, models: Models) -> Iterator[Looked]:
    """The contrasts of one visit are one person's."""
    for path in sorted((folder / "brain_followup").glob(f"*/{_TEST_BRAIN}_*.nii.gz")):
        images, spacing = canonical(path)
        yield _look(models, path.parent.name, images, spacing)


def _slices(looked: Sequence[Looked]) -> tuple[np.ndarray, list[Verdict]]:
    """Person and verdict of each slice."""
    pairs = [(one.person, verdict) for one in looked for verdict in one.verdicts]
    return np.array([person for person, _ in pairs]), [verdict for _, verdict in pairs]


def _false_alarms(looked: list[Looked], where: str, split: str, rng: np.random.Generator) -> list[dict[str, Any]]:
    """Shares of healthy slices not graded, and of the graded ones called 1a, 1c or 2 and worse; series held back."""
    person, verdicts = _slices(looked)
    if not verdicts:
        return []
    graded = np.array([v.graded for v in verdicts])
    people = len(set(person))
    lost, ci = bootstrap({"lost": ~graded}, person, lambda t: float(t["lost"].mean()), rng)
    out = [entry("healthy_not_graded", split, len(verdicts), people, lost, ci, where=where)]
    out.append(_held_back(looked, "healthy_series_not_analysed", split, where))
    if not graded.any():
        return out
    people = len(set(person[graded]))
    for name, least in (("1a", 1), ("1c", 3), ("2", 4)):
        for who in (BY, "head"):
            ranks = np.array([v.rank if who == BY else v.head_rank for v in verdicts])
            table = {"alarm": (ranks >= least)[graded]}
            value, ci = bootstrap(table, person[graded], lambda t: float(t["alarm"].mean()), rng)
            extra = {"where": where, "by": who}
            out.append(entry(f"healthy_called_{name}_or_worse", split, int(graded.sum()), people, value, ci, **extra))
    return out


def _recognised(looked: list[Looked], where: str, scene: str, rng: np.random.Generator) -> list[dict[str, Any]]:
    """Share of ungradable slices that were not graded, of those named rightly, and of whole series held back."""
    person, verdicts = _slices(looked)
    if not verdicts:
        return []
    table = {
        "stopped": np.array([not v.graded for v in verdicts]),
        "named": np.array([SCENES[int(np.argmax(v.scene))] == scene for v in verdicts]),
    }
    people = len(set(person))
    out = []
    for name in ("stopped", "named") if scene else ("stopped",):
        value, ci = bootstrap(table, person, lambda t, key=name: float(t[key].mean()), rng)  # type: ignore[misc]
        label = "not_gradable_recognised" if name == "stopped" else f"not_gradable_named_{scene}"
        out.append(entry(label, "test", len(verdicts), people, value, ci, where=where))
    return [*out, _held_back(looked, "series_not_gradable_recognised", "test", where)]


def _held_back(looked: Sequence[Looked], name: str, split: str, where: str) -> dict[str, Any]:
    """Share of whole series of which nothing is graded, or which are put as not analysed.

    Beside it stand the share of which nothing is graded, and where the list puts them.
    """
    person = np.array([one.person for one in looked])
    table = {"held": np.array([one.held_back for one in looked])}
    value, ci = bootstrap(table, person, lambda t: rate(t["held"]), np.random.default_rng(14))
    tiers = Counter(str(one.tier) if one.graded else "nothing graded" for one in looked)
    extra = {
        "where": where,
        "nothing_graded": round(rate(np.array([not one.graded for one in looked])), 4),
        "tiers": dict(sorted(tiers.items())),
    }
    return entry(name, split, len(looked), len(set(person)), value, ci, **extra)
