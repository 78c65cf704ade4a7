"""The cord against the cord beside: how much smaller it is, and how far its outline departs, in mm.

Cords vary more between people than between neighbouring slices: the same area or shape is a compression in one and
usual in another. What stands for the uncompressed cord are the slices near by that nothing is suspected in, above and
below, so that nobody has to mark the compression.

The area's ratio is that of compressed to uncompressed cord which spinalcordtoolbox reports as
``sct_compute_compression`` (as 1 - the area at the compression over the mean of that above and below). The change is
how deep the outline lies within the mean shape of those slices (where their mean signed distance is above 0), or the
outline of that within the cord, whichever is more, where the two fit best: a cord that only moved aside has not
changed, and a thin spur of an outline is no change either.

The head's P(>= k) takes both in, by weights that are fitted with the calibration::

    log odds(>= k) = log odds head(>= k) + narrowing_weight[k] narrowing + change_weight[k] change      weights >= 0
    narrowing      = log(USUAL_RATIO / ratio)                      ratio held to LEAST_RATIO to USUAL_RATIO
    change         = change_mm - USUAL_CHANGE_MM                   change_mm held to LEAST_CHANGE_MM to MOST_CHANGE_MM

Narrowing speaks for a compression only, never against one: a cord that is flattened may keep its area. An outline that
is the same as beside speaks against compression, which is a change of the cord (Bilsky 2 and 3); where the outline took
in tumour, it is not the same. Neither says more beyond its limits: a cord that was outlined by halves must not make a
compression where the head is sure that there is none, nor a cord that looks the same unmake one where it is sure.

At the end of a series, or of what is not suspected, the cord is known on one side only. Towards the conus every cord is
smaller than above, so that nothing is then said for a compression: the ratio is not known, and a change does not count.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from dashboard.grading.profile import REACH_MM as NEAR_MM
from dashboard.grading.profile import log_odds
from dashboard.study.geometry import Array
from dashboard.study.masks import Mask, SliceMasks

Places = npt.NDArray[np.int_]

# A neighbour weighs exp(-distance / WANE_MM): the cord changes along the spine by itself (cervical and lumbar
# enlargement). spinalcordtoolbox looks 10 to 30 mm above and below; here nearer slices count where none is suspected.
WANE_MM = 10.0
REACH_MM = 40.0
# 93 of 100 healthy slices of the compression model's calibration people have a larger ratio, 99 of 100 one above 0.89.
USUAL_RATIO = 0.93
LEAST_RATIO = 0.78
# Of those people's slices 2 mm apart: healthy 0.25 mm (median), 95 of 100 below 0.46; built 1c 0.32; built 2 0.80, 95
# of 100 above 0.40. With slices 8 mm apart 95 of 100 healthy are below 0.58, so that the same limits hold.
USUAL_CHANGE_MM = 0.5
LEAST_CHANGE_MM, MOST_CHANGE_MM = 0.3, 0.8
# Cords are compared within this of their middle: more than half the width of any (15 mm at the enlargements).
_REACH_PX = 24
_WINDOW_PX = 2 * _REACH_PX + 1
# Where the outlines fit best is looked for so far about the place where their middles meet.
_FIT_PX = 3


@dataclass(frozen=True)
class Beside:
    """One cord against the unsuspected cord beside: ratio of the areas, None where that is known on one side only, and
    the change of the outline, in mm.
    """

    area_ratio: float | None
    change_mm: float


def compare(masks: Sequence[SliceMasks], centres_mm: Array, usual: Sequence[bool]) -> list[Beside | None]:
    """Compare the cord of each slice with that above and that below.

    Parameters
    ----------
    masks
        Of each slice of a series, all with pixels of one size; the cord is empty where none was outlined.
    centres_mm
        (slices, 3) centre of the canal, LPS mm.
    usual
        Whether a slice may stand for the uncompressed cord: one that is graded and not suspected.

    Returns
    -------
    list
        None for a slice without a cord, or without such neighbours within :data:`REACH_MM` above and below or, where
        there is one on one side only, next to it.
    """
    areas = np.array([np.count_nonzero(one.cord) * one.pixel_mm**2 for one in masks])
    standing = np.asarray(usual, bool) & (areas > 0)
    depths = np.array([_depth(one.cord) if one.cord.any() else np.zeros((_WINDOW_PX,) * 2) for one in masks])
    found: list[Beside | None] = []
    for at, area in enumerate(areas):
        sides = _sides(at, centres_mm, standing) if area > 0 else []
        if not sides:
            found.append(None)
            continue
        weights = np.mean(sides, axis=0)
        shown = weights > 0
        mean = np.einsum("k,kij->ij", weights[shown], depths[shown])
        ratio = float(area / np.sum(weights * areas)) if len(sides) == 2 else None
        found.append(Beside(ratio, _apart_px(depths[at], mean) * masks[at].pixel_mm))
    return found


def _sides(at: int, centres_mm: Array, standing: Mask) -> list[Array]:
    """Share of each slice in what stands for the usual cord above, and below; one side alone only where it is next."""
    distance = np.linalg.norm(centres_mm - centres_mm[at], axis=1)
    near = standing & (distance <= REACH_MM)
    # Stations of a series may overlap: above and below is what lies there, not what was numbered before and after.
    height = centres_mm[:, 2]
    sides = [side for side in (near & (height > height[at]), near & (height < height[at])) if side.any()]
    if len(sides) == 1 and distance[sides[0]].min() > NEAR_MM:
        return []
    shares = [np.where(side, np.exp(-distance / WANE_MM), 0.0) for side in sides]
    return [share / share.sum() for share in shares]


def _depth(cord: Mask) -> Array:
    """Distance to the outline about the cord's middle, pixels, positive inside: (49, 49)."""
    rows, columns = np.nonzero(cord)
    middle = np.array([rows.mean(), columns.mean()])
    corner = np.floor(middle).astype(int) - _REACH_PX
    # One more on the far side, so that what lies between pixels can be read off.
    window = np.zeros((_WINDOW_PX + 1,) * 2, bool)
    rows, columns = rows - corner[0], columns - corner[1]
    held = (np.minimum(rows, columns) >= 0) & (np.maximum(rows, columns) < len(window))
    window[rows[held], columns[held]] = True
    # The outline runs half a pixel from the middles on either side of it.
    inside, outside = (ndimage.distance_transform_edt(part) - 0.5 for part in (window, ~window))
    depth = ndimage.shift(np.where(window, inside, -outside), np.floor(middle) - middle, order=1, mode="nearest")
    return np.asarray(depth[:-1, :-1])


