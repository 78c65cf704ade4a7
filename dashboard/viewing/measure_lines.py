"""The lines by which a slice was measured: the cord's two diameters, and the gap between tumour and cord."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from dashboard.study.contact import outline
from dashboard.study.diameters import diameters
from dashboard.study.geometry import Array
from dashboard.study.masks import SliceMasks, slice_masks

AP, RL, GAP = "ap", "rl", "gap"


def measure_lines(labels: npt.NDArray[np.uint8], affine: Array, pixel_mm: float) -> Mapping[str, Array]:
    """Ends (2, 3), LPS mm, of each line that there is; the gap is left out where tumour touches the cord.

    Parameters
    ----------
    labels
        (rows, columns), values index :data:`dashboard.study.LABELS`.
    affine
        (4, 4), (0, row, column, 1) to LPS mm.
    pixel_mm
        Side of a pixel.
    """
    masks = slice_masks(labels, pixel_mm)
    found: dict[str, Array] = {}
    axes = diameters(masks.cord)
    if axes is not None:
        found[AP], found[RL] = axes.ends()
    gap = _gap(masks)
    if gap is not None:
        found[GAP] = gap
    return {name: _to_patient(ends, affine) for name, ends in found.items()}


def _gap(masks: SliceMasks) -> Array | None:
    """Where the outline of the cord and tumour come nearest, from edge to edge, (2, 2) in (row, column)."""
    if not masks.cord.any() or not masks.tumour.any():
        return None
    distance, nearest = ndimage.distance_transform_edt(~masks.tumour, return_indices=True)
    on_cord = np.where(outline(masks.cord), distance, np.inf)
    start = np.array(np.unravel_index(int(on_cord.argmin()), on_cord.shape))
    end, length = nearest[:, start[0], start[1]], float(on_cord.min())
    # Grading measures from the edges of the pixels, half a pixel from the middle of either: no gap, no line.
    if length <= 1:
        return None
    half = (end - start) / length / 2
    return np.stack([start + half, end - half])


def _to_patient(ends: Array, affine: Array) -> Array:
    grid = np.column_stack([np.zeros(2), ends, np.ones(2)])
    return np.asarray((grid @ affine.T)[:, :3])
