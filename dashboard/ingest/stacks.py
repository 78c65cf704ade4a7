"""A frame, the stack it belongs to, and the order of both: by where they lie, never by a UID."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dashboard.ingest.instance import FramePlane, Instance
from dashboard.study import plane_affine
from dashboard.study.geometry import Array

# For each patient axis (x to the left, y to the back, z to the head), the way slices are counted.
COUNTING = (1.0, 1.0, -1.0)


@dataclass(frozen=True)
class Kind:
    """What frames of one series show when they lie at the same place."""

    frame_type: tuple[str, ...]
    echo_time_ms: float | None
    diffusion_b_value: float | None
    repetition: int = 0


@dataclass(frozen=True, eq=False)
class FrameSource:
    """A frame and the file it comes from."""

    instance: Instance
    plane: FramePlane


@dataclass(frozen=True, eq=False)
class Stack:
    """Evenly spaced parallel frames of one size and kind, in order.

    Attributes
    ----------
    affine
        As in :class:`dashboard.study.Volume`.
    places
        Which slice each frame is; between them lie slices that never arrived. Empty where none is missing.
    """

    kind: Kind
    frames: tuple[FrameSource, ...]
    affine: Array
    places: tuple[int, ...] = ()

    @property
    def slices(self) -> tuple[int, ...]:
        """Which slice each frame is, from 0."""
        return self.places or tuple(range(len(self.frames)))

    @property
    def missing(self) -> tuple[int, ...]:
        """Slices between the first and the last that never arrived."""
        return tuple(sorted(set(range(self.slices[-1] + 1)) - set(self.slices)))

    @property
    def shape(self) -> tuple[int, int, int]:
        """Slices, rows, columns."""
        return self.slices[-1] + 1, self.frames[0].instance.rows, self.frames[0].instance.columns


def frame_affine(source: FrameSource) -> Array:
    """Affine of one frame, its slice column along the counting direction and as long as the slice is thick.

    Raises
    ------
    GeometryRefused
        The headers do not describe a plane.
    """
    plane = source.plane
    step = plane.slice_thickness_mm or source.instance.acquisition.spacing_between_slices_mm or 1.0
    affine = plane_affine(
        plane.image_position_patient, plane.image_orientation_patient, plane.pixel_spacing, step if step > 0 else 1.0
    )
    affine[:3, 0] *= _counting(affine[:3, 0])
    return affine


def _counting(normal: Array) -> float:
    """1 or -1, so that the normal times it points the way slices are counted."""
    axis = int(np.abs(normal).argmax())
    return COUNTING[axis] * float(np.sign(normal[axis]) or 1.0)


def slice_depths(frames: Sequence[FrameSource]) -> Array:
    """Distance of each frame along the counting direction of the first, mm."""
    direction = frame_affine(frames[0])[:3, 0]
    positions = np.array([source.plane.image_position_patient for source in frames])
    return np.asarray(positions @ (direction / np.linalg.norm(direction)))


def slice_corners(frames: Sequence[FrameSource]) -> Array:
    """Where each frame's first pixel lies within the plane of the first, mm, (frames, 2)."""
    axes = np.reshape(frames[0].plane.image_orientation_patient, (2, 3))
    return np.asarray(np.array([source.plane.image_position_patient for source in frames]) @ axes.T)


def number_order(source: FrameSource) -> tuple[object, ...]:
    """Order of repetitions that nothing but numbering tells apart; content decides between equal numbers."""
    instance = source.instance
    return (none_last(instance.instance_number), source.plane.frame, instance.sha256)


def frame_order(source: FrameSource) -> tuple[object, ...]:
    """Key that sorts frames by direction and position, then as :func:`number_order`."""
    plane = source.plane
    return (plane.image_orientation_patient, plane.image_position_patient, *number_order(source))


def stack_order(stack: Stack) -> tuple[object, ...]:
    """Key that sorts the stacks of a series: by kind, then plane, then the way slices are counted."""
    kind, normal = stack.kind, stack.affine[:3, 0]
    axis = int(np.abs(normal).argmax())
    middle = stack.affine @ [(stack.shape[0] - 1) / 2, 0.0, 0.0, 1.0]
    return (
        none_last(kind.echo_time_ms),
        none_last(kind.diffusion_b_value),
        kind.frame_type,
        kind.repetition,
        -axis,
        round(float(middle[axis]) * COUNTING[axis], 3),
        frame_order(stack.frames[0]),
    )


def none_last(value: float | None) -> tuple[bool, float]:
    """Key that sorts numbers upwards and what has none behind them."""
    return (value is None, value or 0.0)
