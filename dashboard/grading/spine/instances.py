"""From labels to single vertebrae and discs, head to foot, each with its mask, corners and place.

Discs are found in the curved picture along the canal; each gives a plane, its own where it is long enough to have one.
The bone in front of the canal is then parted by these planes, in all three directions, whether or not it touches above
and below. What the planes leave uneven (a missing disc, a vertebra not seen) is settled against the neighbours' height.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from dashboard.grading.spine.corners import corners_of, touches_edge
from dashboard.grading.spine.midline import (
    C2,
    DISC,
    LUMBOSACRAL,
    VERTEBRA,
    CurvedPicture,
    Mask,
    Midline,
    curved_picture,
    midline,
)
from dashboard.study.geometry import Array
from dashboard.study.sagittal import SagittalPrediction
from dashboard.study.spine import Segment

# Indices of voxels, (n, 3), or places in such a list, (n).
Index = npt.NDArray[np.intp]

# Engineering constants, settled on the training people of SPIDER and on drawn spines; none is a clinical number.
# The smallest disc or body in a middle picture: a cervical disc is about 15 by 4 mm, a cervical body 15 by 12 mm.
LEAST_DISC_MM2, LEAST_BODY_MM2 = 18.0, 45.0
# Parts of one disc, or of one body, lie no farther apart along the canal than this; two discs never lie so near.
SAME_PLACE_MM = 6.0
# Of the usual height of its neighbours: a body taller than this is two without a disc between, one lower than that a
# fragment; a step from body to body longer than this has one between that was not seen.
TWO_BODIES, FRAGMENT, STEP_OVER_ONE = 1.6, 0.4, 1.6
# The posterior wall curves into the canal's outline by this much.
WALL_MM = 1.5
# Discs lie within this of the front of the canal: what is labelled farther off, or behind it, is something else.
DISC_REACH_MM = 60.0
# A disc shows which way it lies when it is this much longer than high; it may lean this far off the canal's normal.
LONG_ENOUGH, MOST_LEAN_DEG = 1.7, 40.0
# Voxels about the canal's middle that tell how a disc lies from side to side.
PLANE_FIT_MM = 12.0
# Bone with this share of C2 in it is C2, and below it another vertebra may have no disc above.
C2_SHARE = 0.5


@dataclass(frozen=True, eq=False)
class Placed:
    """A segment and its slot: vertebrae stand in even ones, each disc in the odd one below its vertebra.

    A slot without a segment is a level that must be there and was not seen. `doubtful` segments rest on a height rather
    than on something seen.
    """

    slot: int
    segment: Segment
    doubtful: bool = False


@dataclass(frozen=True, eq=False)
class _Cut:
    """A plane between two vertebrae, in grid mm: a disc's, or one put where a disc is missing."""

    point: Array
    normal: Array
    part: int  # the disc's number in the curved picture, 0 for none

    def below(self, points: Array) -> Array:
        """Distance (n) of points (n, 3) below the plane."""
        return np.asarray((points - self.point) @ self.normal)


def find_segments(prediction: SagittalPrediction, line: Midline | None = None) -> tuple[Placed, ...]:
    """Vertebrae and discs of a volume, head to foot; none where no canal could be followed.

    Parameters
    ----------
    prediction
        What the model saw.
    line
        The canal's way where it is known already.
    """
    line = midline(prediction) if line is None else line
    return () if line is None else _Finder(prediction, line).placed()


