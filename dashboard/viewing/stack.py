"""The slices of a series in the order a person scrolls them, each with what was found in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dashboard.study import (
    GRADES,
    Plane,
    Series,
    SeriesPrediction,
    SlicePrediction,
    Study,
    Volume,
    physical_position,
    same_slice,
    slice_affine,
    slice_normal,
    slice_to_show,
    suspicion_first,
)
from dashboard.study.geometry import Array
from dashboard.study.sagittal import SagittalMasks
from dashboard.viewing.outlines import contact_arcs, slice_outlines
from dashboard.viewing.picture import Picture, picture_of, resampled_picture
from dashboard.viewing.profile_figure import ProfilePoint

# Field of a reformat that is shown as "full slice": planes across a 3-D volume have no edge of their own.
REFORMAT_FIELD_MM = 160.0
REFORMAT_PIXEL_MM = 0.8
# A slice shows a suspected place that lies no farther from its plane: as far as the next slice of a thick stack may be.
SUSPICION_REACH_MM = 6.0
# Axis a person scrolls along and its sign: head to foot, right to left, front to back.
SCROLL = {Plane.AXIAL: (2, -1.0), Plane.OBLIQUE: (2, -1.0), Plane.SAGITTAL: (0, 1.0), Plane.CORONAL: (1, 1.0)}


@dataclass(frozen=True, eq=False)
class Slice:
    """One slice: `result` is its entry in the result document, None where the series was not analysed."""

    volume: Volume
    slice_index: int
    centre_mm: Array
    result: Mapping[str, Any] | None = None
    prediction: SlicePrediction | None = None

    @property
    def analysed(self) -> bool:
        """Whether the slice carries a grade."""
        return self.result is not None and self.result.get("grade") is not None

    @property
    def stored(self) -> bool:
        """Whether the slice came from the scanner; otherwise it is a plane cut through the volume."""
        return self.prediction is None or self.prediction.frame is not None

    def grid(self) -> tuple[Array, tuple[int, int]]:
        """Affine (4, 4) of the plane, (0, row, column, 1) to LPS mm, and its (rows, columns); no pixel is read."""
        if self.prediction is not None and not self.stored:
            return _reformat_grid(self.prediction)
        return slice_affine(self.volume.affine, self.slice_index), self.volume.voxels.shape[1:]

    def picture(self) -> Picture:
        """The stored slice, or the plane cut through the volume where there is no stored one."""
        if self.stored:
            return picture_of(self.volume, self.slice_index)
        return resampled_picture(self.volume, *self.grid())

    def outlines(self) -> dict[str, tuple[Array, ...]]:
        """Outlines of what was found and where tumour touches the cord, LPS mm; none on a slice not analysed."""
        if self.prediction is None or not self.analysed:
            return {}
        labels, affine = np.asarray(self.prediction.labels), self.prediction.affine
        found = slice_outlines(labels, affine)
        arcs = contact_arcs(labels, affine, self.prediction.pixel_mm)
        return found | {"contact": arcs} if arcs else found


@dataclass(frozen=True, eq=False)
class Stack:
    """A series to scroll through.

    Attributes
    ----------
    entry
        Its line in the result document.
    labels
        What was found in the grid of each volume, values index :data:`dashboard.study.LABELS`; empty where the series
        was not analysed.
    sagittal
        What the sagittal model found in those of its volumes that it looked at.
    suspected_mm
        Where sagittal images raise suspicion, (3) LPS mm; None where they do not, or of another frame of reference.
    """

    series: Series
    entry: Mapping[str, Any]
    slices: tuple[Slice, ...]
    labels: tuple[npt.NDArray[np.uint8], ...] = ()
    sagittal: tuple[SagittalMasks, ...] = ()
    suspected_mm: Array | None = None

    @property
    def analysed(self) -> bool:
        """Whether any slice carries a grade."""
        return any(one.analysed for one in self.slices)

    def first(self, document: Mapping[str, Any]) -> int:
        """Index of the slice to open at: where sagittal images raise suspicion if that comes first, else the worst."""
        nearest = self._at_suspicion()
        return nearest if nearest is not None and suspicion_first(document) else self.worst(document)

    def worst(self, document: Mapping[str, Any]) -> int:
        """Index of the slice that sets the tier, else the worst, else the middle one.

        In a series without grades, the worst is where sagittal images raise suspicion.
        """
        chosen = slice_to_show(document)
        for index, one in enumerate(self.slices):
            if one.result is not None and same_slice(one.result, chosen):
                return index
        nearest = self._at_suspicion()
        if nearest is not None and not self.analysed:
            return nearest
        ranks = [GRADES.index(one.result["grade"]) if one.result and one.analysed else -1 for one in self.slices]
        return int(np.argmax(ranks)) if any(rank >= 0 for rank in ranks) else len(self.slices) // 2

    def _at_suspicion(self) -> int | None:
        """Index of the slice nearest to where sagittal images raise suspicion; None where the series is not there."""
        if self.suspected_mm is None:
            return None
        away = [abs(_beside(one, self.suspected_mm)) for one in self.slices]
        nearest = int(np.argmin(away))
        return nearest if away[nearest] <= SUSPICION_REACH_MM else None

    def profile(self) -> list[ProfilePoint]:
        """The series' course along the spine."""
        return [_point(number, one.result or {}) for number, one in enumerate(self.slices, start=1)]


