"""Records in a temporary folder, each test once with SQLite and once with PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dashboard.records import Records, open_records
from dashboard.settings import load_settings


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Whatever uses records holds for both kinds of database, unless the test says otherwise."""
    if "records" in metafunc.fixturenames and not any(
        mark.name == "parametrize" and "database_url" in str(mark.args[0])
        for mark in metafunc.definition.iter_markers()
    ):
        metafunc.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def records(tmp_path: Path, database_url: str) -> Iterator[Records]:
    opened = open_records(
        load_settings({"TRIAGE_DATA_DIR": str(tmp_path / "data"), "TRIAGE_DATABASE_URL": database_url})
    )
    yield opened
    opened.close()
