"""Where the cord ends, and series that are of the wrong kind altogether."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dashboard.grading import Obstacle
from dashboard.grading.extent import cord_end, series_obstacle


def end_of(text: str) -> int:
    """c: shows a cord; n: shows none; ?: says neither."""
    return cord_end([letter == "c" for letter in text], [letter == "n" for letter in text])


def test_a_cord_all_the_way_ends_with_the_series():
    assert end_of("cccc") == 4


def test_no_cord_anywhere_ends_before_the_first_slice():
    assert end_of("nnnn") == 0


def test_the_cord_ends_at_the_conus():
    assert end_of("cccccnnnn") == 5


def test_one_cord_like_slice_below_the_conus_moves_nothing():
    assert end_of("cccccnncnn") == 5


def test_one_slice_without_a_cord_in_between_moves_nothing():
    assert end_of("cccnccc") == 7


def test_slices_that_say_neither_stay_above_the_end():
    assert end_of("cc??nn") == 4


@given(st.lists(st.sampled_from("cn?"), max_size=30))
def test_no_other_split_contradicts_fewer_slices(letters):
    cord, none = np.array([a == "c" for a in letters], bool), np.array([a == "n" for a in letters], bool)
    wrong = [int(none[:end].sum() + cord[end:].sum()) for end in range(len(letters) + 1)]
    assert wrong[cord_end(cord, none)] == min(wrong)


def test_a_series_that_is_mostly_of_the_wrong_contrast_is_of_the_wrong_contrast():
    assert series_obstacle([(Obstacle.WRONG_CONTRAST,)] * 3 + [()]) is Obstacle.WRONG_CONTRAST


def test_a_few_wrong_slices_do_not_condemn_a_series():
    assert series_obstacle([(Obstacle.NOT_SPINE,)] * 2 + [()] * 3) is None


def test_a_lumbar_series_without_a_cord_is_not_of_the_wrong_kind():
    assert series_obstacle([(Obstacle.NO_CORD,)] * 9 + [()]) is None


def test_an_empty_series_is_of_no_kind():
    assert series_obstacle([]) is None
