"""The vertebral bodies: bone in front of the canal, parted by the planes of the discs, or by height without one."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from dashboard.grading.spine.corners import touches_edge
from dashboard.grading.spine.field import Cut, Field, Index, regions
from dashboard.grading.spine.midline import C2, CENTRAL_MM
from dashboard.study.geometry import Array

# Engineering constants, settled on the training people of SPIDER and on drawn spines; none is a clinical number.
# The smallest body in a middle picture: a cervical one is about 15 by 12 mm, a cut one less.
LEAST_BODY_MM2 = 45.0
# Of the usual height of its neighbours: a body taller than this is two without a disc between, one lower a fragment.
TWO_BODIES, FRAGMENT = 1.6, 0.4
# From one body's middle to the next is this much more than a body's height: the disc.
STEP_TO_HEIGHT = 1.15
# Bone with this share of C2 in it is C2.
C2_SHARE = 0.5
# C2 and another vertebra in one piece: each has at least this much of it.
BOTH_SHARE = 0.15
# C2 with its dens is more than twice as high as the bodies below it: a lower part labelled C2 is its dens alone, and
# the vertebra below is its own body.
C2_HEIGHT = 1.7
# What may be taken for vertebrae above C2: the arch of C1 and a piece of the skull.
MOST_ABOVE_C2 = 2
# Beside the largest piece of bone between two discs, smaller ones than this are specks.
SPECK_SHARE = 0.1


@dataclass(frozen=True, eq=False)
class Body:
    """Bone between two cuts.

    Attributes
    ----------
    members
        (n) places in ``field.bone``.
    middle
        (3) grid mm.
    height_mm
        Of its foot on the canal.
    extent_mm
        Its own height along the canal.
    c2
        Share of C2 in it.
    doubtful
        Whether it was parted from the one above by height alone.
    """

    members: Index
    middle: Array
    height_mm: float
    extent_mm: float
    c2: float
    doubtful: bool = False


def find_bodies(field: Field, cuts: Sequence[Cut]) -> tuple[list[Cut], list[Body]]:
    """Bodies head to foot, and the cuts with those that had to be added."""
    bodies = _between(field, cuts)
    more = _more_cuts(field, bodies)
    every = sorted([*cuts, *more], key=lambda cut: field.height_of(cut.point))
    if more:
        bodies = _between(field, every)
    usual = usual_heights(bodies)
    whole = [body for body, height in zip(bodies, usual, strict=True) if not _is_fragment(field, body, height)]
    second = next((place for place, body in enumerate(whole) if body.c2 >= C2_SHARE), 0)
    # The arch of C1 and the skull are no vertebrae of the row; more above C2 is another matter.
    return every, whole[second:] if second <= MOST_ABOVE_C2 else whole


def usual_heights(bodies: Sequence[Body]) -> list[float]:
    """Height that each body's neighbours lead one to expect; 0 where too few can be asked."""
    usual = []
    for place in range(len(bodies)):
        near = sorted((k for k in range(len(bodies)) if k != place), key=lambda k: abs(k - place))
        heights = [bodies[k].extent_mm for k in near if bodies[k].c2 < C2_SHARE][:4]
        usual.append(float(np.median(heights)) if len(heights) >= 2 else 0.0)
    return usual


def _between(field: Field, cuts: Sequence[Cut]) -> list[Body]:
    """Bone between each two cuts, above the first and below the last; several where it falls into parts."""
    region = regions(field.bone, cuts)
    bodies: list[Body] = []
    for number in range(len(cuts) + 1):
        doubtful = number > 0 and cuts[number - 1].kind == "height"
        for part in _parts(field, np.flatnonzero(region == number)):
            body = _body(field, part, doubtful)
            if body is not None:
                bodies.append(body)
    return sorted(bodies, key=lambda one: one.height_mm)


