"""What a disc measures: height, signal, what passes its border to the back, and the slip of the body above.

Disc height index: mean height over the inner half of the disc's depth, divided by the mean height of the bodies above
and below (after Masuda K et al. 2005, Spine 30:5, there on radiographs of rabbits; recalled, source to be confirmed).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dashboard.grading.spine.canal import CanalStation
from dashboard.grading.spine.outlines import Outline
from dashboard.grading.spine.signals import INNER_HALF, DiscSignals, disc_signals, marrow_signal
from dashboard.study.geometry import Array
from dashboard.study.sagittal import SagittalPrediction
from dashboard.study.spine import NamedSegment, Spine

# The end of an endplate: where the disc's border leaves the line through its inner part by more than this.
LEAVES_MM = 1.6


@dataclass(frozen=True)
class DiscMeasures:
    """One disc, medians over the planes near the canal's middle; None where something it needs is out of the field.

    Attributes
    ----------
    height_mm, depth_mm
        Mean over the inner half of the depth; front to back.
    front_mm, back_mm
        Height in the front and the back quarter.
    height_index
        Disc height index (module docstring).
    relative_height
        `height_mm` / `depth_mm` over that of the other discs of this spine (upper quartile).
    signals
        Signals within it.
    bulge_mm, bulge_widest_mm
        How far the disc passes the line between the back corners of its neighbours: median plane, and farthest plane.
    bulge_high_mm
        How tall, head to foot, that part is where it is farthest.
    focal_mm
        `bulge_widest_mm` less the median over all planes: what stands out of a bulge.
    overhang_mm
        Disc's depth less the mean depth of the endplates beside it.
    shift_percent
        Body above against body below, mean of front and back corners along the bisector of the two endplates, forward
        positive; over the endplate's depth. A slip moves both ends alike, an osteophyte or a rounded corner one.
    slip_mm, slip_percent
        The same from back corners alone, as Meyerding measures it, where that agrees in direction with the mean and is
        larger; else the mean.
    canal_percent
        Most narrowing (MCC) of the canal beside the disc.
    """

    level: str
    height_mm: float
    depth_mm: float
    front_mm: float
    back_mm: float
    height_index: float | None
    relative_height: float | None
    signals: DiscSignals
    bulge_mm: float | None
    bulge_widest_mm: float | None
    bulge_high_mm: float | None
    focal_mm: float | None
    overhang_mm: float | None
    shift_percent: float | None
    slip_mm: float | None
    slip_percent: float | None
    canal_percent: float | None


def measure_discs(
    prediction: SagittalPrediction,
    spine: Spine,
    near: Sequence[Sequence[Outline]],
    wide: Sequence[Sequence[Outline]],
    canal: Sequence[CanalStation],
) -> dict[int, DiscMeasures]:
    """Measures of every disc of which there is an outline, by its place in ``spine.named``.

    Parameters
    ----------
    near, wide
        :func:`~dashboard.grading.spine.outlines.outlines` near the middle of the canal and beyond.
    canal
        :func:`~dashboard.grading.spine.canal.canal_profile` of the same spine.
    """
    places = [k for k, one in enumerate(spine.named) if one.segment.kind == "disc" and near[k] and _whole(one, near[k])]
    slim = {k: float(np.median([o.height_mm(*INNER_HALF) / o.depth_mm for o in near[k]])) for k in places}
    found = {}
    for k in places:
        others = [slim[other] for other in places if other != k]
        relative = slim[k] / float(np.quantile(others, 0.75)) if len(others) > 1 else None
        found[k] = _disc(prediction, spine, k, near, wide, canal, relative)
    return found


def bodies_beside(spine: Spine, place: int) -> tuple[int | None, int | None]:
    """Places of the vertebrae right above and below a disc; None where there is none."""
    above, below = place - 1, place + 1
    has_above = above >= 0 and spine.named[above].segment.kind == "vertebra"
    has_below = below < len(spine.named) and spine.named[below].segment.kind == "vertebra"
    return above if has_above else None, below if has_below else None


def _whole(one: NamedSegment, outlines_: Sequence[Outline]) -> bool:
    return one.segment.complete and bool(outlines_)


def _disc(
    prediction: SagittalPrediction,
    spine: Spine,
    place: int,
    near: Sequence[Sequence[Outline]],
    wide: Sequence[Sequence[Outline]],
    canal: Sequence[CanalStation],
    relative: float | None,
) -> DiscMeasures:
    above, below = (None if k is None or not near[k] else k for k in bodies_beside(spine, place))
    shape, level = near[place], spine.named[place].level
    height = _median([o.height_mm(*INNER_HALF) for o in shape])
    whole = [k for k in (above, below) if k is not None and spine.named[k].segment.complete]
    body = [_median([o.height_mm(*INNER_HALF) for o in near[k]]) for k in whole]
    marrow = [marrow_signal(prediction, near[k]) for k in (above, below) if k is not None]
    passed = [
        _passed(o, _in_plane(wide, above, o.plane), _in_plane(wide, below, o.plane))
        for o in wide[place]
        if above is not None
    ]
    farthest = max(passed, default=None)
    middle = {o.plane for o in shape}
    central = [one[0] for one, o in zip(passed, wide[place], strict=False) if o.plane in middle]
    slips = [_slip(o, _in_plane(near, above, o.plane), _in_plane(near, below, o.plane)) for o in shape]
    slip = _agreed([one for one in slips if one is not None])
    narrowed = [one.mcc_percent for one in canal if one.level == level and one.mcc_percent is not None]
    return DiscMeasures(
        level=level,
        height_mm=height,
        depth_mm=_median([o.depth_mm for o in shape]),
        front_mm=_median([o.height_mm(0.05, 0.25) for o in shape]),
        back_mm=_median([o.height_mm(0.75, 0.95) for o in shape]),
        height_index=height / float(np.mean(body)) if body else None,
        relative_height=relative,
        signals=disc_signals(prediction, shape, float(np.mean(marrow)) if marrow else None),
        bulge_mm=_median(central) if central else None,
        bulge_widest_mm=None if farthest is None else farthest[0],
        bulge_high_mm=None if farthest is None else farthest[1],
        focal_mm=None if farthest is None else farthest[0] - _median([one[0] for one in passed]),
        overhang_mm=_overhang(shape, near, above, below),
        shift_percent=None if slip is None else slip[0],
        slip_mm=None if slip is None else slip[1],
        slip_percent=None if slip is None else slip[2],
        canal_percent=max(narrowed, default=None),
    )


def _median(values: Sequence[float]) -> float:
    return float(np.median(values))


def _overhang(
    shape: Sequence[Outline], near: Sequence[Sequence[Outline]], above: int | None, below: int | None
) -> float | None:
    """Mm by which a disc is deeper than the endplates it lies between."""
    plates = [
        float(np.linalg.norm(o.corner(upper, True) - o.corner(upper, False)))
        for k, upper in ((above, False), (below, True))
        if k is not None
        for o in near[k]
    ]
    return _median([o.depth_mm for o in shape]) - _median(plates) if plates else None


def _in_plane(outlines_: Sequence[Sequence[Outline]], place: int | None, plane: int) -> Outline | None:
    """Outline of a segment in one plane, else in the nearest one."""
    if place is None or not outlines_[place]:
        return None
    return min(outlines_[place], key=lambda o: abs(o.plane - plane))


def _lower_back(disc: Outline, below: Outline | None) -> Array:
    """Back corner of the endplate under a disc: that of the body, or where the disc's border leaves the endplate."""
    return below.corner(upper=True, back=True) if below is not None else _border_end(disc, back=True)


