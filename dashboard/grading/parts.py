"""One series of a study that was looked at."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dashboard.grading.profile import nearest_plane_mm
from dashboard.grading.series import GradedSeries, GradedSlice
from dashboard.study import Series
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
        """The other series whose positions compare with those of this one: same frame of reference, and one is told."""
        frame = self.series.frame_of_reference_uid
        others = [one for one in parts if one.number != self.number]
        return [one for one in others if frame and one.series.frame_of_reference_uid == frame]
