"""The sagittal training runs from end to end in seconds, and goes on from what it wrote, where torch is installed."""

import hashlib
import tomllib

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is only in models/training/requirements.txt")
pytest.importorskip("onnx", reason="onnx is only in models/training/requirements.txt")


pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.mark.slow
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
    assert train.main(["--smoke", "--start", str(file), "--keep", "0.25", "--out", str(tmp_path / "mean")]) == 0
    provenance = tomllib.loads((tmp_path / "mean" / "sagittal" / "manifest.toml").read_text(encoding="utf-8"))
    assert provenance["provenance"]["command"].endswith("--seed 1 --start FILE --keep 0.25")


def test_the_mean_of_two_files_lies_between_them():
    import onnx
    from onnx import numpy_helper

    from models.training.sagittal.export import average, sagittal_onnx
    from models.training.sagittal.network import SagittalNet

    def weights(content):
        graph = onnx.load_from_string(content).graph
        return {one.name: numpy_helper.to_array(one).astype(np.float64) for one in graph.initializer}

    torch.manual_seed(0)
    first, second = sagittal_onnx(SagittalNet()), sagittal_onnx(SagittalNet())
    a, b, mean = weights(first), weights(second), weights(average(first, second))
    assert max(np.abs(a[name] - b[name]).max() for name in a) > 0.01
    for name in a:
        assert np.abs(mean[name] - (a[name] + b[name]) / 2).max() < 1e-3, name
    with pytest.raises(ValueError, match="not of one network"):
        average(first, sagittal_onnx(SagittalNet((16, 32, 48, 64, 96))))


def test_weights_are_kept_of_a_start_alone(capsys):
    from models.training.sagittal import train

    with pytest.raises(SystemExit):
        train.main(["--smoke", "--keep", "0.5"])
    assert "--keep goes with --start" in capsys.readouterr().err
