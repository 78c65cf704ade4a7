"""Where the frames of one image lie and how their values are scaled: classic and enhanced objects alike.

An enhanced object (PS3.3, C.7.6.16) keeps what differs between frames in one item a frame, and what does not in one
shared item; a classic one keeps both at the top.
"""

import math
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from pydicom.dataset import Dataset
from pydicom.tag import BaseTag, Tag

from dashboard.errors import GeometryRefused
from dashboard.ingest.instance import FramePlane
from dashboard.study import plane_affine

# Scanners lie within a few metres of the magnet's centre; pixels of a patient are between 10 um and 5 cm.
FARTHEST_MM = 10_000.0
SMALLEST_PIXEL_MM, LARGEST_PIXEL_MM = 0.01, 50.0
THICKEST_MM = 500.0


@cache
def _tag(keyword: str) -> BaseTag:
    return Tag(keyword)


def header_value(dataset: Dataset, keyword: str) -> Any:
    """Value of one element, None where absent.

    Raises
    ------
    GeometryRefused
        The bytes are no value of its kind.
    """
    tag = _tag(keyword)
    if tag not in dataset.keys():  # noqa: SIM118 - asking the dataset itself costs ten times as much
        return None
    try:
        return dataset[tag].value
    except Exception:  # noqa: BLE001 - pydicom raises whatever a damaged value provokes
        raise GeometryRefused(f"{keyword} holds something that cannot be understood.") from None


class FrameHeaders:
    """The headers of each frame: its own item's, else the shared item's, else the object's own."""

    def __init__(self, dataset: Dataset, frames: int) -> None:
        self.dataset = dataset
        self.frames = frames
        shared = header_value(dataset, "SharedFunctionalGroupsSequence") or []
        own = header_value(dataset, "PerFrameFunctionalGroupsSequence")
        self.is_enhanced = bool(shared or own)
        if own is not None and len(own) != frames:
            raise GeometryRefused(f"The file describes {len(own)} frames where it holds {frames}.")
        self._shared: Dataset = shared[0] if shared else Dataset()
        self._own: list[Dataset] = list(own or []) or [Dataset()] * frames

    def value(self, frame: int, group: str, keyword: str) -> Any:
        """Value of `keyword` for the frame (from 0), None where absent.

        `group` is the functional group sequence that carries it in an enhanced object.
        """
        for item in (self._own[frame], self._shared):
            macro = header_value(item, group)
            if macro and _tag(keyword) in macro[0].keys():  # noqa: SIM118 - as above
                return header_value(macro[0], keyword)
        return header_value(self.dataset, keyword)


def number(value: object, name: str) -> float | None:
    """A finite number, None where absent.

    Raises
    ------
    GeometryRefused
        The value is there and is no finite number.
    """
    if value is None or value == "":
        return None
    try:
        result = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        raise GeometryRefused(f"{name} must hold one number.") from None
    if not math.isfinite(result):
        raise GeometryRefused(f"{name} must hold a finite number.")
    return result


def numbers(value: object, name: str, count: int) -> tuple[float, ...] | None:
    """`count` finite numbers, None where absent.

    Raises
    ------
    GeometryRefused
        The value is there and is something else.
    """
    if value is None or value == "":
        return None
    parts = list(value) if hasattr(value, "__iter__") and not isinstance(value, str | bytes) else [value]
    if not parts:
        return None
    if len(parts) != count:
        raise GeometryRefused(f"{name} must hold {count} numbers.")
    found = tuple(number(part, name) for part in parts)
    if None in found:
        raise GeometryRefused(f"{name} must hold {count} numbers.")
    return tuple(part for part in found if part is not None)


def rescale(headers: FrameHeaders, frame: int) -> tuple[float, float]:
    """Slope and intercept of one frame (PS3.3, C.11.1.1.2), 1 and 0 where absent.

    Raises
    ------
    GeometryRefused
        A value is not finite, or the slope is 0.
    """
    group = "PixelValueTransformationSequence"
    slope = number(headers.value(frame, group, "RescaleSlope"), "RescaleSlope")
    intercept = number(headers.value(frame, group, "RescaleIntercept"), "RescaleIntercept")
    slope, intercept = 1.0 if slope is None else slope, intercept or 0.0
    if slope == 0 or abs(slope) > 1e12 or abs(intercept) > 1e12:
        raise GeometryRefused("RescaleSlope and RescaleIntercept give no usable pixel values.")
    return slope, intercept


def frame_planes(headers: FrameHeaders) -> tuple[FramePlane, ...]:
    """Planes of all frames, in order; empty when the object has no position in the patient.

    Raises
    ------
    GeometryRefused
        Some frames have a position and others not, or a value is malformed or out of the range of a scanner.
    """
    found = [plane for plane in _planes(headers) if plane is not None]
    if found and len(found) != headers.frames:
        raise GeometryRefused(f"Only {len(found)} of {headers.frames} frames have a position in the patient.")
    if len(found) > 1 and not headers.is_enhanced:
        # One position for many frames: they cannot all lie there.
        return ()
    return tuple(found)


