"""The cord against the slices beside: what is compared, and that narrowing only ever speaks for compression."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.grading import GradingThresholds
from dashboard.grading.narrowing import (
    LEAST_RATIO,
    REACH_MM,
    USUAL_RATIO,
    cord_area_ratios,
    narrowing_of,
    with_narrowing,
)
from dashboard.grading.series import graded_slices
from dashboard.grading.words import finding_words
from tests.grading.crops import Anatomy, paint, prediction, stack, sure

WEIGHT = (12.0, 24.0, 24.0, 24.0, 6.0)


def centres(count: int, step_mm: float = 4.0) -> np.ndarray:
    return np.array([(0.0, 0.0, -step_mm * i) for i in range(count)])


def ratios(areas: list[float], usual: list[bool] | None = None, step_mm: float = 4.0) -> list[float | None]:
    return cord_area_ratios(areas, centres(len(areas), step_mm), usual or [True] * len(areas))


def test_a_pinched_cord_is_a_share_of_what_lies_above_and_below():
    assert ratios([60, 60, 42, 60, 60], [True, True, False, True, True])[2] == pytest.approx(0.7)


def test_a_cord_that_tapers_towards_the_conus_is_not_narrowed_anywhere():
    found = ratios([60.0 - 3 * i for i in range(9)])
    assert found[0] is None and found[-1] is None
    assert all(one is not None and one > USUAL_RATIO for one in found[1:-1])


def test_suspected_slices_do_not_stand_for_the_usual_cord():
    pinched, usual = [60, 45, 42, 45, 60], [True, False, False, False, True]
    assert ratios(pinched, usual)[2] == pytest.approx(0.7)
    assert ratios(pinched)[2] > 0.8


@pytest.mark.parametrize(
    ("areas", "usual", "step_mm"),
    [
        ([60, 42], [True, False], 4.0),  # nothing below
        ([60, 0, 60], [True, True, True], 4.0),  # no cord here
        ([0, 42, 60], [True, False, True], 4.0),  # none above
        ([60, 42, 60], [True, False, False], 4.0),  # all suspected below
        ([60, 42, 60], [True, False, True], REACH_MM + 1),  # too far
    ],
)
def test_without_a_cord_above_and_below_nothing_is_compared(areas, usual, step_mm):
    assert ratios(areas, usual, step_mm)[1] is None


def test_stations_that_overlap_are_compared_by_place():
    areas, heights = [60.0, 42.0, 60.0, 60.0], [0.0, -8.0, -4.0, -12.0]
    found = cord_area_ratios(areas, np.array([(0, 0, z) for z in heights]), [True, False, True, True])
    assert found[1] == pytest.approx(0.7)


@given(st.lists(st.floats(0, 1), min_size=5, max_size=5), st.floats(0.01, 2), st.floats(0.01, 2))
def test_a_smaller_cord_never_lowers_a_probability(head, ratio, other):
    head = np.minimum.accumulate(np.array(head))
    small, large = (with_narrowing(head, narrowing_of(r), WEIGHT) for r in sorted((ratio, other)))
    assert (small >= large - 1e-12).all()
    assert (large >= head).all()
    assert (np.diff(small) <= 0).all()


def test_what_healthy_cords_vary_by_and_what_is_unknown_count_for_nothing():
    head = np.array(sure("1c"))
    for ratio in (None, USUAL_RATIO, 1.0, 1.3):
        assert (with_narrowing(head, narrowing_of(ratio), WEIGHT) == head).all()


def test_half_an_outline_makes_no_compression_where_the_head_is_sure():
    head = np.array([0.08, 0.01, 0.005, 0.001, 0.0005])
    assert narrowing_of(0.1) == narrowing_of(LEAST_RATIO)
    assert with_narrowing(head, narrowing_of(0.1), WEIGHT)[0] < 0.5


def series_with(middle: Anatomy, at_least: tuple[float, ...]):
    healthy = [prediction(z_mm=-4.0 * i, index=i) for i in range(7)]
    labels = paint(Anatomy().sac, middle.cord)
    healthy[3] = prediction(at_least, z_mm=-12.0, index=3, labels=labels)
    return stack(healthy)


@pytest.mark.parametrize(("cord_ap", "grade"), [(7.0, "1c"), (4.5, "2")])
def test_the_same_opinion_of_the_head_is_a_2_where_the_cord_is_pinched(cord_ap, grade):
    cuts = GradingThresholds(rules_weight=0.0, narrowing_weight=WEIGHT)
    unsure = (0.99, 0.97, 0.9, 0.2, 0.01)
    slices = graded_slices(series_with(replace(Anatomy(), cord_ap=cord_ap), unsure), cuts)
    one = slices[3]
    assert one.grade.grade == grade
    assert one.grade.head_grade == "1c"
    assert one.measures.cord_area_ratio == pytest.approx(cord_ap / 7.0, abs=0.03)
    assert all(other.grade.grade == "0" for other in slices if other is not one)


def test_the_reason_says_how_much_is_missing():
    cuts = GradingThresholds()
    one = graded_slices(series_with(replace(Anatomy(), cord_ap=4.9), sure("2")), cuts)[3]
    assert "cord area 37 mm2 (29 % less than beside)" in finding_words("2", one.measures)
    same = replace(one.measures, cord_area_ratio=1.0)
    assert "(no less than beside)" in finding_words("2", same)
    assert "beside)" not in finding_words("0", same)
    assert "beside)" not in finding_words("2", replace(same, cord_area_ratio=None))
