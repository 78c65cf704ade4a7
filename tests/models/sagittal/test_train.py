"""The sagittal training runs from end to end in seconds, and goes on from what it wrote, where torch is installed."""

import hashlib
import tomllib

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is only in models/training/requirements.txt")
pytest.importorskip("onnx", reason="onnx is only in models/training/requirements.txt")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_training_goes_on_from_the_file_it_wrote(tmp_path, monkeypatch):
    from models.training.run import run_onnx
    from models.training.sagittal import train

    monkeypatch.setattr(train, "START_PATCHES", 2)
    assert train.main(["--smoke", "--out", str(tmp_path)]) == 0
    file = tmp_path / "sagittal" / "model.onnx"
    content = file.read_bytes()
    image = np.random.default_rng(0).uniform(0, 1.5, (1, 3, 64, 96)).astype(np.float32)
    (wanted,) = run_onnx(content, image)
    with torch.no_grad():
        found = torch.softmax(train.start_net(file, 1)(torch.from_numpy(image)), 1).numpy()
    assert np.abs(found - wanted).max() < 1e-4
    assert train.main(["--smoke", "--start", str(file), "--out", str(tmp_path / "on")]) == 0
    manifest = tomllib.loads((tmp_path / "on" / "sagittal" / "manifest.toml").read_text(encoding="utf-8"))
    assert hashlib.sha256(content).hexdigest() in manifest["provenance"]["started_from"]
    assert manifest["provenance"]["command"].endswith("--seed 1 --start FILE")
