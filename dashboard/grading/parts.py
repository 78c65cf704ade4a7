"""One series of a study that was looked at."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dashboard.grading.profile import nearest_plane_mm
from dashboard.grading.series import GradedSeries, GradedSlice
from dashboard.study import Series, SlicePrediction
from dashboard.study.geometry import Array


@dataclass(frozen=True, eq=False)
class Part:
    """A series that was looked at, with its number in the study."""

    number: int
    series: Series
    graded: GradedSeries

    @property
    def name(self) -> str:
        """What a reader finds it by: the scanner's number, or its place in the study."""
        number = self.series.series_number
        return str(self.number + 1 if number is None else number)

    @property
    def apart_mm(self) -> Array:
        """How far each slice's plane lies from the nearest of the others."""
        seen = [one.prediction for one in self.graded.slices]
        centres = np.array([one.centre_mm for one in seen]).reshape(-1, 3)
        return nearest_plane_mm(centres, np.array([one.normal for one in seen]).reshape(-1, 3))

    @property
    def analysed(self) -> list[GradedSlice]:
        """The slices that were graded."""
        return [one for one in self.graded.slices if one.gate.passed]

    def comparable(self, parts: Sequence["Part"]) -> list["Part"]:
        """The other series whose positions compare with those of this one: same frame of reference, and one is told.

        A copy of this one, as archives make them, is no other.
        """
        others = [one for one in parts if one.number != self.number and not self.is_copy_of(one)]
        return [one for one in others if self.series.compares_with(one.series)]

    def is_copy_of(self, other: "Part") -> bool:
        """Whether two series show the same picture at the same place: no two measurements are equal to the last bit."""
        theirs = {_place(one.prediction): one.prediction.image for one in other.graded.slices}
        ours = [(one.prediction.image, theirs.get(_place(one.prediction))) for one in self.graded.slices]
        return any(image.any() and np.array_equal(image, twin) for image, twin in ours if twin is not None)


def _place(one: SlicePrediction) -> tuple[float, ...]:
    return tuple(one.centre_mm.round(3).tolist())


def originals(parts: Sequence[Part]) -> dict[int, int]:
    """By number of a series that of the first one it is a copy of, its own where it is none."""
    return {one.number: next(other.number for other in parts if other is one or one.is_copy_of(other)) for one in parts}
