import shutil

import onnx
import pytest
from onnx import helper

from dashboard.errors import ModelError
from dashboard.inference import load_models
from tests.inference.phantoms import canal_graph, compression_graph, sagittal_graph, write_model


@pytest.fixture
def folder(models_dir, tmp_path):
    return shutil.copytree(models_dir, tmp_path / "models")


def change(folder, name, old, new):
    path = folder / name / "manifest.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


SIDE = [("sagittal", "0.0.1", 64), ("sagittal_findings", "0.0.1", 64)]


def test_models_say_what_they_are(models, models_dir):
    names = [(info.name, info.version, len(info.sha256)) for info in models.describe()]
    assert names == [("canal", "0.0.1", 64), ("compression", "0.0.1", 64), *SIDE]


def test_an_altered_file_is_refused(folder):
    with (folder / "canal" / "model.onnx").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(ModelError, match="canal: sha256 is"):
        load_models(folder)


def test_a_missing_file_is_refused(folder):
    (folder / "compression" / "model.onnx").unlink()
    with pytest.raises(ModelError, match=r"compression: model\.onnx is missing"):
        load_models(folder)


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(ModelError, match=r"canal: manifest\.toml cannot be read"):
        load_models(tmp_path)


def test_a_manifest_that_is_no_toml_is_refused(folder):
    (folder / "canal" / "manifest.toml").write_bytes(b"\xff= [")
    with pytest.raises(ModelError, match="not valid TOML"):
        load_models(folder)


def test_a_large_file_is_refused(folder, monkeypatch):
    monkeypatch.setattr("dashboard.inference.registry.MAX_FILE_BYTES", 10)
    with pytest.raises(ModelError, match="at most 10 are allowed"):
        load_models(folder)


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("canal", 'name = "canal"', 'name = "canaI"', "name .* is 'canaI', this software needs 'canal'"),
        ("canal", "contract = 1", "contract = 2", "contract .* is 2, this software needs 1"),
        ("canal", "contract = 1\n", "", "contract .* is missing"),
        ("canal", "pixel_mm = 2.0", "pixel_mm = 1.0", "input.pixel_mm"),
        ("canal", "size_px = 96", "size_px = 128", "input.size_px"),
        ("canal", "series_nonzero", "slice", "input.normalisation"),
        ("canal", "canal_min = 0.3", 'canal_min = "low"', "thresholds.canal_min .* must be a number"),
        ("canal", 'version = "0.0.1"', 'version = ""', "version .* must be text"),
        ("canal", 'file = "model.onnx"', 'file = "../model.onnx"', "file .* must be a plain file name"),
        ("canal", 'sha256 = "', 'sha256 = "zz', "sha256 .* must be 64"),
        ("compression", "[2.0, 98.0]", "[1.0, 99.0]", "input.percentiles"),
        ("compression", "anterior_to_posterior", "posterior_to_anterior", "input.rows"),
        ("compression", '"csf", "cord"', '"cord", "csf"', "output.segmentation"),
        ("compression", "scale = [1.0", "scale = [0.0", "calibration.scale .* above 0"),
        ("compression", "scale = [1.0, ", "scale = [", "calibration.scale .* must hold 5"),
        ("compression", "offset = [0.0", "offset = [nan", "calibration.offset .* finite"),
        ("compression", "temperature = 1.0", "temperature = -1", "scene_temperature"),
        ("compression", "gradable_min = 0.5", "gradable_min = true", "thresholds.gradable_min"),
    ],
)
def test_a_manifest_that_differs_is_refused(folder, name, old, new, message):
    change(folder, name, old, new)
    with pytest.raises(ModelError, match=message):
        load_models(folder)


def test_without_the_sagittal_model_the_others_are_there_and_the_reason_is_kept(folder):
    shutil.rmtree(folder / "sagittal")
    found = load_models(folder)
    assert found.sagittal is None and "sagittal: manifest.toml cannot be read" in found.sagittal_failure
    assert [info.name for info in found.describe()] == ["canal", "compression"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("head_to_foot", "foot_to_head", "input.rows"),
        ("channels = 3", "channels = 1", "input.channels"),
        ("multiple_px = 32", "multiple_px = 8", "input.multiple_px"),
        ('"disc", "canal"', '"canal", "disc"', "output.segmentation"),
    ],
)
def test_a_sagittal_manifest_that_differs_is_a_reason(folder, old, new, message):
    change(folder, "sagittal", old, new)
    assert message in load_models(folder).sagittal_failure


def test_a_sagittal_model_of_fixed_size_is_a_reason(folder):
    model = sagittal_graph()
    model.graph.input[0].type.tensor_type.shape.dim[2].dim_value = 96
    replaced(folder, model)
    assert "slices has shape" in load_models(folder).sagittal_failure


def test_thresholds_are_handed_on(models):
    assert models.compression.manifest.thresholds == {"gradable_min": 0.5, "grade_cut": (0.5,) * 5}
    assert models.canal.manifest.threshold("canal_min", 0.9) == 0.3
    assert models.canal.manifest.threshold("other", 0.9) == 0.9


def test_a_list_is_not_one_threshold(models):
    with pytest.raises(ModelError, match=r"grade_cut .* must be one number"):
        models.compression.manifest.threshold("grade_cut", 0.5)


def replaced(folder, model):
    shutil.rmtree(folder / model.graph.name)
    write_model(folder, model)


def test_a_missing_output_is_refused(folder):
    model = compression_graph()
    del model.graph.output[2]
    replaced(folder, model)
    with pytest.raises(ModelError, match="output scene is missing"):
        load_models(folder)


def test_an_output_of_another_shape_is_refused(folder):
    model = canal_graph()
    model.graph.output[0].type.tensor_type.shape.dim[2].dim_value = 48
    model.graph.output[0].type.tensor_type.shape.dim[3].dim_value = 48
    model.graph.node[0].attribute.append(helper.make_attribute("strides", [2, 2]))
    replaced(folder, model)
    with pytest.raises(ModelError, match="heatmap has shape"):
        load_models(folder)


def test_a_fixed_batch_is_refused(folder):
    model = canal_graph()
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    replaced(folder, model)
    with pytest.raises(ModelError, match="slices has shape"):
        load_models(folder)


def test_another_input_name_is_refused(folder):
    model = canal_graph()
    model.graph.input[0].name = model.graph.node[0].input[0] = "image"
    replaced(folder, model)
    with pytest.raises(ModelError, match="inputs are"):
        load_models(folder)


def test_a_version_inside_the_file_that_differs_is_refused(folder):
    model = canal_graph()
    onnx.helper.set_model_props(model, {"name": "canal", "version": "9"})
    replaced(folder, model)
    with pytest.raises(ModelError, match=r"version in the file is '9', in the manifest '0\.0\.1'"):
        load_models(folder)


def test_a_file_recalibrated_for_a_site_is_accepted(folder):
    change(folder, "canal", 'version = "0.0.1"', 'version = "0.0.1+site.20260314"')
    assert load_models(folder).describe()[0].version == "0.0.1+site.20260314"


def test_a_file_that_is_no_model_is_refused(folder):
    model = canal_graph()
    model.graph.node[0].op_type = "Nothing"
    replaced(folder, model)
    with pytest.raises(ModelError, match=r"model\.onnx cannot be loaded"):
        load_models(folder)
