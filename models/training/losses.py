"""Losses of both networks."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from models.training.labels import GRADES, IGNORE, SEGMENTATION

COMPRESSED = GRADES.index("2")
CORD, TUMOUR = SEGMENTATION.index("cord"), SEGMENTATION.index("tumour")
CLASS_WEIGHT = torch.tensor([1.0, 1.5, 2.0, 2.5, 1.0])


def segmentation_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy plus soft Dice of CSF, cord and tumour; pixels marked 255 are left out.

    Where tumour and cord meet a pixel counts three times: there a notch tells compression from mere contact.
    """
    known = target != IGNORE
    onehot = functional.one_hot(torch.where(known, target, 0), len(SEGMENTATION)).permute(0, 3, 1, 2)[:, 1:4].float()
    mask = known[:, None].float()
    reach = functional.max_pool2d(onehot, 3, 1, 1)
    border = (reach[:, CORD - 1] * reach[:, TUMOUR - 1]).contiguous()
    weight = CLASS_WEIGHT[torch.where(known, target, 0)] * mask[:, 0] * (1 + 2 * border)
    entropy = functional.cross_entropy(logits, target, ignore_index=IGNORE, reduction="none")
    entropy = (weight * entropy).sum() / weight.sum().clamp(min=1)
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
    positive = torch.tensor([1.0, 1.0, 1.2, 1.6, 1.3])
    # 1c and 2 differ by the cord's shape alone and are mistaken for one another most: that cut counts double for them.
    weight = torch.ones_like(target)
    weight[:, COMPRESSED - 1] += ((rank[known] == COMPRESSED - 1) | (rank[known] == COMPRESSED)).float()
    return functional.binary_cross_entropy_with_logits(logits[known], target, weight, pos_weight=positive)


def scene_loss(logits: Tensor, scene: Tensor, rank: Tensor) -> Tensor:
    """Cross-entropy of the scene; a compressed cord that is refused costs double."""
    weight = 1.0 + (rank >= COMPRESSED).float()
    return (weight * functional.cross_entropy(logits, scene, reduction="none")).sum() / weight.sum()


def measured_loss(found: Tensor, target: Tensor) -> Tensor:
    """Distance to the measurements of the implant where they are known (not a number: unknown)."""
    known = torch.isfinite(target)
    if not bool(known.any()):
        return found.sum() * 0
    return functional.smooth_l1_loss(found[known], target[known], beta=0.1)


def compression_loss(outputs: tuple[Tensor, ...], target: tuple[Tensor, ...]) -> Tensor:
    """Total loss of one batch; targets are (segmentation, rank, scene) and, where there are any, measurements."""
    masks, ordinal, scene, measured = outputs
    total = (
        segmentation_loss(masks, target[0])
        + 1.2 * ordinal_loss(ordinal, target[1])
        + 0.5 * scene_loss(scene, target[2], target[1])
    )
    return total + 2.0 * measured_loss(measured, target[3]) if len(target) > 3 else total


def heatmap_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Binary cross-entropy in which the few pixels of the canal count as much as the rest together."""
    return functional.binary_cross_entropy_with_logits(logits, target, weight=1 + 30 * target)
