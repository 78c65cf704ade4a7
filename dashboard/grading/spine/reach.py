"""Which level a point near the canal lies at, through patient coordinates."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dashboard.grading.spine.evidence import Row
from dashboard.grading.spine.midline import Midline
from dashboard.study.geometry import Array
from dashboard.study.sagittal import SagittalPrediction
from dashboard.study.spine import Segment, Spine

# A point farther from the canal's middle than this lies beside the spine, or belongs to another picture of it.
MOST_AWAY_MM = 25.0
# Above the first and below the last level a name reaches this far, half the step of a clinical axial stack.
BEYOND_MM = 2.5
# Between two neighbours that do not quite meet lies cartilage and cortex; a wider gap is a level that was not seen.
WIDEST_GAP_MM = 6.0
# The part of a body that lies next to the canal.
REAR_SHARE = 0.35


@dataclass(frozen=True)
class Level:
    """Name of a level at a point, and how sure it is; `series_instance_uid` of the series that it was read in."""

    name: str
    probability: float
    certain: bool
    series_instance_uid: str
    volume_index: int


@dataclass(frozen=True, eq=False)
class Reach:
    """The canal of one named spine as points from head to foot, and where along them each level begins and ends.

    Attributes
    ----------
    canal_mm
        (n, 3) LPS, at equal rows of the picture.
    along_mm
        (n) way along the canal.
    ends_mm
        (levels, 2) begin and end of each of ``spine.named`` along the canal.
    """

    spine: Spine
    canal_mm: Array
    along_mm: Array
    ends_mm: Array

    def level_at(self, point_mm: Sequence[float]) -> Level | None:
        """Level of a point (3) LPS; None where this series does not show it."""
        away = np.linalg.norm(self.canal_mm - np.asarray(point_mm), axis=1)
        foot = int(away.argmin())
        if away[foot] > MOST_AWAY_MM or not len(self.ends_mm):
            return None
        along = float(self.along_mm[foot])
        # Distance to each level's extent, 0 within it.
        outside = np.maximum(np.maximum(self.ends_mm[:, 0] - along, along - self.ends_mm[:, 1]), 0.0)
        nearest = int(outside.argmin())
        first, last = self.ends_mm[:, 0].min(), self.ends_mm[:, 1].max()
        limit = WIDEST_GAP_MM / 2 if first < along < last else BEYOND_MM
        if outside[nearest] > limit:
            return None
        named, spine = self.spine.named[nearest], self.spine
        certain = spine.is_sure_of(named)
        return Level(named.level, named.probability, certain, spine.series_instance_uid, spine.volume_index)


def reach_of(spine: Spine, row: Row) -> Reach | None:
    """Where the levels of a spine lie along its canal; None for one without names."""
    if row.line is None or not spine.named:
        return None
    canal = _canal(row.prediction, row.line)
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(canal, axis=0), axis=1))])
    ends = [_ends(one.segment, row.prediction, row.line, canal, along) for one in spine.named]
    return Reach(spine, canal, along, np.array(ends))


def level_at(point_mm: Sequence[float], reaches: Sequence[Reach]) -> Level | None:
    """The level of a point by the series that shows it: one whose levels are certain, else the likeliest.

    Parameters
    ----------
    point_mm
        (3) LPS, near the canal.
    reaches
        Of series whose coordinates compare with the point's.
    """
    found = [level for reach in reaches if (level := reach.level_at(point_mm)) is not None]
    return max(found, key=lambda level: (level.certain, level.probability), default=None)


def _canal(prediction: SagittalPrediction, line: Midline) -> Array:
    rows = np.arange(len(line.plane), dtype=np.float64)
    index = np.stack([line.plane, rows, (line.front + line.back) / 2, np.ones(len(rows))])
    return np.asarray((prediction.affine @ index)[:3].T)


def _ends(
    segment: Segment, prediction: SagittalPrediction, line: Midline, canal: Array, along: Array
) -> tuple[float, float]:
    """Feet on the canal of the upper and lower end of a body's rear."""
    plane = segment.corners_plane
    rows, columns = np.nonzero(segment.mask[plane])
    slope = line.slope(float(rows.mean()), prediction.pixel_mm, prediction.plane_spacing_mm)[1:]
    down = slope / np.linalg.norm(slope)
    heights = rows * down[0] + columns * down[1]
    depths = columns * down[0] - rows * down[1]
    rear = depths >= depths.max() - REAR_SHARE * np.ptp(depths)
    ends = []
    for wanted, outward in ((heights[rear].min(), -0.5), (heights[rear].max(), 0.5)):
        place = np.flatnonzero(rear & (np.abs(heights - wanted) < 1.0))
        # A pixel's edge, not its middle.
        row, column = rows[place].mean() + outward * down[0], columns[place].mean() + outward * down[1]
        point = (prediction.affine @ np.array([plane, row, column, 1.0]))[:3]
        ends.append(float(along[int(np.linalg.norm(canal - point, axis=1).argmin())]))
    return min(ends), max(ends)
