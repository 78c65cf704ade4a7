"""What a model receives: pictures cut by :mod:`resampling`, their grey values fixed once for a whole series.

Never slice by slice: a ring of tumour that has replaced all CSF looks like CSF once its slice is normalised alone.
numpy and scipy only; training and evaluation import this module, so that they see what inference sees.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dashboard.inference.orientation import Axes, crop_affine, picture_axes, slice_affine
from dashboard.inference.resampling import Image, Mask, finite, sample_slice, sample_volume, shrink

__all__ = [
    "CLIP_HIGH",
    "Axes",
    "Image",
    "Mask",
    "Window",
    "crop_affine",
    "crops_window",
    "nonzero_window",
    "picture_axes",
    "sample_slice",
    "sample_volume",
    "shrink",
    "slice_affine",
]

CLIP_HIGH = 1.5
# Percentiles of this many evenly spread voxels are within a thousandth of those of all.
SAMPLE_VOXELS = 1_000_000


@dataclass(frozen=True)
class Window:
    """Grey values that become 0 (`low`) and 1 (`high`)."""

    low: float
    high: float

    def apply(self, pixels: Image, inside: Mask | None = None) -> Image:
        """``clip((x - low) / (high - low), 0, 1.5)``, 0 outside the field of view, 0 throughout for a flat series."""
        span = self.high - self.low
        if not span > 0:
            return np.zeros_like(pixels, dtype=np.float32)
        scaled = np.clip((pixels - np.float32(self.low)) / np.float32(span), np.float32(0), np.float32(CLIP_HIGH))
        return np.asarray(scaled if inside is None else scaled * inside, dtype=np.float32)


def nonzero_window(
    volumes: Iterable[npt.NDArray[np.generic]], low_percentile: float = 1.0, high_percentile: float = 99.0
) -> Window:
    """Window of a series for the localiser: percentiles of all its non-zero voxels.

    Rows and columns are sampled evenly so that about a million voxels count; every slice takes part. A series with
    nothing but zeros gives the flat window (0, 0).
    """
    arrays = list(volumes)
    total = sum(array.size for array in arrays)
    step = max(1, int(np.ceil(np.sqrt(total / SAMPLE_VOXELS))))
    samples = [finite(array[:, step // 2 :: step, step // 2 :: step]).ravel() for array in arrays]
    values = np.concatenate(samples) if samples else np.zeros(0, np.float32)
    return _window(values[values != 0], low_percentile, high_percentile)


def crops_window(
    crops: Sequence[Image], insides: Sequence[Mask], low_percentile: float = 2.0, high_percentile: float = 98.0
) -> Window:
    """Window of a series for the compression model: percentiles of the crops of all its slices, pooled.

    Pixels outside the field of view and exact zeros (padding by the scanner or an export) do not count.
    """
    samples = [crop[inside & (crop != 0)] for crop, inside in zip(crops, insides, strict=True)]
    values = np.concatenate(samples) if samples else np.zeros(0, np.float32)
    return _window(values, low_percentile, high_percentile)


def _window(values: Image, low: float, high: float) -> Window:
    if values.size == 0:
        return Window(0.0, 0.0)
    bottom, top = np.percentile(values, [low, high])
    return Window(float(bottom), float(top))
