"""Outlines of bodies and discs in the planes through the middle of the canal, in mm.

A segment is looked at in a frame of its own: `axis` runs front to back along its endplates, `normal` head to foot
across them. The mask is sampled in that frame between pixels, so that a length does not jump by whole pixels.

Coordinates of a plane are (row, column) times the pixel's side, mm; they are distances in the patient, since planes
are not sheared.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from dashboard.study.geometry import Array
from dashboard.study.masks import Mask
from dashboard.study.sagittal import SAGITTAL_CLASSES, SagittalPrediction
from dashboard.study.spine import Spine

STEP_MM = 0.4
# Bodies and discs are read within this distance of the canal's middle; a stack of 4 mm planes gives three.
NEAR_MIDDLE_MM = 4.5
# Herniations sit beside the middle as often as in it.
WIDE_MM = 9.0
# Fewer pixels make no outline; the blur of a mask reaches no farther than the margin.
LEAST_PIXELS, MARGIN_PX = 12, 4
# A plane that shows less of a segment than this share of the best plane shows its edge.
LEAST_SHARE = 0.6
# Walls are read in their inner part: their ends carry the same osteophytes. Discs have no wall worth a line.
WALL = (0.2, 0.8)
LEAST_WALL_MM = 9.0
# Farther than this from the outline the lines of wall and endplate do not meet at a corner of this body.
ROUNDED_MM = 8.0
# A round canal half a radius from its middle is still 0.87 as deep.
EDGE_SHARE = 0.87
# Where no plane shows this share of the canal's usual depth, something may fill it and leave what lies at its sides.
LEAST_DEPTH = 0.75
# Depths of the canal are smoothed along it by so much.
BLUR_PX = 5.0
# The canal behind a tilted disc lies higher than the disc; as much of it as half the segment's height must be seen.
CANAL_REACH_MM, CANAL_SHARE = 16.0, 0.5
# Room around a segment in the window in which it is sampled.
ROOM_MM = 2.0
# Ends of an endplate are rounded or carry osteophytes; its direction is read between them.
ENDPLATE = (0.15, 0.85)
CANAL, CORD = SAGITTAL_CLASSES.index("canal"), SAGITTAL_CLASSES.index("cord")


@dataclass(frozen=True, eq=False)
class Outline:
    """One body or disc in one plane.

    Attributes
    ----------
    plane
        Index of the plane.
    origin, axis, normal
        (2) mm and unit vectors, (row, column) of the plane.
    along
        (n) mm from `origin` along `axis`, front to back, only where there is any of the segment.
    upper, lower
        (n) mm from `origin` along `normal`; `lower` is never above `upper`.
    """

    plane: int
    origin: Array
    axis: Array
    normal: Array
    along: Array
    upper: Array
    lower: Array

    @property
    def depth_mm(self) -> float:
        """Front to back."""
        return float(self.along[-1] - self.along[0]) + STEP_MM

    @property
    def thickness(self) -> Array:
        """(n) mm across the endplates, at each place along."""
        return np.asarray(self.lower - self.upper)

    def height_mm(self, start: float, stop: float) -> float:
        """Mean thickness between two shares of the depth, 0 at the front and 1 at the back."""
        return float(self.thickness[self.part(start, stop)].mean())

    def part(self, start: float, stop: float) -> npt.NDArray[np.bool_]:
        """(n) which places along lie between two shares of the depth; never empty."""
        share = (self.along - self.along[0] + STEP_MM / 2) / self.depth_mm
        inside = (share >= start) & (share <= stop)
        if inside.any():
            return np.asarray(inside)
        return np.asarray(np.arange(len(share)) == np.abs(share - (start + stop) / 2).argmin())

    def between_walls(self) -> "Outline":
        """The outline without what reaches beyond the middles of its walls: osteophytes; itself where it has none."""
        ends = []
        for back in (False, True):
            wall = self._wall(back)
            half = self.along >= np.median(self.along) if back else self.along < np.median(self.along)
            height = float(np.median(self.upper[half]) + np.median(self.lower[half])) / 2
            ends.append(float(self.along[-1 if back else 0]) if wall is None else wall[1] + wall[0] * height)
        kept = (self.along >= ends[0]) & (self.along <= ends[1])
        if kept.sum() < 4:
            return self
        return replace(self, along=self.along[kept], upper=self.upper[kept], lower=self.lower[kept])

    def point(self, along: float, across: float) -> Array:
        """(row, column) mm of a place in the frame."""
        return np.asarray(self.origin + along * self.axis + across * self.normal)

    def points(self, along: Array, across: Array) -> Array:
        """(2, n) row and column mm of n places in the frame."""
        moved = np.outer(self.axis, along.ravel()) + np.outer(self.normal, across.ravel())
        return np.asarray(self.origin[:, None] + moved)

    def corner(self, upper: bool, back: bool) -> Array:
        """(row, column) mm where the lines through a wall and an endplate meet.

        The corner itself is often rounded, and a rounded corner would look like a slip. Where the lines meet far from
        the outline, or the wall is too short for a line, it is the place of the edge farthest along the diagonal.
        """
        edge = self.upper if upper else self.lower
        score = (self.along if back else -self.along) + (-edge if upper else edge)
        found = int(np.argmax(score))
        outermost = self.point(float(self.along[found]), float(edge[found]))
        wall = self._wall(back)
        if wall is None:
            return outermost
        middle, direction = self.endplate(upper)
        slope, start = wall
        # The wall: along = start + slope * across. On the endplate, across is a line in along; put one in the other.
        u, v = float((middle - self.origin) @ self.axis), float((middle - self.origin) @ self.normal)
        tilt = float(direction @ self.normal) / float(direction @ self.axis)
        if abs(1 - slope * tilt) < 0.2:
            return outermost
        along = (start + slope * (v - tilt * u)) / (1 - slope * tilt)
        meeting = self.point(along, v + tilt * (along - u))
        return meeting if np.linalg.norm(meeting - outermost) <= ROUNDED_MM else outermost

    def _wall(self, back: bool) -> tuple[float, float] | None:
        """Slope and start (mm) of the line along = start + slope * across through a wall's inner part."""
        half = self.along >= np.median(self.along) if back else self.along < np.median(self.along)
        top, bottom = float(np.median(self.upper[half])), float(np.median(self.lower[half]))
        height = bottom - top
        if height < LEAST_WALL_MM:
            return None
        levels = np.arange(top + WALL[0] * height, top + WALL[1] * height, STEP_MM)
        inside = (self.upper[:, None] <= levels) & (self.lower[:, None] >= levels)
        ends = np.where(inside, self.along[:, None], -np.inf if back else np.inf)
        wall = ends.max(axis=0) if back else ends.min(axis=0)
        known = np.isfinite(wall)
        if known.sum() < 5:
            return None
        slope, start = np.polyfit(levels[known], wall[known], 1)
        return float(slope), float(start)

    def endplate(self, upper: bool) -> tuple[Array, Array]:
        """Middle (2) mm and direction (2), front to back, of the line through an endplate's inner part."""
        inner = self.part(*ENDPLATE)
        edge = (self.upper if upper else self.lower)[inner]
        slope, level = np.polyfit(self.along[inner], edge, 1) if inner.sum() > 2 else (0.0, edge.mean())
        middle = float(self.along.mean())
        direction = self.axis + slope * self.normal
        return self.point(middle, level + slope * middle), direction / np.linalg.norm(direction)


