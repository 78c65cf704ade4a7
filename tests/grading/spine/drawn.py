"""A drawn lumbar spine in sagittal planes with known heights, slips and bulges. Numbers only.

Bodies are boxes 35 mm deep and 28 mm high with discs of 8 mm between them, straight down, in front of a canal of 14 mm
that holds a cord of 7 mm down to L1. Lengths are known to half a pixel.
"""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from dashboard.grading.spine.measures import SpineMeasures, measure_spine
from dashboard.study.finding_models import FEATURES, STEPS_OF, FindingModel, SpineModels
from dashboard.study.sagittal import SAGITTAL_CLASSES, SagittalPrediction
from dashboard.study.spine import NamedSegment, Segment, Spine

PIXEL_MM, PLANE_MM, PLANES = 0.8, 3.0, 7
OTHER, VERTEBRA, DISC, CANAL, CORD, LUMBOSACRAL, C2 = range(len(SAGITTAL_CLASSES))
LEVELS = ("T12", "T12/L1", "L1", "L1/2", "L2", "L2/3", "L3", "L3/4", "L4", "L4/5", "L5", "L5/S1")
BODY_MM, DISC_MM, DEPTH_MM = 28.0, 8.0, 35.2
TOP_MM, FRONT_MM = 16.0, 40.0
CANAL_MM, CORD_MM, GAP_MM = 14.4, 7.2, 3.2
MARROW, NUCLEUS, ANNULUS, CSF, CORD_SIGNAL, FAT = 0.4, 0.5, 0.12, 1.0, 0.45, 0.3
MIDDLE = PLANES // 2


@dataclass(frozen=True)
class Drawing:
    """What differs from the plain spine, by level.

    `height` of a body or disc at the front and the back; `forward` moves a body; `bulge` adds mm behind a disc in the
    planes within `bulge_reach` of the middle; `marrow` and `nucleus` are signals; `canal` narrows the canal (mm left).
    """

    height: dict[str, tuple[float, float]] = field(default_factory=dict)
    forward: dict[str, float] = field(default_factory=dict)
    bulge: dict[str, float] = field(default_factory=dict)
    bulge_reach: int = PLANES
    marrow: dict[str, float] = field(default_factory=dict)
    nucleus: dict[str, float] = field(default_factory=dict)
    canal: dict[str, float] = field(default_factory=dict)
    cord_end: str = "L1"


def drawn(drawing: Drawing | None = None, certain: bool = True) -> tuple[SagittalPrediction, Spine]:
    """Prediction and spine of a drawing."""
    wanted = drawing or Drawing()
    heights = {name: wanted.height.get(name, (usual(name), usual(name))) for name in LEVELS}
    total = TOP_MM + sum(usual(name) for name in LEVELS) + 30
    rows, columns = int(total / PIXEL_MM), int((FRONT_MM + DEPTH_MM + CANAL_MM + 40) / PIXEL_MM)
    row = (np.arange(rows) + 0.5) * PIXEL_MM
    column = (np.arange(columns) + 0.5) * PIXEL_MM
    labels = np.zeros((PLANES, rows, columns), np.uint8)
    image = np.full(labels.shape, FAT, np.float32)
    named, top = [], TOP_MM
    _canal(labels, image, row, column, wanted)
    for name in LEVELS:
        mask = _segment(name, top, heights[name], row, column, wanted)
        labels[mask] = {True: LUMBOSACRAL if name == "L5/S1" else DISC, False: VERTEBRA}["/" in name]
        _paint(image, mask, name, column, wanted)
        named.append((name, mask))
        top += usual(name)
    affine = np.diag([PLANE_MM, PIXEL_MM, PIXEL_MM, 1.0])[[0, 2, 1, 3]]
    affine[2] *= -1
    prediction = SagittalPrediction(
        "1.2.3", 0, affine, PIXEL_MM, image, np.ones(labels.shape, bool), labels,
        np.full(labels.shape, 255, np.uint8), labels,
    )  # fmt: skip
    spine = Spine("1.2.3", 0, tuple(_named(prediction, *one) for one in named), "sacrum", certain)
    return prediction, spine


def measured(drawing: Drawing | None = None) -> tuple[SpineMeasures, dict[str, int]]:
    """Measures of a drawing, and the place of each level."""
    prediction, spine = drawn(drawing)
    return measure_spine(prediction, spine), {one.level: k for k, one in enumerate(spine.named)}


def cut(spine: Spine, level: str) -> Spine:
    """The spine with one segment that the field of view cuts."""
    named = tuple(
        replace(one, segment=replace(one.segment, complete=False)) if one.level == level else one for one in spine.named
    )
    return replace(spine, named=named)


