"""The training loop of both networks."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from models.training.feed import Feed

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how fast. ``minutes`` ends earlier on a slow machine, with the schedule bent to fit."""

    samples: int
    minutes: float
    batch: int = 48
    rate: float = 3e-3
    decay: float = 1e-2


class Average:
    """Exponential moving average of weights and running statistics."""

    def __init__(self, net: nn.Module) -> None:
        self.state = {k: v.detach().clone() for k, v in net.state_dict().items()}
        self.steps = 0

    def update(self, net: nn.Module) -> None:
        """Blend the current weights in; the first steps count more."""
        self.steps += 1
        keep = min(0.998, self.steps / (self.steps + 10))
        for name, value in net.state_dict().items():
            if value.dtype.is_floating_point:
                self.state[name].mul_(keep).add_(value.detach(), alpha=1 - keep)
            else:
                self.state[name].copy_(value)


def _rate(progress: float) -> float:
    """Linear warm-up over 2 %, then cosine to 1 %."""
    if progress < 0.02:
        return 0.05 + 0.95 * progress / 0.02
    return 0.01 + 0.99 * 0.5 * (1 + float(np.cos(np.pi * (progress - 0.02) / 0.98)))


def fit(
    net: nn.Module,
    feed: Feed,
    plan: Plan,
    loss_of: Callable[[Any, tuple[Tensor, ...]], Tensor],
    checkpoint: Path | None = None,
) -> int:
    """Train ``net`` in place, leave the averaged weights in it and return the number of samples seen.

    Batches are (image float16, targets ...). bfloat16 is used where the processor has it.
    """
    torch.set_num_threads(1)
    fast = torch.cpu._is_avx512_bf16_supported()
    net.to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(net.parameters(), lr=plan.rate, weight_decay=plan.decay)
    average = Average(net)
    start, seen, step, mean = time.monotonic(), 0, 0, 0.0
    net.train()
    for batch in feed.batches(plan.batch):
        elapsed = (time.monotonic() - start) / 60
        progress = max(seen / plan.samples, elapsed / plan.minutes)
        if progress >= 1:
            break
        for group in optimiser.param_groups:
            group["lr"] = plan.rate * _rate(progress)
        image = torch.from_numpy(batch[0]).float().contiguous(memory_format=torch.channels_last)
        target = tuple(_target(t) for t in batch[1:])
        with torch.autocast("cpu", torch.bfloat16, enabled=fast):
            outputs = net(image)
        loss = loss_of(_float(outputs), target)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimiser.step()
        average.update(net)
        seen, step = seen + plan.batch, step + 1
        mean += (float(loss.detach()) - mean) / min(step, 200)
        if step % 200 == 0:
            log.info("%6d samples, %5.1f min, %6d made, loss %.4f", seen, elapsed, feed.made, mean)
            if checkpoint is not None and step % 1000 == 0:
                torch.save(average.state, checkpoint)
    net.load_state_dict(average.state)
    net.eval()
    return seen


def _float(outputs: Any) -> Any:
    return outputs.float() if isinstance(outputs, Tensor) else tuple(o.float() for o in outputs)


def _target(values: np.ndarray) -> Tensor:
    tensor = torch.from_numpy(values)
    return tensor.float() if tensor.dtype == torch.float16 else tensor.long()
