"""A canal that both neighbours hold whole is whole between them."""

import numpy as np
import pytest

from dashboard.grading.continuity import REACH_MM, carried
from dashboard.grading.quality import LEAST_CANAL_INSIDE
from dashboard.study import SlicePrediction
from tests.grading.crops import prediction


def slices(insides: list[float], step_mm: float = 4.0) -> list[SlicePrediction]:
    return [prediction(z_mm=-step_mm * n, index=n, canal_inside=inside) for n, inside in enumerate(insides)]


def insides(values: list[float], step_mm: float = 4.0, refused: int | None = None) -> list[float]:
    """What is carried where whole canals are graded, but for the slice `refused` for something else."""
    passed = [value >= LEAST_CANAL_INSIDE and n != refused for n, value in enumerate(values)]
    return [one.canal_inside for one in carried(slices(values, step_mm), passed)]


def test_a_cord_pushed_towards_the_edge_between_two_whole_canals_lies_in_a_whole_one():
    assert insides([1.0, 0.8, 0.75, 0.95]) == [1.0, 0.95, 0.95, 0.95]


def test_a_canal_of_which_too_little_is_seen_stays_cut():
    assert insides([1.0, 0.6, 1.0]) == [1.0, 0.6, 1.0]


@pytest.mark.parametrize("values", [[0.8, 1.0, 1.0], [1.0, 1.0, 0.8], [0.8, 0.8], [0.8], []])
def test_with_one_side_alone_nothing_is_carried(values):
    assert insides(values) == values


def test_a_slice_that_could_not_be_graded_speaks_for_no_other():
    assert insides([1.0, 0.8, 1.0], refused=0) == [1.0, 0.8, 1.0]


def test_over_more_than_a_vertebra_nothing_is_carried():
    assert insides([1.0, 0.8, 1.0], REACH_MM + 0.1) == [1.0, 0.8, 1.0]


def test_what_is_whole_keeps_its_own_and_pictures_stay():
    before = slices([1.0, 0.9, 0.8, 1.0])
    after = carried(before, [True, True, False, True])
    assert [one.canal_inside for one in after] == [1.0, 0.9, 0.9, 1.0]
    assert after[2].image is before[2].image and np.array_equal(after[2].affine, before[2].affine)
