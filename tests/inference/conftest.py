"""Models small enough to be made in a test run."""

import pytest

from dashboard.inference import Models, load_models
from tests.inference.phantoms import write_models


@pytest.fixture(scope="session")
def models_dir(tmp_path_factory):
    return write_models(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="session")
def models(models_dir) -> Models:
    return load_models(models_dir)


@pytest.fixture(scope="session")
def single_thread_models(models_dir) -> Models:
    return load_models(models_dir, threads=1)
