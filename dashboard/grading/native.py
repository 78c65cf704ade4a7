"""Masks in the grid of the images, kept where a slice was analysed: what was not graded is not drawn either."""

from collections.abc import Collection

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from dashboard.study import Series, SeriesPrediction, SlicePrediction, Volume

Labels = npt.NDArray[np.uint8]


def analysed_labels(
    series: Series, prediction: SeriesPrediction, analysed: Collection[tuple[int, int]]
) -> tuple[Labels, ...]:
    """Labels of each volume, 0 at every voxel that belongs to a slice that was not analysed.

    Parameters
    ----------
    series, prediction
        Of one series; ``prediction.native_labels`` has the shapes of its volumes.
    analysed
        ``(volume_index, slice_index)`` of the slices that were analysed.

    Returns
    -------
    tuple of uint8 arrays (slices, rows, columns)
        New arrays where anything had to go, the given ones where all was analysed.
    """
    kept = []
    for index, (volume, labels) in enumerate(zip(series.volumes, prediction.native_labels, strict=True)):
        slices = [one for one in prediction.slices if one.volume_index == index]
        good = np.array([(index, one.slice_index) in analysed for one in slices], bool)
        kept.append(labels if good.all() else _without(volume, labels, slices, good))
    return tuple(kept)


def _without(volume: Volume, labels: Labels, slices: list[SlicePrediction], good: npt.NDArray[np.bool_]) -> Labels:
    kept = labels.copy()
    if not good.any():
        kept[:] = 0
        return kept
    # A voxel belongs to the slice whose centre of the canal is nearest, whichever way the slices were cut.
    places = np.argwhere(labels)
    positions = places @ volume.affine[:3, :3].T + volume.affine[:3, 3]
    nearest = cKDTree(np.array([one.centre_mm for one in slices])).query(positions)[1]
    lost = places[~good[nearest]]
    kept[tuple(lost.T)] = 0
    return kept
