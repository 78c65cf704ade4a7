"""What a vertebral body measures: heights against its neighbours, marrow against other bodies.

Height loss compares front, middle and back height with those of the neighbouring bodies, which stand for what the body
once measured (Genant HK et al. 1993, J Bone Miner Res 8:1137, semiquantitative; recalled, source to be confirmed).
Marrow is compared within one picture only: a T2 signal has no unit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dashboard.grading.spine.outlines import Outline
from dashboard.grading.spine.signals import marrow_signal
from dashboard.study.geometry import Array
from dashboard.study.sagittal import SagittalPrediction
from dashboard.study.spine import Spine

FRONT, MIDDLE, BACK = (0.05, 0.25), (0.4, 0.6), (0.75, 0.95)
# 1.4826 turns a median absolute deviation into a standard deviation; the floor is the spread between healthy
# neighbours that a robust spread over a handful of bodies may miss.
MAD_TO_SD, LEAST_SPREAD = 1.4826, 0.08
LEAST_BODIES = 4


@dataclass(frozen=True)
class BodyMeasures:
    """One vertebral body, medians over the planes near the canal's middle.

    Attributes
    ----------
    front_mm, middle_mm, back_mm
        Heights.
    loss
        Largest loss of height, 0 to 1, against the neighbours (front, middle, back); None without a neighbour on
        either side, and where one end was not seen. Negative where the body is taller.
    ends_seen
        Whether a disc lies above it and one below. Without one the edge of the field may cut it: pictures fade to
        black some millimetres before they end, and a body that fades with them looks like a fracture.
    shape
        ``wedge``, ``biconcave`` or ``crush``: where the loss is.
    marrow
        Median signal of the inner part.
    marrow_z
        Robust z of the log of `marrow` among the bodies of this picture, after the trend along them; None for fewer
        than four.
    """

    level: str
    front_mm: float
    middle_mm: float
    back_mm: float
    loss: float | None
    shape: str | None
    ends_seen: bool
    marrow: float
    marrow_z: float | None


def measure_bodies(
    prediction: SagittalPrediction, spine: Spine, near: Sequence[Sequence[Outline]]
) -> dict[int, BodyMeasures]:
    """Measures of every body that the field of view holds whole, by its place in ``spine.named``."""
    places = [k for k, one in enumerate(spine.named) if one.segment.kind == "vertebra" and near[k]]
    places = [k for k in places if spine.named[k].segment.complete]
    heights = {k: _heights(near[k]) for k in places}
    between = {k: heights[k] for k in places if _lies_between_discs(spine, k)}
    marrow = {k: marrow_signal(prediction, near[k]) for k in places}
    outlying = marrow_outliers(marrow)
    found = {}
    for k in places:
        loss, shape = None, None
        if k in between:
            loss, shape = height_loss(between, k, wedged=spine.named[k].level == "L5")
        front, middle, back = (float(v) for v in heights[k])
        found[k] = BodyMeasures(
            spine.named[k].level, front, middle, back, loss, shape, k in between, marrow[k], outlying.get(k)
        )
    return found


def _lies_between_discs(spine: Spine, place: int) -> bool:
    beside = [spine.named[k] for k in (place - 1, place + 1) if 0 <= k < len(spine.named)]
    return len(beside) == 2 and all(one.segment.kind == "disc" for one in beside)


def height_loss(heights: Mapping[int, Array], place: int, wedged: bool = False) -> tuple[float | None, str | None]:
    """Largest loss against the bodies next above and below (both where there are both), and its shape.

    Where both have collapsed themselves, against those beyond them.

    Parameters
    ----------
    heights
        (3) front, middle and back height by place in the row; bodies stand at every other place.
    place
        Whose loss.
    wedged
        Leave the back height out: L5 is lower behind than in front in everybody.
    """
    beside = [heights[k] for k in (place - 2, place + 2) if k in heights]
    whole = [kept for way in (-2, 2) if (kept := _beyond_collapsed(heights, place, way)) is not None]
    if len(whole) == 2:
        beside = whole
    if not beside:
        return None, None
    # The taller neighbour: a neighbour that is itself collapsed must not hide a collapse. Back heights fall and front
    # heights rise down a healthy spine, so the mean of both stands where neither has lost much.
    mean, tallest = np.mean(beside, axis=0), np.max(beside, axis=0)
    expected = np.where(np.min(beside, axis=0) < (1 - GENANT_CUTS[0]) * tallest, tallest, mean)
    lost = 1 - heights[place] / expected
    lost = lost[:2] if wedged else lost
    worst = int(np.argmax(lost))
    everywhere = bool(lost.min() >= GENANT_CUTS[0])
    shape = "crush" if everywhere else ("wedge", "biconcave", "crush")[worst]
    return float(lost[worst]), shape


def _beyond_collapsed(heights: Mapping[int, Array], place: int, way: int) -> Array | None:
    """Heights of the next body but one, where the next one has lost height beside it; None elsewhere.

    Of three collapsed bodies in a row the middle one has no whole neighbour.
    """
    beside, beyond = heights.get(place + way), heights.get(place + 2 * way)
    # All of its heights: at the edge of the field, where pictures fade, single ones are lower in anybody.
    if beside is None or beyond is None or not np.all(beside < (1 - GENANT_CUTS[1]) * beyond):
        return None
    return beyond


# Genant's grades 1, 2 and 3 begin at these losses of height (CLINICAL reference, section 5, recalled).
GENANT_CUTS = (0.20, 0.25, 0.40)


def genant_grade(loss: float) -> str:
    """Genant's semiquantitative grade, 0 to 3, of a loss of height (0 to 1)."""
    return str(sum(loss >= cut for cut in GENANT_CUTS))


def marrow_outliers(marrow: Mapping[int, float]) -> dict[int, float]:
    """Robust z of each body's marrow among the others, by place; empty for fewer than four bodies.

    A straight line along the row is taken out first (Theil-Sen): a coil makes one end of the field brighter.
    """
    if len(marrow) < LEAST_BODIES:
        return {}
    places = np.array(sorted(marrow), float)
    logs = np.log([marrow[int(k)] for k in places])
    first, second = np.triu_indices(len(places), 1)
    slope = float(np.median((logs[second] - logs[first]) / (places[second] - places[first])))
    rest = logs - slope * places
    rest -= np.median(rest)
    spread = max(LEAST_SPREAD, MAD_TO_SD * float(np.median(np.abs(rest))))
    return {int(k): float(value / spread) for k, value in zip(places, rest, strict=True)}


def _heights(shape: Sequence[Outline]) -> Array:
    bodies = [one.between_walls() for one in shape]
    return np.asarray(np.median([[o.height_mm(*part) for part in (FRONT, MIDDLE, BACK)] for o in bodies], axis=0))
