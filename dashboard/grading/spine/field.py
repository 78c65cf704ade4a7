"""One prediction laid out for the search: its canal, its curved picture, its bone and discs as points, in grid mm."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dashboard.grading.spine.midline import (
    C2,
    DISC,
    LUMBOSACRAL,
    VERTEBRA,
    CurvedPicture,
    Mask,
    Midline,
    curved_picture,
)
from dashboard.study.geometry import Array
from dashboard.study.sagittal import SagittalPrediction

# Indices of voxels, (n, 3), or places in such a list, (n).
Index = npt.NDArray[np.intp]

# The posterior wall curves into the canal's outline by this much.
WALL_MM = 1.5
# Discs and bodies lie within this of the canal's front: what is labelled farther off, or behind it, is something else.
AHEAD_MM = 60.0


@dataclass(frozen=True, eq=False)
class Cut:
    """A plane between two vertebrae: a disc's, or one put where a disc is missing.

    Attributes
    ----------
    point, normal
        (3) in grid mm; the normal points to the feet.
    kind
        ``disc``; ``c2`` under C2 where it touches the next; ``height`` where a body is too tall for one.
    """

    point: Array
    normal: Array
    kind: str = "disc"

    def below(self, points: Array) -> Array:
        """Distance (n) of points (n, 3) below the plane."""
        # Written out: a threaded product may sum in another order.
        return np.asarray(sum((points[:, k] - self.point[k]) * self.normal[k] for k in range(3)))


class Field:
    """What is searched for vertebrae and discs.

    Attributes
    ----------
    scale
        (3) mm of a step along planes, rows and columns.
    ahead
        (rows, columns) where bodies and discs may lie: in front of the canal.
    bone_index, disc_index
        (n, 3) voxels of bone and of discs there; `bone` and `disc` are the same in mm.
    """

    def __init__(self, prediction: SagittalPrediction, line: Midline) -> None:
        self.prediction, self.line = prediction, line
        self.scale = np.array([prediction.plane_spacing_mm, prediction.pixel_mm, prediction.pixel_mm])
        self.picture: CurvedPicture = curved_picture(prediction, line)
        columns = np.arange(prediction.labels.shape[2])
        wall = line.front[:, None] + WALL_MM / prediction.pixel_mm
        self.ahead: Mask = columns[None, :] <= wall
        self.ahead &= columns[None, :] >= wall - AHEAD_MM / prediction.pixel_mm
        bone = np.isin(prediction.labels, (VERTEBRA, C2)) & self.ahead
        disc = np.isin(prediction.labels, (DISC, LUMBOSACRAL)) & self.ahead
        self.bone_index, self.disc_index = np.argwhere(bone), np.argwhere(disc)
        self.bone, self.disc = self.bone_index * self.scale, self.disc_index * self.scale

    def along(self, point: Array) -> Array:
        """Unit direction (3) of the canal towards the feet beside a point."""
        return self.line.slope(float(point[1] / self.scale[1]), self.scale[1], self.scale[0])

    def flat_points(self, flat: Mask) -> Array:
        """Pixels of the curved picture as points (n, 3)."""
        rows, columns = np.nonzero(flat)
        index = np.stack([self.line.plane[rows], rows.astype(np.float64), columns.astype(np.float64)], axis=1)
        return np.asarray(index * self.scale)

    def height_of(self, point: Array) -> float:
        """Height, mm, of a point's foot on the canal: a lordotic disc lies lower in front than at the canal."""
        slope = self.along(point)
        row = point[1] / self.scale[1]
        front = float(np.interp(row, np.arange(len(self.line.front)), self.line.front)) * self.scale[2]
        # Straight across from the body to the canal.
        return float(point[1] + (front - point[2]) * -slope[2] * slope[1])

    def share_of(self, label: int, index: Index) -> float:
        """How much of some voxels is of a class, each counted as far as the model is sure."""
        if not len(index):
            return 0.0
        planes, rows, columns = index.T
        sure = self.prediction.certainty[planes, rows, columns] / 255
        return float(np.mean((self.prediction.labels[planes, rows, columns] == label) * sure))


def regions(points: Array, cuts: Sequence[Cut]) -> Index:
    """How many cuts lie above each point (n); far from a cut, its height counts and not its lean."""
    above = np.zeros(len(points), np.intp)
    for cut in cuts:
        near = np.abs(points[:, 1] - cut.point[1]) < AHEAD_MM
        above += np.where(near, cut.below(points) > 0, points[:, 1] > cut.point[1])
    return above
