"""Operating points fitted on the calibration people."""

import numpy as np

from models.training.calibration import STEPS, _cut, _even_cut, _sparing_cut, fit_beside


def test_the_cut_for_compression_goes_as_low_as_the_others_allow():
    rng = np.random.default_rng(1)
    truth = np.arange(4000) >= 3400
    probability = np.clip(rng.normal(np.where(truth, 0.5, 0.1), 0.12), 0, 1)
    cut = _sparing_cut(probability, truth, np.zeros(4000, bool), 1.0)
    assert (probability[~truth] < cut).mean() >= 0.97 > (probability[~truth] < cut - 0.025).mean()
    rare = np.array([0.01] * 97 + [0.08] * 3 + [0.9] * 2)
    assert _sparing_cut(rare, rare > 0.5, rare < 0.05, 0.02) == 0.05


def test_the_cut_for_compression_leaves_the_healthy_alone():
    probability = np.array([0.33] * 2 + [0.01] * 98 + [0.6] * 4)
    truth = probability > 0.5
    assert _sparing_cut(probability, truth, ~truth, 0.01) > 0.33


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


def test_the_cord_beside_weighs_as_much_as_it_tells():
    rng = np.random.default_rng(7)
    ranks = rng.integers(0, STEPS + 1, 1500)
    head = np.full((1500, STEPS), 0.4)
    real = rng.random(1500) < 0.7
    seen = (ranks > 3) & (rng.random(1500) < 0.8)
    telling = np.stack([np.where(seen, 0.15, 0.0), np.where(seen, 0.3, -0.2)], axis=1)
    for at, least in ((0, 10), (1, 3)):
        alone = telling * (np.arange(2) == at)
        assert fit_beside(head, alone, ranks, real)[at][3] > least
        assert fit_beside(head, alone, ranks, real)[1 - at] == [0.0] * STEPS
        assert fit_beside(head, rng.permutation(alone), ranks, real)[at][3] < 2 * least / 3
    # A changed cord tells compression from none; what is milder it leaves to the head.
    assert fit_beside(head, telling, ranks, real)[1][:3] == [0.0] * 3
    # Of slices that are in no series nothing is learnt.
    assert fit_beside(head, np.where(real[:, None], 0.0, telling), ranks, real) == [[0.0] * STEPS] * 2
