"""How much smaller the cord is than beside: its area against that of the unsuspected slices near it in the series.

The ratio is that of compressed to uncompressed cord which spinalcordtoolbox reports as ``sct_compute_compression`` (as
1 - the area at the compression over the mean of that above and below), with the slices that nothing is suspected in as
the uncompressed ones, so that nobody has to mark the compression. Both sides are asked for: towards the conus every
cord is smaller than above. Cords vary more between people than between neighbouring slices: the same area is narrow in
one and usual in another.

Where the ratio is known, the head's P(>= k) takes it in, by weights that are fitted with the calibration::

    log odds(>= k) = log odds head(>= k) + weight[k] narrowing          weight >= 0
    narrowing      = log(USUAL_RATIO / ratio)                           ratio held to LEAST_RATIO to USUAL_RATIO

Narrowing speaks for a compression only, never against one: a cord that is pushed aside or flattened may keep its area,
and its outline may take in some tumour. And beyond LEAST_RATIO it says no more: a cord that was outlined by halves must
not make a compression where the head is sure that there is none.
"""

from collections.abc import Sequence

import numpy as np

from dashboard.grading.profile import log_odds
from dashboard.study.geometry import Array
from dashboard.study.masks import Mask

# A neighbour weighs exp(-distance / WANE_MM): the cord's area changes along the spine by itself (cervical and lumbar
# enlargement). spinalcordtoolbox looks 10 to 30 mm above and below; here nearer slices count where none is suspected.
WANE_MM = 10.0
REACH_MM = 40.0
# 93 of 100 healthy slices of the compression model's calibration people have a larger ratio, 99 of 100 one above 0.89.
USUAL_RATIO = 0.93
LEAST_RATIO = 0.78


def cord_area_ratios(areas_mm2: Sequence[float], centres_mm: Array, usual: Sequence[bool]) -> list[float | None]:
    """Cord area of each slice over the mean of that above and that below.

    Parameters
    ----------
    areas_mm2
        Cord area of each slice of a series, 0 where no cord was outlined.
    centres_mm
        (slices, 3) centre of the canal, LPS mm.
    usual
        Whether a slice may stand for the uncompressed cord: one that is graded and not suspected.

    Returns
    -------
    list
        None for a slice without a cord, or without such a neighbour within :data:`REACH_MM` above and below.
    """
    areas = np.asarray(areas_mm2, np.float64)
    standing = np.asarray(usual, bool) & (areas > 0)
    return [_ratio(at, areas, centres_mm, standing) for at in range(len(areas))]


def _ratio(at: int, areas: Array, centres_mm: Array, standing: Mask) -> float | None:
    distance = np.linalg.norm(centres_mm - centres_mm[at], axis=1)
    near = standing & (distance <= REACH_MM)
    # Stations of a series may overlap: above and below is what lies there, not what was numbered before and after.
    height = centres_mm[:, 2]
    sides = [near & (height > height[at]), near & (height < height[at])]
    if areas[at] <= 0 or not all(side.any() for side in sides):
        return None
    means = [np.average(areas[side], weights=np.exp(-distance[side] / WANE_MM)) for side in sides]
    return float(areas[at] / np.mean(means))


def narrowing_of(ratio: float | None) -> float:
    """``log(USUAL_RATIO / ratio)`` within its limits, from 0; 0 where the ratio is not known."""
    return 0.0 if ratio is None else float(np.log(USUAL_RATIO / np.clip(ratio, LEAST_RATIO, USUAL_RATIO)))


def with_narrowing(head: Array, narrowing: float, weight: Sequence[float]) -> Array:
    """The head's P(>= 1a, 1b, 1c, 2, 3) with the cord's `narrowing` taken in, (5), not rising, none of them smaller."""
    if narrowing <= 0:
        return head
    odds = log_odds(head) + narrowing * np.asarray(weight)
    return np.asarray(np.minimum.accumulate(np.maximum(head, 1 / (1 + np.exp(-odds)))))
