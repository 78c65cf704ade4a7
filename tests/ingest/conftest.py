"""The door of the intake with keys of its own."""

import pytest

from dashboard.ingest.deidentify import Door
from dashboard.ingest.uids import KeyedPseudonym, KeyedUids


@pytest.fixture
def door() -> Door:
    return Door(KeyedUids(b"key"), KeyedPseudonym(b"key"))
