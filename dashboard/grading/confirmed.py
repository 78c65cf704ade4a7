"""Which slices of a result have a grade that a person told, by reading the whole study."""

from collections.abc import Mapping
from typing import Any

from dashboard.study import GRADES, SlicePlace, same_slice

# Slices of one person are much alike: so many stand for a study without tumour.
MOST_CLEAR = 3


def confirmed_slices(
    document: Mapping[str, Any], grade: str | None, at: SlicePlace | None
) -> tuple[Mapping[str, Any], ...]:
    """Entries of graded slices that have the grade of a reading.

    Where a study was read as 0, none of its slices has another grade: the one most suspected is taken and up to two
    others apart from it. Any other grade is that of one slice: the one that the person pointed at, else, where the
    person agreed, the worst one of the result.

    Parameters
    ----------
    document
        The result that was read.
    grade
        Of the reading; None where the person gave none.
    at
        The slice that the person pointed at.
    """
    graded = [entry for entry in document.get("slices") or [] if entry.get("grade") is not None]
    if grade is None or not graded:
        return ()
    if grade == GRADES[0]:
        return _standing_for(graded)
    if at is not None:
        return tuple(entry for entry in graded if at.is_of(entry))
    worst = document.get("worst_slice") or {}
    return tuple(entry for entry in graded if entry["grade"] == grade and same_slice(worst, entry))


def _standing_for(graded: list[Mapping[str, Any]]) -> tuple[Mapping[str, Any], ...]:
    suspected = min(graded, key=lambda entry: float(entry["probabilities"][GRADES[0]]))
    others = [entry for entry in graded if entry is not suspected]
    apart = others[len(others) // 4 :: max(1, len(others) // 2)]
    return (suspected, *apart[: MOST_CLEAR - 1])
