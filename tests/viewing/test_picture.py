"""Slices are turned the radiological way, and keep their place in the patient while they are."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.study import FrameReference, Volume
from dashboard.viewing import picture_of, plane_picture, resampled_picture

AXES = np.eye(3)


def volume(across: np.ndarray, down: np.ndarray, step: np.ndarray, shape: tuple[int, int, int] = (3, 4, 5)) -> Volume:
    """Volume with a different value in each voxel."""
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1], affine[:3, 2], affine[:3, 3] = step, down, across, (10.0, 20.0, 30.0)
    voxels = np.arange(np.prod(shape)).reshape(shape)
    return Volume(voxels, affine, tuple(FrameReference(str(index)) for index in range(shape[0])))


@pytest.mark.parametrize(
    ("normal_axis", "letters"), [(2, ("R", "A", "L", "P")), (0, ("A", "H", "P", "F")), (1, ("R", "H", "L", "F"))]
)
@pytest.mark.parametrize("flip_across", [1.0, -1.0])
@pytest.mark.parametrize("flip_down", [1.0, -1.0])
@pytest.mark.parametrize("swapped", [False, True])
def test_every_storage_order_is_shown_the_radiological_way(
    normal_axis: int, letters: tuple[str, ...], flip_across: float, flip_down: float, swapped: bool
) -> None:
    first, second = (axis for axis in range(3) if axis != normal_axis)
    if swapped:
        first, second = second, first
    shown = picture_of(volume(AXES[first] * flip_across, AXES[second] * flip_down, AXES[normal_axis] * 4), 1)
    assert shown.letters == letters


@settings(max_examples=60, deadline=None)
@given(
    st.permutations([0, 1, 2]),
    st.tuples(*[st.sampled_from([-0.7, 1.0])] * 3),
    st.integers(0, 2),
    st.floats(-0.3, 0.3),
)
def test_a_shown_pixel_lies_where_its_voxel_lies(
    order: list[int], scale: tuple[float, float, float], index: int, tilt: float
) -> None:
    turn = np.array([[np.cos(tilt), 0, np.sin(tilt)], [0, 1, 0], [-np.sin(tilt), 0, np.cos(tilt)]])
    vectors = [turn @ AXES[axis] * size for axis, size in zip(order, scale, strict=True)]
    source = volume(*vectors)
    shown = picture_of(source, index)
    for row, down in enumerate(shown.down_mm):
        for column, across in enumerate(shown.across_mm):
            place = np.argwhere(source.voxels == shown.pixels[row, column])[0]
            position = (source.affine @ [*place, 1.0])[:3]
            np.testing.assert_allclose(shown.project(position[None])[0], (across, down), atol=1e-9)


def test_the_part_around_a_point_keeps_coordinates() -> None:
    shown = plane_picture(np.arange(10_000).reshape(100, 100), np.diag([1.0, 1.0, 1.0, 1.0])[:, [2, 1, 0, 3]])
    part = shown.around((50.0, 40.0), 20.0)
    assert part.pixels.shape == (21, 21)
    assert part.pixels[0, 0] == shown.pixels[30, 40]
    assert (part.across_mm[0], part.down_mm[0]) == (40.0, 30.0)


def test_a_thinned_picture_holds_stored_values() -> None:
    shown = plane_picture(np.arange(10_000).reshape(100, 100), np.eye(4)[:, [2, 1, 0, 3]])
    thin = shown.thinned(30)
    assert max(thin.pixels.shape) <= 30
    assert set(thin.pixels.ravel()) <= set(shown.pixels.ravel())


def test_a_reformat_of_a_stored_plane_is_that_plane() -> None:
    source = volume(AXES[0], AXES[1], AXES[2] * 2.0)
    affine = source.affine.copy()
    affine[:3, 3] += 2.0 * AXES[2]
    shown = resampled_picture(source, affine, (4, 5))
    np.testing.assert_allclose(shown.pixels, picture_of(source, 1).pixels)


def test_a_reformat_outside_the_volume_is_black() -> None:
    affine = np.eye(4)
    affine[:3, 3] = 500.0
    assert not resampled_picture(volume(AXES[0], AXES[1], AXES[2]), affine, (4, 4)).pixels.any()


def test_a_slice_that_is_not_there_is_an_error() -> None:
    with pytest.raises(IndexError, match="slice 3 of 3"):
        picture_of(volume(AXES[0], AXES[1], AXES[2]), 3)
