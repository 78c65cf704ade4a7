"""Operating points fitted on the calibration people."""

import numpy as np

from models.training.calibration import STEPS, _cut, _even_cut, fit_narrowing


def test_a_cut_goes_as_low_as_the_slices_ask_for():
    probability = np.array([0.01] * 90 + [0.08] * 8 + [0.9] * 2)
    truth = probability > 0.05
    assert _cut(probability, truth, ~truth, 0.02, 0.95) < 0.1


def test_a_share_that_must_be_found_comes_before_specificity():
    rng = np.random.default_rng(1)
    truth = np.arange(2000) >= 1800
    probability = np.clip(rng.normal(np.where(truth, 0.5, 0.2), 0.15), 0, 1)
    healthy = np.arange(2000) < 10
    by_sum, by_share = (_cut(probability, truth, healthy, 1.0, found) for found in (None, 0.97))
    assert by_share < by_sum
    assert (probability[truth] >= by_share).mean() >= 0.97
    assert (probability[truth] >= by_share + 0.025).mean() < 0.97


def test_a_cut_stays_above_the_healthy():
    probability = np.array([0.33] * 50 + [0.34, 0.6, 0.7, 0.8])
    truth = np.arange(54) >= 50
    assert _cut(probability, truth, ~truth, 0.01) > 0.33


def test_as_many_are_called_the_worst_grade_as_are_of_it() -> None:
    rng = np.random.default_rng(4)
    truth = np.arange(600) < 60
    probability = np.clip(np.where(truth, 0.5, 0.2) + rng.normal(0, 0.15, 600), 0, 1)
    assert abs(int((probability >= _even_cut(probability, truth)).sum()) - 60) <= 8


def test_without_the_worst_grade_its_cut_is_the_middle() -> None:
    assert _even_cut(np.linspace(0, 1, 10), np.zeros(10, bool)) == 0.5


def test_narrowing_weighs_as_much_as_it_tells():
    rng = np.random.default_rng(7)
    ranks = rng.integers(0, STEPS + 1, 1500)
    head = np.full((1500, STEPS), 0.4)
    real = rng.random(1500) < 0.7
    telling = np.where(ranks > 3, 0.15, 0.0) * (rng.random(1500) < 0.8)
    told = fit_narrowing(head, telling, ranks, real)
    assert told[3] > 10
    assert fit_narrowing(head, rng.permutation(telling), ranks, real)[3] < 3
    # Of slices that are in no series nothing is learnt.
    assert fit_narrowing(head, np.where(real, 0.0, telling), ranks, real) == [0.0] * STEPS
