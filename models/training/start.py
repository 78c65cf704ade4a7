"""A net to train on from where an exported file ended."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from models.training.network import CompressionNet
from models.training.samples import synthetic
from models.training.shapes import NoiseBank
from models.training.weights import load_weights

# Slices by which the norms are made anew: enough for means and variances, drawn in seconds.
_SLICES = 384


def started(path: Path, seed: int) -> CompressionNet:
    """Return the net of a ``model.onnx``, with norms that can be trained; what the net has gained since adds nothing.

    Raises
    ------
    ModelError
        The file is of another version of the network.
    """
    net = CompressionNet()
    load_weights(net, path.read_bytes(), grown=True)
    rng, bank = np.random.default_rng(seed + 80_000), NoiseBank(seed + 80_000)
    images = np.stack([synthetic(rng, bank).image for _ in range(_SLICES)])
    revive(net, torch.from_numpy(images[:, None]))
    return net


def revive(net: nn.Module, images: Tensor) -> None:
    """Give folded norms the mean and variance of what they get from ``images``; in evaluation nothing changes.

    The exporter folds norms away, and `load_weights` leaves the identity in their place: trained as it is, a norm would
    normalise what it never did.
    """
    norms = [layer for layer in net.modules() if isinstance(layer, nn.BatchNorm2d)]
    found: dict[nn.Module, tuple[Tensor, Tensor]] = {}

    def note(layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        variance, mean = torch.var_mean(inputs[0], (0, 2, 3))
        found[layer] = (variance, mean)

    hooks = [layer.register_forward_pre_hook(note) for layer in norms]
    with torch.no_grad():
        net.eval()(images)
        for layer in norms:
            variance, mean = found[layer]
            if layer.running_mean is None or layer.running_var is None:
                raise ValueError("a norm without running statistics has none to be given")
            # weight * (x - old mean) / old deviation + bias, written with the new mean and deviation.
            slope = layer.weight / torch.sqrt(layer.running_var + layer.eps)
            layer.bias.add_(slope * (mean - layer.running_mean))
            layer.weight.copy_(slope * torch.sqrt(variance + layer.eps))
            layer.running_mean.copy_(mean)
            layer.running_var.copy_(variance)
    for hook in hooks:
        hook.remove()
