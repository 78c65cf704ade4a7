"""Canals of real people filled with tissue: how often the dashboard suspects something there, and by which sign.

The picture is changed, not a mask: what the model outlines as canal is part of what is measured. Tissue comes from the
front and leaves a part of the canal's depth open, into which what was there is squeezed. Its signal lies between
muscle and half of the CSF's, as many metastases are on T2; nobody's real tumour was at hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import ndimage

from dashboard.grading.spine.evidence import row_of
from dashboard.grading.spine.findings import study_triage
from dashboard.grading.spine.measures import measure_spine
from dashboard.grading.spine.naming import name_spine
from dashboard.grading.spine.triage import SagittalTriage
from dashboard.inference import Models
from dashboard.inference.sagittal import analyse_sagittal
from dashboard.study import Role
from dashboard.study.finding_models import SpineModels
from models.training.sagittal.cases import Case
from models.training.sagittal.cords import upright_series
from models.training.sagittal.labels import CANAL
from models.training.statistics import bootstrap, entry, rate

SEED = 11
# Planes as far apart as those of a usual sagittal series.
PLANE_MM = 4.0
# Share of the canal's depth left open -> what figures call it.
LEFT = {0.0: "all of its depth", 0.25: "three quarters", 0.5: "half"}
LENGTHS_MM = (12.0, 25.0)
# The CSF is compared over 40 mm above and below; nearer to the ends of the field nothing is told, and nothing tried.
INNER_MM = 45.0
# Share of the brightest signal: muscle, and about half of CSF.
SIGNALS = (0.2, 0.45)
TEXTURE = 0.03
# A place suspected so far beyond the tissue is another one.
BEYOND_MM = 6.0


@dataclass(frozen=True)
class Filled:
    """One canal: where tissue lies, how much is left open, and whether it was suspected there."""

    person: str
    has_cord: bool
    left: float
    found: bool
    by_width: bool


def fill(
    image: np.ndarray, canal: np.ndarray, row: int, rows: float, left: float, rng: np.random.Generator
) -> np.ndarray:
    """A copy of a volume (plane, row, column) with tissue in its canal about `row`, over about `rows` rows."""
    out = image.astype(np.float32)
    bright = float(np.percentile(image, 99))
    tissue = float(rng.uniform(*SIGNALS)) * bright
    texture = ndimage.gaussian_filter(rng.normal(size=image.shape).astype(np.float32), (1, 2, 2))
    texture *= TEXTURE * bright / texture.std()
    # Full over half of its length, and tapering to nothing beyond.
    away = np.abs(np.arange(image.shape[1]) - row) / (rows / 2)
    share = (1 - left) * np.clip(2 * (1 - away), 0, 1)
    for plane, line in zip(*np.nonzero(canal.any(axis=2) & (share > 0)), strict=True):
        inside = np.flatnonzero(canal[plane, line])
        front, back = inside[0], inside[-1] + 1
        start = front + share[line] * (back - front)
        columns = np.arange(front, back)
        squeezed = front + (columns + 0.5 - start) / max(back - start, 1e-6) * (back - front) - 0.5
        kept = np.interp(squeezed, np.arange(image.shape[2]), image[plane, line])
        new = np.where(columns + 0.5 < start, tissue + texture[plane, line, front:back], kept)
        out[plane, line, front:back] = new
    changed = ndimage.binary_dilation(out != image, np.ones((1, 3, 3)))
    return np.where(changed, ndimage.gaussian_filter(out, (0, 0.7, 0.7)), out)


def try_person(case: Case, models: Models, fitted: SpineModels) -> list[Filled]:
    """Tissue at one place with a cord and one below it, of every length and share."""
    rng = np.random.default_rng([SEED, int(case.person)])
    step = max(1, round(PLANE_MM / case.spacing[0]))
    spacing = case.spacing * np.array([step, 1, 1])
    first = len(case.image) % step // 2

    def look(image: np.ndarray) -> SagittalTriage:
        (seen,) = analyse_sagittal(upright_series(image[first::step], spacing, Role.SAGITTAL_T2), models)
        spine = name_spine(seen)
        return study_triage(spine, fitted, measure_spine(row_of(seen).prediction, spine))

    plain = look(case.image)
    heights = [one.station.position_mm[2] for one in plain.places]
    if not heights:
        return []
    lowest, highest = min(heights) + INNER_MM, max(heights) - INNER_MM
    inner = [one for one in plain.places if lowest < one.station.position_mm[2] < highest]
    found = []
    for has_cord in (True, False):
        # Where the person's own canal is suspicious, nothing would be told.
        places = [one for one in inner if one.has_cord == has_cord and not one.suspected]
        if not places:
            continue
        z = places[int(rng.integers(len(places)))].station.position_mm[2]
        for length in LENGTHS_MM:
            for left in LEFT:
                row, rows = round(-z / spacing[1]), length / spacing[1]
                triage = look(fill(case.image, case.truth == CANAL, row, rows, left, rng))
                near = [one for one in triage.places if abs(one.station.position_mm[2] - z) <= length / 2 + BEYOND_MM]
                suspected, by_width = any(one.suspected for one in near), any(one.narrowed for one in near)
                found.append(Filled(case.person, has_cord, left, suspected, by_width))
    return found


def filled_figures(
    cases: Sequence[Case], models: Models, fitted: SpineModels, rng: np.random.Generator
) -> list[dict[str, Any]]:
    """Share of filled canals that were suspected, and the share that their width alone would have been."""
    tried = [one for case in cases for one in try_person(case, models, fitted)]
    lines = []
    for has_cord, what in ((True, "cord"), (False, "cauda equina")):
        for left, words in LEFT.items():
            here = [one for one in tried if one.has_cord == has_cord and one.left == left]
            people = np.array([one.person for one in here])
            for name, hit in (
                ("filled_canal_found", [one.found for one in here]),
                ("filled_canal_found_by_width_alone", [one.by_width for one in here]),
            ):
                value, ci = bootstrap({"hit": np.array(hit)}, people, lambda t: rate(t["hit"]), rng)
                where = f"{what}, tissue in {words}"
                lines.append(entry(name, "test", len(here), len(set(people)), value, ci, where=where))
    return lines
