"""The training loop of both networks: one or two processes that average their weights every few steps.

Two processes with one thread each make better use of two busy cores than one with two threads. Between meetings each
trains on its own samples (local SGD); at a meeting both take the mean of the weights.
"""

from __future__ import annotations

import logging
import multiprocessing
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from models.training.feed import Batch, Feed, FeedOptions, Maker

log = logging.getLogger(__name__)

Loss = Callable[[Any, tuple[Tensor, ...]], Tensor]


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how fast. ``minutes`` ends earlier on a slow machine, with the schedule bent to fit.

    ``samples`` counts those of all ``workers`` together, which meet every ``meet`` steps.
    """

    samples: int
    minutes: float
    batch: int = 48
    rate: float = 3e-3
    decay: float = 1e-2
    workers: int = 2
    meet: int = 20


@dataclass(frozen=True, slots=True)
class Job:
    """What to train: functions that build the net and the sample maker (both picklable), the loss and the seed."""

    build_net: Callable[[], nn.Module]
    build_maker: Callable[[], Maker]
    loss: Loss
    seed: int
    options: FeedOptions


class Average:
    """Exponential moving average of weights and running statistics."""

    def __init__(self, net: nn.Module) -> None:
        self.state = {k: v.detach().clone() for k, v in net.state_dict().items()}
        self.steps = 0

    def update(self, net: nn.Module) -> None:
        """Blend the current weights in; the first steps count more."""
        self.steps += 1
        keep = min(0.99, self.steps / (self.steps + 5))
        for name, value in net.state_dict().items():
            if value.dtype.is_floating_point:
                self.state[name].mul_(keep).add_(value.detach(), alpha=1 - keep)
            else:
                self.state[name].copy_(value)


class Meeting:
    """Where workers leave their weights and take the mean; the first worker's clock rules."""

    def __init__(self, size: int, workers: int) -> None:
        context = multiprocessing.get_context("spawn")
        self.workers = workers
        self.size = size
        self.weights = context.Array("f", size * workers, lock=False)
        self.progress = context.Value("d", 0.0, lock=False)
        self.barrier = context.Barrier(workers)

    def average(self, net: nn.Module, worker: int, progress: float) -> float:
        """Average the floating-point state of all workers into ``net``; returns the progress all go on with."""
        if worker == 0:
            self.progress.value = progress
        if self.workers == 1:
            return float(self.progress.value)
        table = np.frombuffer(self.weights, np.float32).reshape(self.workers, self.size)
        table[worker] = flat_state(net)
        self.barrier.wait(600)
        mean = table.mean(0)
        agreed = float(self.progress.value)
        self.barrier.wait(600)
        load_flat(net, mean)
        return agreed


def flat_state(net: nn.Module) -> np.ndarray:
    """All floating-point weights and statistics in one vector."""
    return np.concatenate([v.detach().contiguous().numpy().ravel() for v in _floats(net)])


def load_flat(net: nn.Module, values: np.ndarray) -> None:
    """Inverse of ``flat_state``."""
    start = 0
    with torch.no_grad():
        for tensor in _floats(net):
            count = tensor.numel()
            tensor.copy_(torch.from_numpy(values[start : start + count].copy()).view(tensor.shape))
            start += count


def _floats(net: nn.Module) -> Iterator[Tensor]:
    return (v for v in net.state_dict().values() if v.dtype.is_floating_point)


def fit(job: Job, plan: Plan, checkpoint: Path | None = None) -> tuple[nn.Module, int]:
    """Train; returns the net with averaged weights and the number of samples that all workers saw."""
    torch.manual_seed(job.seed)
    net = job.build_net()
    meeting = Meeting(len(flat_state(net)), plan.workers)
    context = multiprocessing.get_context("spawn")
    start = flat_state(net)
    helpers = [context.Process(target=_help, args=(job, plan, meeting, w, start)) for w in range(1, plan.workers)]
    for helper in helpers:
        helper.start()
    try:
        seen = _work(net, job, plan, meeting, 0, checkpoint)
    finally:
        for helper in helpers:
            helper.join(60)
            if helper.is_alive():
                helper.terminate()
    return net, seen


def _help(job: Job, plan: Plan, meeting: Meeting, worker: int, start: np.ndarray) -> None:
    net = job.build_net()
    load_flat(net, start)
    _work(net, job, plan, meeting, worker, None)


def _work(net: nn.Module, job: Job, plan: Plan, meeting: Meeting, worker: int, checkpoint: Path | None) -> int:
    torch.set_num_threads(1)
    net.to(memory_format=torch.channels_last)
    feed = Feed(job.build_maker, job.seed + 1000 * worker, job.options)
    try:
        return _loop(net, feed.batches(plan.batch), job, plan, meeting, worker, checkpoint)
    finally:
        feed.close()


def _loop(
    net: nn.Module,
    batches: Iterator[Batch],
    job: Job,
    plan: Plan,
    meeting: Meeting,
    worker: int,
    checkpoint: Path | None,
) -> int:
    optimiser = torch.optim.AdamW(net.parameters(), lr=plan.rate, weight_decay=plan.decay)
    average = Average(net)
    start, step, mean, progress = time.monotonic(), 0, 0.0, 0.0
    net.train()
    for batch in batches:
        if step % plan.meet == 0:
            elapsed = (time.monotonic() - start) / 60
            seen = step * plan.batch * plan.workers
            progress = meeting.average(net, worker, max(seen / plan.samples, elapsed / plan.minutes))
            average.update(net)
            if progress >= 1:
                break
            if worker == 0 and step % (5 * plan.meet) == 0:
                log.info("%6d samples, %5.1f min, loss %.4f", seen, elapsed, mean)
                if checkpoint is not None:
                    torch.save(average.state, checkpoint)
        for group in optimiser.param_groups:
            group["lr"] = plan.rate * _rate(progress)
        loss = _step(net, optimiser, batch, job.loss)
        mean += (loss - mean) / min(step + 1, 100)
        step += 1
    net.load_state_dict(average.state)
    net.eval()
    return step * plan.batch * plan.workers


def _step(net: nn.Module, optimiser: torch.optim.Optimizer, batch: Batch, loss_of: Loss) -> float:
    """One update; bfloat16 where the processor has it."""
    image = torch.from_numpy(batch[0]).float().contiguous(memory_format=torch.channels_last)
    target = tuple(_target(t) for t in batch[1:])
    with torch.autocast("cpu", torch.bfloat16, enabled=torch.cpu._is_avx512_bf16_supported()):
        outputs = net(image)
    loss = loss_of(_float(outputs), target)
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(net.parameters(), 5.0)
    optimiser.step()
    return float(loss.detach())


def _rate(progress: float) -> float:
    """Linear warm-up over 2 %, then cosine to 1 %."""
    if progress < 0.02:
        return 0.05 + 0.95 * progress / 0.02
    return 0.01 + 0.99 * 0.5 * (1 + float(np.cos(np.pi * (progress - 0.02) / 0.98)))


def _float(outputs: Any) -> Any:
    return outputs.float() if isinstance(outputs, Tensor) else tuple(o.float() for o in outputs)


def _target(values: np.ndarray) -> Tensor:
    tensor = torch.from_numpy(values)
    return tensor.float() if tensor.dtype == torch.float16 else tensor.long()
