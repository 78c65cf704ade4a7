"""What the second process runs: builders of the functions that make one training sample."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from models.training.backgrounds import gather
from models.training.blend import Backgrounds, real_sample
from models.training.body import BodyData, body_sample, gather_bodies
from models.training.labels import MEASURED
from models.training.samples import Sample, synthetic
from models.training.shapes import NoiseBank

# Share of samples with a real background; more than half and wide fields are forgotten.
REAL_SHARE = 0.45
Row = tuple[np.ndarray, ...]


def compression_row(sample: Sample) -> Row:
    """A sample as arrays to stack: float16 image, uint8 masks, int8 rank and scene, float16 measurements."""
    return (
        sample.image.astype(np.float16)[None],
        sample.segmentation,
        np.array(sample.rank, np.int8),
        np.array(sample.scene, np.int8),
        np.array(sample.measured or (np.nan,) * len(MEASURED), np.float16),
    )


def build_compression(folder: Path | None, seed: int) -> Callable[[np.random.Generator], Row]:
    """Maker for the compression model."""
    bank = NoiseBank(seed)
    real, shapes = gather(folder, seed) if folder else (Backgrounds(), [])

    def make(rng: np.random.Generator) -> Row:
        if real.with_cord and rng.random() < REAL_SHARE:
            return compression_row(real_sample(rng, bank, real))
        return compression_row(synthetic(rng, bank, shapes))

    return make


def build_canal(folder: Path | None, seed: int) -> Callable[[np.random.Generator], Row]:
    """Maker for the localiser."""
    bank = NoiseBank(seed)
    data = gather_bodies(folder, seed) if folder else BodyData()

    def make(rng: np.random.Generator) -> Row:
        image, heatmap = body_sample(rng, bank, data)
        return image.astype(np.float16)[None], heatmap.astype(np.float16)[None]

    return make
