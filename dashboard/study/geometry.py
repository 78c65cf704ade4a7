"""Where a plane or a stack of planes lies in the patient (DICOM PS3.3 C.7.6.2.1.1).

All positions are LPS: x to the patient's left, y to the back, z to the head, in mm, float64. An affine (4, 4)
maps (slice, row, column, 1) to LPS mm.
"""

from collections.abc import Sequence
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from dashboard.errors import GeometryRefused

Array = npt.NDArray[np.float64]

# Direction cosines are written with as few as six digits, and some scanners round to three.
ORTHOGONAL_TOLERANCE = 1e-2
# A plane is called after an axis when its normal is within 45 degrees of it and clearly nearest to it.
OBLIQUE_COSINE = 0.75
# Single planes have no neighbour to measure a step from; the header's thickness stands in, or this.
DEFAULT_STEP_MM = 1.0
# A gap is held to be missing slices only while it is short enough for that to be likely, and even to a tenth of a step.
MOST_MISSING = 6
STEP_TOLERANCE = 0.1


class Plane(StrEnum):
    """Anatomical plane of a slice, from the axis nearest to its normal."""

    AXIAL = "axial"
    SAGITTAL = "sagittal"
    CORONAL = "coronal"
    OBLIQUE = "oblique"


def plane_affine(
    image_position_patient: Sequence[float],
    image_orientation_patient: Sequence[float],
    pixel_spacing: Sequence[float],
    step_mm: float = DEFAULT_STEP_MM,
) -> Array:
    """Affine of one plane, (4, 4), from its DICOM attributes.

    Parameters
    ----------
    image_position_patient
        Centre of the first pixel, LPS mm.
    image_orientation_patient
        Direction of increasing column index (3), then of increasing row index (3).
    pixel_spacing
        Distance between rows, then between columns, mm.
    step_mm
        Length of the slice column, mm.

    Raises
    ------
    GeometryRefused
        A value is missing, not finite or not positive, or the directions are not perpendicular unit vectors.
    """
    position = _finite("ImagePositionPatient", image_position_patient, 3)
    orientation = _finite("ImageOrientationPatient", image_orientation_patient, 6)
    spacing = _finite("PixelSpacing", pixel_spacing, 2)
    if np.any(spacing <= 0):
        raise GeometryRefused("PixelSpacing must be above 0 mm.")
    along_columns, along_rows = orientation[:3], orientation[3:]
    lengths = np.linalg.norm(orientation.reshape(2, 3), axis=1)
    if np.any(np.abs(lengths - 1) > ORTHOGONAL_TOLERANCE):
        raise GeometryRefused("ImageOrientationPatient must hold two vectors of length 1.")
    if abs(float(along_columns @ along_rows)) > ORTHOGONAL_TOLERANCE:
        raise GeometryRefused("ImageOrientationPatient must hold two perpendicular vectors.")
    affine = np.eye(4)
    affine[:3, 0] = np.cross(along_columns, along_rows) * step_mm
    affine[:3, 1] = along_rows * spacing[0]
    affine[:3, 2] = along_columns * spacing[1]
    affine[:3, 3] = position
    return affine


def stack_affine(planes: Sequence[Array]) -> Array:
    """Affine of evenly spaced parallel planes, (4, 4), given theirs in order of slices.

    Raises
    ------
    GeometryRefused
        No plane was given, or the first and last lie at one position.
    """
    if not planes:
        raise GeometryRefused("A stack needs at least one plane.")
    affine = planes[0].copy()
    if len(planes) > 1:
        step = (planes[-1][:3, 3] - planes[0][:3, 3]) / (len(planes) - 1)
        if not np.linalg.norm(step) > 0:
            raise GeometryRefused("The planes of a stack lie at one position.")
        affine[:3, 0] = step
    return affine


def slice_affine(volume_affine: Array, index: int) -> Array:
    """Affine (4, 4), (0, row, column, 1) to LPS mm, of one slice of a volume."""
    affine = np.array(volume_affine, dtype=np.float64)
    affine[:3, 3] += affine[:3, 0] * index
    return affine


def slice_normal(affine: Array) -> Array:
    """Unit normal (3) of the planes: row direction x column direction, PS3.3 order, LPS."""
    normal = np.cross(affine[:3, 2], affine[:3, 1])
    return np.asarray(normal / np.linalg.norm(normal))


def plane_of(affine: Array) -> Plane:
    """Anatomical plane nearest to the planes of `affine`."""
    cosines = np.abs(slice_normal(affine))
    axis = int(cosines.argmax())
    if cosines[axis] < OBLIQUE_COSINE:
        return Plane.OBLIQUE
    return (Plane.SAGITTAL, Plane.CORONAL, Plane.AXIAL)[axis]


def voxel_spacing(affine: Array) -> Array:
    """Distance in mm between neighbours along (slice, row, column), shape (3)."""
    return np.asarray(np.linalg.norm(affine[:3, :3], axis=0))


def physical_position(affine: Array, index: Sequence[float]) -> Array:
    """LPS mm (3) of a voxel index (slice, row, column); fractions allowed."""
    return np.asarray((affine @ np.array([*index, 1.0]))[:3])


def missing_slices(step_mm: float, usual_mm: float) -> int:
    """How many slices of a regular stack a step has room for; 0 where it is no small multiple of the usual one."""
    if usual_mm <= 0:
        return 0
    count = round(step_mm / usual_mm) - 1
    even = abs(step_mm / usual_mm - count - 1) <= STEP_TOLERANCE
    return count if 1 <= count <= MOST_MISSING and even else 0


def _finite(name: str, values: Sequence[float], count: int) -> Array:
    try:
        array = np.asarray(values, dtype=np.float64).reshape(-1)
    except (TypeError, ValueError):
        raise GeometryRefused(f"{name} must hold {count} numbers.") from None
    if array.shape != (count,) or not np.all(np.isfinite(array)):
        raise GeometryRefused(f"{name} must hold {count} finite numbers.")
    return array