class _Finder:
    """Works through one prediction; lengths in grid mm."""

    def __init__(self, prediction: SagittalPrediction, line: Midline) -> None:
        self.prediction, self.line = prediction, line
        self.scale = np.array([prediction.plane_spacing_mm, prediction.pixel_mm, prediction.pixel_mm])
        self.picture: CurvedPicture = curved_picture(prediction, line)
        columns = np.arange(prediction.labels.shape[2])
        wall = line.front[:, None] + WALL_MM / prediction.pixel_mm
        self.ahead: Mask = columns[None, :] <= wall
        self.ahead &= columns[None, :] >= wall - DISC_REACH_MM / prediction.pixel_mm
        bone = np.isin(prediction.labels, (VERTEBRA, C2)) & self.ahead
        disc = np.isin(prediction.labels, (DISC, LUMBOSACRAL)) & self.ahead
        self.bone_index, self.disc_index = np.argwhere(bone), np.argwhere(disc)
        self.bone, self.disc = self.bone_index * self.scale, self.disc_index * self.scale

    def placed(self) -> tuple[Placed, ...]:
        """Segments in order."""
        cuts = self._disc_cuts()
        bodies = self._bodies(cuts)
        usual = _usual_heights(bodies)
        cuts, added = self._more_cuts(cuts, bodies, usual)
        if added:
            bodies = self._bodies(cuts)
        return self._slots(cuts, [body for body in bodies if not self._is_fragment(body, bodies)])

    # Discs.

    def _disc_cuts(self) -> list[_Cut]:
        flat = np.isin(self.picture.labels, (DISC, LUMBOSACRAL)) & self.ahead
        parts, count = ndimage.label(flat, np.ones((3, 3)))
        area = self.scale[1] * self.scale[2]
        sizes = np.bincount(parts.ravel(), minlength=count + 1) * area
        found = [number for number in range(1, count + 1) if sizes[number] >= LEAST_DISC_MM2 / 3]
        groups = self._same_discs(parts, found)
        chosen = [group for group in groups if sizes[group].sum() >= LEAST_DISC_MM2]
        return sorted((self._cut_of(np.isin(parts, group), group[0]) for group in chosen), key=self._height)

    def _same_discs(self, parts: Index, found: list[int]) -> list[list[int]]:
        """Numbers of parts gathered by disc, head to foot: a torn disc is one."""
        middles = {number: self._flat_points(parts == number).mean(axis=0) for number in found}
        groups: list[list[int]] = []
        for number in sorted(found, key=lambda one: self._height_of(middles[one])):
            last = groups[-1] if groups else None
            if (
                last is not None
                and self._height_of(middles[number]) - self._height_of(middles[last[0]]) < SAME_PLACE_MM
            ):
                last.append(number)
            else:
                groups.append([number])
        return groups

    def _cut_of(self, flat: Mask, part: int) -> _Cut:
        """A disc's plane: level from front to back as it shows in the curved picture, tilted sideways as its voxels."""
        points = self._flat_points(flat)
        point = points.mean(axis=0)
        along = self.line.slope(point[1] / self.scale[1], self.scale[1], self.scale[0])
        normal = along
        offsets = (points - point)[:, 1:]
        values, vectors = np.linalg.eigh(offsets.T @ offsets)
        if values[1] > LONG_ENOUGH**2 * max(float(values[0]), 1e-9):
            own = np.array([0.0, *vectors[:, 0]])
            own = own if own @ along >= 0 else -own
            if own @ along >= np.cos(np.radians(MOST_LEAN_DEG)) * np.linalg.norm(along[1:]):
                normal = own
        return _Cut(point, self._leaning_sideways(point, normal), part)

    def _leaning_sideways(self, point: Array, normal: Array) -> Array:
        """The normal, turned about the front-back axis as the disc's voxels beside the middle ask for."""
        near = np.abs(self.disc[:, 0] - point[0]) <= PLANE_FIT_MM
        near &= np.abs((self.disc - point) @ normal) <= SAME_PLACE_MM
        near &= np.abs(self.disc[:, 2] - point[2]) <= PLANE_FIT_MM
        beside, height = self.disc[near, 0] - point[0], ((self.disc - point) @ normal)[near]
        spread = float((beside**2).sum())
        if near.sum() < 20 or np.ptp(beside) < PLANE_FIT_MM / 2 or spread <= 0:
            return np.asarray(normal / np.linalg.norm(normal))
        # Least squares through the middle.
        tilted = normal / np.linalg.norm(normal) - np.array([float((beside * height).sum()) / spread, 0.0, 0.0])
        return np.asarray(tilted / np.linalg.norm(tilted))

    def _flat_points(self, flat: Mask) -> Array:
        """Pixels of the curved picture as grid mm (n, 3)."""
        rows, columns = np.nonzero(flat)
        return np.asarray(
            np.stack([self.line.plane[rows], rows.astype(float), columns.astype(float)], axis=1) * self.scale
        )

    def _height_of(self, point: Array) -> float:
        """Way along the canal, mm, of the foot of a point: a lordotic disc lies lower in front than at the canal."""
        row = point[1] / self.scale[1]
        slope = self.line.slope(row, self.scale[1], self.scale[0])
        front = np.interp(row, np.arange(len(self.line.front)), self.line.front) * self.scale[2]
        # Straight across from the body to the canal.
        return float(point[1] + (front - point[2]) * -slope[2] * slope[1])

    def _height(self, cut: _Cut) -> float:
        return self._height_of(cut.point)

    # Bodies.

    def _bodies(self, cuts: Sequence[_Cut]) -> list["_Body"]:
        """Bone between each two cuts, above the first and below the last; several where it falls into parts."""
        region = self._region(self.bone, cuts)
        bodies: list[_Body] = []
        for number in range(len(cuts) + 1):
            members = np.flatnonzero(region == number)
            for part in self._parts(members):
                body = self._body(number, part)
                if body is not None:
                    bodies.append(body)
        return sorted(bodies, key=lambda one: one.height_mm)

    def _region(self, points: Array, cuts: Sequence[_Cut]) -> Index:
        """How many cuts lie above each point; far from a cut, its height counts and not its lean."""
        above = np.zeros(len(points), np.int64)
        for cut in cuts:
            near = np.abs(points[:, 1] - cut.point[1]) < DISC_REACH_MM
            above += np.where(near, cut.below(points) > 0, points[:, 1] > cut.point[1])
        return above

    def _parts(self, members: Index) -> list[Index]:
        """Connected parts of some bone voxels, gathered where they are at one height; C2 and what it holds apart."""
        if not len(members):
            return []
        index = self.bone_index[members]
        low = index.min(axis=0)
        block = np.zeros(index.max(axis=0) - low + 1, bool)
        block[tuple((index - low).T)] = True
        parts, count = ndimage.label(block)
        of = parts[tuple((index - low).T)]
        sizes = np.bincount(of, minlength=count + 1)
        order = [k for k in np.argsort(-sizes[1:]) + 1 if sizes[k] >= 0.1 * sizes[1:].max()]
        groups: list[list[int]] = []
        heights: list[tuple[float, float]] = []
        for part in order:
            rows = index[of == part, 1] * self.scale[1]
            span = (float(np.percentile(rows, 10)), float(np.percentile(rows, 90)))
            place = next((k for k, (a, b) in enumerate(heights) if span[0] < b and span[1] > a), None)
            if place is None:
                groups.append([part])
                heights.append(span)
            else:
                groups[place].append(part)
        return [members[np.isin(of, group)] for group in groups]

    def _body(self, region: int, members: Index) -> "_Body | None":
        index = self.bone_index[members]
        points = self.bone[members]
        central = np.abs(index[:, 0] - self.line.plane[index[:, 1]]) * self.scale[0] <= max(6.0, self.scale[0] / 2)
        planes = np.unique(index[central, 0])
        if not len(planes):
            return None
        if central.sum() / len(planes) * self.scale[1] * self.scale[2] < LEAST_BODY_MM2:
            return None
        middle = points[central].mean(axis=0)
        along = self.line.slope(middle[1] / self.scale[1], self.scale[1], self.scale[0])
        way = (points[central] - middle) @ along
        low, high = np.percentile(way, [3, 97])
        return _Body(
            region,
            members,
            middle,
            self._height_of(middle),
            float(high - low),
            self._share_of(C2, index[central]),
        )

    # What does not fit.

    def _more_cuts(
        self, cuts: list[_Cut], bodies: Sequence["_Body"], usual: Sequence[float]
    ) -> tuple[list[_Cut], bool]:
        """Cuts with those put where a body is as tall as two, and between C2 and a vertebra that touches it."""
        more: list[_Cut] = []
        for body, height in zip(bodies, usual, strict=True):
            if 0.15 < body.c2 < 0.85 and (cut := self._under_c2(body)) is not None:
                more.append(cut)
            elif body.c2 <= 0.15 and height and body.extent_mm > TWO_BODIES * height:
                more += self._halves(body, round(body.extent_mm / (1.15 * height)))
        return sorted([*cuts, *more], key=self._height), bool(more)

    def _under_c2(self, body: "_Body") -> _Cut | None:
        points = self.bone[body.members]
        c2 = self.prediction.labels[tuple(self.bone_index[body.members].T)] == C2
        along = self.line.slope(body.middle[1] / self.scale[1], self.scale[1], self.scale[0])
        way = (points - body.middle) @ along
        foot, head = np.percentile(way[c2], 95), np.percentile(way[~c2], 5)
        if np.median(way[~c2]) <= foot:
            return None
        return _Cut(body.middle + along * (foot + head) / 2, along, 0)

    def _halves(self, body: "_Body", count: int) -> list[_Cut]:
        """Cuts that part a block into `count` of equal height, each moved to where it is narrowest nearby."""
        along = self.line.slope(body.middle[1] / self.scale[1], self.scale[1], self.scale[0])
        way = (self.bone[body.members] - body.middle) @ along
        low, high = np.percentile(way, [2, 98])
        pitch = (high - low) / max(2, count)
        made = []
        for k in range(1, max(2, count)):
            wanted = low + pitch * k
            bins = np.arange(wanted - pitch / 4, wanted + pitch / 4, self.scale[1])
            widths = [np.count_nonzero(np.abs(way - b) <= self.scale[1] / 2) for b in bins]
            made.append(_Cut(body.middle + along * bins[int(np.argmin(widths))], along, 0))
        return made

    def _is_fragment(self, body: "_Body", bodies: Sequence["_Body"]) -> bool:
        """Whether a part is too low for a vertebra, unless the edge of the field cuts it."""
        usual = _usual_heights(bodies)[bodies.index(body)]
        if not usual or body.extent_mm >= FRAGMENT * usual or body.c2 >= C2_SHARE:
            return False
        return not touches_edge(self.prediction, self.bone_index[body.members])

    # The row of levels.

    def _slots(self, cuts: Sequence[_Cut], bodies: list["_Body"]) -> tuple[Placed, ...]:
        """Bodies and discs in their slots."""
        bodies = self._below_the_dens(bodies)
        if not bodies:
            return ()
        steps = _steps(bodies)
        slots = np.concatenate([[0], np.cumsum(steps)]).astype(int)
        region = self._region(self.disc, cuts)
        found = [
            Placed(2 * int(slot), self._vertebra(body), body.split or (k > 0 and steps[k - 1] > 1))
            for k, (slot, body) in enumerate(zip(slots, bodies, strict=True))
        ]
        for number, cut in enumerate(cuts):
            if not cut.part:
                continue
            slot = self._slot_of(cut, bodies, slots)
            segment = self._disc(cut, number, cuts, region)
            if slot is not None and segment is not None and all(one.slot != slot for one in found):
                found.append(Placed(slot, segment))
        first = min(one.slot for one in found)
        # A disc above the first vertebra: its own vertebra was not seen.
        shift = 2 if first < 0 else 0
        return tuple(sorted((replace(one, slot=one.slot + shift) for one in found), key=lambda one: one.slot))

    def _below_the_dens(self, bodies: list["_Body"]) -> list["_Body"]:
        """From C2 down: the arch of C1 and the skull are no vertebrae of the row."""
        second = next((k for k, body in enumerate(bodies) if body.c2 >= C2_SHARE), 0)
        return bodies[second:]

    def _slot_of(self, cut: _Cut, bodies: Sequence["_Body"], slots: Index) -> int | None:
        """Slot of a disc: below the last body above it, or above the first."""
        height = self._height(cut)
        above = [k for k, body in enumerate(bodies) if body.height_mm < height]
        if not above:
            return -1
        last = above[-1]
        if last + 1 < len(bodies) and slots[last + 1] - slots[last] > 1:
            # One that was not seen lies between: a disc in the lower half belongs to it.
            between = (height - bodies[last].height_mm) / (bodies[last + 1].height_mm - bodies[last].height_mm)
            return 2 * int(slots[last] + int(between * (slots[last + 1] - slots[last]))) + 1
        return 2 * int(slots[last]) + 1

    def _vertebra(self, body: "_Body") -> Segment:
        return self._segment("vertebra", self.bone_index[body.members], body.middle, body.c2)

    def _disc(
        self,
        cut: _Cut,
        number: int,
        cuts: Sequence[_Cut],
        region: Index,
    ) -> Segment | None:
        """The disc whose plane is `cut`: the voxels nearer to it than to any other."""
        mine = (region == number) | (region == number + 1)
        distance = np.abs(cut.below(self.disc))
        mine &= distance <= 2 * SAME_PLACE_MM
        for other in cuts[max(0, number - 1) : number + 2]:
            if other is not cut and other.part:
                mine &= distance <= np.abs(other.below(self.disc))
        index = self.disc_index[mine]
        if not len(index):
            return None
        index = _largest_part(index)
        near = index[np.abs(index[:, 0] * self.scale[0] - cut.point[0]) <= PLANE_FIT_MM]
        anchor = self._share_of(LUMBOSACRAL, near)
        return self._segment("disc", index, cut.point, anchor)

    def _share_of(self, label: int, index: Index) -> float:
        """How much of some voxels is of a class, each counted as far as the model is sure."""
        if not len(index):
            return 0.0
        planes, rows, columns = index.T
        sure = self.prediction.certainty[planes, rows, columns] / 255
        return float(np.mean((self.prediction.labels[planes, rows, columns] == label) * sure))

    def _segment(self, kind: str, index: Index, middle: Array, anchor: float) -> Segment:
        prediction = self.prediction
        mask: Mask = np.zeros(prediction.labels.shape, bool)
        mask[tuple(index.T)] = True
        row = int(np.clip(round(middle[1] / self.scale[1]), 0, mask.shape[1] - 1))
        planes = np.unique(index[:, 0])
        plane = int(planes[np.abs(planes - self.line.plane[row]).argmin()])
        along = self.line.slope(row, self.scale[1], self.scale[0])
        dens = kind == "vertebra" and anchor >= C2_SHARE
        corners, cut = corners_of(prediction, mask[plane], plane, along[1:], kind, dens)
        rows, columns = np.nonzero(mask[plane])
        centre = prediction.affine @ np.array([plane, rows.mean(), columns.mean(), 1.0])
        return Segment(kind, np.asarray(centre[:3]), corners, plane, mask, not cut, min(1.0, anchor))


