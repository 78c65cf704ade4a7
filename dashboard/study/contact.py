"""Where suspected tumour touches the cord: one definition for the share that is measured and the line that is drawn."""

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from dashboard.study.masks import Mask, SliceMasks

# Tumour within a pixel and a half (0.75 mm at 0.5 mm) touches: side or corner neighbours on the grid the model sees.
CONTACT_PX = 1.5


def outline(mask: Mask) -> Mask:
    """The pixels of `mask` that have a side neighbour outside it."""
    return np.asarray(mask & ~ndimage.binary_erosion(mask))


def outline_distance_px(shape: Mask, other: Mask) -> npt.NDArray[np.float64]:
    """Distance of each pixel from `other` on the outline of `shape`, infinite off that outline, in pixels."""
    if not other.any():
        return np.full(shape.shape, np.inf)
    return np.asarray(np.where(outline(shape), ndimage.distance_transform_edt(~other), np.inf))


def touched(masks: SliceMasks) -> Mask:
    """The pixels of the cord's outline that suspected tumour touches."""
    return np.asarray(outline_distance_px(masks.cord, masks.tumour) <= CONTACT_PX)
