"""What may hide in slices that could not be graded."""

from dataclasses import replace

import numpy as np
import pytest

from dashboard.grading.gaps import Concern, Missing, SliceState, find_gaps, find_missing
from dashboard.study import GRADES

NOWHERE = np.zeros((0, 3))
DOWN = np.array([0.0, 0.0, -1.0])


def states(text: str, step_mm: float = 5.0) -> list[SliceState]:
    """A letter a slice: rank 0 to 5; ``x`` a grade is owed, ``X`` the same and a 2 is suspected; ``n`` none is owed."""
    found = []
    for index, letter in enumerate(text):
        rank = int(letter) if letter.isdigit() else GRADES.index("2") if letter == "X" else 0
        centre = np.array([0.0, 0.0, -step_mm * index])
        found.append(SliceState(centre, DOWN, letter.isdigit(), letter in "xX", rank))
    return found


def concerns(text: str, step_mm: float = 5.0) -> list[Concern]:
    return [gap.concern for gap in find_gaps(states(text, step_mm), NOWHERE)]


def test_no_gap_where_everything_is_graded_or_no_grade_is_owed():
    assert concerns("0000nnn") == []


def test_one_slice_of_a_thick_stack_between_quiet_neighbours_is_narrow():
    assert concerns("00x00") == [Concern.NARROW]


def test_two_slices_of_a_thick_stack_may_hide_a_level():
    assert concerns("00xx00") == [Concern.WIDE]


def test_two_slices_of_a_reformat_have_room_for_a_compression():
    assert concerns("00xx00", step_mm=3.0) == [Concern.WIDE]


def test_one_slice_of_a_very_thick_stack_may_hide_a_level():
    assert concerns("00x00", step_mm=7.5) == [Concern.WIDE]


def test_one_slice_of_a_thin_reformat_hides_nothing():
    assert concerns("00x00", step_mm=1.0) == [Concern.THIN]


@pytest.mark.parametrize("text", ["04x00", "00x50", "03X00", "00XX00", "003x3", "4x"])
def test_compression_beside_it_or_two_slices_that_look_ill_make_it_suspicious(text):
    assert concerns(text) == [Concern.SUSPICIOUS]


@pytest.mark.parametrize(("text", "concern"), [("00X00", Concern.NARROW), ("03x00", Concern.WIDE)])
def test_one_slice_that_looks_ill_makes_nothing_urgent(text, concern):
    assert concerns(text, step_mm=3.0) == [concern]


@pytest.mark.parametrize("text", ["00X00", "X0000", "00xX0"])
def test_of_slices_far_apart_one_that_looks_ill_does(text):
    assert concerns(text, step_mm=5.0) == [Concern.SUSPICIOUS]


def test_the_slices_of_a_skull_base_are_no_missing_level():
    found = [replace(one, minor=True) for one in states("xxxxx0000", step_mm=3.0)]
    assert [gap.concern for gap in find_gaps(found, NOWHERE)] == [Concern.NARROW]


def test_what_lies_beyond_the_volume_hides_nothing():
    found = [replace(one, minor=True, beyond=True) for one in states("xxx", 3.0)] + states("xxx000", 3.0)[3:]
    assert [gap.concern for gap in find_gaps(found, NOWHERE)] == [Concern.BEYOND]
    partly = [replace(found[0], beyond=False), *found[1:]]
    assert [gap.concern for gap in find_gaps(partly, NOWHERE)] == [Concern.NARROW]


def test_beside_a_deformed_sac_no_gap_is_minor():
    first, *others = states("x20")
    assert [gap.concern for gap in find_gaps([replace(first, minor=True), *others], NOWHERE)] == [Concern.WIDE]


def test_a_picture_that_lies_off_to_one_side_is_no_farther_off():
    first, *others = states("x00", 3.0)
    aside = replace(first, centre_mm=first.centre_mm + np.array([5.0, 0, 0]))
    assert [gap.concern for gap in find_gaps([aside, *others], NOWHERE)] == [Concern.THIN]


def test_a_deformed_sac_beside_it_may_hide_a_level():
    assert concerns("02x00") == [Concern.WIDE]


def test_a_1a_beside_is_no_suspicion():
    assert concerns("01x10") == [Concern.NARROW]


def test_slices_that_no_grade_is_owed_end_a_gap():
    assert [(gap.first, gap.last) for gap in find_gaps(states("0xnx0"), NOWHERE)] == [(1, 1), (3, 3)]


def test_what_another_series_shows_is_no_gap():
    assert find_gaps(states("00x00"), np.array([[1.0, 0.0, -11.0]])) == ()


def test_nothing_but_gaps_is_one_wide_gap():
    assert concerns("xxxx") == [Concern.WIDE]


def without(text: str, lost: set[int], step_mm: float = 5.0, elsewhere_mm: np.ndarray = NOWHERE) -> tuple[Missing, ...]:
    """What is found where slices never arrived; what lies between them are stacks of their own, as files are read."""
    kept = [(one, index) for index, one in enumerate(states(text, step_mm)) if index not in lost]
    stacks = [sum(gone < index for gone in lost) for _, index in kept]
    return find_missing([one for one, _ in kept], stacks, elsewhere_mm)


@pytest.mark.parametrize(
    ("lost", "step_mm", "expected"),
    [
        ({3}, 5.0, Missing(2, 1, Concern.NARROW)),
        ({3}, 1.5, Missing(2, 1, Concern.THIN)),
        ({3}, 6.5, Missing(2, 1, Concern.WIDE)),
        ({3, 4}, 5.0, Missing(2, 2, Concern.WIDE)),
    ],
)
def test_slices_that_never_arrived_may_hide_what_a_gap_of_as_many_may(lost, step_mm, expected):
    assert without("00000000", lost, step_mm) == (expected,)


def test_beside_a_deformed_sac_a_missing_slice_may_hide_a_level():
    assert without("00200000", {3})[0].concern is Concern.WIDE


def test_nothing_is_missing_where_all_arrived_or_no_cord_lies():
    assert without("00000000", set()) == ()
    assert without("0000nnnnn", {6}) == ()


def test_a_missing_slice_that_another_series_shows_is_not_missing():
    assert without("00000000", {3}, elsewhere_mm=np.array([[0.0, 1.0, -15.0]])) == ()


def test_blocks_and_leaning_stacks_are_no_missing_slices():
    assert without("0000000000000", {2, 5, 8}) == ()
    assert without("0" * 20, set(range(3, 12))) == ()
    upper, lower = states("000"), [replace(one, centre_mm=one.centre_mm + 20.0 * DOWN) for one in states("000")]
    leaning = [replace(one, normal=np.array([0.0, 0.1, -0.995])) for one in lower]
    assert len(find_missing([*upper, *lower], [0] * 3 + [1] * 3, NOWHERE)) == 1
    assert find_missing([*upper, *leaning], [0] * 3 + [1] * 3, NOWHERE) == ()
