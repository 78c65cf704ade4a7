"""Small repairs of a segmentation, each for a failure seen on real slices; probabilities in, probabilities out.

One cord a slice; CSF only around it; no specks. What is taken from a class goes to the next most probable one.
"""

from functools import cache

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from dashboard.inference.resampling import Image, Mask
from dashboard.study import LABELS
from dashboard.study.geometry import Array

OTHER, CSF, CORD, TUMOUR, BONE = range(len(LABELS))

# Smaller than the thinnest reported compressed cord by far; a speck of grey between bright pixels.
MIN_CORD_MM2 = 6.0
# A cord this far from the picture's middle is half as plausible as one in the middle.
CENTRE_SIGMA_MM = 10.0
# CSF of the sac lies around the cord; brighter spots farther off are facet joints, veins and cysts.
SAC_REACH_MM = 4.0
MIN_SPECK_MM2 = 1.5
# Central canal, Gibbs line or noise: not a lesion of its own.
MAX_HOLE_MM2 = 4.0
EIGHT = np.ones((3, 3), dtype=bool)


def clean(probabilities: Image, pixel_mm: float) -> Image:
    """Repair class probabilities (5, rows, columns) of one picture whose middle should lie in the canal."""
    classes = probabilities.copy()
    labels = most_probable(classes)
    cord = _most_plausible(labels == CORD, classes[CORD], pixel_mm, MIN_CORD_MM2)
    holes = _small_holes(cord, labels, pixel_mm)
    classes[:, holes] = np.eye(len(LABELS), dtype=np.float32)[CORD][:, None]
    cord |= holes
    classes[CORD] *= ndimage.maximum_filter(cord, 3, mode="constant") if cord.any() else np.float32(0)
    csf = labels == CSF
    _drop(classes, CSF, csf & ~_sac(csf, cord, classes[CSF], pixel_mm))
    _drop(classes, TUMOUR, _specks(labels == TUMOUR, pixel_mm))
    total = classes.sum(axis=0)
    empty = total <= 0
    classes[OTHER, empty] = total[empty] = 1.0
    return np.asarray(classes / total, dtype=np.float32)


def most_probable(classes: Image) -> npt.NDArray[np.uint8]:
    """Index of the largest along the first axis, the first of equals; twenty times as fast as ``argmax`` there."""
    labels = np.zeros(classes.shape[1:], dtype=np.uint8)
    highest = classes[0].copy()
    for index in range(1, len(classes)):
        labels[classes[index] > highest] = index
        np.maximum(highest, classes[index], out=highest)
    return labels


def cord_centre(labels: npt.NDArray[np.uint8], affine: Array, min_area_mm2: float, pixel_mm: float) -> Array | None:
    """Centre of mass of the cord, LPS mm (3); None where it is smaller than `min_area_mm2`."""
    rows, columns = np.nonzero(labels == CORD)
    if rows.size * pixel_mm**2 < min_area_mm2:
        return None
    return np.asarray((affine @ np.array([0.0, rows.mean(), columns.mean(), 1.0]))[:3])


def _most_plausible(mask: Mask, weight: Image, pixel_mm: float, min_area_mm2: float) -> Mask:
    """The one component with most probability near the middle; empty where none is large enough."""
    components, count = ndimage.label(mask)
    if count == 0:
        return np.zeros_like(mask)
    where = components.ravel()
    areas = np.bincount(where, minlength=count + 1) * pixel_mm**2
    worth = np.bincount(where, (weight * _nearness(mask.shape, pixel_mm)).ravel(), count + 1)
    worth[areas < min_area_mm2] = 0.0
    worth[0] = 0.0
    best = int(worth.argmax())
    return np.asarray(components == best) if worth[best] > 0 else np.zeros_like(mask)


@cache
def _nearness(shape: tuple[int, int], pixel_mm: float) -> Array:
    """1 in the middle of a picture, a half at :data:`CENTRE_SIGMA_MM`."""
    rows, columns = (np.arange(n) - (n - 1) / 2 for n in shape)
    squared = (rows[:, None] ** 2 + columns[None, :] ** 2) * pixel_mm**2
    return np.asarray(np.exp2(-squared / CENTRE_SIGMA_MM**2))


def _small_holes(cord: Mask, labels: npt.NDArray[np.uint8], pixel_mm: float) -> Mask:
    """Parts of no cord and no tumour, all round which there is cord."""
    if not cord.any():
        return cord
    gaps, count = ndimage.label(~cord)
    small = np.bincount(gaps.ravel(), minlength=count + 1) * pixel_mm**2 <= MAX_HOLE_MM2
    small[0] = False
    small[gaps[labels == TUMOUR]] = False
    for edge in (gaps[0], gaps[-1], gaps[:, 0], gaps[:, -1]):
        small[edge] = False
    return np.asarray(small[gaps])


def _sac(csf: Mask, cord: Mask, weight: Image, pixel_mm: float) -> Mask:
    """CSF components that come near the cord; without a cord the most plausible one."""
    if not cord.any():
        return _most_plausible(csf, weight, pixel_mm, MIN_SPECK_MM2)
    components, count = ndimage.label(csf, EIGHT)
    if count == 1:
        return csf
    near = ndimage.distance_transform_edt(~cord) * pixel_mm <= SAC_REACH_MM
    touching = np.zeros(count + 1, dtype=bool)
    touching[np.unique(components[near & csf])] = True
    touching[0] = False
    return np.asarray(touching[components])


def _specks(mask: Mask, pixel_mm: float) -> Mask:
    if not mask.any():
        return mask
    components, count = ndimage.label(mask, EIGHT)
    areas = np.bincount(components.ravel(), minlength=count + 1) * pixel_mm**2
    small = areas < MIN_SPECK_MM2
    small[0] = False
    return np.asarray(small[components])


def _drop(classes: Image, label: int, where: Mask) -> None:
    classes[label, where] = 0.0
