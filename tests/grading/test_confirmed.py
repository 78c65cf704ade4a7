"""A reading of a whole study tells the grade of some slices, and of no others."""

from typing import Any

import pytest

from dashboard.grading import confirmed_slices
from dashboard.study import SlicePlace

UID = "2.25.1"


def entry(index: int, grade: str | None, none: float = 0.9) -> dict[str, Any]:
    place = {"series_instance_uid": UID, "volume_index": 0, "slice_index": index}
    return place | {"grade": grade, "probabilities": None if grade is None else {"0": none}}


def document(grade: str | None, *entries: dict[str, Any], worst: int | None = None) -> dict[str, Any]:
    return {"grade": grade, "slices": list(entries), "worst_slice": None if worst is None else entries[worst]}


def places(found: tuple[Any, ...]) -> list[int]:
    return [one["slice_index"] for one in found]


def test_the_worst_slice_has_the_grade_that_was_agreed_with() -> None:
    found = document("2", entry(0, "0"), entry(1, "2"), entry(2, "2"), worst=2)
    assert places(confirmed_slices(found, "2", None)) == [2]


@pytest.mark.parametrize("grade", ["3", "1c", None])
def test_a_grade_of_no_known_slice_tells_nothing(grade: str | None) -> None:
    assert confirmed_slices(document("2", entry(0, "0"), entry(1, "2"), worst=1), grade, None) == ()


def test_the_slice_that_was_pointed_at_has_the_grade() -> None:
    found = document("2", entry(0, "0"), entry(1, "2"), entry(2, None), worst=1)
    assert places(confirmed_slices(found, "3", SlicePlace(UID, 0, 0, 1))) == [0]
    assert places(confirmed_slices(found, "2", SlicePlace(UID, 0, 0, 1))) == [0]
    assert confirmed_slices(found, "3", SlicePlace(UID, 0, 2, 3)) == ()


def test_the_most_suspected_slice_and_two_apart_stand_for_a_study_read_as_0() -> None:
    slices = [entry(index, "0", 0.9 - 0.5 * (index == 4)) for index in range(9)]
    assert places(confirmed_slices(document("0", *slices, worst=0), "0", None)) == [4, 2, 7]
    # The software's grade plays no part, nor what it did not grade.
    overruled = document("3", entry(0, None), entry(1, "3", 0.01), entry(2, "0"), worst=1)
    assert places(confirmed_slices(overruled, "0", None)) == [1, 2]
    assert places(confirmed_slices(document(None, entry(0, "0"), entry(1, None)), "0", None)) == [0]


def test_a_study_of_which_nothing_was_graded_tells_nothing() -> None:
    assert confirmed_slices({"grade": None, "slices": [entry(0, None)]}, "0", None) == ()
    assert confirmed_slices({"grade": None}, "2", SlicePlace(UID, 0, 0, 1)) == ()
