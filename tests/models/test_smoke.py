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