def middle_planes(prediction: SagittalPrediction) -> Array:
    """(rows) plane in which the canal's middle lies at each row, smoothed; NaN where no canal was seen at all."""
    sac = (prediction.labels == CANAL) | (prediction.labels == CORD)
    # Squared, since the sac is deepest in its middle: a slab that cuts one side off still points at the middle.
    depth = sac.sum(axis=2).astype(float) ** 2
    weight = ndimage.gaussian_filter1d(depth, 15.0, axis=1, mode="nearest")
    total = weight.sum(axis=0)
    planes = np.arange(len(sac))[:, None]
    if not total.any():
        return np.full(sac.shape[1], np.nan)
    known = np.flatnonzero(total > 1e-6 * total.max())
    middle = (weight[:, known] * planes).sum(axis=0) / total[known]
    return np.asarray(np.interp(np.arange(sac.shape[1]), known, middle))


def large_parts(mask: Mask, share: float) -> Mask:
    """The connected parts of a mask that are at least this share of its largest one: no specks."""
    parts, count = ndimage.label(mask)
    if count <= 1:
        return mask
    sizes = np.bincount(parts.ravel(), minlength=count + 1)
    keep = sizes >= share * sizes[1:].max()
    keep[0] = False
    return np.asarray(keep[parts])


def middle_seen(prediction: SagittalPrediction) -> npt.NDArray[np.bool_]:
    """(rows) whether the canal's middle lies within the stack: a sac still deepest in the last plane goes on beyond.

    Rows between others in which the sac is not as deep as elsewhere are as these are: where something fills the canal,
    its middle is there still, and what is left at its sides may lie in the last plane.
    """
    sac = (prediction.labels == CANAL) | (prediction.labels == CORD)
    depth = ndimage.gaussian_filter1d(sac.sum(axis=2).astype(float), BLUR_PX, axis=1, mode="nearest")
    most = depth.max(axis=0)
    edge = np.maximum(depth[0], depth[-1]) if len(sac) > 2 else np.zeros_like(most)
    seen = (most > 0) & (edge < EDGE_SHARE * most)
    if not seen.any():
        return np.asarray(seen)
    thin = most <= LEAST_DEPTH * np.median(most[seen])
    # The blur of the depths mixes what is left with what lies above and below.
    thin = ndimage.binary_dilation(thin, iterations=round(2 * BLUR_PX))
    there = np.flatnonzero(~thin)
    if not len(there):
        return np.asarray(seen)
    rows = np.arange(len(seen))
    between = (rows > there[0]) & (rows < there[-1])
    return np.asarray(seen | (between & thin & (np.interp(rows, there, seen[there]) >= 1)))


