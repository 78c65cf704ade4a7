"""The sagittal network: a U-Net of five levels behind a pixel-unshuffle stem, for one CPU thread and any field."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dashboard.study.sagittal import SAGITTAL_CLASSES
from models.training.network import _block

CHANNELS = 3
WIDTHS = (32, 64, 96, 128, 192)


class SagittalNet(nn.Module):
    """Class logits of sagittal planes at 0.8 mm, each with a neighbour on either side.

    The lowest level sees 25.6 mm a cell: enough around to tell the lumbosacral disc from the one above it.
    """

    def __init__(self, widths: tuple[int, ...] = WIDTHS) -> None:
        super().__init__()
        self.stem = nn.PixelUnshuffle(2)
        self.pool = nn.MaxPool2d(2)
        inputs = (CHANNELS * 4, *widths[:-1])
        self.down = nn.ModuleList([_block(a, b) for a, b in zip(inputs, widths, strict=True)])
        pairs = zip(widths[::-1], widths[-2::-1], strict=False)
        self.up = nn.ModuleList([_block(low + high, high) for low, high in pairs])
        self.grow = nn.Upsample(scale_factor=2, mode="nearest")
        self.masks = nn.Sequential(nn.Conv2d(widths[0], len(SAGITTAL_CLASSES) * 4, 3, padding=1), nn.PixelShuffle(2))

    def forward(self, slices: Tensor) -> Tensor:
        """(N, 3, rows, columns), multiples of 32, to logits (N, 7, rows, columns)."""
        skips = []
        x = self.stem(slices)
        for level, block in enumerate(self.down):
            x = block(x if level == 0 else self.pool(x))
            skips.append(x)
        for block, skip in zip(self.up, reversed(skips[:-1]), strict=True):
            x = block(torch.cat([self.grow(x), skip], 1))
        out: Tensor = self.masks(x)
        return out


def sagittal_loss(logits: Tensor, target: tuple[Tensor, ...]) -> Tensor:
    """Cross-entropy and soft Dice of every class but "other" that the batch holds; 255 is left out."""
    from models.training.labels import IGNORE

    labels = target[0]
    known = labels != IGNORE
    weight = torch.tensor([1.0, 1.2, 1.8, 1.8, 2.2, 2.5, 1.6])
    entropy = nn.functional.cross_entropy(logits, labels, weight=weight, ignore_index=IGNORE)
    mask = known[:, None].float()
    probability = torch.softmax(logits, 1)[:, 1:] * mask
    onehot = nn.functional.one_hot(torch.where(known, labels, 0), logits.shape[1]).permute(0, 3, 1, 2)[:, 1:].float()
    onehot = onehot * mask
    both = (probability * onehot).sum((0, 2, 3))
    total = probability.sum((0, 2, 3)) + onehot.sum((0, 2, 3))
    present = (onehot.sum((0, 2, 3)) > 50).float()
    dice = 1 - (2 * both + 1) / (total + 1)
    return entropy + (dice * present).sum() / present.sum().clamp(min=1)
