"""Areas without signal over or beside the canal: metal, or a saturation band laid across it.

What such an area hides cannot be graded, and the cord at its border looks pressed flat (SPIDER 129: a band behind the
cord read as grade 3). Darkness alone is no sign of it: cortical bone, vessels and vertebrae on T2* are dark. But the
muscle, fat and joints behind and beside the canal always show some signal, as do cord and CSF within it.

Settled on the calibration and training people: the darkest side of slices that were graded reached 0.20 at least in 600
healthy ones and 0.18 in 100 with tumour implanted, against 0.05 to 0.14 in seven of the nine slices of that band.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy import ndimage

from dashboard.inference.resampling import Image, Mask
from dashboard.study.geometry import Array

# The canal is up to 14 mm wide; the posterior elements and the muscle about them lie within this ring.
CANAL_MM, BESIDE_MM = 6.0, 20.0
# A side shows signal where its brightest tenth does. Grey values are those of the series' window, 0 to 1.
SIDE_PERCENTILE = 90.0
LEAST_SIGNAL = 0.15
# At the ends of a coil everything is dark: a void is dark beside something bright.
LARGEST_SHARE = 0.25
# Less than this of a side within the field says nothing.
LEAST_SIDE_MM2 = 37.0
# Over the canal: no signal at all in a patch wider than cortex or dura, over this share of it. At most 0.16 in all but
# two slices at the ends of volumes, 0.10 with dark tumour implanted.
NO_SIGNAL, PATCH_RADIUS_MM, CANAL_COVERED = 0.06, 1.5, 0.4
OVER_CANAL_MM = 7.0


def signal_void(image: Image, inside: Mask, pixel_mm: float) -> bool:
    """Whether an area without signal lies over or beside the canal.

    Parameters
    ----------
    image
        (rows, columns) normalised crop about the canal, rows front to back.
    inside
        Where it lies within the field of view.
    pixel_mm
        Side of a pixel.
    """
    areas = _areas(image.shape, pixel_mm)
    return _beside(image, inside, pixel_mm, areas) or _over(image, inside, areas)


@dataclass(frozen=True, eq=False)
class _Areas:
    """Parts of a crop about the canal, and the smallest patch without signal that is no cortex."""

    sides: dict[str, Mask]
    over: Mask
    patch: Mask


@cache
def _areas(shape: tuple[int, ...], pixel_mm: float) -> _Areas:
    distance, angle = _polar(shape, pixel_mm)
    ring = (distance > CANAL_MM) & (distance < BESIDE_MM)
    aside = ring & (angle >= 45) & (angle <= 135)
    half = np.arange(shape[1]) < shape[1] / 2
    sides = {
        "canal": distance <= CANAL_MM,
        "back": ring & (angle < 45),
        "front": ring & (angle > 135),
        "right": aside & half,
        "left": aside & ~half,
    }
    reach = round(PATCH_RADIUS_MM / pixel_mm)
    patch = np.hypot(*np.mgrid[-reach : reach + 1, -reach : reach + 1]) <= reach
    return _Areas(sides, distance <= OVER_CANAL_MM, patch)


def _beside(image: Image, inside: Mask, pixel_mm: float, areas: _Areas) -> bool:
    shown = {name: image[side & inside] for name, side in areas.sides.items()}
    shown = {name: grey for name, grey in shown.items() if grey.size * pixel_mm**2 >= LEAST_SIDE_MM2}
    # Counting is cheaper than sorting, and nearly every side shows signal.
    if all(_tenth_shows_signal(grey) for name, grey in shown.items() if name != "front"):
        return False
    signal = {name: float(np.percentile(grey, SIDE_PERCENTILE)) for name, grey in shown.items()}
    brightest = max(signal.values(), default=0.0)
    # In front lie bodies and discs, which may be dark without a fault; they only count as something bright.
    darkest = min((value for name, value in signal.items() if name != "front"), default=brightest)
    return darkest < min(LEAST_SIGNAL, LARGEST_SHARE * brightest)


def _tenth_shows_signal(grey: Image) -> bool:
    """Whether the percentile reaches :data:`LEAST_SIGNAL` because both values it lies between do."""
    return bool(np.count_nonzero(grey < LEAST_SIGNAL) <= int(SIDE_PERCENTILE / 100 * (grey.size - 1)))


def _over(image: Image, inside: Mask, areas: _Areas) -> bool:
    canal = inside & areas.over
    if not canal.any():
        return False
    empty = (image < NO_SIGNAL) | ~inside
    if np.count_nonzero(empty[canal]) < CANAL_COVERED * np.count_nonzero(canal):
        return False
    # Beyond the field there may be more of it.
    dark = ndimage.binary_opening(empty, areas.patch)
    return float(dark[canal].mean()) >= CANAL_COVERED


def _polar(shape: tuple[int, ...], pixel_mm: float) -> tuple[Array, Array]:
    """Distance from the middle of a crop in mm, and the angle from straight back, 0 to 180 degrees."""
    down, along = (np.arange(n) - (n - 1) / 2 for n in shape)
    rows, columns = down[:, None] * pixel_mm, along[None, :] * pixel_mm
    return np.hypot(rows, columns), np.abs(np.degrees(np.arctan2(columns, rows)))
