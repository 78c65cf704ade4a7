"""Lengths, areas and contacts of one axial slice.

Diameters, eccentricity and solidity follow spinalcordtoolbox (``process_seg.py``), see
:mod:`dashboard.study.diameters`. Areas are not corrected for a slice plane tilted against the cord.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import ndimage
from scipy.spatial import ConvexHull, QhullError

from dashboard.grading.ellipse import fit_ellipse, inside_ellipse
from dashboard.study.contact import CONTACT_PX, outline, outline_distance_px
from dashboard.study.diameters import diameters
from dashboard.study.geometry import Array
from dashboard.study.masks import Mask, SliceMasks, window_of

# CSF films thinner than this are not seen at clinical resolution (pixels of 0.4 to 1 mm).
VISIBLE_FILM_MM = 1.0
# On the model's grid a disc of a cord's size has a solidity of 0.95 by its staircase alone; healthy cords have 0.97.
SOLIDITY_UPSAMPLING = 4
# Wider than the reach of anything that is measured about sac and tumour.
_MARGIN_PX = 6
# An ellipse through less than this share of an outline says nothing of the rest.
LEAST_FREE_OUTLINE = 0.35
# A reference larger than this against the shape's convex hull has run away along the open side.
LARGEST_REFERENCE = 2.2


@dataclass(frozen=True)
class Measures:
    """What can be pointed at in one slice. mm, mm2, fractions 0 to 1; None where there is nothing to measure.

    Attributes
    ----------
    canal_area_mm2
        Thecal sac: cord and CSF.
    csf_fraction
        CSF over sac; ``visible_csf_mm2`` counts only CSF at least 1 mm thick.
    compression_ratio
        Front-back over right-left diameter of the cord.
    contact_fraction
        Share of the cord's outline that tumour touches.
    cord_gap_mm
        Least distance between tumour and cord, 0 when they touch.
    cord_indentation_mm, sac_indentation_mm
        How deep tumour reaches into the ellipse through the untouched part of the outline.
    cord_area_ratio, cord_change_mm
        Cord area over that of unsuspected slices beside it, and how deep its outline lies within theirs, or theirs
        within its, where the two fit best; known in a series only (:mod:`dashboard.grading.beside`).
    """

    cord_area_mm2: float
    cord_diameter_ap_mm: float | None
    cord_diameter_rl_mm: float | None
    canal_area_mm2: float
    csf_fraction: float | None
    tumour_area_mm2: float
    cord_solidity: float | None
    cord_eccentricity: float | None
    compression_ratio: float | None
    visible_csf_mm2: float
    contact_fraction: float
    cord_gap_mm: float | None
    cord_indentation_mm: float
    sac_indentation_mm: float
    cord_area_ratio: float | None = None
    cord_change_mm: float | None = None


def measure(masks: SliceMasks) -> Measures:
    """Measure one slice."""
    window = window_of(masks.sac | masks.tumour, _MARGIN_PX)
    cord, sac, tumour = masks.cord[window], masks.sac[window], masks.tumour[window]
    pixel_mm, pixel_mm2 = masks.pixel_mm, masks.pixel_mm**2
    cord_area, sac_area = float(cord.sum()) * pixel_mm2, float(sac.sum()) * pixel_mm2
    ap, rl, eccentricity = _moments(cord, pixel_mm)
    contact, gap = _contact(cord, tumour, pixel_mm)
    return Measures(
        cord_area_mm2=cord_area,
        cord_diameter_ap_mm=ap,
        cord_diameter_rl_mm=rl,
        canal_area_mm2=sac_area,
        csf_fraction=(sac_area - cord_area) / sac_area if sac_area else None,
        tumour_area_mm2=float(tumour.sum()) * pixel_mm2,
        cord_solidity=_solidity(cord),
        cord_eccentricity=eccentricity,
        compression_ratio=ap / rl if ap and rl else None,
        visible_csf_mm2=_visible(sac & ~cord, pixel_mm),
        contact_fraction=contact,
        cord_gap_mm=gap,
        cord_indentation_mm=indentation_mm(cord, tumour, pixel_mm),
        sac_indentation_mm=indentation_mm(sac, tumour, pixel_mm),
    )


def indentation_mm(shape: Mask, intruder: Mask, pixel_mm: float) -> float:
    """Depth in mm to which `intruder` lies inside the outline that `shape` had.

    The outline is the ellipse through the points of today's outline that the intruder does not touch; where too few
    are left, or the ellipse runs away, it is the convex hull.
    """
    if not shape.any() or not intruder.any():
        return 0.0
    to_intruder = ndimage.distance_transform_edt(~intruder)
    border = outline(shape)
    free = border & (to_intruder > CONTACT_PX + 1)
    reference = _hull_mask(shape)
    if free.sum() >= LEAST_FREE_OUTLINE * border.sum():
        conic = fit_ellipse(_edge_points(shape, free))
        if conic is not None:
            ellipse = inside_ellipse(conic, (shape.shape[0], shape.shape[1]))
            if ellipse.sum() <= LARGEST_REFERENCE * reference.sum():
                reference = ellipse
    before = reference | shape
    lost = before & intruder & ~shape
    if not lost.any():
        return 0.0
    depth = ndimage.distance_transform_edt(np.pad(before, 1))[1:-1, 1:-1]
    # A lost pixel at the border has depth one pixel; half of it is the rounding of the outline.
    return float((depth[lost].max() - 0.5) * pixel_mm)


def _moments(cord: Mask, pixel_mm: float) -> tuple[float | None, float | None, float | None]:
    found = diameters(cord)
    if found is None:
        return None, None, None
    return found.ap_px * pixel_mm, found.rl_px * pixel_mm, found.eccentricity


def _contact(cord: Mask, tumour: Mask, pixel_mm: float) -> tuple[float, float | None]:
    """Share of the outline touched, and the gap."""
    if not cord.any() or not tumour.any():
        return 0.0, None
    distance = outline_distance_px(cord, tumour)
    gap = max(0.0, (float(distance.min()) - 1.0) * pixel_mm)
    return float((distance <= CONTACT_PX).sum() / np.isfinite(distance).sum()), gap


def _visible(csf: Mask, pixel_mm: float) -> float:
    width = max(2, round(VISIBLE_FILM_MM / pixel_mm))
    return float(ndimage.binary_opening(csf, np.ones((width, width), bool)).sum()) * pixel_mm**2


def _edge_points(shape: Mask, free: Mask) -> Array:
    """Midpoints (n, 2) of the pixel edges between the shape's free outline and what lies outside it."""
    padded, at = np.pad(shape, 1), np.argwhere(free)
    points = []
    for step in ((1, 0), (-1, 0), (0, 1), (0, -1)):
        outside = at[~padded[at[:, 0] + 1 + step[0], at[:, 1] + 1 + step[1]]]
        points.append(outside + np.multiply(step, 0.5))
    return np.concatenate(points)


