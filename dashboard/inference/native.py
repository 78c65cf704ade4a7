"""Segmentations carried back into the grid of the volumes they were made from.

Probabilities are interpolated and the largest taken at each native voxel centre; interpolating labels instead would
shift every border by up to half a pixel.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from dashboard.inference.orientation import slice_affine
from dashboard.inference.resampling import Image, paint_slice
from dashboard.inference.segmentation import most_probable
from dashboard.inference.sessions import spread
from dashboard.study import Volume
from dashboard.study.geometry import Array

# Where the canal leans by 30 degrees the border of a cord lies this far above a plane that just fits the volume.
BEYOND_MM = 4.0

Labels = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Segmented:
    """Class probabilities (classes, size, size) of one crop and its affine; `slice_index` counts in a stack only."""

    slice_index: int
    affine: Array
    classes: Image


def paint_stack(volume: Volume, crops: Sequence[Segmented], threads: int) -> Labels:
    """Labels (slices, rows, columns) of an axial stack from the crops of its own slices; 0 elsewhere."""
    labels = np.zeros(volume.voxels.shape, dtype=np.uint8)

    def one(crop: Segmented) -> None:
        shape = (volume.voxels.shape[1], volume.voxels.shape[2])
        native = slice_affine(volume.affine, crop.slice_index)
        painted, (rows, columns) = paint_slice(crop.classes, crop.affine, native, shape)
        if painted.size:
            labels[crop.slice_index, rows, columns] = most_probable(painted)

    spread(one, crops, threads)
    return labels


def paint_reformats(volume: Volume, crops: Sequence[Segmented], threads: int) -> Labels:
    """Labels of a volume from reformats across it, in head-to-foot order; 0 farther than a crop from all of them.

    A voxel between two neighbouring planes takes the mean of what both show at its foot on them, weighted by
    nearness; above the first and below the last plane, up to :data:`BEYOND_MM` or twice the step, it takes what that
    plane shows.
    """
    labels = np.zeros(volume.voxels.shape, dtype=np.uint8)
    if not crops:
        return labels
    beyond = max(BEYOND_MM, 2 * _step_mm(crops))
    pairs: list[tuple[Segmented, Segmented]] = list(pairwise(crops))
    slabs = [(upper, lower, 0.0, 0.0) for upper, lower in pairs]
    slabs = [(crops[0], crops[0], beyond, 0.0), *slabs, (crops[-1], crops[-1], 0.0, beyond)]
    to_index = np.asarray(np.linalg.inv(volume.affine), dtype=np.float64)

    def one(slab: tuple[Segmented, Segmented, float, float]) -> tuple[tuple[slice, ...], npt.NDArray[np.bool_], Labels]:
        return _paint_slab(volume, to_index, *slab)

    for window, where, found in spread(one, slabs, threads):
        labels[window][where] = found
    return labels


def _step_mm(crops: Sequence[Segmented]) -> float:
    gaps = [abs(float((b.affine[:3, 3] - a.affine[:3, 3]) @ a.affine[:3, 0])) for a, b in pairwise(crops)]
    return float(np.median(gaps)) if gaps else 1.0


def _paint_slab(
    volume: Volume, to_index: Array, upper: Segmented, lower: Segmented, above_mm: float, below_mm: float
) -> tuple[tuple[slice, ...], npt.NDArray[np.bool_], Labels]:
    """Labels of the voxels between two planes, each moved outwards along its normal by a given distance."""
    window = _window(volume.voxels.shape, to_index, upper, lower, above_mm, below_mm)
    grid = np.mgrid[window].reshape(3, -1)
    points = volume.affine[:3, :3] @ grid + volume.affine[:3, 3:]
    size = upper.classes.shape[1]
    over, upper_index = _foot(upper, points)
    under, lower_index = _foot(lower, points)
    between = (over <= above_mm) & (under > -below_mm)
    between &= np.all((upper_index >= -0.5) & (upper_index <= size - 0.5), axis=0)
    between &= np.all((lower_index >= -0.5) & (lower_index <= size - 0.5), axis=0)
    where = between.reshape([s.stop - s.start for s in window])
    if upper is lower:
        mixed = _show(upper.classes, upper_index[:, between])
    else:
        depth, height = -over[between], under[between]
        share = (depth / np.maximum(depth + height, 1e-9)).astype(np.float32)
        mixed = _show(upper.classes, upper_index[:, between]) * (1 - share)
        mixed += _show(lower.classes, lower_index[:, between]) * share
    return window, where, most_probable(mixed)


def _window(
    shape: Sequence[int], to_index: Array, upper: Segmented, lower: Segmented, above_mm: float, below_mm: float
) -> tuple[slice, ...]:
    """Smallest block of voxels that holds both crops, moved outwards."""
    corners = []
    for crop, shift in ((upper, above_mm), (lower, -below_mm), (upper, 0.0), (lower, 0.0)):
        size = crop.classes.shape[1]
        for row in (-0.5, size - 0.5):
            for column in (-0.5, size - 0.5):
                corners.append(crop.affine @ np.array([shift, row, column, 1.0]))
    index = (to_index @ np.array(corners).T)[:3]
    low = np.clip(np.floor(index.min(axis=1)).astype(int), 0, shape)
    high = np.clip(np.ceil(index.max(axis=1)).astype(int) + 1, low, shape)
    return tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))


def _foot(crop: Segmented, points: Array) -> tuple[Array, Array]:
    """Height over a crop's plane (n), mm headward, and pixel index (2, n) of the foot, of points (3, n)."""
    inverse = np.linalg.inv(crop.affine)
    index = inverse[:3, :3] @ points + inverse[:3, 3:]
    return index[0], index[1:]


def _show(classes: Image, index: Array) -> Image:
    """(classes, n) probabilities at pixel indices (2, n), linear."""
    shown = [ndimage.map_coordinates(plane, index, output=np.float32, order=1, mode="nearest") for plane in classes]
    return np.stack(shown)
