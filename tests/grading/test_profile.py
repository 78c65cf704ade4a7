"""Support from neighbours along the canal."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dashboard.grading.profile import (
    FAR_APART_MM,
    REACH_MM,
    along_canal_mm,
    least_runs,
    nearest_plane_mm,
    opening,
    plane_steps_mm,
    support,
)
from tests.grading.crops import sure

LOW, HIGH = sure("0"), sure("3")
CUTS = (0.5,) * 5
profiles = arrays(np.float64, st.tuples(st.integers(1, 12), st.just(5)), elements=st.floats(0, 1)).map(
    lambda values: -np.sort(-values, axis=1)
)


def line(count: int, step_mm: float) -> np.ndarray:
    return np.array([[0.0, 0.0, -step_mm * index] for index in range(count)]).reshape(-1, 3)


def alone(rows: list[tuple[float, ...]], step_mm: float = 3.0) -> np.ndarray:
    return supported(np.array(rows), line(len(rows), step_mm), [0] * len(rows), ["2.25.1"] * len(rows))


def supported(rows: np.ndarray, centres: np.ndarray, series: list[int], frames: list[str], cuts=CUTS) -> np.ndarray:
    """Support in stacks of square planes, all of which were analysed."""
    numbers, apart = np.array(series), np.zeros(len(rows))
    for number in set(series):
        own = centres[numbers == number]
        apart[numbers == number] = nearest_plane_mm(own, np.tile([0.0, 0.0, 1.0], (len(own), 1)))
    return support(rows, centres, apart, series, series, frames, cuts)


def test_one_noisy_slice_among_healthy_ones_has_no_support():
    assert alone([LOW, LOW, HIGH, LOW, LOW])[:, 3].max() < 0.05


def test_two_neighbours_support_each_other():
    assert alone([LOW, HIGH, HIGH, LOW])[:, 3].max() > 0.9


def test_a_milder_neighbour_supports_a_worse_slice():
    assert alone([LOW, sure("1b"), sure("2"), sure("0")])[2, 3] > 0.9


def test_a_1a_beside_it_supports_no_compression():
    assert alone([LOW, sure("1a"), sure("2"), LOW])[2, 3] < 0.05


def test_a_neighbour_short_of_its_cut_lends_nothing_however_large_its_probability():
    rows = np.array([(0.6, 0.2, 0.1, 0.0, 0.0), (0.9, 0.8, 0.1, 0.0, 0.0)])
    found = supported(rows, line(2, 5.0), [0, 0], ["", ""], (0.65, 0.45, 0.5, 0.5, 0.5))
    assert found[1, 1] < 0.45


def test_a_neighbour_that_reaches_the_cut_for_2_alone_supports_as_a_2():
    rows = np.array([(1.0, 1.0, 1.0, 0.9, 0.4), (0.7, 0.4, 0.4, 0.15, 0.0), (0.7, 0.4, 0.4, 0.1, 0.0)])
    cuts = (0.5, 0.5, 0.5, 0.125, 0.3)
    assert supported(rows[:2], line(2, 3.0), [0, 0], ["", ""], cuts)[0, 3] >= cuts[3]
    assert supported(rows[[0, 2]], line(2, 3.0), [0, 0], ["", ""], cuts)[0, 3] < cuts[3]


@pytest.mark.parametrize("count", [1, 2])
def test_a_slice_without_neighbours_counts_alone_where_it_is_sure(count):
    assert alone([HIGH] * count, step_mm=REACH_MM + 1)[:, 3].min() > 0.5
    assert alone([sure("3", doubt=0.2)] * count, step_mm=REACH_MM + 1)[:, 3].max() < 0.2


def test_of_slices_far_apart_one_that_is_sure_counts_alone():
    rows = [LOW, HIGH, LOW]
    assert alone(rows, FAR_APART_MM)[1, 3] > 0.5 > alone(rows, FAR_APART_MM - 0.1)[1, 3]
    assert alone([HIGH, LOW], step_mm=5.0)[0, 3] > 0.5


def test_of_slices_far_apart_one_that_is_not_quite_sure_does_not():
    assert alone([LOW, sure("3", doubt=0.2), LOW], step_mm=5.0)[1, 3] < 0.2


def test_two_thin_slices_are_one_observation():
    thin = [LOW] * 4 + [HIGH] * 2 + [LOW] * 4
    assert alone(thin, step_mm=1.0)[:, 3].max() < 0.05
    assert alone([LOW] * 4 + [HIGH] * 4 + [LOW] * 4, step_mm=1.0)[:, 3].max() > 0.9


def test_a_second_series_at_the_same_place_supports():
    rows = np.array([LOW, HIGH, LOW, HIGH])
    centres = np.concatenate([line(3, 5.0), [[0.5, 0.5, -6.0]]])
    found = supported(rows, centres, [0, 0, 0, 1], ["2.25.1"] * 4)
    assert found[1, 3] > 0.9 and found[3, 3] > 0.9


@pytest.mark.parametrize("frames", [["2.25.1"] * 3 + ["2.25.2"], [""] * 4])
def test_places_compare_only_within_one_frame_of_reference(frames):
    centres = np.concatenate([line(3, 3.0), [[0.0, 0.0, -3.0]]])
    assert supported(np.array([LOW, HIGH, LOW, HIGH]), centres, [0, 0, 0, 1], frames)[:3, 3].max() < 0.05


def test_a_second_series_that_sees_nothing_takes_nothing_away():
    rows = np.array([LOW, HIGH, HIGH, LOW, LOW, LOW])
    centres = np.concatenate([line(4, 5.0), line(2, 5.0) - [0, 0, 5]])
    assert supported(rows, centres, [0, 0, 0, 0, 1, 1], ["2.25.1"] * 6)[1, 3] > 0.9


@given(profiles, st.floats(0.5, 15))
def test_support_never_exceeds_the_slice_and_never_rises_with_the_grade(values, step):
    found = supported(values, line(len(values), step), [0] * len(values), ["2.25.1"] * len(values))
    assert np.all(found <= values) and np.all(np.diff(found, axis=1) <= 0)


@given(profiles, st.floats(0.5, 15), st.data())
def test_a_worse_slice_never_lowers_the_support_of_any(values, step, data):
    row = data.draw(st.integers(0, len(values) - 1))
    worse = values.copy()
    worse[row] = np.maximum(worse[row], data.draw(st.floats(0, 1)))
    names = ["2.25.1"] * len(values)
    before = supported(values, line(len(values), step), [0] * len(values), names)
    assert np.all(supported(worse, line(len(values), step), [0] * len(values), names) >= before)


@given(profiles, st.floats(1, 11))
def test_head_and_foot_are_alike(values, step):
    centres = line(len(values), step)
    assert np.allclose(opening(values, centres)[::-1], opening(values[::-1], centres[::-1]))


def test_runs_are_as_short_as_they_may_be():
    assert least_runs(line(4, 5.0)) == [(0, 1), (1, 2), (2, 3)]
    assert least_runs(line(5, 1.0)) == [(0, 2), (1, 3), (2, 4)]
    assert least_runs(np.zeros((0, 3))) == []


def test_distance_along_the_canal_starts_at_the_first_slice():
    assert along_canal_mm(line(3, 5.0)).tolist() == [0, 5, 10]
    assert along_canal_mm(np.zeros((0, 3))).size == 0


def test_planes_lie_as_far_apart_as_their_normals_say():
    centres = np.array([[0.0, 0, 0], [4.0, 0, -3.0], [4.0, 0, -9.0]])
    assert plane_steps_mm(centres, np.tile([0.0, 0, 1], (3, 1))).tolist() == [3, 6]
    assert nearest_plane_mm(centres, np.tile([0.0, 0, -1], (3, 1))).tolist() == [3, 3, 6]
    assert nearest_plane_mm(centres[:1], np.array([[0.0, 0, 1]])).tolist() == [np.inf]
    assert nearest_plane_mm(np.zeros((0, 3)), np.zeros((0, 3))).size == 0
