"""A manifest's thresholds: its own where it states them, and never one of another shape."""

import pytest

from dashboard.errors import ModelError
from dashboard.grading import GradingThresholds, thresholds_from


def test_what_a_manifest_states_counts_and_the_rest_are_defaults() -> None:
    found = thresholds_from({"gradable_min": 0.4, "grade_cut": (0.6, 0.5, 0.4, 0.3, 0.2), "canal_min": 0.3})
    assert found == GradingThresholds(gradable_min=0.4, grade_cut=(0.6, 0.5, 0.4, 0.3, 0.2))


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("grade_cut", 0.5, "a list of 5 numbers"),
        ("narrowing_weight", (1.0, 2.0), "a list of 5 numbers"),
        ("change_weight", 3.0, "a list of 5 numbers"),
        ("gradable_min", (0.5, 0.5), "one number"),
    ],
)
def test_a_threshold_of_another_shape_is_named(name: str, value: float | tuple[float, ...], wanted: str) -> None:
    with pytest.raises(ModelError, match=f"thresholds.{name} .* must be {wanted}"):
        thresholds_from({name: value})


def test_a_manifest_whose_measurements_vote_is_refused_unless_their_vote_is_nothing() -> None:
    assert thresholds_from({"rules_weight": 0.0}) == GradingThresholds()
    with pytest.raises(ModelError, match="no longer have"):
        thresholds_from({"rules_weight": 0.25})
