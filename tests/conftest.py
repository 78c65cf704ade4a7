"""Fixtures that every test may use."""

import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from tests.postgresql import Server, needed_programs

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


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """A running PostgreSQL server, thrown away at the end."""
    server = Server(needed_programs())
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture
def database_url(request: pytest.FixtureRequest) -> str:
    """Address of an empty database; "" for the default, SQLite. The parameter says which kind."""
    if getattr(request, "param", "sqlite") == "sqlite":
        return ""
    server: Server = request.getfixturevalue("postgresql")
    # Emptying one database is far cheaper than making another.
    server.run("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    return server.address("postgres")
