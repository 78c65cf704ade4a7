"""What a model receives: pictures cut by :mod:`resampling`, their grey values fixed once for a whole series.

Never slice by slice: a ring of tumour that has replaced all CSF looks like CSF once its slice is normalised alone.
numpy and scipy only; training and evaluation import this module, so that they see what inference sees.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from dashboard.inference.orientation import Axes, crop_affine, picture_axes
from dashboard.inference.resampling import Image, Mask, finite, sample_slice, sample_volume, shrink
from dashboard.study.geometry import Array

__all__ = [
    "CLIP_HIGH",
    "Axes",
    "Image",
    "Mask",
    "Window",
    "crop_affine",
    "crops_window",
    "nonzero_window",
    "padding",
    "picture_axes",
    "sample_slice",
    "sample_volume",
    "shrink",
    "slow_gain",
]

CLIP_HIGH = 1.5
# Twice the length of the longest lesions that a single slice could be judged against.
GAIN_SIGMA_MM = 20.0
GAIN_LEAST_SLICES = 8
GAIN_PERCENTILE = 75.0
GAIN_IDLE = 1.5
# Beyond, there is more noise than signal left.
GAIN_MAX = 5.0
# Percentiles of this many evenly spread voxels are within a thousandth of those of all.
SAMPLE_VOXELS = 1_000_000
# Fewer zeros in a row are a dark vessel or the cortex of a bone, not the filling round a narrow field.
LEAST_PADDING = 0.02


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


def padding(pixels: Image, inside: Mask) -> Mask:
    """Where a picture was filled up to its size: zeros that reach its border.

    Scanners and reformatting stations store a narrow or turned field in a wider picture of zeros; what lies there was
    never acquired, and a canal beside it is as cut as one at the picture's edge.

    Parameters
    ----------
    pixels, inside
        (rows, columns) grey values as stored, and which of them lie within the stored picture.
    """
    zero = pixels == 0
    if np.count_nonzero(zero & inside) < LEAST_PADDING * zero.size:
        return np.zeros_like(inside)
    empty = zero | ~inside
    components, _ = ndimage.label(empty)
    border = np.concatenate([components[0], components[-1], components[:, 0], components[:, -1]])
    filled = np.isin(components, np.unique(border[border > 0])) & inside
    if filled.sum() < LEAST_PADDING * filled.size:
        return np.zeros_like(inside)
    return np.asarray(filled)


def slow_gain(heights_mm: Sequence[float], crops: Sequence[Image], insides: Sequence[Mask]) -> Array:
    """Factors (n) that lift slices beyond the coil's reach to the brightness of the rest; 1 for all others.

    At the ends of a long field of view signal falls to a fifth within 40 mm, and CSF turns as dark as tumour. The fall
    is read off the median of each crop, smoothed over far more slices than a lesion spans, so that no lesion is
    brightened on its own; what is left within :data:`GAIN_IDLE` of the series, as ordinary shading is, stays as it is.

    Parameters
    ----------
    heights_mm
        Place of each slice along the patient.
    crops, insides
        Grey values (rows, columns) and where they lie inside the field of view.
    """
    medians = [_median(crop[inside & (crop > 0)]) for crop, inside in zip(crops, insides, strict=True)]
    logs = np.log(np.array(medians, dtype=np.float64).clip(1e-12))
    known = np.array(medians) > 0
    gains = np.ones(len(crops))
    if np.count_nonzero(known) < GAIN_LEAST_SLICES:
        return gains
    smooth = _smooth(np.asarray(heights_mm, dtype=np.float64), logs, known)
    deficit = np.exp(np.percentile(smooth[known], GAIN_PERCENTILE) - smooth) / GAIN_IDLE
    return np.asarray(deficit.clip(1.0, GAIN_MAX))


def _smooth(heights: Array, values: Array, known: Mask) -> Array:
    """Straight lines through the known values around each height; they follow a fall up to the last slice."""
    step = heights[None, :] - heights[:, None]
    weights = np.exp(-0.5 * (step / GAIN_SIGMA_MM) ** 2) * known
    zeroth, first, second = (np.sum(weights * step**k, axis=1) for k in (0, 1, 2))
    level, slope = np.sum(weights * values, axis=1), np.sum(weights * step * values, axis=1)
    spread = zeroth * second - first**2
    flat = spread < 1e-6 * zeroth * GAIN_SIGMA_MM**2
    line = (second * level - first * slope) / np.where(flat, 1.0, spread)
    return np.asarray(np.where(flat, level / np.maximum(zeroth, 1e-12), line))


def _median(values: Image) -> float:
    return float(np.median(values)) if values.size else 0.0


def _window(values: Image, low: float, high: float) -> Window:
    if values.size == 0:
        return Window(0.0, 0.0)
    bottom, top = np.percentile(values, [low, high])
    return Window(float(bottom), float(top))
