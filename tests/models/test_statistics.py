"""The figures of the evaluation, on cases with known answers."""

import numpy as np
import pytest

from models.training.statistics import bootstrap, dice, expected_calibration_error, quadratic_kappa


def test_kappa_of_full_agreement_is_one():
    ranks = np.array([0, 1, 2, 3, 4, 5])
    assert quadratic_kappa(ranks, ranks) == pytest.approx(1.0)


def test_kappa_of_a_reversed_reader_is_minus_one():
    ranks = np.array([0, 5])
    assert quadratic_kappa(ranks, ranks[::-1]) == pytest.approx(-1.0)


def test_dice_of_two_empty_masks_is_one():
    assert dice(np.zeros(4, bool), np.zeros(4, bool)) == 1.0


def test_calibration_error_of_honest_probabilities_is_zero():
    assert expected_calibration_error(np.array([0.0, 1.0, 1.0]), np.array([0, 1, 1])) == pytest.approx(0.0)


def test_interval_resamples_people_not_slices():
    person = np.repeat(["a", "b", "c"], 100)
    values = np.repeat([0.0, 0.5, 1.0], 100)
    value, (low, high) = bootstrap({"v": values}, person, lambda t: float(t["v"].mean()), np.random.default_rng(0))
    assert value == pytest.approx(0.5)
    assert high - low > 0.5


def test_too_few_people_give_no_interval():
    _, interval = bootstrap({"v": np.ones(4)}, np.array(["a"] * 4), lambda t: 1.0, np.random.default_rng(0))
    assert interval == [None, None]
