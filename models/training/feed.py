"""Samples made in a second process while the first trains."""

from __future__ import annotations

import multiprocessing
import queue
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

Batch = tuple[np.ndarray, ...]
Maker = Callable[[np.random.Generator], Batch]


@dataclass(frozen=True, slots=True)
class FeedOptions:
    """``chunk`` samples travel together; ``pool`` of the latest stay to be drawn ``reuse`` times on average.

    ``mirror`` turns half of the batches left to right as they are drawn, so that a second draw is another picture.
    """

    chunk: int = 128
    pool: int = 8192
    reuse: float = 1.8
    mirror: bool = False


def _produce(build: Callable[[], Maker], seed: int, chunk: int, out: Any) -> None:
    rng = np.random.default_rng(seed)
    make = build()
    while True:
        rows = [make(rng) for _ in range(chunk)]
        out.put(tuple(np.stack(column) for column in zip(*rows, strict=True)))


def _mirrored(batch: Batch) -> Batch:
    """Pictures and masks with their columns turned round; what is not a picture stays."""
    return tuple(np.ascontiguousarray(column[..., ::-1]) if column.ndim > 2 else column for column in batch)


class Feed:
    """Draws random batches from a pool of fresh samples.

    Parameters
    ----------
    build : made anew in the worker process; returns the function that makes one sample.
    seed : seed of the worker's generator; the draw order is seeded with ``seed + 1``.
    """

    def __init__(self, build: Callable[[], Maker], seed: int, options: FeedOptions) -> None:
        context = multiprocessing.get_context("spawn")
        self.options = options
        self.queue: Any = context.Queue(maxsize=6)
        self.worker = context.Process(target=_produce, args=(build, seed, options.chunk, self.queue), daemon=True)
        self.worker.start()
        self.rng = np.random.default_rng(seed + 1)
        self.pool: list[np.ndarray] = []
        self.filled = 0
        self.cursor = 0
        self.made = 0
        self.used = 0.0

    def _take(self) -> None:
        try:
            columns = self.queue.get(timeout=300)
        except queue.Empty:
            raise RuntimeError("the sample maker stopped: see its traceback above") from None
        count = len(columns[0])
        if not self.pool:
            self.pool = [np.empty((self.options.pool, *c.shape[1:]), c.dtype) for c in columns]
        places = (self.cursor + np.arange(count)) % self.options.pool
        for store, column in zip(self.pool, columns, strict=True):
            store[places] = column
        self.cursor = (self.cursor + count) % self.options.pool
        self.filled = min(self.options.pool, self.filled + count)
        self.made += count

    def batches(self, size: int) -> Iterator[Batch]:
        """Yield batches for ever; waits for fresh samples only when the pool has been drawn ``reuse`` times."""
        while self.filled < min(self.options.pool, 8 * self.options.chunk):
            self._take()
        while True:
            while self.used + size > self.options.reuse * self.made:
                self._take()
            picks = self.rng.integers(0, self.filled, size)
            self.used += size
            batch = tuple(store[picks] for store in self.pool)
            yield _mirrored(batch) if self.options.mirror and self.rng.random() < 0.5 else batch

    def close(self) -> None:
        """Stop the worker."""
        self.worker.terminate()
        self.worker.join()
