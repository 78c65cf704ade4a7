"""What speaks for the grade of a slice, in sentences: what was outlined, what lies beside it, who sees it otherwise."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from dashboard.grading.profile import FAR_APART_MM, MILDER_RANK, REACH_MM, SAME_PLACE_MM
from dashboard.grading.result import SliceResult
from dashboard.grading.words import (
    alone_words,
    elsewhere_words,
    finding_words,
    leaning_words,
    neighbour_words,
    opinion_words,
    rank,
    supported_words,
)


def explained(slices: Sequence[SliceResult], elsewhere: Sequence[SliceResult]) -> list[SliceResult]:
    """The slices of one series, head to foot, each analysed one with its explanation.

    Parameters
    ----------
    slices
        All of the series, analysed or not.
    elsewhere
        Slices of other series in the same frame of reference.
    """
    return [replace(one, explanation=_explanation(at, slices, elsewhere)) for at, one in enumerate(slices)]


def _explanation(at: int, slices: Sequence[SliceResult], elsewhere: Sequence[SliceResult]) -> tuple[str, ...]:
    one = slices[at]
    if one.grade is None or one.measures is None:
        return ()
    together = one.supported_grade
    sentences = (
        finding_words(one.grade.grade, one.measures),
        opinion_words(one.grade),
        leaning_words(one.grade),
        _neighbours(at, slices, elsewhere),
        None if together is None or together == one.grade.grade else supported_words(together),
    )
    return tuple(sentence for sentence in sentences if sentence is not None)


def _neighbours(at: int, slices: Sequence[SliceResult], elsewhere: Sequence[SliceResult]) -> str:
    one, own = slices[at], _grade(slices[at])
    seen = _nearest(at, slices, -1) | _nearest(at, slices, 1)
    agreeing = {number: grade for number, grade in seen.items() if bears_out(grade, own)}
    others = {number: grade for number, grade in seen.items() if number not in agreeing}
    beside = [slices[i] for i in (at - 1, at + 1) if 0 <= i < len(slices)]
    unseen = [other.number for other in beside if other.grade is None and _apart_mm(other, one) <= REACH_MM]
    words = neighbour_words(agreeing, others, unseen)
    # Neighbours that agree say enough; and that nothing is suspected elsewhere either needs no other series.
    if agreeing or own == "0":
        return words
    worst = max((_grade(other) for other in _same_place(one, elsewhere)), key=rank, default="0")
    if bears_out(worst, own):
        return f"{words}; {elsewhere_words(worst)}"
    # Borne out by none and still graded.
    alone = one.apart_mm >= FAR_APART_MM and one.supported_grade not in (None, "0")
    return f"{words}; {alone_words(one.apart_mm)}" if alone else words


def _same_place(one: SliceResult, elsewhere: Sequence[SliceResult]) -> list[SliceResult]:
    return [other for other in elsewhere if other.grade and _apart_mm(other, one) <= SAME_PLACE_MM]


def _nearest(at: int, slices: Sequence[SliceResult], step: int) -> dict[int, str]:
    """Number and grade of the next analysed slice to one side, as support is asked of it; none out of reach."""
    i = at + step
    while 0 <= i < len(slices) and _apart_mm(slices[i], slices[at]) <= REACH_MM:
        if slices[i].grade is not None:
            return {slices[i].number: _grade(slices[i])}
        i += step
    return {}


def bears_out(grade: str, own: str) -> bool:
    """Whether a slice of `grade` beside one of grade `own` shows the same: for tumour at least a milder form of it."""
    return grade == own if own == "0" else rank(grade) >= MILDER_RANK[rank(own)]


def _grade(one: SliceResult) -> str:
    return "0" if one.grade is None else one.grade.grade


def _apart_mm(one: SliceResult, other: SliceResult) -> float:
    return float(np.linalg.norm(np.subtract(one.position_mm, other.position_mm)))
