"""Segmentations carried back into the grid of the volumes they were made from.

Probabilities are interpolated and the largest taken at each native voxel centre; interpolating labels instead would
shift every border by up to half a pixel.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from dashboard.inference.resampling import Image, paint_slice
from dashboard.inference.segmentation import most_probable
from dashboard.inference.sessions import spread
from dashboard.study import Volume, slice_affine
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
    slabs = [_Slab(upper, lower) for upper, lower in pairwise(crops)]
    slabs = [_Slab(crops[0], crops[0], above_mm=beyond), *slabs, _Slab(crops[-1], crops[-1], below_mm=beyond)]
    for window, where, found in spread(lambda slab: _paint_slab(volume, slab), slabs, threads):
        labels[window][where] = found
    return labels


@dataclass(frozen=True, eq=False)
class _Slab:
    """The room between two crops, the upper moved up and the lower moved down along their normals."""

    upper: Segmented
    lower: Segmented
    above_mm: float = 0.0
    below_mm: float = 0.0


def _step_mm(crops: Sequence[Segmented]) -> float:
    gaps = [abs(float((b.affine[:3, 3] - a.affine[:3, 3]) @ a.affine[:3, 0])) for a, b in pairwise(crops)]
    return float(np.median(gaps)) if gaps else 1.0


def _paint_slab(volume: Volume, slab: _Slab) -> tuple[tuple[slice, ...], tuple[npt.NDArray[np.intp], ...], Labels]:
    """Block of voxels around a slab, the indices within it of those in the slab, and their labels."""
    window = _window(volume, slab)
    upper, lower = (np.linalg.inv(crop.affine) @ volume.affine for crop in (slab.upper, slab.lower))
    grid = np.ogrid[window]
    between = (_linear(upper[0], grid) <= slab.above_mm) & (_linear(lower[0], grid) > -slab.below_mm)
    where = np.nonzero(between)
    index = [inside + part.start for inside, part in zip(where, window, strict=True)]
    feet = [(_linear(matrix[1], index), _linear(matrix[2], index)) for matrix in (upper, lower)]
    size = slab.upper.classes.shape[1]
    shown = np.all([(foot >= -0.5) & (foot <= size - 0.5) for pair in feet for foot in pair], axis=0)
    where, index = tuple(part[shown] for part in where), [part[shown] for part in index]
    mixed = _show(slab.upper.classes, *(foot[shown] for foot in feet[0]))
    if slab.upper is not slab.lower:
        depth, height = -_linear(upper[0], index), _linear(lower[0], index)
        share = (depth / np.maximum(depth + height, 1e-9)).astype(np.float32)
        mixed = mixed * (1 - share) + _show(slab.lower.classes, *(foot[shown] for foot in feet[1])) * share
    return window, where, most_probable(mixed)


def _window(volume: Volume, slab: _Slab) -> tuple[slice, ...]:
    """Smallest block of voxels that holds both crops, moved outwards and not."""
    corners = []
    moved = ((slab.upper, slab.above_mm), (slab.lower, -slab.below_mm), (slab.upper, 0.0), (slab.lower, 0.0))
    for crop, shift in moved:
        ends = (-0.5, crop.classes.shape[1] - 0.5)
        corners += [crop.affine @ np.array([shift, row, column, 1.0]) for row in ends for column in ends]
    index = (np.linalg.inv(volume.affine) @ np.array(corners).T)[:3]
    low = np.clip(np.floor(index.min(axis=1)).astype(int), 0, volume.voxels.shape)
    high = np.clip(np.ceil(index.max(axis=1)).astype(int) + 1, low, volume.voxels.shape)
    return tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))


def _linear(row: Array, index: Sequence[Array]) -> Array:
    """One row of an affine applied to voxel indices that broadcast; no matrix product, whose sums may differ."""
    return np.asarray(row[0] * index[0] + row[1] * index[1] + row[2] * index[2] + row[3])


def _show(classes: Image, rows: Array, columns: Array) -> Image:
    """(classes, n) probabilities at pixel indices (n), linear, the edge going on outside."""
    size = classes.shape[1]
    flat = np.ascontiguousarray(classes.reshape(len(classes), -1).T)
    shown = np.zeros((len(rows), len(classes)), dtype=np.float32)
    low_row, low_column = (np.clip(np.floor(k), 0, size - 1).astype(np.intp) for k in (rows, columns))
    down, along = (np.clip(k - low, 0, 1).astype(np.float32) for k, low in ((rows, low_row), (columns, low_column)))
    for row, row_share in ((low_row, 1 - down), (np.minimum(low_row + 1, size - 1), down)):
        for column, share in ((low_column, 1 - along), (np.minimum(low_column + 1, size - 1), along)):
            shown += flat[row * size + column] * (row_share * share)[:, None]
    return shown.T
