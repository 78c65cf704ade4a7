"""The grade of a slice measured from its masks, after the deed.

Both implanters (the one that trains and the one that tests) are judged by this one ruler. Where the picture lies
between two grades the answer is None and the slice is not used: a reader would not agree with himself there either.
Definitions: Bilsky 2010, J Neurosurg Spine 13(3):324-8; the numbers are our reading of it (MODEL_CARD.md).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage


@dataclass(frozen=True, slots=True)
class SliceMasks:
    """Boolean (rows, columns) masks of one slice; ``tumour`` is the epidural part only, ``sac`` includes the cord."""

    sac: np.ndarray
    cord: np.ndarray
    tumour: np.ndarray


@dataclass(frozen=True, slots=True)
class Measures:
    """What a reader would point at. Lengths in mm, areas in mm2, fractions 0 to 1."""

    tumour_area_mm2: float
    sac_indentation_mm: float
    gap_mm: float
    contact_fraction: float
    cord_indentation_mm: float
    cord_shift_mm: float
    csf_area_mm2: float
    csf_fraction: float


def _depth_lost(before: np.ndarray, after: np.ndarray, pixel_mm: float) -> float:
    lost = before & ~after
    if not lost.any():
        return 0.0
    # A lost border pixel has depth one pixel; half of it is the rounding of the outline.
    return float((ndimage.distance_transform_edt(before)[lost].max() - 0.5) * pixel_mm)


def _cord_indentation(before: np.ndarray, after: np.ndarray, pixel_mm: float) -> float:
    """Depth lost by the cord's own shape: the least over positions between where it was and where it went.

    A cord that only moved aside has lost nothing, although its near side is no longer where it was.
    """
    if not (before & ~after).any() or not after.any():
        return 0.0
    depth = ndimage.distance_transform_edt(before)
    way = np.subtract(ndimage.center_of_mass(after), ndimage.center_of_mass(before))
    found = []
    for part in (0.0, 0.25, 0.5, 0.75, 1.0, 1.25):
        step = tuple(round(v) for v in way * part)
        lost = np.where(after, 0.0, np.roll(depth, step, (0, 1)))
        found.append(float(lost.max()))
    return max(0.0, (min(found) - 0.5) * pixel_mm)


def _visible_csf(masks: SliceMasks, pixel_mm: float) -> float:
    """Area of CSF at least 1 mm thick: thinner films cannot be seen at clinical resolution."""
    width = max(2, round(1.0 / pixel_mm))
    opened = ndimage.binary_opening(masks.sac & ~masks.cord & ~masks.tumour, np.ones((width, width), bool))
    return float(opened.sum()) * pixel_mm**2


def measure(before: SliceMasks, after: SliceMasks, pixel_mm: float) -> Measures:
    """Compare a slice before and after the implant."""
    area = pixel_mm**2
    tumour_area = float(after.tumour.sum()) * area
    gap, contact = np.inf, 0.0
    if after.tumour.any() and after.cord.any():
        to_tumour = ndimage.distance_transform_edt(~after.tumour) * pixel_mm
        outline = after.cord & ~ndimage.binary_erosion(after.cord)
        gap = float(to_tumour[outline].min()) - pixel_mm
        contact = float((to_tumour[outline] <= 1.5 * pixel_mm).mean())
    shift = 0.0
    if before.cord.any() and after.cord.any():
        moved = np.subtract(ndimage.center_of_mass(after.cord), ndimage.center_of_mass(before.cord))
        shift = float(np.hypot(*moved)) * pixel_mm
    csf_before = _visible_csf(before, pixel_mm)
    csf_after = _visible_csf(after, pixel_mm)
    return Measures(
        tumour_area_mm2=tumour_area,
        sac_indentation_mm=_depth_lost(before.sac, after.sac & ~after.tumour, pixel_mm),
        gap_mm=gap,
        contact_fraction=contact,
        cord_indentation_mm=_cord_indentation(before.cord, after.cord, pixel_mm),
        cord_shift_mm=shift,
        csf_area_mm2=csf_after,
        csf_fraction=csf_after / max(csf_before, 1.0),
    )


def grade_of(m: Measures) -> str | None:
    """Return the Bilsky grade, or None where the picture lies between two grades."""
    if m.tumour_area_mm2 < 0.6:
        return "0"
    if m.sac_indentation_mm <= 0.3:
        return "1a" if m.tumour_area_mm2 >= 3.0 else None
    if m.sac_indentation_mm < 0.7:
        return None
    if m.cord_indentation_mm <= 0.3 and m.cord_shift_mm <= 0.3:
        if m.gap_mm >= 1.1:
            return "1b"
        return "1c" if m.gap_mm <= 0.72 else None
    # Trivial contact, or a cord moved aside in its own shape, is not visible as compression without the picture from
    # before: it must be seen before it may be taught.
    visible = m.cord_indentation_mm >= 1.0 or (m.contact_fraction >= 0.28 and m.cord_indentation_mm >= 0.5)
    if not visible or m.gap_mm > 0.72:
        return None
    if m.csf_area_mm2 <= 3.0 or m.csf_fraction <= 0.03:
        return "3"
    return "2" if m.csf_area_mm2 >= 7.0 and m.csf_fraction >= 0.07 else None


def taught(m: Measures | None) -> tuple[float, ...]:
    """Measurements as the network learns them (`labels.MEASURED`), each about 0 to 1; None is a healthy slice."""
    if m is None:
        return (0.0, 1.0, 0.0, 0.0, 1.0)
    return (
        min(m.sac_indentation_mm, 6.0) / 6,
        min(max(m.gap_mm, 0.0), 4.0) / 4,
        m.contact_fraction,
        min(m.cord_indentation_mm, 3.0) / 3,
        min(m.csf_fraction, 1.0),
    )
