"""Losses of both networks."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from models.training.labels import IGNORE, SEGMENTATION


def segmentation_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy plus soft Dice of CSF, cord and tumour; pixels marked 255 are left out."""
    known = target != IGNORE
    weight = torch.tensor([1.0, 1.5, 2.0, 2.5, 1.0])
    entropy = functional.cross_entropy(logits, target, weight=weight, ignore_index=IGNORE)
    onehot = functional.one_hot(torch.where(known, target, 0), len(SEGMENTATION)).permute(0, 3, 1, 2)[:, 1:4].float()
    mask = known[:, None].float()
    probability = torch.softmax(logits, 1)[:, 1:4] * mask
    onehot = onehot * mask
    both = (probability * onehot).sum((0, 2, 3))
    total = probability.sum((0, 2, 3)) + onehot.sum((0, 2, 3))
    return entropy + (1 - (2 * both + 1) / (total + 1)).mean()


def ordinal_loss(logits: Tensor, rank: Tensor) -> Tensor:
    """Binary cross-entropy of P(grade >= k) where a rank is known (-1: unknown)."""
    known = rank >= 0
    if not bool(known.any()):
        return logits.sum() * 0
    steps = torch.arange(logits.shape[1])
    target = (rank[known][:, None] > steps).float()
    # 2-3 read as 1b or less is the error that costs most: weigh the positives of the upper cuts a little.
    weight = torch.tensor([1.0, 1.0, 1.2, 1.4, 1.2])
    return functional.binary_cross_entropy_with_logits(logits[known], target, pos_weight=weight)


def compression_loss(outputs: tuple[Tensor, Tensor, Tensor], target: tuple[Tensor, Tensor, Tensor]) -> Tensor:
    """Total loss of one batch; targets are (segmentation, rank, scene)."""
    masks, ordinal, scene = outputs
    return (
        segmentation_loss(masks, target[0])
        + 0.8 * ordinal_loss(ordinal, target[1])
        + 0.4 * functional.cross_entropy(scene, target[2])
    )


def heatmap_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Binary cross-entropy in which the few pixels of the canal count as much as the rest together."""
    return functional.binary_cross_entropy_with_logits(logits, target, weight=1 + 30 * target)
