"""How long something takes, and how long beside one ResNet-50 forward pass."""

import statistics
import time
from collections.abc import Callable

import numpy as np
import onnxruntime

from tests.benchmarks.resnet50 import SIZE, resnet50

ROUNDS = 9


def median_s(work: Callable[[], object], repeats: int) -> float:
    """Median seconds of a call, after one that warms up."""
    work()
    return statistics.median(once_s(work) for _ in range(repeats))


def once_s(work: Callable[[], object]) -> float:
    """Seconds of a call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def baseline() -> Callable[[], object]:
    """One ResNet-50 forward pass, one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(resnet50(), options, providers=["CPUExecutionProvider"])
    image = np.random.default_rng(1).random((1, 3, SIZE, SIZE), np.float32)
    return lambda: session.run(None, {"image": image})


def baseline_s() -> float:
    """Median seconds of a ResNet-50 forward pass."""
    return median_s(baseline(), 15)


def paired_s(work: Callable[[], object]) -> tuple[float, float, float]:
    """Median seconds of a call and of a ResNet-50 pass just before and after it, and of the ratio of the two.

    Taken in turns, so that what else the machine does meanwhile slows both.
    """
    yardstick = baseline()
    work()
    rounds = []
    for _ in range(ROUNDS):
        before = median_s(yardstick, 8)
        mine = once_s(work)
        theirs = (before + median_s(yardstick, 8)) / 2
        rounds.append((mine, theirs, mine / theirs))
    seconds, resnet, ratio = (statistics.median(column) for column in zip(*rounds, strict=True))
    return seconds, resnet, ratio
