"""The planes a series is looked at in: where each lies, how far its field reaches, how pixels are cut from it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product

import numpy as np
import numpy.typing as npt

from dashboard.inference.orientation import Axes, picture_axes
from dashboard.inference.resampling import Image, Mask, sample_slice, sample_volume
from dashboard.study import FrameReference, Volume, slice_affine
from dashboard.study.geometry import Array

Cut = Callable[[Array, int], tuple[Image, Mask]]


@dataclass(frozen=True, eq=False)
class CutPlane:
    """One plane across the canal.

    Attributes
    ----------
    volume_index, slice_index, frame
        As in :class:`dashboard.study.SlicePrediction`.
    between
        0 for a plane that is graded; otherwise its number among those after plane `slice_index` that only make the
        segmentation of a volume finer.
    axes
        Directions of the pictures cut from it.
    centre_mm
        Middle of the field of view in this plane, LPS mm (3).
    extent_mm
        Width of the field along rows' and columns' directions.
    cut
        ``cut(crop_affine, size_px)`` gives a picture and where it is inside the field of view.
    """

    volume_index: int
    slice_index: int
    frame: FrameReference | None
    axes: Axes
    centre_mm: Array
    extent_mm: tuple[float, float]
    cut: Cut
    between: int = 0


def stack_plane(volume: Volume, volume_index: int, slice_index: int) -> CutPlane:
    """The plane of one stored slice of an axial stack."""
    affine = slice_affine(volume.affine, slice_index)
    axes = picture_axes(affine)
    _, rows, columns = volume.voxels.shape
    corners = np.array([[0, r, c, 1] for r in (-0.5, rows - 0.5) for c in (-0.5, columns - 0.5)]).T
    centre, extent = _field((affine @ corners)[:3].T, axes)
    frame = volume.frames[slice_index]
    cut = partial(_cut_slice, volume.voxels, slice_index, affine)
    return CutPlane(volume_index, slice_index, frame, axes, centre, extent, cut)


def reformat_plane(
    voxels: npt.NDArray[np.generic],
    volume_affine: Array,
    place: tuple[int, int, int],
    point_mm: Array,
    axes: Axes,
) -> CutPlane | None:
    """A plane cut anew through a volume at `point_mm`; None where it misses the volume.

    `place` holds the volume's index in its series, the running number of the reformat, and `between`.
    """
    crossings = _box_crossings(voxels.shape, volume_affine, point_mm, axes.normal)
    if len(crossings) < 3:
        return None
    centre, extent = _field(crossings, axes)
    cut = partial(sample_volume, voxels, volume_affine)
    return CutPlane(place[0], place[1], None, axes, centre, extent, cut, place[2])


def _cut_slice(
    voxels: npt.NDArray[np.generic], index: int, affine: Array, crop_affine: Array, size_px: int
) -> tuple[Image, Mask]:
    return sample_slice(voxels[index], affine, crop_affine, size_px)


def _field(points: Array, axes: Axes) -> tuple[Array, tuple[float, float]]:
    """Middle and widths, along rows and columns, of the smallest upright rectangle around points of one plane."""
    down, along = points @ axes.rows, points @ axes.columns
    height = float(points.mean(axis=0) @ axes.normal)
    middle = axes.rows * (down.min() + down.max()) / 2 + axes.columns * (along.min() + along.max()) / 2
    return middle + axes.normal * height, (float(np.ptp(down)), float(np.ptp(along)))


def _box_crossings(shape: Sequence[int], affine: Array, point_mm: Array, normal: Array) -> Array:
    """(n, 3) LPS points where a plane crosses the twelve edges of a volume's box."""
    ends = [(-0.5, n - 0.5) for n in shape]
    points = []
    for axis in range(3):
        others = [ends[k] for k in range(3) if k != axis]
        for fixed in product(*others):
            pair = [np.insert(np.array(fixed), axis, end) for end in ends[axis]]
            first, last = (affine[:3, :3] @ index + affine[:3, 3] for index in pair)
            before, after = float((first - point_mm) @ normal), float((last - point_mm) @ normal)
            if before * after <= 0 and before != after:
                points.append(first + (last - first) * before / (before - after))
    return np.array(points).reshape(-1, 3)
