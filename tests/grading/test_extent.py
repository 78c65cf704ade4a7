"""Where the cord ends, and series that are of the wrong kind altogether."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dashboard.grading import Obstacle
from dashboard.grading.extent import cauda_follows, cord_end, series_obstacle


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


def kind_of(obstacles: list[tuple[Obstacle, ...]], **scene: float) -> Obstacle | None:
    names = ("gradable", "wrong_contrast", "no_cord", "wrong_geometry", "not_spine")
    return series_obstacle(obstacles, [[scene.get(name, 0.01) for name in names]] * len(obstacles))


def test_a_series_that_is_mostly_of_the_wrong_contrast_is_of_the_wrong_contrast():
    found = kind_of([(Obstacle.WRONG_CONTRAST,)] * 3 + [()], wrong_contrast=0.7, gradable=0.2)
    assert found is Obstacle.WRONG_CONTRAST


def test_several_kinds_of_wrong_count_together_and_the_likeliest_is_named():
    obstacles = [(Obstacle.NOT_SPINE,)] * 2 + [(Obstacle.WRONG_GEOMETRY,)] * 2 + [(Obstacle.CANAL_NOT_FOUND,), ()]
    assert kind_of(obstacles, not_spine=0.5, wrong_geometry=0.3, gradable=0.5) is Obstacle.NOT_SPINE


def test_cords_too_large_throughout_are_a_wrong_scale():
    obstacles = [(Obstacle.CORD_NOT_PLAUSIBLE,)] * 4 + [()]
    assert kind_of(obstacles, gradable=0.9, wrong_contrast=0.06) is Obstacle.WRONG_GEOMETRY


def test_slices_that_pass_one_by_one_but_are_doubtful_together_are_refused():
    assert kind_of([()] * 6, wrong_contrast=0.5, gradable=0.35) is Obstacle.WRONG_CONTRAST


def test_a_few_wrong_slices_do_not_condemn_a_series():
    assert kind_of([(Obstacle.NOT_SPINE,)] * 2 + [()] * 3, gradable=0.8) is None


def test_a_series_that_looks_a_little_odd_throughout_is_of_the_wrong_geometry():
    assert kind_of([()] * 5, gradable=0.9, wrong_geometry=0.06) is Obstacle.WRONG_GEOMETRY
    assert kind_of([()] * 5, gradable=0.9, wrong_geometry=0.01) is None


def test_a_lumbar_series_without_a_cord_is_not_of_the_wrong_kind():
    assert kind_of([(Obstacle.NO_CORD,)] * 9 + [()], no_cord=0.85) is None


def test_an_empty_series_is_of_no_kind():
    assert series_obstacle([], []) is None


def test_two_sure_slices_bear_out_that_the_cord_ended():
    assert cauda_follows([0.0, 0.1, 0.95, 0.95], 2)
    assert not cauda_follows([0.0, 0.95, 0.7, 0.95], 2)
