"""Levels over the whole path, from files to the published result."""

import io
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from dashboard.settings import load_settings
from dashboard.study.levels import LEVELS
from dashboard.work.command import triage_paths
from tests.spines import Whole, write_whole_spine

MODELS = Path(__file__).parents[2] / "models"
NOT_FOR_A_RESULT = ("timings_s", "model", "series")


def triaged(path: Path, models: Path, data: Path) -> dict[str, Any]:
    settings = load_settings({"TRIAGE_DATA_DIR": str(data), "TRIAGE_MODELS_DIR": str(models)})
    output = io.StringIO()
    assert triage_paths([path], None, settings, output, io.StringIO()) == 0
    (line,) = output.getvalue().splitlines()
    return json.loads(line)


def test_without_the_sagittal_model_the_grade_stands_and_the_series_says_why(
    demonstration: Path, models_dir: Path, tmp_path: Path
) -> None:
    bare = tmp_path / "models"
    shutil.copytree(models_dir, bare)
    shutil.rmtree(bare / "sagittal")
    with_it, without = (triaged(demonstration, models, tmp_path / "data") for models in (models_dir, bare))
    reasons = [one["levels_reason"] for one in without["series"] if one["plane"] == "sagittal"]
    assert reasons == ["Model sagittal: manifest.toml cannot be read; restore its folder."]
    assert without["grade"] == with_it["grade"] and without["spine"] is None
    assert [one["name"] for one in with_it["model"]] == ["canal", "compression", "sagittal", "sagittal_findings"]
    assert [one["name"] for one in without["model"]] == ["canal", "compression"]


@pytest.fixture(scope="module")
def whole() -> Whole:
    return Whole(sway_mm=6.0)


@pytest.fixture(scope="module")
def found(whole: Whole, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The drawn whole spine as the shipped models see it."""
    if not (MODELS / "sagittal" / "manifest.toml").exists():
        pytest.skip("the sagittal model is not in this checkout")
    folder = tmp_path_factory.mktemp("whole")
    write_whole_spine(folder / "study", whole)
    return triaged(folder / "study", MODELS, folder / "data")


def test_every_level_of_a_whole_spine_is_named(found: dict[str, Any]) -> None:
    assert [one["level"] for one in found["spine"]["segments"]] == list(LEVELS[1:-1])
    assert (found["spine"]["counted_from"], found["spine"]["certain"]) == ("both", True)


def test_axial_slices_have_the_level_of_their_height(found: dict[str, Any], whole: Whole) -> None:
    placed = [one for one in found["slices"] if one["level"]]
    assert len(placed) >= 0.9 * len(found["slices"])
    for one in placed:
        name = one["level"] if "/" not in one["level"] else f"{one['level'].split('/')[0]}/"
        assert abs(whole.centre_mm(name)[2] - one["position_mm"][2]) < 16, one["level"]
