"""What a row of segments says about which levels they are: the likelihood of each way to name it.

A row is named by the place of its slot 0 in :data:`ORDER`. What is seen adds up as log-likelihoods: C2 with its dens,
the disc above the sacrum, the end of the cord, the sizes of the bodies. None of the numbers below is a norm or a
clinical cut-off; they say how far this software trusts what it sees, and only a counted row is ever called certain.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import erf, log, sqrt

import numpy as np

from dashboard.grading.spine.instances import Placed, find_segments
from dashboard.grading.spine.midline import CANAL, CORD, Midline, midline, with_one_canal
from dashboard.study.geometry import Array
from dashboard.study.levels import LEVELS
from dashboard.study.sagittal import SagittalPrediction
from dashboard.study.spine import Segment

# From C2 on vertebrae and discs alternate; C1 has neither body nor disc.
ORDER = LEVELS[1:]
LUMBOSACRAL_PLACE, L1_PLACE = ORDER.index("L5/S1"), ORDER.index("L1")

# Fewer vertebrae than this are no spine that could be named: a shoulder has dark and bright blocks too.
LEAST_VERTEBRAE = 2
# A segment is an anchor when the model is surer of that than of anything else.
ANCHOR_FROM = 0.5
# The model is never wholly sure, nor wholly sure that a segment is not an anchor: a C2 without its dens in the field
# and a lumbosacral disc half out of it look like their neighbours.
SURE, SURE_CUT = 0.98, 0.8
# A score is a mean over voxels; the segment as a whole is surer than that, either way: odds to this power.
AGREEMENT = 3.0
# A disc above the lowest looks lumbosacral to the model too when it is this much so. In sixteen training people of
# SPIDER it was at most 0.01.
RIVAL = 0.1
# What is left of a disc within the sacrum is this small beside the one above it, in voxels. In fifteen of those people
# the lowest disc had 0.45 of the two above at least (0.22 in one whose spine bends out of the field), two remnants that
# were taken for the lowest disc 0.17 and 0.19.
REMNANT_SHARE = 1 / 3
# A lowest disc below which the field goes on this far without another vertebra lies on the sacrum; the model may
# have missed what comes next, so that this counts for less than the disc's own class.
EMPTY_BELOW_MM, EMPTY_BELOW_SCORE = 30.0, 0.85
# Names that the table does not hold (a thirteenth thoracic, a sixth lumbar vertebra), each at this price.
UNNAMED_PRICE = log(0.02)
# The cord ends near L1, in most people within a level; places count two a level. A few ends are misread altogether.
CONUS_SD_PLACES, MISREAD = 2.0, 0.03
# So much canal must be seen below a cord's end for it to be one, and so much cord to speak of a cord.
CANAL_BELOW_MM, LEAST_CORD_MM = 25.0, 15.0
# Depth of a body from front to back and step from body to body, mm, at places of ORDER. L1 to L5 measured on the
# training people of SPIDER by this software; above, a round adult's, for the guess alone.
SIZE_PLACES = tuple(ORDER.index(name) for name in ("C3", "C7", "T1", "T6", "T12", "L1", "L3", "L5"))
DEPTH_MM = (16.0, 17.0, 18.0, 25.0, 31.0, 32.5, 34.5, 33.0)
STEP_MM = (18.0, 19.0, 20.0, 24.0, 30.0, 32.0, 35.0, 34.0)
# People differ by a factor that all their levels share, and levels beside.
PERSON_SD, LEVEL_SD = 0.13, 0.10
# Level after level repeats the same information: no more than this many bodies count.
MOST_BODIES = 6


@dataclass(frozen=True, eq=False)
class Row:
    """The segments of one volume with what is needed to name them."""

    prediction: SagittalPrediction
    placed: tuple[Placed, ...]
    line: Midline | None

    @property
    def second_cervical(self) -> Placed | None:
        """The vertebra that is C2, where one is."""
        found = [one for one in self.placed if one.segment.kind == "vertebra" and one.segment.anchor >= ANCHOR_FROM]
        return max(found, key=lambda one: one.segment.anchor, default=None)

    @property
    def lumbosacral(self) -> Placed | None:
        """The disc on the sacrum, where one is: known by itself, or by the nothing below it."""
        found = [one for one in self.placed if one.segment.kind == "disc" and disc_anchor(self, one) >= ANCHOR_FROM]
        return max(found, key=lambda one: disc_anchor(self, one), default=None)


def row_of(prediction: SagittalPrediction) -> Row:
    """Segments and canal of a volume; no segments where there are too few vertebrae for a spine."""
    prediction = with_one_canal(prediction)
    line = midline(prediction)
    placed = () if line is None else find_segments(prediction, line)
    enough = sum(one.segment.kind == "vertebra" for one in placed) >= LEAST_VERTEBRAE
    return Row(prediction, placed if enough else (), line)


def bases(row: Row) -> range:
    """Places in ORDER that slot 0 may have: at least half of the row must have names."""
    last = max((one.slot for one in row.placed), default=0)
    return range(-2, max(len(ORDER) - last + 4, 2), 2)


def likelihoods(row: Row) -> dict[int, float]:
    """Log-likelihood of each base, anchors and all."""
    cord, sizes = _cord(row), _measured(row)
    return {
        base: _anchors(row, base) + _outside(row, base) + _conus(cord, base) + _sizes(sizes, base)
        for base in bases(row)
    }


def disc_anchor(row: Row, one: Placed) -> float:
    """How sure it is that a disc lies on the sacrum."""
    pair = rivals(row)
    if pair is not None and one in pair and _is_remnant(pair[1], pair[0]):
        # The disc on the sacrum is the larger of the two, however much more the smaller looked like it.
        return max(rival.segment.anchor for rival in pair) if one is pair[0] else 0.0
    own = one.segment.anchor
    lowest = max(row.placed, key=lambda other: other.slot)
    if one is lowest and one.segment.complete and own < EMPTY_BELOW_SCORE and _nothing_below(row, one.segment):
        return EMPTY_BELOW_SCORE
    return own


def rivals(row: Row) -> tuple[Placed, Placed] | None:
    """One of the two discs above the lowest that looks lumbosacral, and the lowest; None where neither does."""
    discs = sorted((one for one in row.placed if one.segment.kind == "disc"), key=lambda one: one.slot)
    if not discs:
        return None
    above = [one for one in discs if one.slot in two_above(discs[-1]) and one.segment.anchor >= RIVAL]
    return (max(above, key=lambda one: one.segment.anchor), discs[-1]) if above else None


def two_above(disc: Placed) -> tuple[int, int]:
    """Slots of the two discs above one."""
    return disc.slot - 2, disc.slot - 4


def _is_remnant(lower: Placed, upper: Placed) -> bool:
    return bool(lower.segment.mask.sum() < REMNANT_SHARE * upper.segment.mask.sum())


def _anchors(row: Row, base: int) -> float:
    total = 0.0
    for one in row.placed:
        place = base + one.slot
        limit = SURE if one.segment.complete else SURE_CUT
        if one.segment.kind == "vertebra":
            score = _surer(one.segment.anchor, limit)
            total += log(score if place == 0 else 1 - score)
        else:
            score = _surer(disc_anchor(row, one), limit)
            total += log(score if place == LUMBOSACRAL_PLACE else 1 - score)
    return total


def _surer(score: float, limit: float) -> float:
    odds = (score / max(1e-9, 1 - score)) ** AGREEMENT
    return float(np.clip(odds / (1 + odds), 1 - limit, limit))


def _outside(row: Row, base: int) -> float:
    return UNNAMED_PRICE * sum(not 0 <= base + one.slot < len(ORDER) for one in row.placed) / 2


def _nothing_below(row: Row, disc: Segment) -> bool:
    """Whether the field goes on below a disc, in its own plane, as far as a vertebra is high."""
    inside = row.prediction.inside[disc.corners_plane]
    rows, columns = np.nonzero(disc.mask[disc.corners_plane])
    if not len(rows):
        return False
    reach = round(EMPTY_BELOW_MM / row.prediction.pixel_mm)
    row_end, column = int(rows.mean()) + reach, int(columns.mean())
    return row_end < inside.shape[0] and bool(inside[int(rows.mean()) : row_end, column].all())


def _conus(seen: tuple[str, float] | None, base: int) -> float:
    if seen is None:
        return 0.0
    kind, slot = seen
    away = (base + slot - L1_PLACE) / CONUS_SD_PLACES
    below = 0.5 * (1 - erf(away / sqrt(2)))
    chance = {"ends": float(np.exp(-0.5 * away**2)), "goes on": below, "ended": 1 - below}[kind]
    return log(MISREAD + (1 - MISREAD) * chance)


def _cord(row: Row) -> tuple[str, float] | None:
    """Whether the cord ends within the field, goes on below it or ended above it, and at which slot that is seen."""
    if row.line is None:
        return None
    pixel = row.prediction.pixel_mm
    cord = np.flatnonzero((row.prediction.labels == CORD).any(axis=(0, 2)))
    canal = np.flatnonzero(np.isin(row.prediction.labels, (CANAL, CORD)).any(axis=(0, 2)))
    if not len(cord) or len(cord) * pixel < LEAST_CORD_MM:
        return "ended", slot_at(row, float(canal[0]))
    if (canal[-1] - cord[-1]) * pixel >= CANAL_BELOW_MM:
        return "ends", slot_at(row, float(cord[-1]))
    return "goes on", slot_at(row, float(cord[-1]))


def image_rows(row: Row) -> list[float]:
    """Row of the pictures at which the middle of each segment lies."""
    inverse = np.linalg.inv(row.prediction.affine)
    return [float((inverse @ np.array([*one.segment.centre_mm, 1.0]))[1]) for one in row.placed]


def slot_at(row: Row, image_row: float) -> float:
    """Slot, with fractions, of a row of the pictures; beyond the segments on by the step of those at the end."""
    heights = image_rows(row)
    slots = [float(one.slot) for one in row.placed]
    if len(heights) < 2:
        return slots[0]
    step = (heights[-1] - heights[0]) / (slots[-1] - slots[0])
    if image_row < heights[0]:
        return slots[0] + (image_row - heights[0]) / step
    if image_row > heights[-1]:
        return slots[-1] + (image_row - heights[-1]) / step
    return float(np.interp(image_row, heights, slots))


def _sizes(measured: Sequence[tuple[int, float, float]], base: int) -> float:
    """How well depths and steps of the bodies fit; one factor for the person is found along with it."""
    logs = []
    for slot, depth, step in measured:
        place = base + slot
        for value, table in ((depth, DEPTH_MM), (step, STEP_MM)):
            if value:
                logs.append(log(value / float(np.interp(place, SIZE_PLACES, table))))
    if len(logs) < 2:
        return 0.0
    residuals = np.array(logs)
    person = residuals.mean() / (1 + LEVEL_SD**2 / len(residuals) / PERSON_SD**2)
    within = float(((residuals - person) ** 2).mean()) * min(len(residuals), MOST_BODIES)
    return float(-0.5 * (person / PERSON_SD) ** 2 - 0.5 * within / LEVEL_SD**2)


def _measured(row: Row) -> Sequence[tuple[int, float, float]]:
    """Slot, depth and step to the next body below of each vertebra but C2; 0 where not seen whole."""
    bodies: Mapping[int, Segment] = {o.slot: o.segment for o in row.placed if o.segment.kind == "vertebra"}
    found = []
    for slot, body in bodies.items():
        if body.anchor >= ANCHOR_FROM:
            continue
        below = bodies.get(slot + 2)
        step = 0.0
        if below is not None and body.complete and below.complete:
            step = float(np.linalg.norm(below.centre_mm - body.centre_mm))
        found.append((slot, depth_mm(body), step))
    return found


def depth_mm(segment: Segment) -> float:
    """Depth from front to back, the mean of upper and lower; 0 where a corner is cut."""
    return _mean_of(segment, ((0, 1), (2, 3)))


def height_mm(segment: Segment) -> float:
    """Height, the mean of front and back; 0 where a corner is cut."""
    return _mean_of(segment, ((0, 2), (1, 3)))


def _mean_of(segment: Segment, pairs: Sequence[tuple[int, int]]) -> float:
    corners: Array = segment.corners_mm
    if np.isnan(corners).any():
        return 0.0
    return float(np.mean([np.linalg.norm(corners[a] - corners[b]) for a, b in pairs]))
