"""A net comes back from its exported file with the same outputs, or not at all."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is only in models/training/requirements.txt")
onnx = pytest.importorskip("onnx", reason="onnx is only in models/training/requirements.txt")
pytestmark = pytest.mark.filterwarnings("ignore")

from dashboard.errors import ModelError  # noqa: E402
from models.training.export import compression_onnx, to_onnx  # noqa: E402
from models.training.network import CompressionNet  # noqa: E402
from models.training.weights import difference, load_compression, load_weights  # noqa: E402

IMAGES = np.random.default_rng(1).uniform(0, 1.5, (3, 1, 96, 96)).astype(np.float32)


def random_net(seed=0, **options):
    """A net whose batch norms are far from the identity, as after training."""
    torch.manual_seed(seed)
    net = CompressionNet(**options).eval()
    for layer in net.modules():
        if isinstance(layer, (torch.nn.BatchNorm1d, torch.nn.BatchNorm2d)):
            torch.nn.init.normal_(layer.running_mean, 0, 0.3)
            torch.nn.init.uniform_(layer.running_var, 0.3, 2)
            torch.nn.init.normal_(layer.weight, 1, 0.2)
            torch.nn.init.normal_(layer.bias, 0, 0.3)
    return net


@pytest.fixture(scope="module")
def content():
    return compression_onnx(random_net())


def test_the_net_gives_what_its_file_gives(content):
    assert difference(load_compression(content), content, IMAGES) < 1e-4


def test_the_shipped_file_can_be_adapted():
    shipped = (Path(__file__).parents[2] / "models/compression/model.onnx").read_bytes()
    assert difference(load_compression(shipped), shipped, IMAGES) < 1e-4


def test_a_second_way_through_a_file_changes_nothing(content):
    again = compression_onnx(load_compression(content))
    assert difference(load_compression(again), content, IMAGES) < 1e-4


def test_equal_weights_are_found_though_the_file_holds_them_once():
    torch.manual_seed(0)
    content = compression_onnx(CompressionNet())
    assert any(node.op_type == "Identity" for node in onnx.load_from_string(content).graph.node)
    assert difference(load_compression(content), content, IMAGES) < 1e-4


def test_a_net_with_other_weights_is_told_apart(content):
    assert difference(random_net(seed=1), content, IMAGES) > 1e-2


def small_net(seed, depth=2):
    torch.manual_seed(seed)
    layers = [torch.nn.Conv2d(1, 3, 3, bias=False), torch.nn.BatchNorm2d(3), torch.nn.Conv2d(3, 2, 3)]
    layers += [torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.BatchNorm1d(2)]
    layers += [torch.nn.Linear(2, 2) for _ in range(depth)]
    for layer in layers:
        if hasattr(layer, "running_var"):
            torch.nn.init.uniform_(layer.running_var, 0.3, 2)
            torch.nn.init.normal_(layer.running_mean)
    return torch.nn.Sequential(*layers).eval()


def test_any_net_of_convolutions_norms_and_linear_layers_comes_back():
    first, second = small_net(1), small_net(2)
    images = torch.from_numpy(IMAGES)
    assert not torch.allclose(second(images), first(images), atol=1e-3)
    load_weights(second, to_onnx(first, ["out"], {}))
    assert torch.allclose(second(images), first(images), atol=1e-5)


def test_layers_of_another_size_are_named():
    content = compression_onnx(random_net(widths=(8, 12, 16, 24)))
    with pytest.raises(ModelError, match=r"\(8, 4, 3, 3\) where unet\.down\.0\.0 has \(24, 4, 3, 3\).*another version"):
        load_compression(content)


def test_a_missing_layer_is_named():
    with pytest.raises(ModelError, match=r"no Gemm in the place of 7 .*another version"):
        load_weights(small_net(1), to_onnx(small_net(1, depth=1), ["out"], {}))


def test_a_layer_too_many_is_refused():
    with pytest.raises(ModelError, match=r"goes on where the network ends.*another version"):
        load_weights(small_net(1), to_onnx(small_net(1, depth=3), ["out"], {}))


def test_the_same_weights_in_other_operations_are_refused(content, monkeypatch):
    monkeypatch.setattr("models.training.network.Geometry._spread", lambda self, mask, centre, dim: centre)
    with pytest.raises(ModelError, match=r"computes something else"):
        load_compression(content)
