"""From labels to single vertebrae and discs, head to foot, each with its mask, corners and slot.

Discs are found in the curved picture along the canal; each gives a plane, its own where it is long enough to have one.
The bone in front of the canal is then parted by these planes, in all three directions, whether or not it touches above
and below. What the planes leave uneven (a missing disc, a vertebra not seen) is settled against the neighbours' height.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from scipy import ndimage

from dashboard.grading.spine.bodies import C2_SHARE, Body, find_bodies
from dashboard.grading.spine.corners import corners_of
from dashboard.grading.spine.discs import PLANE_FIT_MM, SAME_PLACE_MM, disc_cuts
from dashboard.grading.spine.field import Cut, Field, Index, regions
from dashboard.grading.spine.midline import LUMBOSACRAL, Mask, Midline, midline
from dashboard.study.geometry import Array
from dashboard.study.sagittal import SagittalPrediction
from dashboard.study.spine import Segment

# A step from body to body this much longer than those beside it passes over one that was not seen.
STEP_OVER_ONE = 1.6
# A torn disc stays whole: pieces of this share of the largest belong to it.
PIECE_SHARE = 0.2


@dataclass(frozen=True, eq=False)
class Placed:
    """A segment and its slot: vertebrae stand in even ones, each disc in the odd one below its vertebra.

    A slot without a segment is a level that must be there and was not seen. `doubtful` segments rest on a height rather
    than on something seen.
    """

    slot: int
    segment: Segment
    doubtful: bool = False


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
    if line is None:
        return ()
    field = Field(prediction, line)
    cuts, bodies = find_bodies(field, disc_cuts(field))
    return _in_slots(field, cuts, bodies) if bodies else ()


def _in_slots(field: Field, cuts: Sequence[Cut], bodies: Sequence[Body]) -> tuple[Placed, ...]:
    steps = _steps(bodies)
    slots = [2 * int(slot) for slot in np.concatenate([[0], np.cumsum(steps)])]
    found = [
        Placed(slot, _vertebra(field, body), body.doubtful or (place > 0 and steps[place - 1] > 1))
        for place, (slot, body) in enumerate(zip(slots, bodies, strict=True))
    ]
    region = regions(field.disc, cuts)
    for number, cut in enumerate(cuts):
        slot = _slot_of(field, cut, bodies, slots)
        if cut.kind != "disc" or any(one.slot == slot for one in found):
            continue
        segment = _disc(field, number, cuts, region)
        if segment is not None:
            found.append(Placed(slot, segment))
    # A disc above the first vertebra: its own vertebra was not seen.
    shift = 2 if min(one.slot for one in found) < 0 else 0
    return tuple(sorted((replace(one, slot=one.slot + shift) for one in found), key=lambda one: one.slot))


def _steps(bodies: Sequence[Body]) -> list[int]:
    """How many levels lie from each body to the next: 1, or more where one must lie between."""
    ways = [float(np.linalg.norm(b.middle - a.middle)) - _dens_mm(a, b) for a, b in pairwise(bodies)]
    steps = []
    for place, way in enumerate(ways):
        near = sorted((k for k in range(len(ways)) if k != place), key=lambda k: abs(k - place))[:4]
        usual = float(np.median([ways[k] for k in near])) if len(near) >= 2 else way
        steps.append(max(1, round(way / usual)) if way > STEP_OVER_ONE * usual else 1)
    return steps


def _dens_mm(body: Body, below: Body) -> float:
    """How much farther from the next body the middle of C2 lies than others, for its dens; 0 for another."""
    return max(0.0, body.extent_mm - below.extent_mm) / 2 if body.c2 >= C2_SHARE else 0.0


def _slot_of(field: Field, cut: Cut, bodies: Sequence[Body], slots: Sequence[int]) -> int:
    """Slot of a disc: below the last body above it, or above the first."""
    height = field.height_of(cut.point)
    above = [place for place, body in enumerate(bodies) if body.height_mm < height]
    if not above:
        return -1
    last = above[-1]
    if last + 1 < len(bodies) and slots[last + 1] - slots[last] > 2:
        # Levels that were not seen lie between: each disc belongs to the one whose place it is at.
        share = (height - bodies[last].height_mm) / (bodies[last + 1].height_mm - bodies[last].height_mm)
        return slots[last] + 2 * int(share * (slots[last + 1] - slots[last]) / 2) + 1
    return slots[last] + 1


def _vertebra(field: Field, body: Body) -> Segment:
    return _segment(field, "vertebra", field.bone_index[body.members], body.middle, body.c2)


def _disc(field: Field, number: int, cuts: Sequence[Cut], region: Index) -> Segment | None:
    """The disc whose plane is the given cut: the voxels nearer to it than to any other."""
    cut = cuts[number]
    distance = np.abs(cut.below(field.disc))
    mine = ((region == number) | (region == number + 1)) & (distance <= 2 * SAME_PLACE_MM)
    for other in cuts[max(0, number - 1) : number + 2]:
        if other is not cut and other.kind == "disc":
            mine &= distance <= np.abs(other.below(field.disc))
    if not mine.any():
        return None
    index = _main_part(field.disc_index[mine])
    near = index[np.abs(index[:, 0] * field.scale[0] - cut.point[0]) <= PLANE_FIT_MM]
    return _segment(field, "disc", index, cut.point, field.share_of(LUMBOSACRAL, near))


def _segment(field: Field, kind: str, index: Index, middle: Array, anchor: float) -> Segment:
    prediction = field.prediction
    mask: Mask = np.zeros(prediction.labels.shape, bool)
    mask[tuple(index.T)] = True
    row = int(np.clip(round(float(middle[1] / field.scale[1])), 0, prediction.labels.shape[1] - 1))
    planes = np.unique(index[:, 0])
    plane = int(planes[np.abs(planes - field.line.plane[row]).argmin()])
    dens = kind == "vertebra" and anchor >= C2_SHARE
    corners, cut = corners_of(prediction, mask[plane], plane, field.along(middle)[1:], kind, dens)
    rows, columns = np.nonzero(mask[plane])
    centre = prediction.affine @ np.array([plane, rows.mean(), columns.mean(), 1.0])
    return Segment(kind, np.asarray(centre[:3]), corners, plane, mask, not cut, min(1.0, anchor))


def _main_part(index: Index) -> Index:
    """The largest connected part of some voxels (n, 3), and pieces large enough to have been torn off it."""
    low = index.min(axis=0)
    block = np.zeros(index.max(axis=0) - low + 1, bool)
    block[tuple((index - low).T)] = True
    parts, count = ndimage.label(block, np.ones((3, 3, 3)))
    of = parts[tuple((index - low).T)]
    sizes = np.bincount(of, minlength=count + 1)
    return np.asarray(index[sizes[of] >= PIECE_SHARE * sizes[1:].max()])
