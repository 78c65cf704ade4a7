"""Positions and directions of planes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.errors import GeometryRefused
from dashboard.study import (
    Plane,
    physical_position,
    plane_affine,
    plane_of,
    slice_normal,
    stack_affine,
    voxel_spacing,
)
from dashboard.study.geometry import missing_slices

AXIAL = (1, 0, 0, 0, 1, 0)
SAGITTAL = (0, 1, 0, 0, 0, -1)
CORONAL = (1, 0, 0, 0, 0, -1)


@pytest.mark.parametrize(
    ("orientation", "plane"), [(AXIAL, Plane.AXIAL), (SAGITTAL, Plane.SAGITTAL), (CORONAL, Plane.CORONAL)]
)
def test_plane_is_named_after_its_normal(orientation: tuple[int, ...], plane: Plane) -> None:
    assert plane_of(plane_affine((0, 0, 0), orientation, (1, 1))) is plane


def test_a_plane_between_two_axes_is_oblique() -> None:
    half = np.sqrt(0.5)
    assert plane_of(plane_affine((0, 0, 0), (1, 0, 0, 0, half, half), (1, 1))) is Plane.OBLIQUE


def test_first_spacing_value_is_the_distance_between_rows() -> None:
    affine = plane_affine((0, 0, 0), AXIAL, (0.5, 0.7))
    assert physical_position(affine, (0, 1, 0)).tolist() == [0, 0.5, 0]
    assert physical_position(affine, (0, 0, 1)).tolist() == [0.7, 0, 0]


def test_stack_step_is_measured_from_positions_not_from_thickness() -> None:
    planes = [plane_affine((0, 0, 4.4 * index), AXIAL, (1, 1), step_mm=3) for index in range(5)]
    assert voxel_spacing(stack_affine(planes))[0] == pytest.approx(4.4)


@pytest.mark.parametrize(
    ("position", "orientation", "spacing", "name"),
    [
        ((0, 0), AXIAL, (1, 1), "ImagePositionPatient"),
        ((0, 0, float("nan")), AXIAL, (1, 1), "ImagePositionPatient"),
        ((0, 0, 0), (1, 0, 0, 1, 0, 0), (1, 1), "ImageOrientationPatient"),
        ((0, 0, 0), (2, 0, 0, 0, 1, 0), (1, 1), "ImageOrientationPatient"),
        ((0, 0, 0), AXIAL, (0, 1), "PixelSpacing"),
        ((0, 0, 0), AXIAL, ("x", 1), "PixelSpacing"),
    ],
)
def test_an_unusable_header_is_refused_by_name(position, orientation, spacing, name) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(GeometryRefused, match=name):
        plane_affine(position, orientation, spacing)


def test_planes_at_one_position_are_no_stack() -> None:
    with pytest.raises(GeometryRefused, match="one position"):
        stack_affine([plane_affine((0, 0, 0), AXIAL, (1, 1))] * 2)


@given(
    st.tuples(*[st.floats(-1, 1)] * 4).filter(lambda q: float(np.linalg.norm(q)) > 0.1),
    st.tuples(*[st.floats(-300, 300)] * 3),
)
def test_any_rotation_keeps_spacing_and_a_unit_normal(
    quaternion: tuple[float, float, float, float], position: tuple[float, float, float]
) -> None:
    w, x, y, z = np.array(quaternion) / np.linalg.norm(quaternion)
    columns = (1 - 2 * (y * y + z * z), 2 * (x * y + z * w), 2 * (x * z - y * w))
    rows = (2 * (x * y - z * w), 1 - 2 * (x * x + z * z), 2 * (y * z + x * w))
    affine = plane_affine(position, (*columns, *rows), (0.4, 0.6), step_mm=3)
    assert np.allclose(voxel_spacing(affine), (3, 0.4, 0.6))
    assert np.linalg.norm(slice_normal(affine)) == pytest.approx(1)
    assert np.allclose(physical_position(affine, (0, 0, 0)), position)


@pytest.mark.parametrize(
    ("step_mm", "count"), [(8.0, 1), (8.3, 1), (12.0, 2), (28.0, 6), (32.0, 0), (4.0, 0), (10.0, 0), (2.0, 0)]
)
def test_slices_are_missing_where_a_step_is_a_small_multiple_of_the_usual_one(step_mm, count):
    assert missing_slices(step_mm, 4.0) == count
    assert missing_slices(step_mm, 0.0) == 0
