"""Fine-tuning on a site's readings: briefly, slowly, and mixed with drawn slices so that nothing is forgotten."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor, nn

from models.training.labels import CLIP_HIGH, IGNORE
from models.training.losses import compression_loss
from models.training.network import CompressionNet
from models.training.readings import Reading
from models.training.samples import Sample, synthetic
from models.training.shapes import NoiseBank

log = logging.getLogger(__name__)

# 2 mm: the localiser is hardly ever farther off, and the canal stays where grades are taught.
SHIFT_PX = 4


@dataclass(frozen=True, slots=True)
class TunePlan:
    """``epochs`` over the readings, which are half of each batch; the other half comes from ``drawn`` slices.

    ``minutes`` ends earlier on a slow machine, with the schedule bent to fit.
    """

    minutes: float = 10
    epochs: int = 6
    rate: float = 2e-4
    batch: int = 32
    drawn: int = 1500


def fine_tune(net: CompressionNet, readings: Sequence[Reading], seed: int, plan: TunePlan) -> int:
    """Train ``net`` in place on one thread; returns the number of readings it saw, repeats counted.

    The net stays in evaluation mode: its batch norms are those of the file, folded or fixed.
    """
    torch.set_num_threads(1)
    rng = np.random.default_rng(seed + 70_000)
    bank = NoiseBank(seed + 70_000)
    drawn = [synthetic(rng, bank) for _ in range(plan.drawn)]
    own = [Sample(r.image, r.labels, r.rank, r.scene) for r in readings]
    half = plan.batch // 2
    total = plan.epochs * -(-len(own) // half)
    optimiser = torch.optim.AdamW(net.parameters(), lr=plan.rate, weight_decay=0.0)
    start, seen = time.monotonic(), 0
    net.eval()
    for step, picks in enumerate(_epochs(rng, len(own), half, plan.epochs)):
        progress = max(step / total, (time.monotonic() - start) / 60 / plan.minutes)
        if progress >= 1:
            break
        for group in optimiser.param_groups:
            group["lr"] = plan.rate * _pace(progress)
        rows = [augment(rng, own[k]) for k in picks] + [drawn[k] for k in rng.integers(0, len(drawn), half)]
        loss = _step(net, optimiser, rows)
        seen += len(picks)
        if step % 20 == 0:
            log.info("fine-tuning %3.0f %%, loss %.4f", 100 * progress, loss)
    return seen


def augment(rng: np.random.Generator, sample: Sample) -> Sample:
    """Move by up to 2 mm, mirror left to right, change brightness and contrast a little; the grade stays."""
    shift = rng.integers(-SHIFT_PX, SHIFT_PX + 1, 2)
    image = ndimage.shift(sample.image, shift, order=0, mode="nearest", prefilter=False)
    labels = ndimage.shift(sample.segmentation, shift, order=0, cval=IGNORE, prefilter=False)
    if rng.random() < 0.5:
        image, labels = image[:, ::-1], labels[:, ::-1]
    image = rng.uniform(0.9, 1.1) * image ** rng.uniform(0.85, 1.18)
    return Sample(np.clip(image, 0, CLIP_HIGH).astype(np.float32), labels, sample.rank, sample.scene)


def _epochs(rng: np.random.Generator, count: int, size: int, epochs: int) -> Iterator[np.ndarray]:
    """Numbers of the readings of each batch."""
    for _ in range(epochs):
        order = rng.permutation(count)
        yield from (order[start : start + size] for start in range(0, count, size))


def _step(net: CompressionNet, optimiser: torch.optim.Optimizer, rows: Sequence[Sample]) -> float:
    image = torch.from_numpy(np.stack([row.image for row in rows])[:, None])
    loss = compression_loss(net(image), _targets(rows))
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(net.parameters(), 5.0)
    optimiser.step()
    return float(loss.detach())


def _targets(rows: Sequence[Sample]) -> tuple[Tensor, Tensor, Tensor]:
    masks = torch.from_numpy(np.stack([row.segmentation for row in rows])).long()
    return masks, torch.tensor([row.rank for row in rows]), torch.tensor([row.scene for row in rows])


def _pace(progress: float) -> float:
    """Cosine from 1 to 0.05."""
    return 0.05 + 0.95 * 0.5 * (1 + float(np.cos(np.pi * progress)))
