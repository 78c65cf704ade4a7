"""Records in a temporary folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dashboard.records import Records, open_records
from dashboard.settings import load_settings


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    opened = open_records(load_settings({"TRIAGE_DATA_DIR": str(tmp_path / "data")}))
    yield opened
    opened.close()
