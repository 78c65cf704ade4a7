"""One series: every slice measured, gated and graded, before neighbours are asked."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from dashboard.grading.beside import compare
from dashboard.grading.bilsky import SliceGrade, grade_slice
from dashboard.grading.continuity import carried
from dashboard.grading.extent import (
    LEAST_CORD_MM,
    SERIES_REASONS,
    WRONG_KINDS,
    cauda_follows,
    cord_end,
    of_right_kind,
    series_obstacle,
    too_short_for_a_cord,
)
from dashboard.grading.gaps import COMPRESSED_FROM, SliceState
from dashboard.grading.morphometry import Measures, measure
from dashboard.grading.quality import (
    LEAST_CANAL_SEEN,
    LEAST_CSF_MM2,
    LEAST_INSIDE,
    LEAST_TUMOUR_MM2,
    Gate,
    Obstacle,
    gate_slice,
)
from dashboard.grading.thresholds import GradingThresholds
from dashboard.grading.words import rank
from dashboard.study import SCENES, SeriesPrediction, SlicePrediction
from dashboard.study.masks import slice_masks

# End planes of reformats that showed 0.70 and 0.75 of what the others did were graded 2, or gave no cord, in healthy
# volumes; native stacks always show the same.
LEAST_SHARE_OF_USUAL_FIELD = 0.8
# A plane that shows as much as the others do, but for rounding: a slab's crops may all lie half outside.
WHOLE_FIELD = 0.95
# More CSF than this about no cord is a cauda equina, whatever lies below: there the head calls most healthy slices 3.
CAUDA_CSF_MM2 = 60.0
# The conus is not seen to end in one slice: cord, roots and cord again within this much above its end (6 to 12 mm in
# eight of 27 lumbar volumes), each time in a sac as open as those beside. None of 198 slices there with a 2 or 3
# implanted had that much CSF and no tumour outlined, 1 of 83 with a 1c, 918 of 976 untouched ones.
CONUS_MM = LEAST_CORD_MM


@dataclass(frozen=True, eq=False)
class GradedSlice:
    """A slice with its measures and gate, and the grade it has or would have had.

    `at_end` marks slices above the first that was graded, or below the last; `whole` those that show as much of the
    field of view as the others do; `heard` those whose head is heard though the slice was not graded.
    """

    prediction: SlicePrediction
    measures: Measures
    gate: Gate
    grade: SliceGrade
    at_end: bool = False
    whole: bool = True
    heard: bool = True

    @property
    def no_cord(self) -> float:
        """P(no cord) of the scene."""
        return float(self.prediction.scene[SCENES.index("no_cord")])

    @property
    def suspicion(self) -> str:
        """The grade of the slice, or the head's where that counts although the slice was not graded, else 0."""
        if self.gate.passed:
            return self.grade.grade
        return self.grade.head_grade if self.heard and self._known else "0"

    @property
    def _known(self) -> bool:
        """Whether the slice is one of which the head's opinion means something; the first obstacle decides."""
        # At the end of a reformat the plane leaves the volume, and the head takes the nothing beyond for tumour.
        if self.at_end and not self.whole:
            return False
        if self.gate.obstacles[0] is Obstacle.FIELD_EDGE:
            return self.prediction.canal_inside >= LEAST_CANAL_SEEN and self.prediction.inside >= LEAST_INSIDE
        # Between slices of a spine there is spine: what makes one unlike the rest may be the tumour.
        return self.gate.known or (self.gate.obstacles[0] is Obstacle.UNLIKE and not self.at_end)

    @property
    def state(self) -> SliceState:
        """What gap finding needs; the model alone speaks for a slice whose outlines are in doubt."""
        severity = rank(self.suspicion)
        first, quiet = self.gate.obstacles[:1], severity < COMPRESSED_FROM
        # The skull base looks turned to the model, and a reformat's ends leave the volume: nothing is lost there.
        minor = self.at_end and first in ((Obstacle.WRONG_GEOMETRY,), (Obstacle.FIELD_EDGE,)) and quiet
        beyond = self.at_end and not self.whole
        centre, normal = self.prediction.centre_mm, self.prediction.normal
        return SliceState(centre, normal, self.gate.passed, self.gate.grade_owed, severity, minor, beyond)


@dataclass(frozen=True, eq=False)
class GradedSeries:
    """The slices of a series, head to foot, and why none was analysed where none was."""

    slices: tuple[GradedSlice, ...]
    reason: str | None
    orientation_ok: bool


def grade_series(prediction: SeriesPrediction, thresholds: GradingThresholds) -> GradedSeries:
    """Measure, gate and grade every slice, then judge the series as a whole."""
    slices = graded_slices(prediction, thresholds)
    slices = _whole_field(slices)
    kind = series_obstacle([one.gate.obstacles for one in slices], [one.prediction.scene for one in slices])
    if kind is not None:
        slices = [_blocked(one, kind) for one in slices]
        return GradedSeries(tuple(slices), SERIES_REASONS[kind], kind is not Obstacle.WRONG_GEOMETRY)
    slices = _within_cord(slices)
    return GradedSeries(tuple(slices), _nothing_analysed(slices), True)