def _border_end(disc: Outline, back: bool) -> Array:
    middle, direction = disc.endplate(upper=False)
    points = np.stack([disc.point(a, x) for a, x in zip(disc.along, disc.lower, strict=True)])
    off = np.abs((points - middle) @ np.array([direction[1], -direction[0]]))
    on = np.flatnonzero(off <= LEAVES_MM)
    end = -1 if back else 0
    return np.asarray(points[on[end]] if len(on) else points[end])


def _passed(disc: Outline, above: Outline | None, below: Outline | None) -> tuple[float, float]:
    """How far (mm) a disc passes the line between the back corners of its neighbours, and how tall that part is."""
    if above is None:
        return 0.0, 0.0
    upper, lower = above.corner(upper=False, back=True), _lower_back(disc, below)
    line = lower - upper
    length = float(np.linalg.norm(line))
    if length <= 0:
        return 0.0, 0.0
    along = line / length
    backward = np.array([-along[1], along[0]])
    backward = backward if backward @ disc.axis > 0 else -backward
    half = disc.along > np.median(disc.along)
    edge = np.concatenate(
        [
            [disc.point(a, x) for a, x in zip(disc.along[half], disc.upper[half], strict=True)],
            [disc.point(a, x) for a, x in zip(disc.along[half], disc.lower[half], strict=True)],
            [disc.point(float(disc.along[-1]), float((disc.upper[-1] + disc.lower[-1]) / 2))],
        ]
    )
    beyond = (edge - upper) @ backward
    most = float(beyond.max())
    if most <= 0:
        return most, 0.0
    part = (edge - upper)[beyond > most / 2] @ along
    return most, float(np.ptp(part))


def _slip(disc: Outline, above: Outline | None, below: Outline | None) -> tuple[float, float, float] | None:
    """Forward slip of the body above, mm, at the front and at the back corners, and the depth of the endplate, mm."""
    if above is None:
        return None
    over = above.endplate(upper=False)[1]
    under = disc.endplate(upper=False)[1] if below is None else below.endplate(upper=True)[1]
    # Along the bisector: along one endplate, the wedge of a lordotic disc would count as a slip backward.
    direction = (over + under) / np.linalg.norm(over + under)
    uppers = [above.corner(upper=False, back=back) for back in (False, True)]
    lowers = [
        _border_end(disc, back) if below is None else below.corner(upper=True, back=back) for back in (False, True)
    ]
    depth = float(np.linalg.norm(uppers[1] - uppers[0] if below is None else lowers[1] - lowers[0]))
    if depth <= 0:
        return None
    front, back = (float((low - up) @ direction) for up, low in zip(uppers, lowers, strict=True))
    return front, back, depth


def _agreed(slips: Sequence[tuple[float, float, float]]) -> tuple[float, float, float] | None:
    """Mean shift in percent, and the slip to report in mm and percent; medians over planes."""
    if not slips:
        return None
    front, back, depth = (_median([one[k] for one in slips]) for k in range(3))
    mean = (front + back) / 2
    told = back if back * mean > 0 and abs(back) > abs(mean) else mean
    return 100 * mean / depth, told, 100 * told / depth
