import numpy as np
import pytest

from dashboard.inference.orientation import patient_axes
from dashboard.inference.planes import reformat_plane, stack_plane
from tests.inference.phantoms import ORDERS, axial_affine, reorder, straight, volume, wrap


def test_a_stack_plane_knows_its_field():
    shape = (5, 100, 80)
    stored = wrap(np.zeros(shape, np.uint8), axial_affine((4, 0.5, 0.75), (3, 4, 5), shape))
    plane = stack_plane(stored, 2, 2)
    np.testing.assert_allclose(plane.centre_mm, [3, 4, 5])
    assert plane.extent_mm == pytest.approx((50, 60))
    assert (plane.volume_index, plane.slice_index, plane.frame) == (2, 2, stored.frames[2])


@pytest.mark.parametrize(("order", "flips"), ORDERS[::5])
def test_a_reformat_knows_its_field_however_stored(order, flips):
    shape = (30, 40, 20)
    stored = reorder(volume(axial_affine((1, 2, 1.5), (3, 4, 5), shape), shape, straight()), order, flips)
    plane = reformat_plane(
        stored.voxels, stored.affine, (0, 0, 0), np.array([0.0, 0, 6]), patient_axes(np.array([0, 0, 1]))
    )
    np.testing.assert_allclose(plane.centre_mm, [3, 4, 6], atol=1e-9)
    assert plane.extent_mm == pytest.approx((80, 30))


def test_the_field_of_a_leaning_slab_follows_the_slab():
    shape = (200, 60, 20)
    stored = wrap(np.zeros(shape, np.uint8), axial_affine((1, 1, 1), shape=shape, tilt_deg=20))
    plane = reformat_plane(
        stored.voxels, stored.affine, (0, 0, 0), np.array([0.0, 0, 40]), patient_axes(np.array([0, 0, 1]))
    )
    assert plane.centre_mm[1] == pytest.approx(-40 * np.tan(np.radians(20)))


def test_a_plane_that_misses_the_volume_is_none():
    shape = (10, 10, 10)
    affine = axial_affine((1, 1, 1), shape=shape)
    axes = patient_axes(np.array([0, 0, 1]))
    assert reformat_plane(np.zeros(shape), affine, (0, 0, 0), np.array([0.0, 0, 50]), axes) is None