def misses_canal(prediction: SagittalPrediction, mask: Mask) -> bool:
    """Whether no plane shows the canal at the height of a segment: all of them lie beside the middle of the spine.

    A spine that curves sideways leaves a narrow stack; what is seen of it there are the edges of bodies and discs.
    """
    rows = np.flatnonzero(mask.any(axis=(0, 2)))
    if not len(rows):
        return True
    reach = int(CANAL_REACH_MM / prediction.pixel_mm)
    near = prediction.labels[:, max(0, rows[0] - reach) : rows[-1] + 1]
    shown = ((near == CANAL) | (near == CORD)).any(axis=(0, 2))
    return int(shown.sum()) < CANAL_SHARE * len(rows)


def planes_near(prediction: SagittalPrediction, middle: float, reach_mm: float = NEAR_MIDDLE_MM) -> list[int]:
    """Planes within `reach_mm` of `middle` (a plane index, fractional); at least the nearest one."""
    count = len(prediction.labels)
    distance = np.abs(np.arange(count) - middle) * prediction.plane_spacing_mm
    near = np.flatnonzero(distance <= reach_mm)
    return near.tolist() if len(near) else [int(np.argmin(distance))]


def outlines(prediction: SagittalPrediction, spine: Spine, reach_mm: float = NEAR_MIDDLE_MM) -> list[list[Outline]]:
    """Outlines of every segment of the spine in the planes near the canal's middle; an empty list where none is."""
    middle = middle_planes(prediction)
    centres = [_centre(one.segment.mask) for one in spine.named]
    found = []
    for place, one in enumerate(spine.named):
        mask = one.segment.mask
        row = int(centres[place][0]) if np.isfinite(centres[place]).all() else 0
        sizes = mask.sum(axis=(1, 2))
        wanted = middle[row] if np.isfinite(middle[row]) else float(np.argmax(sizes))
        planes = planes_near(prediction, wanted, reach_mm)
        most = sizes[planes].max(initial=0)
        toward = _direction(centres, place)
        seen = [_outline(mask[p], p, toward, prediction.pixel_mm) for p in planes if sizes[p] >= LEAST_SHARE * most > 0]
        found.append([outline for outline in seen if outline is not None])
    return found


def nearer(prediction: SagittalPrediction, wide: Sequence[Sequence[Outline]], spine: Spine) -> list[list[Outline]]:
    """Of outlines in many planes those within :data:`NEAR_MIDDLE_MM` of the canal's middle, at least the nearest."""
    middle = middle_planes(prediction)
    kept = []
    for one, every in zip(spine.named, wide, strict=True):
        row = _centre(one.segment.mask)[0]
        wanted = middle[int(row)] if every and np.isfinite(middle[int(row)]) else np.nan
        if not np.isfinite(wanted):
            kept.append(list(every))
            continue
        gap = [abs(o.plane - wanted) * prediction.plane_spacing_mm for o in every]
        kept.append([o for o, mm in zip(every, gap, strict=True) if mm <= max(NEAR_MIDDLE_MM, min(gap))])
    return kept


