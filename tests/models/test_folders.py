"""Each model folder is complete, is the file it claims to be, and says how it was measured."""

import hashlib
import json
import tomllib
from pathlib import Path

import pytest

MODELS = Path(__file__).parents[2] / "models"
FOLDERS = sorted(p.parent for p in MODELS.glob("*/manifest.toml"))
PATH_SIGNS = (b"/home/", b"/root/", b"/work/", b"/tmp/", b"/usr/", b"site-packages")


def test_all_models_are_there():
    assert {"canal", "compression", "sagittal"} <= {folder.name for folder in FOLDERS}


@pytest.fixture(params=FOLDERS, ids=lambda folder: folder.name)
def folder(request):
    return request.param


def manifest(folder):
    return tomllib.loads((folder / "manifest.toml").read_text(encoding="utf-8"))


def evaluation(folder):
    return json.loads((folder / "evaluation.json").read_text(encoding="utf-8"))


def test_file_is_the_one_the_manifest_names(folder):
    stated = manifest(folder)
    content = (folder / stated["file"]).read_bytes()
    assert hashlib.sha256(content).hexdigest() == stated["sha256"]


def test_file_is_under_5_mb(folder):
    assert (folder / "model.onnx").stat().st_size < 5_000_000


def test_manifest_says_where_the_weights_came_from(folder):
    provenance = manifest(folder)["provenance"]
    assert {"command", "seed", "samples", "data", "date"} <= set(provenance)


def test_file_names_no_path_of_the_machine_it_was_made_on(folder):
    content = (folder / "model.onnx").read_bytes()
    assert [sign for sign in PATH_SIGNS if sign in content] == []


def test_texts_name_no_path_of_the_machine_they_were_made_on(folder):
    for name in ("manifest.toml", "evaluation.json", "MODEL_CARD.md"):
        text = (folder / name).read_bytes()
        assert [sign for sign in PATH_SIGNS[:5] if sign in text] == [], name


def test_evaluation_measured_this_file(folder):
    assert evaluation(folder)["model"]["sha256"] == manifest(folder)["sha256"]


def test_every_figure_has_split_count_and_interval(folder):
    for figure in evaluation(folder)["metrics"]:
        assert {"name", "split", "n", "people", "value", "ci95"} <= set(figure)
        assert figure["split"] in {"test", "tuning"}
        assert len(figure["ci95"]) == 2


@pytest.mark.parametrize("heading", ["Intended use", "Not for", "Training data", "Limits", "Change log"])
def test_card_has_its_headings(folder, heading):
    assert f"## {heading}" in (folder / "MODEL_CARD.md").read_text(encoding="utf-8")


def test_card_says_that_no_real_case_was_seen():
    for name in ("compression", "sagittal"):
        card = (MODELS / name / "MODEL_CARD.md").read_text(encoding="utf-8")
        assert "No real case of metastatic" in card
