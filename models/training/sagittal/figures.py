"""Figures of the masks and of the names of levels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from scipy import ndimage

from dashboard.grading.spine.naming import name_spine
from dashboard.study.levels import LEVELS
from models.training.sagittal.cases import Case
from models.training.sagittal.labels import C2, CANAL, CORD, DISC, LUMBOSACRAL, VERTEBRA
from models.training.sagittal.people import LEAST_DISC_MM3
from models.training.statistics import bootstrap, dice, entry

PARTS = {"vertebra": (VERTEBRA, C2), "disc": (DISC, LUMBOSACRAL), "canal": (CANAL, CORD)}
# A disc that was found lies nearer than this to the one it is held against.
NEAR_MM = 12.0
DISCS = [level for level in LEVELS if "/" in level]


def dice_figures(found: Sequence[Case], rng: np.random.Generator) -> list[dict[str, Any]]:
    """Dice in the grid of the volume: the mean of the people, and each person's."""
    lines = []
    for name, classes in PARTS.items():
        values = np.array(
            [dice(np.isin(case.truth, classes), np.isin(case.prediction.native_labels, classes)) for case in found]
        )
        people = np.array([case.person for case in found])
        value, ci = bootstrap({"dice": values}, people, lambda t: float(t["dice"].mean()), rng)
        lines.append(entry(f"dice_{name}", "test", len(found), len(found), value, ci))
        lines += [
            entry(f"dice_{name}_of_one", "test", 1, 1, value, [None, None], where=f"person {case.person}")
            for case, value in zip(found, values, strict=True)
        ]
    return lines


def neck_figures(found: Iterable[tuple[str, np.ndarray, np.ndarray]]) -> list[dict[str, Any]]:
    """Dice of the cord in single necks: the only real ones with a mask by hand, too few for an interval."""
    return [
        entry("dice_cord_of_one", "test", 1, 1, dice(cord, labels == CORD), [None, None], where=f"neck {name}")
        for name, cord, labels in found
    ]


def level_figures(found: Sequence[Case], rng: np.random.Generator) -> list[dict[str, Any]]:
    """Share of the discs outlined by hand that were found and have the right name."""
    right: list[bool] = []
    people: list[str] = []
    for case in found:
        named = _named_discs(case)
        for level, centre in true_discs(case):
            away = {name: float(np.linalg.norm(place - centre)) for name, place in named}
            nearest = min(away, key=lambda name: away[name], default="")
            right.append(nearest == level and away[nearest] < NEAR_MM)
            people.append(case.person)
    table = {"right": np.array(right, float)}
    value, ci = bootstrap(table, np.array(people), lambda t: float(t["right"].mean()), rng)
    return [entry("discs_named_correctly", "test", len(right), len(found), value, ci)]


def true_discs(case: Case) -> list[tuple[str, np.ndarray]]:
    """Name and centre (LPS mm, in the frame of `upright_series`) of each disc outlined by hand; the lowest is L5/S1."""
    mask = np.isin(case.truth, PARTS["disc"])
    parts, count = ndimage.label(mask)
    volume = np.bincount(parts.ravel(), minlength=count + 1) * float(np.prod(case.spacing))
    large = [part for part in range(1, count + 1) if volume[part] >= LEAST_DISC_MM3]
    centres = sorted(ndimage.center_of_mass(mask, parts, large), key=lambda at: -at[1])
    scale = case.spacing * np.array([1.0, -1.0, 1.0])
    return [
        (DISCS[-1 - place], (np.array(at) * scale)[[0, 2, 1]]) for place, at in enumerate(centres) if place < len(DISCS)
    ]


def _named_discs(case: Case) -> list[tuple[str, np.ndarray]]:
    spine = name_spine(case.prediction)
    return [(one.level, np.asarray(one.segment.centre_mm)) for one in spine.named if one.segment.kind == "disc"]