def graded_slices(prediction: SeriesPrediction, thresholds: GradingThresholds) -> list[GradedSlice]:
    """Every slice measured, gated and graded, before the series is judged as a whole."""
    masks = [slice_masks(one.labels, one.pixel_mm) for one in prediction.slices]
    measured = [measure(one) for one in masks]
    gates = [gate_slice(one, m, thresholds) for one, m in zip(prediction.slices, measured, strict=True)]
    slices = carried(prediction.slices, [gate.passed for gate in gates])
    gates = [gate_slice(one, m, thresholds) for one, m in zip(slices, measured, strict=True)]
    unsuspected = [
        gate.passed and one.at_least[0] < thresholds.grade_cut[0] for one, gate in zip(slices, gates, strict=True)
    ]
    centres = np.array([one.centre_mm for one in slices]).reshape(-1, 3)
    compared = compare(masks, centres, unsuspected)
    beside = [
        m if found is None else replace(m, cord_area_ratio=found.area_ratio, cord_change_mm=found.change_mm)
        for m, found in zip(measured, compared, strict=True)
    ]
    return [
        GradedSlice(one, m, gate, grade_slice(one.at_least, m, thresholds))
        for one, m, gate in zip(slices, beside, gates, strict=True)
    ]


def _blocked(one: GradedSlice, obstacle: Obstacle) -> GradedSlice:
    return replace(one, gate=Gate((obstacle,)))


def _whole_field(slices: Sequence[GradedSlice]) -> list[GradedSlice]:
    """Refuse the ends of a reformat, where the plane leaves the volume and shows less than the rest does.

    So may stored ones that a scanner reformatted; but of those no one knows that nothing was acquired beyond.
    """
    shares: dict[int, list[float]] = {}
    for one in slices:
        shares.setdefault(one.prediction.volume_index, []).append(one.prediction.inside)
    usual = {index: float(np.median(inside)) for index, inside in shares.items()}
    return [_whole(one, usual[one.prediction.volume_index]) for one in slices]


def _whole(one: GradedSlice, usual: float) -> GradedSlice:
    stored = one.prediction.frame is not None
    judged = replace(one, whole=stored or one.prediction.inside >= WHOLE_FIELD * usual)
    if one.gate.known and one.prediction.inside < LEAST_SHARE_OF_USUAL_FIELD * usual:
        return _blocked(judged, Obstacle.FIELD_EDGE)
    return judged


def _within_cord(slices: list[GradedSlice]) -> list[GradedSlice]:
    """Hold that the cord ends once: below its end nothing is graded, above it a cord that was missed is owed."""
    no_cord = np.array([_lies_in_csf_without_cord(one) for one in slices], bool)
    shows_cord = np.array([one.gate.passed for one in slices], bool) & ~no_cord
    end = cord_end(shows_cord, no_cord)
    if not cauda_follows([one.no_cord for one in slices], end):
        end = len(slices)
    if 0 < end < len(slices) and not of_right_kind([one.prediction.scene for one in slices[:end]]):
        slices = [replace(_blocked(one, Obstacle.UNLIKE), heard=False) for one in slices[:end]] + slices[end:]
    seen = [one.prediction.centre_mm for one, shows in zip(slices[:end], shows_cord, strict=False) if shows]
    if end < len(slices) and too_short_for_a_cord(np.array(seen)):
        slices = [_blocked(one, Obstacle.CORD_UNSURE) if one.gate.passed else one for one in slices]
    if end < len(slices):
        below = slices[end]
        slices = [
            _blocked(one, Obstacle.CONUS) if index < end and _in_conus(one, below) else one
            for index, one in enumerate(slices)
        ]
    graded = [index for index in range(end) if slices[index].gate.passed] or [end]
    return [_placed(one, index, graded[0], graded[-1], end) for index, one in enumerate(slices)]


def _in_conus(one: GradedSlice, below: GradedSlice) -> bool:
    """Whether a slice above the cord's end is the last of the cord, or the first of its roots, in an open sac."""
    away = float(np.linalg.norm(one.prediction.centre_mm - below.prediction.centre_mm))
    empty = one.measures.tumour_area_mm2 < LEAST_TUMOUR_MM2 and one.measures.visible_csf_mm2 >= CAUDA_CSF_MM2
    return Obstacle.NO_CORD in one.gate.obstacles and away <= CONUS_MM and empty


def _lies_in_csf_without_cord(one: GradedSlice) -> bool:
    """Whether the model sees cauda equina rather than cord; in a sac without CSF it may as well be compression."""
    gradable = float(one.prediction.scene[SCENES.index("gradable")])
    return one.no_cord > gradable and one.measures.visible_csf_mm2 >= LEAST_CSF_MM2


def _placed(one: GradedSlice, index: int, first: int, last: int, end: int) -> GradedSlice:
    """A slice judged by where it lies: first and last that were graded, and where the cord ends."""
    if index >= end:
        return one if Obstacle.NO_CORD in one.gate.obstacles else _blocked(one, Obstacle.BELOW_CORD)
    if Obstacle.NO_CORD in one.gate.obstacles:
        if index < first:
            return replace(one, at_end=True)
        heard = one.measures.visible_csf_mm2 < CAUDA_CSF_MM2
        return replace(_blocked(one, Obstacle.CORD_NOT_FOUND), heard=heard)
    if not first < index < last:
        return replace(one, at_end=True)
    # Between slices of a spine there is spine, in the same contrast and geometry: what looks otherwise is not known.
    return _blocked(one, Obstacle.UNLIKE) if set(WRONG_KINDS) & set(one.gate.obstacles) else one


def _nothing_analysed(slices: Sequence[GradedSlice]) -> str | None:
    if any(one.gate.passed for one in slices):
        return None
    if not slices:
        return "no axial slice could be made from this series"
    owed = Counter(one.gate.obstacles[0] for one in slices if one.gate.grade_owed)
    not_owed = Counter(one.gate.obstacles[0] for one in slices if not one.gate.grade_owed)
    named = [_commonest(found).value for found in (owed, not_owed) if found]
    return f"no slice could be graded: {'; elsewhere '.join(named)}"


def _commonest(found: Counter[Obstacle]) -> Obstacle:
    return max(Obstacle, key=lambda obstacle: found[obstacle])
