"""A finding's model: missing features count as their centre, and probabilities never rise along the scale."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.study.finding_models import FindingModel, steps

MODEL = FindingModel(("a", "b"), (1.0, 0.0), (2.0, 1.0), (1.0, -1.0), (0.5, -0.5))


def test_a_missing_feature_counts_as_its_centre() -> None:
    assert MODEL.at_least({"a": None}) == MODEL.at_least({"a": 1.0, "b": 0.0})


def test_the_first_step_is_the_probability() -> None:
    assert MODEL.probability({"a": 1.0, "b": 0.0}) == pytest.approx(0.6225, abs=1e-4)


def test_calibration_is_applied_to_the_odds() -> None:
    assert replace(MODEL, scale=2.0, shift=-1.0).probability({}) == pytest.approx(0.5)


def test_a_feature_far_out_says_no_more_than_four_spreads() -> None:
    assert MODEL.at_least({"a": 1e6}) == MODEL.at_least({"a": 9.0})


@given(st.floats(-50, 50), st.floats(-50, 50))
def test_steps_never_rise(a: float, b: float) -> None:
    found = MODEL.at_least({"a": a, "b": b})
    assert found == tuple(sorted(found, reverse=True))


def test_steps_count_what_reaches_the_cut() -> None:
    assert steps((0.9, 0.6, 0.2)) == 2
    assert steps((0.9, 0.6, 0.2), cut=0.95) == 0
