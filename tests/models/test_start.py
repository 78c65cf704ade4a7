"""Training goes on from an exported file: nothing is lost on the way, and norms learn again."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is only in models/training/requirements.txt")
onnx = pytest.importorskip("onnx", reason="onnx is only in models/training/requirements.txt")
pytestmark = pytest.mark.filterwarnings("ignore")

from models.training.export import Source, compression_onnx, to_onnx  # noqa: E402
from models.training.network import CompressionNet  # noqa: E402
from models.training.start import revive, started  # noqa: E402
from models.training.weights import difference, load_weights  # noqa: E402

IMAGES = np.random.default_rng(1).uniform(0, 1.5, (3, 1, 96, 96)).astype(np.float32)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("start") / "model.onnx"
    path.write_bytes(compression_onnx(CompressionNet()))
    return path


def test_the_start_gives_what_the_file_gives(file):
    assert difference(started(file, 1).eval(), file.read_bytes(), IMAGES) < 1e-4


def test_norms_stand_where_the_picture_puts_them():
    torch.manual_seed(1)
    net = torch.nn.Sequential(torch.nn.Conv2d(1, 3, 3), torch.nn.BatchNorm2d(3), torch.nn.ReLU()).eval()
    images = torch.from_numpy(5 + 3 * IMAGES)
    before = net(images)
    assert (net.train()(images) - before).abs().max() > 0.1
    net[1].reset_running_stats()
    revive(net, images)
    assert torch.allclose(net.eval()(images), before, atol=1e-4)
    assert torch.allclose(net.train()(images), before, atol=1e-2)


def test_inputs_that_the_file_does_not_know_start_at_nothing():
    def net(inputs, more):
        return torch.nn.Sequential(torch.nn.BatchNorm1d(inputs + more), torch.nn.Linear(inputs + more, 2)).eval()

    class Narrow(torch.nn.Module):
        def __init__(self, inputs, more):
            super().__init__()
            self.inputs, self.inner = inputs + more, net(inputs, more)

        def forward(self, slices):
            return self.inner(slices.flatten(1)[:, : self.inputs])

    torch.manual_seed(2)
    old, new = Narrow(4, 0), Narrow(4, 3)
    load_weights(new, to_onnx(old, ["out"], {}), grown=True)
    assert torch.allclose(new(torch.from_numpy(IMAGES)), old(torch.from_numpy(IMAGES)), atol=1e-5)


def test_the_manifest_names_the_file_and_the_command(file):
    source = Source(2, 10, None, start=file.read_bytes())
    assert source.command.endswith("--seed 2 --only compression --start FILE")
    assert source.lines[0].startswith('started_from = "model.onnx ')
    assert Source(2, 10, None).lines == []
