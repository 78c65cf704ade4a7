"""Fixtures that every test may use."""

import os
from pathlib import Path

import hypothesis
import pytest

# No test asserts wall-clock time, and a deadline is one.
hypothesis.settings.register_profile("house", deadline=None)
hypothesis.settings.load_profile("house")

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def repository() -> Path:
    """Root of the checkout."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of the public volumes and malformed files (README, "Test data"); skips when it is absent."""
    folder = Path(os.environ.get("TRIAGE_SHARED_DATA") or REPOSITORY.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip("the folder of public volumes is absent: set TRIAGE_SHARED_DATA (README, 'Test data')")
    return folder
