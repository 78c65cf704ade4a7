"""Records, made-up models and a made-up study for tests of the whole path."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dashboard.exchange.demonstration import write_demonstration
from dashboard.records import Records, open_records
from dashboard.settings import Settings, load_settings
from dashboard.work.engine import Engine, load_engine
from tests.inference.phantoms import write_models


@pytest.fixture(scope="session")
def models_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_models(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="session")
def engine(models_dir: Path) -> Engine:
    return load_engine(models_dir)


@pytest.fixture(scope="session")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a synthetic study of 49 files; not to be changed."""
    folder = tmp_path_factory.mktemp("demonstration")
    write_demonstration(folder)
    return folder


@pytest.fixture
def settings(tmp_path: Path, models_dir: Path, database_url: str) -> Settings:
    return load_settings(
        {
            "TRIAGE_DATA_DIR": str(tmp_path / "data"),
            "TRIAGE_MODELS_DIR": str(models_dir),
            "TRIAGE_DATABASE_URL": database_url,
        }
    )


@pytest.fixture
def records(settings: Settings) -> Iterator[Records]:
    opened = open_records(settings)
    yield opened
    opened.close()