def _planes(headers: FrameHeaders) -> Iterator[FramePlane | None]:
    for frame in range(headers.frames):
        yield _plane(headers, frame)


def _plane(headers: FrameHeaders, frame: int) -> FramePlane | None:
    position = numbers(headers.value(frame, "PlanePositionSequence", "ImagePositionPatient"), "ImagePositionPatient", 3)
    orientation = numbers(
        headers.value(frame, "PlaneOrientationSequence", "ImageOrientationPatient"), "ImageOrientationPatient", 6
    )
    spacing = numbers(headers.value(frame, "PixelMeasuresSequence", "PixelSpacing"), "PixelSpacing", 2)
    if position is None or orientation is None or spacing is None:
        return None
    plane_affine(position, orientation, spacing)
    if max(map(abs, position)) > FARTHEST_MM:
        raise GeometryRefused("ImagePositionPatient lies metres away from the scanner.")
    if min(spacing) < SMALLEST_PIXEL_MM or max(spacing) > LARGEST_PIXEL_MM:
        raise GeometryRefused("PixelSpacing is not one of an image of a patient.")
    slope, intercept = rescale(headers, frame)
    return FramePlane(
        frame=frame + 1,
        image_position_patient=(position[0], position[1], position[2]),
        image_orientation_patient=(
            orientation[0],
            orientation[1],
            orientation[2],
            orientation[3],
            orientation[4],
            orientation[5],
        ),
        pixel_spacing=(spacing[0], spacing[1]),
        slice_thickness_mm=slice_thickness(headers, frame),
        rescale_slope=slope,
        rescale_intercept=intercept,
        temporal_position=_whole(_temporal_position(headers, frame)),
        acquisition_number=_whole(_acquisition_number(headers, frame)),
        stack_id=str(headers.value(frame, "FrameContentSequence", "StackID") or ""),
        echo_time_ms=_optional(_echo_time(headers, frame)),
        diffusion_b_value=_optional(headers.value(frame, "MRDiffusionSequence", "DiffusionBValue")),
        frame_type=_frame_type(headers, frame),
    )


def slice_thickness(headers: FrameHeaders, frame: int) -> float | None:
    """SliceThickness of one frame in mm, None where it is absent or not one of an image of a patient.

    Nothing is refused for it: positions say where slices lie.
    """
    value = _optional(_stated_thickness(headers, frame))
    return value if value is not None and 0 < value <= THICKEST_MM else None


def has_false_thickness(headers: FrameHeaders) -> bool:
    """Whether a frame states a SliceThickness that is none; with 0 or an empty one a file says that it knows none."""
    return any(
        slice_thickness(headers, frame) is None and _stated_thickness(headers, frame) not in (None, "", 0)
        for frame in range(headers.frames)
    )


def _stated_thickness(headers: FrameHeaders, frame: int) -> object:
    try:
        return headers.value(frame, "PixelMeasuresSequence", "SliceThickness")
    except GeometryRefused:
        return math.nan


def _temporal_position(headers: FrameHeaders, frame: int) -> object:
    value = headers.value(frame, "FrameContentSequence", "TemporalPositionIndex")
    return header_value(headers.dataset, "TemporalPositionIdentifier") if value is None else value


def _acquisition_number(headers: FrameHeaders, frame: int) -> object:
    value = headers.value(frame, "FrameContentSequence", "FrameAcquisitionNumber")
    return header_value(headers.dataset, "AcquisitionNumber") if value is None else value


def _echo_time(headers: FrameHeaders, frame: int) -> object:
    value = headers.value(frame, "MREchoSequence", "EffectiveEchoTime")
    return header_value(headers.dataset, "EchoTime") if value is None else value


def _frame_type(headers: FrameHeaders, frame: int) -> tuple[str, ...]:
    group = "MRImageFrameTypeSequence"
    value = headers.value(frame, group, "FrameType") or header_value(headers.dataset, "ImageType") or ()
    if isinstance(value, str) or not isinstance(value, Iterable):
        return (str(value),)
    return tuple(str(part) for part in value)


def lie_alike(one: Iterable[FramePlane], other: Iterable[FramePlane]) -> bool:
    """Whether two readings of the same frames agree in everything pixels and places depend on."""
    return [_place(plane) for plane in one] == [_place(plane) for plane in other]


def _place(plane: FramePlane) -> tuple[object, ...]:
    return (
        plane.image_position_patient,
        plane.image_orientation_patient,
        plane.pixel_spacing,
        plane.slice_thickness_mm,
        plane.rescale_slope,
        plane.rescale_intercept,
    )


def _optional(value: object) -> float | None:
    """A number that tells frames apart but places none: what cannot be read counts as absent."""
    try:
        return number(value, "")
    except GeometryRefused:
        return None


def _whole(value: object) -> int | None:
    found = _optional(value)
    return int(found) if found is not None and found == int(found) else None
