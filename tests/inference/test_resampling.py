import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.inference.orientation import crop_affine, picture_axes
from dashboard.inference.resampling import axis_matrix, paint_slice, sample_slice, sample_volume, shrink
from dashboard.study import slice_affine
from tests.inference.phantoms import axial_affine


def ramp(affine, shape):
    """Voxels whose value is a linear function of position."""
    index = np.stack([*np.mgrid[tuple(slice(0, n) for n in shape)], np.ones(shape)]).reshape(4, -1)
    x, y, z = (affine @ index)[:3]
    return (500 + 3 * x - 2 * y + z).reshape(shape).astype(np.float32)


def expected(affine, size):
    grid = np.stack([np.zeros((size, size)), *np.mgrid[0:size, 0:size], np.ones((size, size))]).reshape(4, -1)
    x, y, z = (affine @ grid)[:3]
    return (500 + 3 * x - 2 * y + z).reshape(size, size)


@settings(max_examples=40, deadline=None)
@given(
    source=st.integers(1, 60),
    target=st.integers(1, 60),
    start=st.floats(-40, 60),
    step=st.floats(0.1, 6) | st.floats(-6, -0.1),
)
def test_weights_sum_to_one_inside_and_to_nothing_outside(source, target, start, step):
    total = axis_matrix(source, target, start, step).sum(axis=1)
    positions = start + step * np.arange(target)
    inside = (positions >= -0.5) & (positions <= source - 0.5)
    np.testing.assert_allclose(total, inside, atol=1e-5)


@pytest.mark.parametrize("pixel", [0.25, 0.5, 0.9, 2.0])
@pytest.mark.parametrize("turn", [0, 8, 30])
def test_a_linear_picture_stays_in_place(pixel, turn):
    shape = (3, 300, 300)
    volume_affine = axial_affine((4, 0.45, 0.45), shape=shape, tilt_deg=15, turn_deg=turn)
    native = slice_affine(volume_affine, 1)
    crop = crop_affine((volume_affine @ [1, 140.3, 155.8, 1])[:3], picture_axes(native), 24, pixel)
    image, inside = sample_slice(ramp(volume_affine, shape)[1], native, crop, 24)
    assert inside.all()
    # The ramp rises by 3.6 a millimetre: a sampled kernel of broken width may miss by a twentieth of one.
    np.testing.assert_allclose(image, expected(crop, 24), atol=0.18)


def test_slice_and_volume_sampling_agree():
    shape = (3, 100, 100)
    volume_affine = axial_affine((4, 0.6, 0.6), shape=shape, tilt_deg=10)
    voxels = np.random.default_rng(1).integers(0, 4000, shape).astype(np.uint16)
    native = slice_affine(volume_affine, 1)
    crop = crop_affine((volume_affine @ [1, 50, 40, 1])[:3], picture_axes(native), 96, 0.5)
    flat, solid = sample_slice(voxels[1], native, crop, 96), sample_volume(voxels, volume_affine, crop, 96)
    np.testing.assert_allclose(flat[0], solid[0], atol=0.5)
    assert np.mean(flat[1] != solid[1]) < 1e-3


def test_outside_the_field_of_view_is_zero_and_counted():
    native = axial_affine((4, 1, 1), shape=(1, 40, 40))
    crop = crop_affine(np.array([0.0, 0, 0]), picture_axes(native), 96, 0.5)
    image, inside = sample_slice(np.full((40, 40), 7), native, crop, 96)
    assert inside.sum() == 80 * 80
    np.testing.assert_array_equal(image, np.where(inside, np.float32(7), 0))


def test_a_crop_beside_the_slice_is_empty():
    native = axial_affine((4, 1, 1), shape=(1, 40, 40))
    crop = crop_affine(np.array([400.0, 0, 0]), picture_axes(native), 96, 0.5)
    image, inside = sample_slice(np.ones((40, 40)), native, crop, 96)
    assert not inside.any() and not image.any()


def test_fine_stripes_are_averaged_not_aliased():
    native = axial_affine((4, 0.5, 0.5), shape=(1, 384, 384))
    stripes = np.tile(np.array([0, 1000], np.uint16), (384, 192))
    image, _ = sample_slice(stripes, native, crop_affine(np.zeros(3), picture_axes(native), 80, 2.0), 80)
    np.testing.assert_allclose(image[5:-5, 5:-5], 500, atol=1)


def test_nan_counts_as_zero():
    native = axial_affine((4, 1, 1), shape=(1, 40, 40))
    pixels = np.full((40, 40), np.nan, np.float32)
    image, _ = sample_slice(pixels, native, crop_affine(np.zeros(3), picture_axes(native), 32, 1.0), 32)
    assert not image.any()


def test_shrinking_keeps_the_mean_and_the_place():
    shape = (6, 40, 44)
    affine = axial_affine((1.0, 0.5, 0.5), shape=shape, tilt_deg=30)
    small, small_affine = shrink(ramp(affine, shape), affine, 2.0)
    assert small.shape == (3, 10, 11)
    np.testing.assert_allclose(small, ramp(small_affine, small.shape), rtol=1e-5)


def test_shrinking_leaves_coarse_voxels_alone():
    affine = axial_affine((4.0, 2.5, 2.5), shape=(3, 8, 8))
    voxels = np.arange(192).reshape(3, 8, 8)
    small, small_affine = shrink(voxels, affine, 2.0)
    np.testing.assert_array_equal(small, voxels)
    np.testing.assert_array_equal(small_affine, affine)


@pytest.mark.parametrize("turn", [0, 25])
def test_painting_returns_a_disc_to_its_place(turn):
    native = axial_affine((4, 0.7, 0.7), shape=(1, 120, 120), turn_deg=turn)
    crop = crop_affine(np.array([5.0, -4, 0]), picture_axes(native), 96, 0.5)
    rows, columns = np.mgrid[0:96, 0:96] - 47.5
    disc = np.clip(10.5 - np.hypot(rows, columns), 0, 1).astype(np.float32)
    painted, window = paint_slice(np.stack([1 - disc, disc]), crop, native, (120, 120))
    mask = np.zeros((120, 120), bool)
    mask[window] = painted.argmax(axis=0) == 1
    found = np.argwhere(mask).mean(axis=0)
    np.testing.assert_allclose((native @ [0, *found, 1])[:3], [5, -4, 0], atol=0.1)
    assert mask.sum() * 0.49 == pytest.approx(np.pi * 25, rel=0.05)


def test_painting_a_crop_beside_the_slice_gives_nothing():
    native = axial_affine((4, 1, 1), shape=(1, 20, 20))
    crop = crop_affine(np.array([200.0, 0, 0]), picture_axes(native), 96, 0.5)
    painted, window = paint_slice(np.ones((5, 96, 96), np.float32), crop, native, (20, 20))
    assert painted.size == 0 and np.zeros((20, 20))[window].size == 0
