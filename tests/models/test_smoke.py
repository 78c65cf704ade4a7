"""Training runs from end to end in seconds, where torch is installed."""

import hashlib
import tomllib

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is only in models/training/requirements.txt")
pytest.importorskip("onnx", reason="onnx is only in models/training/requirements.txt")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_smoke_training_writes_both_models(tmp_path):
    from models.training.run import run_onnx
    from models.training.train import main

    assert main(["--smoke", "--out", str(tmp_path)]) == 0
    images = np.zeros((3, 1, 96, 96), np.float32)
    shapes = {"canal": [(3, 1, 96, 96)], "compression": [(3, 5, 96, 96), (3, 5), (3, 5)]}
    for name, wanted in shapes.items():
        content = (tmp_path / name / "model.onnx").read_bytes()
        manifest = tomllib.loads((tmp_path / name / "manifest.toml").read_text(encoding="utf-8"))
        assert hashlib.sha256(content).hexdigest() == manifest["sha256"]
        assert [o.shape for o in run_onnx(content, images)] == wanted
    before = tomllib.loads((tmp_path / "compression" / "manifest.toml").read_text(encoding="utf-8"))
    assert main(["--smoke", "--recalibrate", "--seed", "5", "--out", str(tmp_path)]) == 0
    after = tomllib.loads((tmp_path / "compression" / "manifest.toml").read_text(encoding="utf-8"))
    # Other slices, another calibration; the weights, and where they came from, are the same.
    assert (tmp_path / "compression" / "model.onnx").read_bytes() == content
    assert after["calibration"] != before["calibration"]
    assert before["provenance"].items() <= after["provenance"].items()
    assert after["provenance"]["calibrated_by"] == "python -m models.training.train --seed 5 --recalibrate"


def test_before_a_long_training_the_localiser_is_asked_for(tmp_path, capsys):
    from models.training.train import arguments

    wanted = ["--only", "compression", "--data", str(tmp_path), "--out", str(tmp_path)]
    with pytest.raises(SystemExit):
        arguments(wanted)
    assert "copy models/canal into" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        arguments(["--recalibrate", "--minutes", "5"])
    assert "--recalibrate trains nothing" in capsys.readouterr().err
    (tmp_path / "canal").mkdir()
    (tmp_path / "canal" / "manifest.toml").touch()
    assert arguments(wanted).only == "compression"