@dataclass(frozen=True, eq=False)
class _Body:
    """Bone between two cuts: its voxels, middle and height along the canal."""

    region: int
    members: Index
    middle: Array
    height_mm: float
    extent_mm: float
    c2: float
    split: bool = False


def _usual_heights(bodies: Sequence[_Body]) -> list[float]:
    """Height that each body's neighbours lead one to expect; 0 where none can be asked."""
    usual = []
    for place in range(len(bodies)):
        near = sorted((k for k in range(len(bodies)) if k != place), key=lambda k: abs(k - place))
        heights = [bodies[k].extent_mm for k in near if bodies[k].c2 < C2_SHARE][:4]
        usual.append(float(np.median(heights)) if len(heights) >= 2 else 0.0)
    return usual


def _steps(bodies: Sequence[_Body]) -> list[int]:
    """How many levels lie from each body to the next: 1, or more where one must lie between."""
    ways = [float(np.linalg.norm(b.middle - a.middle)) for a, b in pairwise(bodies)]
    steps = []
    for place, way in enumerate(ways):
        near = sorted((k for k in range(len(ways)) if k != place), key=lambda k: abs(k - place))[:4]
        usual = float(np.median([ways[k] for k in near])) if len(near) >= 2 else way
        steps.append(max(1, round(way / usual)) if way > STEP_OVER_ONE * usual else 1)
    return steps


def _largest_part(index: Index) -> Index:
    """The largest connected part of some voxels (n, 3), and all at least a fifth as large: a torn disc stays whole."""
    low = index.min(axis=0)
    block = np.zeros(index.max(axis=0) - low + 1, bool)
    block[tuple((index - low).T)] = True
    parts, count = ndimage.label(block, np.ones((3, 3, 3)))
    of = parts[tuple((index - low).T)]
    sizes = np.bincount(of, minlength=count + 1)
    return np.asarray(index[sizes[of] >= 0.2 * sizes[1:].max()])
