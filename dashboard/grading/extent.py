"""Where along a series the cord ends, and whether the series as a whole can be graded at all."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from dashboard.grading.quality import Obstacle
from dashboard.study import SCENES
from dashboard.study.geometry import Array

# A series in which this share of the slices is of a wrong kind is of the wrong kind: the few that passed did so by
# chance. Spine stacks lose a few end slices to skull base or pelvis, far fewer than half. A brain, or a magnetisation
# transfer series called T2, loses nearly all, but to several kinds of wrong at once: the kinds are counted together.
MOST = 0.5
# A scene of a gradable slice or of a cauda equina is of the right kind. A magnetisation transfer series called T2 had
# 11 of 22 slices refused and 0.36 for the right kind on average; the T2 and T2* volumes looked at had 0.75 and more.
LEAST_RIGHT_KIND = 0.5
# The cord is held to have ended only where at least this many slices further down are surely cauda equina: one slice
# without a visible cord may as well be the worst level of the study.
SURE_OF_NO_CORD = 0.9
LEAST_CAUDA_SLICES = 2
# Roots that lie together look like a cord for a slice or two (12, 6 and 0 mm in three of ten stacks of test people
# below the conus, whose slices were graded 0): above a cauda equina less than a vertebra's height of cord is not held
# to be one. A stack that begins at the conus is then not analysed, as one without a cord is.
LEAST_CORD_MM = 20.0
# Geometry belongs to the series. A picture in the wrong size looks a little odd in slice after slice where none looks
# odd enough to be refused: the median P(wrong geometry) of the calibration people's series and volumes, healthy or
# with tumour implanted, is at most 0.005 (drawn spines 0.031), with spacing 1.5 times too large or too small at least
# 0.051. A median, so that neither the skull base at one end nor a compressed level decides.
LEAST_HINT = 0.04
WRONG_KINDS = {
    Obstacle.NOT_SPINE: "not_spine",
    Obstacle.WRONG_CONTRAST: "wrong_contrast",
    Obstacle.WRONG_GEOMETRY: "wrong_geometry",
}
UNRECOGNISED = (*WRONG_KINDS, Obstacle.UNLIKE, Obstacle.CANAL_NOT_FOUND, Obstacle.CORD_NOT_PLAUSIBLE)
SERIES_REASONS = {
    Obstacle.NOT_SPINE: "most images do not look like axial slices of the spine",
    Obstacle.WRONG_CONTRAST: "most images do not look like T2, whatever the header says; an axial T2 series is needed",
    Obstacle.WRONG_GEOMETRY: "taken together, the images look turned, mirrored or scaled against their headers",
}


def cord_end(shows_cord: npt.ArrayLike, shows_no_cord: npt.ArrayLike) -> int:
    """How many slices, from the head, lie at levels with a cord: the split that contradicts fewest slices.

    The cord ends once. A slice below the end that looks as if it held a cord, or one above it that looks as if it
    held none, is the odd one out; between two splits that contradict as many slices the lower is taken.

    Parameters
    ----------
    shows_cord, shows_no_cord
        (slices) bool, head to foot; both False where the slice says neither.
    """
    cord, none = np.asarray(shows_cord, np.int64), np.asarray(shows_no_cord, np.int64)
    none_above = np.concatenate([[0], np.cumsum(none)])
    cord_below = cord.sum() - np.concatenate([[0], np.cumsum(cord)])
    wrong = none_above + cord_below
    return int(len(wrong) - 1 - np.argmin(wrong[::-1]))


def cauda_follows(no_cord: npt.ArrayLike, end: int) -> bool:
    """Whether the slices from `end` on bear out that the cord ended; `no_cord` is P(no cord), (slices)."""
    return int((np.asarray(no_cord)[end:] >= SURE_OF_NO_CORD).sum()) >= LEAST_CAUDA_SLICES


def too_short_for_a_cord(centres_mm: Array) -> bool:
    """Whether slices that show a cord above a cauda equina, (n, 3) LPS mm head to foot, span too little of one."""
    return float(np.linalg.norm(centres_mm[-1] - centres_mm[0])) < LEAST_CORD_MM if len(centres_mm) else False


def of_right_kind(scenes: npt.ArrayLike) -> bool:
    """Whether slices, (n, 5) probabilities in the order of SCENES, look on the whole like cord or cauda equina.

    Asked of a whole series, and of what lies above a cauda equina apart: a scoliotic canal may leave a narrow slab
    there, and 95 slices of cauda equina below would speak for nine of facet joint, in two of which the head sees
    compression (mean 0.46; 0.72 and more above the cords of 33 other real volumes).
    """
    mean = np.asarray(scenes, np.float64).mean(axis=0)
    return bool(mean[SCENES.index("gradable")] + mean[SCENES.index("no_cord")] >= LEAST_RIGHT_KIND)


def series_obstacle(obstacles: Sequence[Sequence[Obstacle]], scenes: npt.ArrayLike) -> Obstacle | None:
    """The kind of wrong of a series most of which is not recognised, or all of which looks a little odd, or None.

    Parameters
    ----------
    obstacles
        Those of each slice.
    scenes
        (slices, 5) probabilities in the order of :data:`dashboard.study.SCENES`.
    """
    if not obstacles:
        return None
    seen = np.asarray(scenes, np.float64)
    mean = dict(zip(SCENES, seen.mean(axis=0).tolist(), strict=True))
    refused = sum(any(obstacle in UNRECOGNISED for obstacle in of_slice) for of_slice in obstacles)
    if refused <= MOST * len(obstacles) and of_right_kind(seen):
        odd = float(np.median(seen[:, SCENES.index("wrong_geometry")])) >= LEAST_HINT
        return Obstacle.WRONG_GEOMETRY if odd else None
    too_large = sum(Obstacle.CORD_NOT_PLAUSIBLE in of_slice for of_slice in obstacles)
    if too_large > MOST * refused:
        # Cords too large in slice after slice are pixels that are smaller than their header says.
        return Obstacle.WRONG_GEOMETRY
    return max(WRONG_KINDS, key=lambda kind: mean[WRONG_KINDS[kind]])