def _parts(field: Field, members: Index) -> list[Index]:
    """Connected parts of some bone voxels, gathered where they are at one height."""
    if not len(members):
        return []
    index = field.bone_index[members]
    low = index.min(axis=0)
    block = np.zeros(index.max(axis=0) - low + 1, bool)
    block[tuple((index - low).T)] = True
    parts, count = ndimage.label(block)
    of = parts[tuple((index - low).T)]
    sizes = np.bincount(of, minlength=count + 1)
    groups: list[list[int]] = []
    spans: list[tuple[float, float]] = []
    for part in np.argsort(-sizes[1:]) + 1:
        if sizes[part] < SPECK_SHARE * sizes[1:].max():
            continue
        first, last = np.percentile(index[of == part, 1], [10, 90])
        place = next((k for k, (a, b) in enumerate(spans) if first < b and last > a), None)
        if place is None:
            groups.append([int(part)])
            spans.append((float(first), float(last)))
        else:
            groups[place].append(int(part))
    return [members[np.isin(of, group)] for group in groups]


def _body(field: Field, members: Index, doubtful: bool) -> Body | None:
    """A body, where enough of it lies about the canal's middle."""
    index, points = field.bone_index[members], field.bone[members]
    away = np.abs(index[:, 0] - field.line.plane[index[:, 1]]) * field.scale[0]
    central = away <= max(CENTRAL_MM, field.scale[0] / 2)
    planes = np.unique(index[central, 0])
    if not len(planes) or central.sum() / len(planes) * field.scale[1] * field.scale[2] < LEAST_BODY_MM2:
        return None
    middle = points[central].mean(axis=0)
    low, high = np.percentile((points[central] - middle) @ field.along(middle), [3, 97])
    # Where only the dens is taken for C2, its body counts with it.
    share = min(1.0, 2 * field.share_of(C2, index[central]))
    return Body(members, middle, field.height_of(middle), float(high - low), share, doubtful)


def _more_cuts(field: Field, bodies: Sequence[Body]) -> list[Cut]:
    """Cuts where a body is as tall as two, and between C2 and a vertebra that touches it."""
    more: list[Cut] = []
    for body, height in zip(bodies, usual_heights(bodies), strict=True):
        if body.c2 > BOTH_SHARE:
            more += _under_c2(field, body, height)
        elif height and body.extent_mm > TWO_BODIES * height:
            more += _by_height(field, body, max(2, round(body.extent_mm / (STEP_TO_HEIGHT * height))))
    return more


def _under_c2(field: Field, body: Body, usual: float) -> list[Cut]:
    """A cut below what is C2 of a body, where that is as high as C2 and there is enough of another vertebra below."""
    c2 = field.prediction.labels[tuple(field.bone_index[body.members].T)] == C2
    if not BOTH_SHARE < c2.mean() < 1 - BOTH_SHARE:
        return []
    along = field.along(body.middle)
    way = (field.bone[body.members] - body.middle) @ along
    foot, head = np.percentile(way[c2], 95), np.percentile(way[~c2], 5)
    if np.median(way[~c2]) <= foot or foot - np.percentile(way[c2], 5) < C2_HEIGHT * usual:
        return []
    return [Cut(body.middle + along * (foot + head) / 2, along, "c2")]


def _by_height(field: Field, body: Body, count: int) -> list[Cut]:
    """Cuts that part a block into `count` of equal height, each moved to where it is narrowest nearby."""
    along = field.along(body.middle)
    way = (field.bone[body.members] - body.middle) @ along
    low, high = np.percentile(way, [2, 98])
    pitch, pixel = (high - low) / count, field.scale[1]
    cuts = []
    for number in range(1, count):
        wanted = low + pitch * number
        places = np.arange(wanted - pitch / 4, wanted + pitch / 4, pixel)
        widths = [np.count_nonzero(np.abs(way - place) <= pixel / 2) for place in places]
        cuts.append(Cut(body.middle + along * places[int(np.argmin(widths))], along, "height"))
    return cuts


def _is_fragment(field: Field, body: Body, usual: float) -> bool:
    """Whether a part is too low for a vertebra, unless the edge of the field cuts it."""
    if not usual or body.extent_mm >= FRAGMENT * usual or body.c2 >= C2_SHARE:
        return False
    return not touches_edge(field.prediction, field.bone_index[body.members])
