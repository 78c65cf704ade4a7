"""Drawn spines, made once a run: drawing one takes a second or two."""

import pytest

from dashboard.study.sagittal import SagittalPrediction
from tests.grading.spine.truth import drawn
from tests.spines import Whole


@pytest.fixture(scope="session")
def whole() -> Whole:
    return Whole()


@pytest.fixture(scope="session")
def seen(whole) -> SagittalPrediction:
    """The whole spine, C2 to the sacrum, in nine planes."""
    return drawn(whole)
