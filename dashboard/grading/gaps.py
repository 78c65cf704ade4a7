"""Slices that should have been graded and were not: what may hide in them.

At the worst level of a study the cord may be out of sight and the CSF gone, so that just there the software is least
sure. A gap is therefore never passed over because what lies beside it looks well.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise

import numpy as np

from dashboard.grading.profile import FAR_APART_MM, LEAST_EXTENT_MM, REACH_MM, SAME_PLACE_MM, plane_steps_mm
from dashboard.study import GRADES
from dashboard.study.geometry import Array, missing_slices


class Concern(IntEnum):
    """How much could hide in a gap."""

    BEYOND = 0  # nothing: planes that leave the volume at its end
    THIN = 1  # less than the shortest compression: its neighbours would show it too
    NARROW = 2  # one slice of a thick stack, neighbours not flagged
    WIDE = 3  # room for a whole compression, or a slice beside it shows a deformed sac
    SUSPICIOUS = 4  # compression beside it, or suspected in it and borne out by a second slice


# A slice that could not be graded beside one where tumour touches the cord may be the worse of the two. As with slices
# that were graded, one alone makes nothing urgent: it takes two that look ill, or one graded as compressed.
TOUCHED_FROM = GRADES.index("1c")
# Beside a deformed sac it may be. 1a does not count: false marks are commonest there.
UNCERTAIN_FROM = GRADES.index("1b")
COMPRESSED_FROM = GRADES.index("2")
# More steps over missing slices than this are blocks of slices that were planned so.
MOST_PLACES = 2
# Planes within about 2.5 degrees of each other are of one stack.
PARALLEL_COSINE = 0.999
# Slices at the skull base look turned to the model: five of 3 mm in a real cervical stack, with room for one more.
LONGEST_MINOR_MM = 15.0


@dataclass(frozen=True)
class SliceState:
    """What gap finding needs to know of a slice, head to foot within one series.

    `centre_mm` and unit `normal` are those of its picture, LPS. `rank` is that of the slice's own grade, or of the
    grade the model alone would give a slice not analysed. A gap of `minor` slices only may be longer before it counts
    as wide, and is never suspicious; one of slices only that lie `beyond` the volume hides nothing that was acquired.
    """

    centre_mm: Array
    normal: Array
    analysed: bool
    grade_owed: bool
    rank: int
    minor: bool = False
    beyond: bool = False


@dataclass(frozen=True)
class Gap:
    """A run of slices not graded though a grade was owed: indices `first` to `last` in the series."""

    first: int
    last: int
    concern: Concern


def find_gaps(slices: Sequence[SliceState], seen_elsewhere_mm: Array) -> tuple[Gap, ...]:
    """All gaps of one series.

    Parameters
    ----------
    slices
        Head to foot.
    seen_elsewhere_mm
        (n, 3) centres of slices of other series that were analysed, same frame of reference, LPS mm: a slice of a
        gap that one of them shows is no gap.
    """
    missing = [one.grade_owed and not one.analysed and not _seen(one.centre_mm, seen_elsewhere_mm) for one in slices]
    gaps, index = [], 0
    while index < len(slices):
        if not missing[index]:
            index += 1
            continue
        last = index
        while last + 1 < len(slices) and missing[last + 1]:
            last += 1
        gaps.append(Gap(index, last, _concern(slices, index, last)))
        index = last + 1
    return tuple(gaps)


@dataclass(frozen=True)
class Missing:
    """`count` slices that seem never to have arrived after the slice `after` (index in the series)."""

    after: int
    count: int
    concern: Concern


def find_missing(slices: Sequence[SliceState], stacks: Sequence[int], seen_elsewhere_mm: Array) -> tuple[Missing, ...]:
    """Where a series steps over slices that a regular stack would have had.

    Parameters
    ----------
    slices
        Head to foot.
    stacks
        Which evenly spaced stack of the series each belongs to. Slices are missing between parallel ones of two stacks
        where the step is a small multiple of the usual one; more such steps than :data:`MOST_PLACES` are blocks that
        were planned so.
    seen_elsewhere_mm
        As for :func:`find_gaps`.
    """
    steps = [_distance(one, other) for one, other in pairwise(slices)]
    within = [step for step, (a, b) in zip(steps, pairwise(stacks), strict=True) if a == b]
    usual = float(np.median(within)) if within else 0.0
    found = []
    for index, (one, other) in enumerate(pairwise(slices)):
        count = missing_slices(steps[index], usual)
        parallel = abs(float(one.normal @ other.normal)) >= PARALLEL_COSINE
        owed = any(state.analysed or state.grade_owed for state in (one, other))
        middle = (one.centre_mm + other.centre_mm) / 2
        if stacks[index] != stacks[index + 1] and count and parallel and owed and not _seen(middle, seen_elsewhere_mm):
            flagged = max(one.rank, other.rank) >= UNCERTAIN_FROM
            found.append(Missing(index, count, _room((count - 1) * usual, steps[index], flagged)))
    return tuple(found) if len(found) <= MOST_PLACES else ()


def _concern(slices: Sequence[SliceState], first: int, last: int) -> Concern:
    neighbours = [slices[i].rank for i in (first - 1, last + 1) if 0 <= i < len(slices) and slices[i].analysed]
    beside = max(neighbours, default=0)
    within = slices[first : last + 1]
    around = _distance(slices[max(first - 1, 0)], slices[min(last + 1, len(slices) - 1)])
    length = _distance(slices[first], slices[last])
    flagged = beside >= UNCERTAIN_FROM
    if all(one.beyond for one in within):
        return Concern.BEYOND
    if all(one.minor for one in within):
        # Only its length tells a minor gap from one with room for a level.
        return _room(length if length > LONGEST_MINOR_MM else 0.0, min(around, REACH_MM), flagged)
    if beside >= COMPRESSED_FROM or _look_ill(slices, first, last) + sum(r >= TOUCHED_FROM for r in neighbours) >= 2:
        return Concern.SUSPICIOUS
    return _room(length, around, flagged)


def _room(length_mm: float, around_mm: float, flagged: bool) -> Concern:
    """What fits into a gap: as many slices as a compression needs to be believed, or one far from its neighbours."""
    if length_mm >= LEAST_EXTENT_MM or around_mm > REACH_MM or flagged:
        return Concern.WIDE
    return Concern.NARROW if around_mm >= 2 * LEAST_EXTENT_MM else Concern.THIN


def _look_ill(slices: Sequence[SliceState], first: int, last: int) -> int:
    """How much within a gap speaks for compression, in slices.

    Only a suspected high grade counts: the model was not sure of what it looked at. Of slices so far apart that one
    alone may show a compression it counts twice (of 7,428 untouched ones 4 and 6 mm apart none was one of these).
    """
    ill = [index for index in range(first, last + 1) if slices[index].rank >= COMPRESSED_FROM]
    return sum(2 if _far_apart(slices, index) else 1 for index in ill)


def _far_apart(slices: Sequence[SliceState], index: int) -> bool:
    beside = [slices[i] for i in (index - 1, index + 1) if 0 <= i < len(slices)]
    return bool(beside) and min(_distance(slices[index], other) for other in beside) >= FAR_APART_MM


def _distance(one: SliceState, other: SliceState) -> float:
    centres, normals = np.stack([one.centre_mm, other.centre_mm]), np.stack([one.normal, other.normal])
    return float(plane_steps_mm(centres, normals)[0])


def _seen(centre_mm: Array, elsewhere_mm: Array) -> bool:
    return bool(len(elsewhere_mm)) and float(np.linalg.norm(elsewhere_mm - centre_mm, axis=1).min()) <= SAME_PLACE_MM