def _hull(mask: Mask) -> ConvexHull | None:
    """Convex hull of the middles of the outline's pixel edges, which a digital disc fills (skimage's convention)."""
    points = []
    for lines in (mask, mask.T):
        # Of each line the outer two edges: what lies between them is in the hull anyway.
        at = np.flatnonzero(lines.any(axis=1))
        first, last = lines[at].argmax(axis=1), lines.shape[1] - 1 - lines[at, ::-1].argmax(axis=1)
        ends = np.stack([np.tile(at, 2), np.concatenate([first - 0.5, last + 0.5])], axis=1)
        points.append(ends if lines is mask else ends[:, ::-1])
    try:
        return ConvexHull(np.concatenate(points))
    except (QhullError, ValueError):
        return None


def _solidity(mask: Mask) -> float | None:
    """Area over the area of the convex hull, of the mask redrawn finer, as spinalcordtoolbox does."""
    if not mask.any():
        return None
    drawn = np.pad(mask[window_of(mask)], 2)
    fine = _finer(drawn.shape[0]) @ drawn @ _finer(drawn.shape[1]).T > 0.5
    hull = _hull(fine) if fine.any() else None
    return None if hull is None else min(1.0, float(fine.sum()) / float(hull.volume))


@lru_cache(maxsize=256)
def _finer(pixels: int) -> Array:
    """What draws a line of pixels finer, (finer, pixels): linear, then the blur of skimage's pyramid_expand."""
    drawn = ndimage.zoom(
        np.eye(pixels), (SOLIDITY_UPSAMPLING, 1), order=1, grid_mode=True, mode="nearest", prefilter=False
    )
    # A third of an old pixel.
    return np.asarray(ndimage.gaussian_filter1d(drawn, SOLIDITY_UPSAMPLING / 3, axis=0))


def _hull_mask(mask: Mask) -> Mask:
    """The convex hull as a mask."""
    hull = _hull(mask)
    if hull is None:
        return mask
    r, s = np.mgrid[: mask.shape[0], : mask.shape[1]]
    sides = hull.equations[:, :2] @ np.stack([r.ravel(), s.ravel()]) + hull.equations[:, 2:]
    return np.asarray(np.all(sides <= 1e-9, axis=0).reshape(mask.shape))