def to_patient(prediction: SagittalPrediction, plane: int, point_mm: Array) -> Array:
    """LPS mm (3) of a place (row, column) mm in a plane."""
    row, column = point_mm / prediction.pixel_mm
    return np.asarray((prediction.affine @ np.array([plane, row, column, 1.0]))[:3])


def sample(layer: npt.NDArray[np.float32], outline: Outline, along: Array, across: Array, pixel_mm: float) -> Array:
    """Values of one plane of an image at places of an outline's frame (any equal shapes)."""
    points = outline.points(along, across) / pixel_mm
    return np.asarray(ndimage.map_coordinates(layer, points, order=1, mode="nearest")).reshape(along.shape)


def _centre(mask: Mask) -> Array:
    """Row and column of the middle; NaN of an empty mask."""
    flat = mask.sum(axis=0)
    if not flat.any():
        return np.full(2, np.nan)
    weights = (flat.sum(axis=1), flat.sum(axis=0))
    return np.array([np.average(np.arange(len(one)), weights=one) for one in weights])


def _direction(centres: Sequence[Array], place: int) -> Array:
    """Unit vector (row, column) head to foot along the spine at a segment, from its neighbours' centres."""
    near = [c for c in centres[max(0, place - 1) : place + 2] if np.isfinite(c).all()]
    step = near[-1] - near[0] if len(near) > 1 else np.array([1.0, 0.0])
    length = float(np.linalg.norm(step))
    return step / length if length > 0 else np.array([1.0, 0.0])


def _outline(layer: Mask, plane: int, toward: Array, pixel_mm: float) -> Outline | None:
    """Outline in a frame turned, in three rounds, until its axis follows the endplates."""
    if np.count_nonzero(layer) < LEAST_PIXELS:
        return None
    # The segment alone: the rest of the plane would be searched again and again.
    sides = [np.flatnonzero(layer.any(axis=axis)) for axis in (1, 0)]
    corner = np.array([max(0, int(one[0]) - MARGIN_PX) for one in sides])
    ends = [int(one[-1]) + 1 + MARGIN_PX for one in sides]
    layer = layer[corner[0] : ends[0], corner[1] : ends[1]]
    origin = (np.array([one[0] + one[-1] for one in sides]) / 2 - corner) * pixel_mm
    soft = ndimage.gaussian_filter(layer.astype(np.float32), 0.6)
    normal, outline = toward, None
    for _ in range(3):
        axis = np.array([-normal[1], normal[0]])
        outline = _sampled(soft, plane, origin, axis, normal, pixel_mm)
        if outline is None:
            return None
        slopes = [outline.endplate(upper)[1] for upper in (True, False)]
        axis = (slopes[0] + slopes[1]) / np.linalg.norm(slopes[0] + slopes[1])
        normal = np.array([axis[1], -axis[0]])
    return None if outline is None else replace(outline, origin=outline.origin + corner * pixel_mm)


def _sampled(
    soft: npt.NDArray[np.float32], plane: int, origin: Array, axis: Array, normal: Array, pixel_mm: float
) -> Outline | None:
    places = np.argwhere(soft > 0.5) * pixel_mm - origin
    along, across = (_steps(places @ direction) for direction in (axis, normal))
    grid = origin[:, None, None] + axis[:, None, None] * along[:, None] + normal[:, None, None] * across[None, :]
    values = ndimage.map_coordinates(soft, grid / pixel_mm, order=1, mode="constant")
    inside = values > 0.5
    parts, count = ndimage.label(inside)
    if count > 1:
        inside = parts == 1 + int(np.argmax(np.bincount(parts.ravel())[1:]))
    there = np.flatnonzero(inside.any(axis=1))
    if len(there) < 4:
        return None
    upper = across[inside.argmax(axis=1)][there] - STEP_MM / 2
    lower = across[len(across) - 1 - inside[:, ::-1].argmax(axis=1)][there] + STEP_MM / 2
    return Outline(plane, origin, axis, normal, along[there], upper, lower)


def _steps(extent: Array) -> Array:
    if not len(extent):
        return np.zeros(1)
    return np.arange(extent.min() - ROOM_MM, extent.max() + ROOM_MM + STEP_MM, STEP_MM)
