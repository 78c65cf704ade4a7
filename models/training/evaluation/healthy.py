"""Healthy real slices, and slices that must not be graded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from dashboard.inference import Models
from models.training.cases import T2STAR_CORDS, TUNING_CORDS, SeriesCase, canonical, cord_case, image_path, spider_case
from models.training.evaluation.series import Verdict, judge, predict, thresholds
from models.training.labels import COMPRESSION_PIXEL_MM, SCENES
from models.training.statistics import bootstrap, entry
from models.training.volumes import spider_slices, spider_split

_PX = COMPRESSION_PIXEL_MM
_TEST_BRAIN = "study2"


@dataclass(frozen=True, slots=True)
class _Seen:
    person: str
    verdict: Verdict


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
    for kind in ("t2", "t2star"):
        seen = [s for c in cases if c.kind == kind for s in _look(models, c.person, c.images, (c.spacing_mm, _PX, _PX))]
        out += _false_alarms(seen, f"healthy {'T2, lower thoracic' if kind == 't2' else 'T2*, cervical'}", "test", rng)
    out += _false_alarms(
        list(_unmasked(folder, models, "sct_t2s")), "healthy T2*, cervical, 7.5 mm apart (no mask)", "test", rng
    )
    out += _false_alarms(_tuning(folder, models), "healthy T2 and T2*, cervical, tuning volumes", "tuning", rng)
    out += _recognised(list(_unmasked(folder, models, "sct_t1")), "T1", "wrong_contrast", rng)
    out += _recognised(
        list(_unmasked(folder, models, "sct_mt_sub-01")), "magnetisation transfer", "wrong_contrast", rng
    )
    out += _recognised(list(_cauda(folder, models)), "cauda equina", "no_cord", rng)
    for name, turn in _TURNS.items():
        seen = [s for c in cases for s in _look(models, c.person, *turn(c.images[::2], (2 * c.spacing_mm, _PX, _PX)))]
        out += _recognised(seen, name, "wrong_geometry", rng)
    out += _recognised(list(_sagittal(folder, models)), "sagittal planes fed as axial", "wrong_geometry", rng)
    out += _recognised(
        list(_brain(folder, models)), "brain (other time point of a patient seen in training)", "not_spine", rng
    )
    return out


Images = tuple[np.ndarray, tuple[float, float, float]]
_TURNS: dict[str, Callable[[np.ndarray, tuple[float, float, float]], Images]] = {
    "front to back": lambda a, s: (a[:, ::-1], s),
    "quarter turn": lambda a, s: (np.rot90(a, 1, (1, 2)), (s[0], s[2], s[1])),
    "half turn": lambda a, s: (np.rot90(a, 2, (1, 2)), s),
    "spacing 1.5 times too large": lambda a, s: (a, (s[0], 1.5 * s[1], 1.5 * s[2])),
    "spacing 1.5 times too small": lambda a, s: (a, (s[0], s[1] / 1.5, s[2] / 1.5)),
}


def _look(models: Models, person: str, images: np.ndarray, spacing: tuple[float, float, float]) -> Iterator[_Seen]:
    cuts = thresholds(models)
    for one in predict(models, images, spacing).slices:
        yield _Seen(person, judge(one, cuts))


def _unmasked(folder: Path, models: Models, name: str) -> Iterator[_Seen]:
    images, spacing = canonical(image_path(folder, name))
    return _look(models, name, images, spacing)


def _tuning(folder: Path, models: Models) -> list[_Seen]:
    cases = [cord_case(folder, name) for name in TUNING_CORDS]
    return [s for c in cases for s in _look(models, c.person, c.images, (c.spacing_mm, _PX, _PX))]


def _cauda(folder: Path, models: Models) -> Iterator[_Seen]:
    for person in spider_split(folder)["test"]:
        below = [s.image for s in spider_slices(folder, person, 6.0) if s.has_cord is False]
        if below:
            yield from _look(models, person, np.stack(below), (6.0, _PX, _PX))


def _sagittal(folder: Path, models: Models) -> Iterator[_Seen]:
    for person in spider_split(folder)["test"]:
        images, spacing = canonical(folder / "spider" / f"{person}_t2.nii.gz")
        planes = images.transpose(2, 1, 0)[2:-2:3]
        yield from _look(models, person, planes, (3 * spacing[2], spacing[1], spacing[0]))


def _brain(folder: Path, models: Models) -> Iterator[_Seen]:
    for path in sorted((folder / "brain_followup").glob(f"*/{_TEST_BRAIN}_*.nii.gz")):
        images, spacing = canonical(path)
        yield from _look(models, path.name.removesuffix(".nii.gz"), images, spacing)


def _false_alarms(seen: list[_Seen], where: str, split: str, rng: np.random.Generator) -> list[dict[str, Any]]:
    """Shares of healthy slices not graded, and of the graded ones called 1a, 1c or 2 and worse."""
    if not seen:
        return []
    person = np.array([s.person for s in seen])
    graded = np.array([s.verdict.graded for s in seen])
    people = len(set(person))
    lost, ci = bootstrap({"lost": ~graded}, person, lambda t: float(t["lost"].mean()), rng)
    out = [entry("healthy_not_graded", split, len(seen), people, lost, ci, where=where)]
    if not graded.any():
        return out
    for name, least in (("1a", 1), ("1c", 3), ("2", 4)):
        for who in ("both", "head"):
            ranks = np.array([s.verdict.rank if who == "both" else s.verdict.head_rank for s in seen])
            table = {"alarm": (ranks >= least)[graded]}
            value, ci = bootstrap(table, person[graded], lambda t: float(t["alarm"].mean()), rng)
            extra = {"where": where, "by": "head and rules" if who == "both" else "head"}
            out.append(entry(f"healthy_called_{name}_or_worse", split, int(graded.sum()), people, value, ci, **extra))
    return out


def _recognised(seen: list[_Seen], where: str, scene: str, rng: np.random.Generator) -> list[dict[str, Any]]:
    """Share of ungradable slices that were not graded, and of those named rightly."""
    if not seen:
        return []
    person = np.array([s.person for s in seen])
    table = {
        "stopped": np.array([not s.verdict.graded for s in seen]),
        "named": np.array([SCENES[int(np.argmax(s.verdict.scene))] == scene for s in seen]),
    }
    people = len(set(person))
    out = []
    for name in ("stopped", "named"):
        value, ci = bootstrap(table, person, lambda t, key=name: float(t[key].mean()), rng)  # type: ignore[misc]
        label = "not_gradable_recognised" if name == "stopped" else f"not_gradable_named_{scene}"
        out.append(entry(label, "test", len(seen), people, value, ci, where=where))
    return out
