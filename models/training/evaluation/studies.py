"""Whole studies: does a compression over several slices reach the top of the list, does a healthy one stay off it?"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from dashboard.grading import GradingThresholds, grade_study
from dashboard.grading.urgency import Tier
from dashboard.inference import Models, analyse_series
from dashboard.study import GRADES, Role, Series, Study
from models.training.cases import SeriesCase, canonical
from models.training.evaluation.healthy import test_cases
from models.training.evaluation.series import as_series, thresholds
from models.training.implanter import paint_test_case
from models.training.labels import COMPRESSION_PIXEL_MM
from models.training.statistics import bootstrap, entry, rate
from models.training.volumes import WIDE_PX, spider_split

HIGH = (Tier.IMMEDIATE, Tier.URGENT)
LENGTHS = (2, 6)
# Most clinical stacks lie 4 to 6 mm apart, where a compression of half a vertebra shows in one slice or two.
THICK_MM, THICK_LENGTHS = 5.0, (1, 2)
COMPRESSED = GRADES.index("2")


@dataclass(frozen=True, slots=True)
class Placed:
    """One study: whose, how bad in truth, and where the list puts it."""

    person: str
    truth: int
    tier: Tier


def studies(folder: Path, models: Models, rng: np.random.Generator, rounds: int) -> dict[str, Any]:
    """Share of implanted studies with a 2 or 3, and of untouched ones, in tier immediate or urgent."""
    cuts = thresholds(models)
    cases = test_cases(folder)
    thick = [_thinned(case) for case in cases]
    implanted = _all_implanted(cases, LENGTHS, models, cuts, rng, rounds)
    untouched = [Placed(case.person, 0, _tier(_stack(case, case.images), models, cuts)) for case in cases]
    volumes = [
        Placed(person, 0, _tier(_volume(folder, person), models, cuts)) for person in spider_split(folder)["test"]
    ]
    # A generator of their own: the studies above stay the same whether these are measured or not.
    short = _all_implanted(thick, THICK_LENGTHS, models, cuts, np.random.default_rng(13), rounds)
    spared = [Placed(case.person, 0, _tier(_stack(case, case.images), models, cuts)) for case in thick]
    metrics = []
    for name, where, placed in (
        ("studies_2_or_3_immediate_or_urgent", "2 to 6 slices implanted", implanted),
        ("healthy_studies_immediate_or_urgent", "axial stacks", untouched),
        ("healthy_studies_immediate_or_urgent", "3-D volumes, lumbar, 16 to 27 mm wide", volumes),
        ("studies_2_or_3_immediate_or_urgent", "stacks 5 to 6 mm apart, 1 or 2 slices implanted", short),
        ("healthy_studies_immediate_or_urgent", "axial stacks 5 to 6 mm apart", spared),
    ):
        person = np.array([one.person for one in placed])
        high = np.array([one.tier in HIGH for one in placed])
        value, ci = bootstrap({"high": high}, person, lambda t: rate(t["high"]), rng)
        tiers = {str(tier): count for tier, count in Counter(one.tier for one in placed).items()}
        metrics.append(entry(name, "test", len(placed), len(set(person)), value, ci, where=where, tiers=tiers))
    return {"metrics": metrics}


def _thinned(case: SeriesCase) -> SeriesCase:
    """Those slices of a series that lie :data:`THICK_MM` apart, or a little more."""
    step = math.ceil(THICK_MM / case.spacing_mm)
    return replace(
        case,
        images=case.images[::step],
        inside=case.inside[::step],
        windows=case.windows[::step],
        sacs=case.sacs[::step],
        cords=case.cords[::step],
        spacing_mm=case.spacing_mm * step,
    )


def _all_implanted(
    cases: Sequence[SeriesCase],
    lengths: tuple[int, int],
    models: Models,
    cuts: GradingThresholds,
    rng: np.random.Generator,
    rounds: int,
) -> list[Placed]:
    found = (_implanted(case, lengths, models, cuts, rng) for case in cases for _ in range(rounds))
    return [placed for placed in found if placed is not None]


def _implanted(
    case: SeriesCase, lengths: tuple[int, int], models: Models, cuts: GradingThresholds, rng: np.random.Generator
) -> Placed | None:
    """One study with a compression over neighbouring slices, worst in the middle; None where none could be painted."""
    shortest, longest = lengths
    length = int(rng.integers(shortest, longest + 1))
    if length > len(case.images):
        return None
    first = int(rng.integers(0, len(case.images) - length + 1))
    peak = str(rng.choice(["2", "3"]))
    images, truth = case.images.copy(), []
    for index in range(first, first + length):
        at_end = length > LENGTHS[0] and index in (first, first + length - 1)
        painted = paint_test_case(rng, case.slice(index), "1c" if at_end else peak)
        if painted is None:
            continue
        r, c = case.windows[index]
        images[index, r : r + WIDE_PX, c : c + WIDE_PX] = painted.image
        truth.append(GRADES.index(painted.grade))
    if max(truth, default=0) < COMPRESSED or len(truth) < shortest:
        return None
    return Placed(case.person, max(truth), _tier(_stack(case, images), models, cuts))


def _stack(case: SeriesCase, images: np.ndarray) -> Series:
    return as_series(images, (case.spacing_mm, COMPRESSION_PIXEL_MM, COMPRESSION_PIXEL_MM))


def _volume(folder: Path, person: str) -> Series:
    images, spacing = canonical(folder / "spider" / f"{person}_t2.nii.gz")
    return as_series(images, spacing, Role.VOLUME_T2)


def _tier(series: Series, models: Models, cuts: GradingThresholds) -> Tier:
    prediction = analyse_series(series, models)
    study = Study("1.2", (series,))
    return grade_study(study, {series.series_instance_uid: prediction}, cuts).urgency.tier
