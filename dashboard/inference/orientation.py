"""Which way round a slice is shown to the models.

Every picture a model sees has rows running from the patient's front to the back and columns from the patient's
right to the left; with LPS axes these are +y and +x, and the normal, column x row, points to the head. Headers say
where the native rows and columns run, so no picture is ever turned by looking at it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dashboard.errors import GeometryRefused
from dashboard.study import Volume
from dashboard.study.geometry import Array

# Planes whose normal lies within 45 degrees of the patient's long axis cut the canal across.
AXIAL_COSINE = 0.7071
# The scanner's own in-plane axes follow the patient's when they differ by less; beyond, the picture is turned.
MAX_TURN_DEG = 10.0
HEAD = np.array([0.0, 0.0, 1.0])
LEFT = np.array([1.0, 0.0, 0.0])


@dataclass(frozen=True, eq=False)
class Axes:
    """Unit directions (3) in LPS of a model's picture: `rows` to the back, `columns` to the left, `normal` headward."""

    rows: Array
    columns: Array
    normal: Array


def patient_axes(normal: Array) -> Axes:
    """Picture axes of the plane with this normal: columns as near to the patient's left as the plane allows.

    Parameters
    ----------
    normal
        (3) LPS, any length and sign; not along the patient's left-right axis.

    Raises
    ------
    GeometryRefused
        The plane is sagittal, so left and right cannot lie in it.
    """
    unit = np.asarray(normal, dtype=np.float64) / np.linalg.norm(normal)
    unit = unit if unit @ HEAD >= 0 else -unit
    columns = LEFT - (LEFT @ unit) * unit
    length = float(np.linalg.norm(columns))
    if length < 1e-3:
        raise GeometryRefused("A sagittal plane cannot be shown with columns from right to left.")
    columns = columns / length
    return Axes(rows=np.cross(unit, columns), columns=columns, normal=unit)


def picture_axes(slice_affine: Array) -> Axes:
    """Picture axes of a native axial plane.

    The native in-plane axes, swapped or reversed as needed, where they lie within :data:`MAX_TURN_DEG` of the
    patient's, so that no pixel is interpolated without need; otherwise the patient's.
    """
    native_rows, native_columns = (_unit(slice_affine[:3, k]) for k in (1, 2))
    ideal = patient_axes(np.cross(native_columns, native_rows))
    columns = max((native_rows, -native_rows, native_columns, -native_columns), key=lambda v: float(v @ ideal.columns))
    if float(columns @ ideal.columns) < np.cos(np.radians(MAX_TURN_DEG)):
        return ideal
    return Axes(rows=np.cross(ideal.normal, columns), columns=columns, normal=ideal.normal)


def crop_affine(centre_mm: Array, axes: Axes, size_px: int, pixel_mm: float) -> Array:
    """Affine (4, 4), (0, row, column, 1) to LPS mm, of a square picture whose middle lies at `centre_mm`."""
    affine = np.eye(4)
    affine[:3, 0] = axes.normal
    affine[:3, 1] = axes.rows * pixel_mm
    affine[:3, 2] = axes.columns * pixel_mm
    affine[:3, 3] = centre_mm - (affine[:3, 1] + affine[:3, 2]) * (size_px - 1) / 2
    return affine


def slice_centre(volume: Volume, index: int) -> Array:
    """Middle of one slice, LPS mm (3)."""
    _, rows, columns = volume.voxels.shape
    return np.asarray((volume.affine @ np.array([index, (rows - 1) / 2, (columns - 1) / 2, 1.0]))[:3])


def is_axial(volume: Volume) -> bool:
    """True when the stored planes cut across the patient's long axis (within 45 degrees)."""
    normal = np.cross(volume.affine[:3, 2], volume.affine[:3, 1])
    return bool(abs(normal @ HEAD) >= AXIAL_COSINE * np.linalg.norm(normal))


def head_to_foot(volumes: Sequence[Volume]) -> list[tuple[int, int]]:
    """(volume index, slice index) of every slice, from the head down; equal heights keep the order of storage."""
    places = [(v, k) for v, volume in enumerate(volumes) for k in range(volume.voxels.shape[0])]
    return sorted(places, key=lambda place: -float(slice_centre(volumes[place[0]], place[1])[2]))


def _unit(vector: Array) -> Array:
    return np.asarray(vector / np.linalg.norm(vector))