def stacks_of(
    study: Study,
    predictions: Mapping[str, SeriesPrediction],
    document: Mapping[str, Any],
    sagittal: Mapping[str, tuple[SagittalMasks, ...]] | None = None,
) -> tuple[Stack, ...]:
    """Every series that has pictures: first the one to look at first, then those analysed, then the others.

    Of series without grades the one in which levels were counted comes first.
    """
    entries = {entry["series_instance_uid"]: entry for entry in document.get("series", [])}
    worst = slice_to_show(document).get("series_instance_uid")
    found = []
    for series in study.series:
        uid = series.series_instance_uid
        results = [one for one in document.get("slices", []) if one["series_instance_uid"] == uid]
        prediction = predictions.get(uid)
        slices = _graded(series, results, prediction) if results else stored_slices(series)
        if slices:
            labels = prediction.native_labels if prediction is not None and results else ()
            masks = (sagittal or {}).get(uid, ())
            found.append(
                Stack(series, entries.get(uid, {}), slices, labels, masks, _suspected_mm(document, study, series))
            )
    counted = (document.get("sagittal") or document.get("spine") or {}).get("series_instance_uid")

    def order(stack: Stack) -> tuple[bool, bool, bool]:
        uid = stack.series.series_instance_uid
        return uid != worst, not stack.analysed, uid != counted

    return tuple(sorted(found, key=order))


def _suspected_mm(document: Mapping[str, Any], study: Study, series: Series) -> Array | None:
    """Where sagittal images raise suspicion, LPS mm (3); None where they do not or this series cannot be compared."""
    sagittal = document.get("sagittal") or {}
    if not sagittal.get("suspected"):
        return None
    if sagittal.get("series_instance_uid") not in {
        one.series_instance_uid for one in study.series if series.compares_with(one)
    }:
        return None
    place = (sagittal.get("worst") or {}).get("position_mm")
    return None if place is None else np.array(place, dtype=np.float64)


def _beside(one: Slice, place_mm: Array) -> float:
    """Distance of a place from the plane of a slice, mm."""
    affine = one.grid()[0]
    return float((place_mm - affine[:3, 3]) @ slice_normal(affine))


def _graded(
    series: Series, results: Sequence[Mapping[str, Any]], prediction: SeriesPrediction | None
) -> tuple[Slice, ...]:
    seen = {(one.volume_index, one.slice_index): one for one in (prediction.slices if prediction else ())}
    return tuple(
        Slice(
            series.volumes[result["volume_index"]],
            result["slice_index"],
            np.array(result["position_mm"], dtype=np.float64),
            result,
            seen.get((result["volume_index"], result["slice_index"])),
        )
        for result in results
    )


def stored_slices(series: Series) -> tuple[Slice, ...]:
    """The slices of a series as they came, in the order a person scrolls them, without results."""
    slices = []
    for volume in series.volumes:
        _, rows, columns = volume.voxels.shape
        middle = ((rows - 1) / 2, (columns - 1) / 2)
        slices += [
            Slice(volume, index, physical_position(volume.affine, (index, *middle)))
            for index in range(volume.voxels.shape[0])
            if volume.frames[index].arrived
        ]
    axis, sign = SCROLL[series.plane]
    return tuple(sorted(slices, key=lambda one: sign * float(one.centre_mm[axis])))


def _reformat_grid(prediction: SlicePrediction) -> tuple[Array, tuple[int, int]]:
    side = int(REFORMAT_FIELD_MM / REFORMAT_PIXEL_MM)
    affine = prediction.affine.copy()
    affine[:3, 1:3] *= REFORMAT_PIXEL_MM / prediction.pixel_mm
    affine[:3, 3] = prediction.centre_mm - (affine[:3, 1] + affine[:3, 2]) * (side - 1) / 2
    return affine, (side, side)


def _point(number: int, result: Mapping[str, Any]) -> ProfilePoint:
    probabilities = result.get("probabilities")
    return ProfilePoint(
        along_mm=float(result.get("along_canal_mm") or 0.0),
        number=number,
        level=result.get("level"),
        level_certain=result.get("level_certain") is not False,
        grade=result.get("grade"),
        probability_high=probabilities["2"] + probabilities["3"] if probabilities else None,
        measures=result.get("measures") or {},
    )
