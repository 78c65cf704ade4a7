"""Neighbouring slices of one band, gathered into entries of the result."""

from collections.abc import Sequence

import numpy as np

from dashboard.grading.bilsky import BAND_OF_GRADE
from dashboard.grading.profile import REACH_MM
from dashboard.grading.result import LevelResult, SliceResult
from dashboard.grading.words import rank


def group_levels(graded: Sequence[SliceResult]) -> tuple[LevelResult, ...]:
    """Entries in order of series and canal; a new one begins where the band changes or neighbours end.

    Parameters
    ----------
    graded
        Analysed slices, head to foot within each series.
    """
    groups: list[list[SliceResult]] = []
    for one in graded:
        if groups and _belong(groups[-1][-1], one):
            groups[-1].append(one)
        else:
            groups.append([one])
    return tuple(_level(group) for group in groups)


def _belong(before: SliceResult, one: SliceResult) -> bool:
    if before.series_instance_uid != one.series_instance_uid:
        return False
    if BAND_OF_GRADE[before.supported_grade or "0"] != BAND_OF_GRADE[one.supported_grade or "0"]:
        return False
    return float(np.linalg.norm(np.subtract(before.position_mm, one.position_mm))) <= REACH_MM


def _level(group: Sequence[SliceResult]) -> LevelResult:
    worst = max(group, key=lambda one: (rank(one.supported_grade or "0"), sum(one.supported or ())))
    return LevelResult(
        worst=worst,
        grade=worst.supported_grade or "0",
        at_least=tuple(np.max([one.supported for one in group if one.supported is not None], axis=0).tolist()),
        slices=len(group),
        from_mm=group[0].position_mm,
        to_mm=group[-1].position_mm,
    )
