"""One series: every slice measured, gated and graded, before neighbours are asked."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from dashboard.grading.bilsky import SliceGrade, grade_slice
from dashboard.grading.extent import SERIES_REASONS, cord_end, series_obstacle
from dashboard.grading.gaps import SliceState
from dashboard.grading.masks import slice_masks
from dashboard.grading.morphometry import Measures, measure
from dashboard.grading.quality import Gate, Obstacle, gate_slice
from dashboard.grading.thresholds import GradingThresholds
from dashboard.grading.words import rank
from dashboard.study import SeriesPrediction, SlicePrediction


@dataclass(frozen=True, eq=False)
class GradedSlice:
    """A slice with its measures and gate, and the grade it has or would have had."""

    prediction: SlicePrediction
    measures: Measures
    gate: Gate
    grade: SliceGrade

    @property
    def state(self) -> SliceState:
        """What gap finding needs; the model alone speaks for a slice whose outlines are in doubt."""
        of = self.grade.grade if self.gate.passed else self.grade.head_grade
        return SliceState(self.prediction.centre_mm, self.gate.passed, self.gate.grade_owed, rank(of))


@dataclass(frozen=True, eq=False)
class GradedSeries:
    """The slices of a series, head to foot, and why none was analysed where none was."""

    slices: tuple[GradedSlice, ...]
    reason: str | None
    orientation_ok: bool


def grade_series(prediction: SeriesPrediction, thresholds: GradingThresholds) -> GradedSeries:
    """Measure, gate and grade every slice, then judge the series as a whole."""
    slices = [_grade(one, thresholds) for one in prediction.slices]
    kind = series_obstacle([one.gate.obstacles for one in slices])
    if kind is not None:
        slices = [_blocked(one, kind) for one in slices]
        return GradedSeries(tuple(slices), SERIES_REASONS[kind], kind is not Obstacle.WRONG_GEOMETRY)
    slices = _within_cord(slices)
    return GradedSeries(tuple(slices), _nothing_analysed(slices), True)


def _grade(prediction: SlicePrediction, thresholds: GradingThresholds) -> GradedSlice:
    measures = measure(slice_masks(prediction.labels, prediction.pixel_mm))
    gate = gate_slice(prediction, measures, thresholds)
    return GradedSlice(prediction, measures, gate, grade_slice(prediction.at_least, measures, thresholds))


def _blocked(one: GradedSlice, obstacle: Obstacle) -> GradedSlice:
    return replace(one, gate=Gate((obstacle,)))


def _within_cord(slices: Sequence[GradedSlice]) -> list[GradedSlice]:
    """Hold that the cord ends once: what contradicts it is not graded, and where the cord is missed it is owed."""
    shows_cord = np.array([one.gate.passed for one in slices], bool)
    no_cord = np.array([Obstacle.NO_CORD in one.gate.obstacles for one in slices], bool)
    end = cord_end(shows_cord, no_cord)
    first = int(shows_cord.argmax()) if shows_cord.any() else len(slices)
    judged = []
    for index, one in enumerate(slices):
        if index >= end and one.gate.passed:
            one = _blocked(one, Obstacle.BELOW_CORD)
        elif first < index < end and no_cord[index]:
            one = _blocked(one, Obstacle.CORD_NOT_FOUND)
        judged.append(one)
    return judged


def _nothing_analysed(slices: Sequence[GradedSlice]) -> str | None:
    if any(one.gate.passed for one in slices):
        return None
    if not slices:
        return "no axial slice could be made from this series"
    found = Counter(one.gate.obstacles[0] for one in slices)
    most = max(found, key=lambda obstacle: (found[obstacle], -list(Obstacle).index(obstacle)))
    return f"no slice could be graded: {most.value}"
