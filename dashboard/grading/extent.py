"""Where along a series the cord ends, and whether the series as a whole can be graded at all."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from dashboard.grading.quality import Obstacle
from dashboard.study import SCENES

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
WRONG_KINDS = {
    Obstacle.NOT_SPINE: "not_spine",
    Obstacle.WRONG_CONTRAST: "wrong_contrast",
    Obstacle.WRONG_GEOMETRY: "wrong_geometry",
}
UNRECOGNISED = (*WRONG_KINDS, Obstacle.UNLIKE, Obstacle.CANAL_NOT_FOUND, Obstacle.CORD_NOT_PLAUSIBLE)
SERIES_REASONS = {
    Obstacle.NOT_SPINE: "most images do not look like axial slices of the spine",
    Obstacle.WRONG_CONTRAST: "most images do not look like T2, whatever the header says; an axial T2 series is needed",
    Obstacle.WRONG_GEOMETRY: "most images look turned, mirrored or scaled against what their headers say",
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


def series_obstacle(obstacles: Sequence[Sequence[Obstacle]], scenes: npt.ArrayLike) -> Obstacle | None:
    """The commonest kind of wrong in a series most of which is not recognised, or None.

    Parameters
    ----------
    obstacles
        Those of each slice.
    scenes
        (slices, 5) probabilities in the order of :data:`dashboard.study.SCENES`.
    """
    if not obstacles:
        return None
    mean = dict(zip(SCENES, np.asarray(scenes, np.float64).mean(axis=0).tolist(), strict=True))
    refused = sum(any(obstacle in UNRECOGNISED for obstacle in of_slice) for of_slice in obstacles)
    if refused <= MOST * len(obstacles) and mean["gradable"] + mean["no_cord"] >= LEAST_RIGHT_KIND:
        return None
    too_large = sum(Obstacle.CORD_NOT_PLAUSIBLE in of_slice for of_slice in obstacles)
    if too_large > MOST * refused:
        # Cords too large in slice after slice are pixels that are smaller than their header says.
        return Obstacle.WRONG_GEOMETRY
    return max(WRONG_KINDS, key=lambda kind: mean[WRONG_KINDS[kind]])
