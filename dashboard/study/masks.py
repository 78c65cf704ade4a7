"""From a crop of labels to the three shapes that are measured: cord, thecal sac, epidural tumour."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from dashboard.study.prediction import LABELS

Mask = npt.NDArray[np.bool_]

EIGHT_NEIGHBOURS = np.ones((3, 3), bool)
# CSF of the sac lies round the cord; bright fat or vessels labelled CSF elsewhere in the crop are not of the sac.
# A film of tumour or a bundle of roots up to this thick may lie between.
CSF_REACH_MM = 2.0
# Epidural tumour lies in the few millimetres between sac and bone; label specks further off are not epidural.
TUMOUR_REACH_MM = 3.0


@dataclass(frozen=True, eq=False)
class SliceMasks:
    """Boolean masks (rows, columns) of one slice at `pixel_mm`; `sac` is cord and CSF together."""

    cord: Mask
    sac: Mask
    tumour: Mask
    pixel_mm: float

    @property
    def csf(self) -> Mask:
        """CSF left in the sac."""
        return self.sac & ~self.cord


def window_of(mask: Mask, margin: int = 0) -> tuple[slice, slice]:
    """The part of a mask that is not empty, with so many pixels about it; one pixel of an empty mask.

    What is looked at there alone is found as in the whole, and sooner.
    """
    if not mask.any():
        return slice(0, 1), slice(0, 1)
    ends = [np.flatnonzero(mask.any(axis=axis))[[0, -1]].tolist() for axis in (1, 0)]
    rows, columns = (
        slice(max(0, first - margin), min(side, last + 1 + margin))
        for (first, last), side in zip(ends, mask.shape, strict=True)
    )
    return rows, columns


def slice_masks(labels: npt.NDArray[np.uint8], pixel_mm: float) -> SliceMasks:
    """Clean the masks of one crop: one cord, the CSF round it, the tumour beside it.

    Parameters
    ----------
    labels
        (rows, columns) uint8, values index :data:`dashboard.study.LABELS`.
    pixel_mm
        Side of a pixel, mm.
    """
    cord = _largest(labels == LABELS.index("cord"))
    csf = labels == LABELS.index("csf")
    if cord.any():
        csf = _touching(csf, _near(cord, CSF_REACH_MM / pixel_mm))
        # A flow void or a vessel inside the cord's outline belongs to the cord.
        window = window_of(cord)
        cord[window] = ndimage.binary_fill_holes(cord[window]) & ~csf[window]
    sac = cord | csf
    tumour = labels == LABELS.index("tumour")
    if sac.any():
        tumour = _touching(tumour, _near(sac, TUMOUR_REACH_MM / pixel_mm))
    return SliceMasks(cord, sac, tumour, pixel_mm)


def _largest(mask: Mask) -> Mask:
    parts, count = ndimage.label(mask, EIGHT_NEIGHBOURS)
    if count <= 1:
        return mask
    return np.asarray(parts == 1 + int(np.bincount(parts.ravel())[1:].argmax()))


def _near(mask: Mask, reach_px: float) -> Mask:
    """What lies within reach of a mask that is not empty."""
    window = window_of(mask, int(np.ceil(reach_px)))
    near = np.zeros_like(mask)
    near[window] = ndimage.distance_transform_edt(~mask[window]) <= reach_px
    return near


def _touching(mask: Mask, zone: Mask) -> Mask:
    """The parts of `mask` that reach into `zone`."""
    parts, count = ndimage.label(mask, EIGHT_NEIGHBOURS)
    if count == 0:
        return mask
    keep = np.zeros(count + 1, bool)
    keep[np.unique(parts[zone])] = True
    keep[0] = False
    return np.asarray(keep[parts])