def _apart_px(here: Array, usual: Array) -> float:
    """Greatest depth of a point of one outline within the other shape, where the two fit best, pixels; 0 or more.

    Shapes are given as depths (49, 49).
    """
    steps = np.arange(-_FIT_PX, _FIT_PX + 1)
    shifts = np.stack(np.meshgrid(steps, steps, indexing="ij"), -1).reshape(-1, 1, 2)
    # Where the one moves, the other moves as far the opposite way.
    dents = _read(usual, _border(here) + shifts).max(axis=1)
    bulges = _read(here, _border(usual) - shifts).max(axis=1)
    return max(0.0, float(np.maximum(dents, bulges).min()))


def _border(depth: Array) -> Places:
    """Pixels (n, 2) that lie just outside; the middle of a shape of a pixel or two, or of one that fills the window."""
    inside = depth > 0
    border = ndimage.binary_dilation(inside) & ~inside
    return np.argwhere(border) if border.any() else np.full((1, 2), _REACH_PX)


def _read(depth: Array, places: Places) -> Array:
    """Depth (...) at places (..., 2)."""
    rows, columns = np.moveaxis(np.clip(places, 0, len(depth) - 1), -1, 0)
    return np.asarray(depth[rows, columns])


def evidence_of(area_ratio: float | None, change_mm: float | None) -> tuple[float, float]:
    """Narrowing and change as the module's docstring says, 0 where they are not known.

    Without a ratio the cord beside was known on one side only, and a change says nothing for a compression.
    """
    narrowing = 0.0
    if area_ratio is not None:
        narrowing = float(np.log(USUAL_RATIO / np.clip(area_ratio, LEAST_RATIO, USUAL_RATIO)))
    most = USUAL_CHANGE_MM if area_ratio is None else MOST_CHANGE_MM
    change = 0.0 if change_mm is None else float(np.clip(change_mm, LEAST_CHANGE_MM, most) - USUAL_CHANGE_MM)
    return narrowing, change


def with_evidence(head: Array, evidence: Sequence[float] | Array, weights: Sequence[Sequence[float]] | Array) -> Array:
    """The head's P(>= 1a, 1b, 1c, 2, 3) with narrowing and change (2) taken in by weights (2, 5); (5), not rising."""
    added = np.sum(np.reshape(evidence, (2, 1)) * np.asarray(weights), axis=0)
    if not added.any():
        return head
    moved = np.where(added == 0, head, 1 / (1 + np.exp(-(log_odds(head) + added))))
    return np.asarray(np.minimum.accumulate(moved))
