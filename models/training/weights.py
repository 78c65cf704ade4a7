"""From an exported file back to a net that can be trained further.

The exporter folds a batch norm that follows a convolution into it, so the file holds one weight and one bias for both.
The weight goes to the convolution, the bias to the norm, which is otherwise made the identity; with the net in
evaluation mode, as it must stay, that is the file's own function.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from dashboard.errors import ModelError
from models.training.labels import SIZE_PX
from models.training.network import CompressionNet
from models.training.run import run_onnx

_CONVOLUTION, _LINEAR, _NORM = "Conv", "Gemm", "BatchNormalization"
_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)
_OPERATIONS = {nn.Conv2d: _CONVOLUTION, nn.Linear: _LINEAR, **dict.fromkeys(_NORMS, _NORM)}
# Logits of the two runtimes differ by rounding alone, about 1e-5.
_TOLERANCE = 1e-3
_NETWORK = (
    "models/training/network.py: the file was exported from another version of the network; adapt it with the version "
    "of this software that it came with."
)


def load_compression(content: bytes) -> CompressionNet:
    """Rebuild the net of an exported ``model.onnx`` and check on noise that it gives what the file gives.

    Raises
    ------
    ModelError
        The file is of another version of the network.
    """
    net = CompressionNet().eval()
    load_weights(net, content)
    images = np.random.default_rng(0).uniform(0, 1.5, (2, 1, SIZE_PX, SIZE_PX)).astype(np.float32)
    if difference(net, content, images) > _TOLERANCE:
        raise ModelError(f"model.onnx computes something else than {_NETWORK}")
    return net


def difference(net: CompressionNet, content: bytes, images: np.ndarray) -> float:
    """Largest distance of any output of net and file for (N, 1, 96, 96) float32 images."""
    with torch.no_grad():
        masks, ordinal, scene, _ = net(torch.from_numpy(images))
    found = (torch.softmax(masks, 1), ordinal, scene)
    pairs = zip(found, run_onnx(content, images), strict=True)
    return max(float(np.abs(a.numpy() - b).max()) for a, b in pairs)


def load_weights(
    net: nn.Module, content: bytes, *, grown: bool = False, shape: tuple[int, ...] = (1, 1, SIZE_PX, SIZE_PX)
) -> None:
    """Copy the file's weights into ``net``, layer by layer in the order in which both compute; leaves it in eval mode.

    ``shape`` is that of an input. Where ``grown``, norms and linear layers may have more inputs than the file: the last
    ones, which start at nothing.

    Raises
    ------
    ModelError
        A layer is missing or has another shape; the message names it.
    """
    file = _layers_of_file(content)
    folded: np.ndarray | None = None
    for name, layer in _layers_of_net(net.eval(), shape):
        operation = _OPERATIONS[type(layer)]
        if operation == _NORM and folded is not None:
            _become_identity(name, layer, folded)
            folded = None
            continue
        if folded is not None or not file or file[0][0] != operation:
            raise ModelError(f"model.onnx has no {operation} in the place of {name} in {_NETWORK}")
        arrays = file.pop(0)[1]
        folded = _fill(name, layer, _padded(layer, arrays) if grown else arrays)
    if folded is not None or file:
        raise ModelError(f"model.onnx goes on where the network ends in {_NETWORK}")


def _layers_of_net(net: nn.Module, shape: tuple[int, ...]) -> list[tuple[str, nn.Module]]:
    """Layers with weights, in the order in which they are called."""
    found: list[tuple[str, nn.Module]] = []

    def note(name: str) -> Callable[..., None]:
        return lambda layer, *_: found.append((name, layer))

    layers = [(name, layer) for name, layer in net.named_modules() if type(layer) in _OPERATIONS]
    hooks = [layer.register_forward_hook(note(name)) for name, layer in layers]
    with torch.no_grad():
        net(torch.zeros(shape))
    for hook in hooks:
        hook.remove()
    return found


def _layers_of_file(content: bytes) -> list[tuple[str, list[np.ndarray]]]:
    """Operation and weights of each node that has weights, in the order of the graph; weights are output-first."""
    graph = onnx.load_from_string(content).graph
    values = {item.name: numpy_helper.to_array(item) for item in graph.initializer}
    found = []
    for node in graph.node:
        # The exporter writes equal weights once and lets Identity nodes stand for the others.
        if node.op_type == "Identity" and node.input[0] in values:
            values[node.output[0]] = values[node.input[0]]
        # Weights stored with 16 bits are widened first.
        if node.op_type == "Cast" and node.input[0] in values:
            values[node.output[0]] = values[node.input[0]].astype(np.float32)
        if node.op_type not in _OPERATIONS.values():
            continue
        names = [name for name in node.input[1:] if name]
        if not set(names) <= set(values):
            raise ModelError(f"model.onnx computes the weights of {node.name}, it does not hold them; see {_NETWORK}")
        arrays = [values[name] for name in names]
        if node.op_type == _LINEAR and not any(a.name == "transB" and a.i for a in node.attribute):
            arrays[0] = arrays[0].T
        found.append((node.op_type, arrays))
    return found


def _fill(name: str, layer: nn.Module, arrays: list[np.ndarray]) -> np.ndarray | None:
    """Copy one layer; returns the bias that a folded norm left where the layer itself has none."""
    places = [layer.weight, layer.bias]
    if isinstance(layer, _NORMS):
        places += [layer.running_mean, layer.running_var]
    for place, values in zip(places, arrays, strict=False):
        if place is not None:
            _copy(name, place, values)
    return arrays[1] if layer.bias is None and len(arrays) > 1 else None


def _padded(layer: nn.Module, arrays: list[np.ndarray]) -> list[np.ndarray]:
    """The arrays of one layer for as many inputs as it has now; new ones have weight 0, or no norm to speak of."""
    if isinstance(layer, nn.Linear):
        more = layer.in_features - arrays[0].shape[1]
        return [np.pad(arrays[0], ((0, 0), (0, max(more, 0)))), *arrays[1:]]
    if isinstance(layer, nn.BatchNorm1d):
        more = max(layer.num_features - len(arrays[0]), 0)
        return [np.pad(a, (0, more), constant_values=v) for a, v in zip(arrays, (1, 0, 0, 1), strict=True)]
    return arrays


def _become_identity(name: str, norm: nn.Module, bias: np.ndarray) -> None:
    """Make a norm add ``bias`` and do nothing else."""
    _copy(name, norm.bias, bias)
    with torch.no_grad():
        norm.weight.fill_(1.0)
        norm.running_mean.fill_(0.0)
        norm.running_var.fill_(1.0 - norm.eps)


def _copy(name: str, place: Tensor, values: np.ndarray) -> None:
    if tuple(place.shape) != values.shape:
        raise ModelError(f"model.onnx has {values.shape} where {name} has {tuple(place.shape)} in {_NETWORK}")
    with torch.no_grad():
        place.copy_(torch.from_numpy(values.copy()))