def flat_models(**cuts: float) -> SpineModels:
    """Models that say one half of everything, whatever the features, with cuts by name."""
    return SpineModels(**{name: one_model(name, cut=cuts.get(name, 0.6)) for name in FEATURES})


def one_model(
    name: str, weights: tuple[float, ...] | None = None, cut: float = 0.5, offset: float = 0.0
) -> FindingModel:
    """A model of one finding in plain units: centre 0, spread 1."""
    count, steps = len(FEATURES[name]), STEPS_OF[name]
    return FindingModel(
        FEATURES[name], (0.0,) * count, (1.0,) * count, weights or (0.0,) * count,
        tuple(offset - k for k in range(steps)), cut=cut,
    )  # fmt: skip


def place(level: str) -> dict[str, Any]:
    """Where a finding lies, with its level sure."""
    return {
        "level": level,
        "level_certain": True,
        "series_instance_uid": "1.2.3",
        "level_series_instance_uid": "1.2.3",
        "position_mm": (0.0, 0.0, 0.0),
    }


def usual(name: str) -> float:
    """Height in mm of a segment of the plain spine."""
    return DISC_MM if "/" in name else BODY_MM


def _segment(name, top, ends, row, column, wanted):
    depth = np.clip((column - FRONT_MM) / DEPTH_MM, 0, 1)
    height = ends[0] + depth * (ends[1] - ends[0])
    # Heights shrink about the middle, as they do when a body collapses in place.
    middle = top + usual(name) / 2
    forward = wanted.forward.get(name, 0.0)
    mask = np.zeros((PLANES, len(row), len(column)), bool)
    for plane in range(PLANES):
        beyond = wanted.bulge.get(name, 0.0) if abs(plane - MIDDLE) <= wanted.bulge_reach else 0.0
        inside = (column >= FRONT_MM - forward) & (column < FRONT_MM - forward + DEPTH_MM + beyond)
        # A disc stays clear of the bodies' mask by a cortex.
        mask[plane] = inside[None, :] & (np.abs(row[:, None] - middle) < height[None, :] / 2 - 0.4)
    return mask


def _canal(labels, image, row, column, wanted):
    front, back = FRONT_MM + DEPTH_MM + GAP_MM, FRONT_MM + DEPTH_MM + GAP_MM + CANAL_MM
    ends = {}
    top = TOP_MM
    for name in LEVELS:
        ends[name] = (top, top + usual(name))
        top += usual(name)
    starts = np.full(len(row), front)
    for name, left in wanted.canal.items():
        starts[(row >= ends[name][0]) & (row < ends[name][1])] = back - left
    sac = (column[None, :] >= starts[:, None]) & (column[None, :] < back)
    above = row < np.mean(ends[wanted.cord_end])
    cord_front = np.maximum(starts, front + (CANAL_MM - CORD_MM) / 2)
    cord = sac & above[:, None] & (column[None, :] >= cord_front[:, None])
    cord &= column[None, :] < front + (CANAL_MM + CORD_MM) / 2
    for plane in range(PLANES):
        # The canal is round: planes beside the middle cut it shorter.
        shrink = 1.0 - 0.08 * abs(plane - MIDDLE)
        narrow = np.abs(column - (front + back) / 2) <= shrink * CANAL_MM / 2
        labels[plane][sac & narrow] = CANAL
        labels[plane][cord & narrow] = CORD
        image[plane][sac & narrow] = CSF
        image[plane][cord & narrow] = CORD_SIGNAL


def _paint(image, mask, name, column, wanted):
    if "/" not in name:
        image[mask] = wanted.marrow.get(name, MARROW)
        return
    share = (column - FRONT_MM) / DEPTH_MM
    nucleus = (share > 0.25) & (share < 0.75)
    image[mask & nucleus] = wanted.nucleus.get(name, NUCLEUS)
    image[mask & ~nucleus] = ANNULUS


def _named(prediction, name, mask):
    places = np.argwhere(mask)
    centre = (prediction.affine @ np.append(places.mean(axis=0), 1.0))[:3]
    kind = "disc" if "/" in name else "vertebra"
    segment = Segment(kind, centre, np.full((4, 3), np.nan), MIDDLE, mask, True)
    return NamedSegment(segment, name, 1.0)


def blocked(prediction: SagittalPrediction, top_mm: float, length_mm: float) -> SagittalPrediction:
    """The same with nothing outlined in the canal over a length of it."""
    labels = prediction.labels.copy()
    rows = slice(round(top_mm / PIXEL_MM), round((top_mm + length_mm) / PIXEL_MM))
    labels[:, rows][np.isin(labels[:, rows], (CANAL, CORD))] = OTHER
    return replace(prediction, labels=labels)
