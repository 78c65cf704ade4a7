"""Masks in the grid of the images, kept as far as the slices they come from may be trusted."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from dashboard.grading.quality import NO_GRADE_OWED, Obstacle
from dashboard.grading.result import ANALYSED
from dashboard.study import LABELS, Series, SeriesPrediction, Volume
from dashboard.study.geometry import Array

Labels = npt.NDArray[np.uint8]
ALL, ANATOMY, NOTHING = 2, 1, 0
TUMOUR = LABELS.index("tumour")
# At the conus there is a cord, if a doubtful one.
WITHOUT_CORD = frozenset(obstacle.value for obstacle in NO_GRADE_OWED - {Obstacle.CONUS})


def trusted_labels(
    series: Series, prediction: SeriesPrediction, slices: Iterable[Mapping[str, Any]]
) -> tuple[Labels, ...]:
    """Labels of each volume of a series that was analysed, without what a refused slice contributed.

    Of an analysed slice everything stays; of one that could not be graded cord and CSF stay and suspected tumour goes;
    of one without a cord, or off the spine, nothing stays.

    Parameters
    ----------
    series, prediction
        Of one series; ``prediction.native_labels`` has the shapes of its volumes.
    slices
        The ``slices`` of the study's document; those of other series are passed over.

    Returns
    -------
    tuple of uint8 arrays (slices, rows, columns)
        New arrays where anything had to go, the given ones where nothing had.
    """
    trust = {
        (one["volume_index"], one["slice_index"]): _trust(one)
        for one in slices
        if one["series_instance_uid"] == series.series_instance_uid
    }
    kept = []
    for index, (volume, labels) in enumerate(zip(series.volumes, prediction.native_labels, strict=True)):
        shown = [one for one in prediction.slices if one.volume_index == index]
        levels = np.array([trust.get((index, one.slice_index), NOTHING) for one in shown], int)
        centres = np.array([one.centre_mm for one in shown]).reshape(-1, 3)
        kept.append(labels if (levels == ALL).all() else _keep(volume, labels, centres, levels))
    return tuple(kept)


def _trust(one: Mapping[str, Any]) -> int:
    if one["status"] == ANALYSED:
        return ALL
    return NOTHING if WITHOUT_CORD & set(one["reasons"]) else ANATOMY


def _keep(volume: Volume, labels: Labels, centres_mm: Array, levels: npt.NDArray[np.int_]) -> Labels:
    """A voxel belongs to the slice whose centre of the canal is nearest, whichever way the slices were cut."""
    kept = labels.copy()
    places = np.argwhere(labels)
    if not len(places):
        return kept
    positions = places @ volume.affine[:3, :3].T + volume.affine[:3, 3]
    trust = levels[cKDTree(centres_mm).query(positions)[1]]
    values = labels[tuple(places.T)]
    lost = places[(trust == NOTHING) | ((trust == ANATOMY) & (values == TUMOUR))]
    kept[tuple(lost.T)] = 0
    return kept
