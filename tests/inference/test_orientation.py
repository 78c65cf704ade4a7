import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.errors import GeometryRefused
from dashboard.inference.orientation import (
    crop_affine,
    head_to_foot,
    is_axial,
    patient_axes,
    picture_axes,
    slice_centre,
)
from dashboard.study import slice_affine
from tests.inference.phantoms import ORDERS, axial_affine, reorder, straight, volume, wrap

SHAPE = (4, 12, 16)
AXIAL_ORDERS = [(order, flips) for order, flips in ORDERS if order[0] == 0]


@pytest.mark.parametrize(("order", "flips"), AXIAL_ORDERS)
def test_rows_run_to_the_back_and_columns_to_the_left_however_stored(order, flips):
    stored = reorder(volume(axial_affine(shape=SHAPE), SHAPE, straight()), order, flips)
    axes = picture_axes(stored.affine)
    np.testing.assert_allclose([axes.rows, axes.columns, axes.normal], [[0, 1, 0], [1, 0, 0], [0, 0, 1]], atol=1e-12)


@given(tilt=st.floats(-40, 40), turn=st.floats(-60, 60))
def test_axes_are_perpendicular_and_look_from_the_foot(tilt, turn):
    affine = axial_affine(shape=SHAPE, tilt_deg=tilt, turn_deg=turn)
    axes = picture_axes(affine)
    basis = np.stack([axes.rows, axes.columns, axes.normal])
    np.testing.assert_allclose(basis @ basis.T, np.eye(3), atol=1e-9)
    np.testing.assert_allclose(np.cross(axes.columns, axes.rows), axes.normal, atol=1e-9)
    assert axes.normal[2] > 0 and axes.rows[1] > 0 and axes.columns[0] > 0
    np.testing.assert_allclose(axes.normal @ affine[:3, 1:3], 0, atol=1e-9)


def test_native_axes_are_kept_when_turned_a_little():
    axes = picture_axes(axial_affine(shape=SHAPE, turn_deg=8))
    assert np.degrees(np.arccos(axes.columns[0])) == pytest.approx(8)


def test_patient_axes_are_taken_when_turned_far():
    axes = picture_axes(axial_affine(shape=SHAPE, turn_deg=25))
    np.testing.assert_allclose(axes.columns, [1, 0, 0], atol=1e-12)


def test_patient_axes_do_not_mind_the_sign_of_the_normal():
    np.testing.assert_allclose(
        patient_axes(np.array([0, -0.3, -2.0])).normal, patient_axes(np.array([0, 0.3, 2])).normal
    )


def test_a_sagittal_plane_has_no_left_and_right():
    with pytest.raises(GeometryRefused, match="sagittal"):
        patient_axes(np.array([1.0, 0, 0]))


def test_the_middle_of_a_crop_lies_where_it_was_asked_for():
    centre = np.array([3.0, -7.0, 11.0])
    affine = crop_affine(centre, patient_axes(np.array([0.1, 0.3, 1])), 96, 0.5)
    np.testing.assert_allclose(affine @ [0, 47.5, 47.5, 1], [*centre, 1])


def test_slice_affine_moves_along_the_stack():
    affine = axial_affine(shape=SHAPE, tilt_deg=20)
    np.testing.assert_allclose(slice_affine(affine, 3) @ [0, 5, 6, 1], affine @ [3, 5, 6, 1])


def test_slices_of_several_stacks_are_ordered_from_the_head_down():
    up = wrap(np.ones(SHAPE, np.uint8), axial_affine(shape=SHAPE))
    down = reorder(wrap(np.ones(SHAPE, np.uint8), axial_affine(centre=(0, 0, 2), shape=SHAPE)), (0, 1, 2), (1, 0, 0))
    volumes = (up, down)
    heights = [slice_centre(volumes[v], k)[2] for v, k in head_to_foot(volumes)]
    assert heights == sorted(heights, reverse=True) and len(heights) == 8


@pytest.mark.parametrize(("tilt", "expected"), [(0, True), (44, True), (46, False), (90, False)])
def test_a_stack_is_axial_within_45_degrees(tilt, expected):
    assert is_axial(wrap(np.ones(SHAPE, np.uint8), axial_affine(shape=SHAPE, tilt_deg=tilt))) is expected
