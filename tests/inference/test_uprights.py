"""Sagittal views of volumes: which axis is which, and the grid over them."""

import numpy as np
import pytest

from dashboard.inference.uprights import grid_over, upright
from tests.inference.phantoms import ORDERS, axial_affine, centred, reorder, wrap

SAGITTAL = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]], float).T
SHAPE = (7, 120, 90)


def stack(spacing=(4.0, 0.8, 0.8), shape=SHAPE, directions=SAGITTAL, dtype=np.float32):
    voxels = np.random.default_rng(1).random(shape).astype(dtype)
    return wrap(voxels, centred(directions, spacing, (3.0, -20.0, 40.0), shape))


def turned(degrees, axis):
    a = np.radians(degrees)
    c, s = np.cos(a), np.sin(a)
    return {"x": np.array([[1, 0, 0], [0, c, -s], [0, s, c]]), "z": np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])}[axis]


@pytest.mark.parametrize(("order", "flips"), [(o, f) for o, f in ORDERS if o[0] == 0])
def test_a_stack_stands_upright_however_it_was_stored(order, flips):
    upside = reorder(stack(), order, flips)
    seen = upright(upside)
    np.testing.assert_array_equal(seen.view(upside.voxels), stack().voxels)
    np.testing.assert_allclose(seen.affine, stack().affine, atol=1e-9)


@pytest.mark.parametrize(("order", "flips"), ORDERS)
def test_a_fine_volume_stands_upright_whatever_plane_it_was_stored_in(order, flips):
    stored = stack((1.0, 1.0, 0.9), (20, 30, 40))
    seen = upright(reorder(stored, order, flips))
    np.testing.assert_allclose(seen.affine, stored.affine, atol=1e-9)


def test_an_axial_stack_of_thick_slices_has_no_sagittal_view():
    assert upright(wrap(np.zeros((10, 50, 50), np.float32), axial_affine(shape=(10, 50, 50)))) is None


def test_what_is_written_to_the_view_lands_in_the_volume():
    upside = reorder(stack(), (0, 2, 1), (True, False, True))
    labels = np.zeros(upside.voxels.shape, np.uint8)
    upright(upside).view(labels)[2, 5, 7] = 4
    place = np.argwhere(labels)[0]
    expected = stack().affine @ [2, 5, 7, 1]
    np.testing.assert_allclose(upside.affine @ [*place, 1], expected, atol=1e-9)


def test_the_grid_covers_the_field_in_multiples():
    seen = upright(stack((4.0, 0.5, 0.5), (3, 500, 300)))
    grid = grid_over(seen, (500, 300), 0.8, 32)
    assert grid.shape == (320, 192)
    assert grid.field.sum() == pytest.approx(500 * 0.5 * 300 * 0.5 / 0.64, rel=0.02)


def test_a_pixel_of_the_grid_shows_what_lies_there():
    stored = stack((4.0, 1.2, 0.9))
    seen = upright(stored)
    grid = grid_over(seen, SHAPE[1:], 0.8, 32)
    ramp = (stored.affine[1, 2] * np.arange(90) + 0.0 * np.arange(120)[:, None]).astype(np.float32)
    picture = grid.cut(ramp)
    rows, columns = np.nonzero(grid.field)
    inner = slice(len(rows) // 3, len(rows) // 3 + 40)
    y = (grid.affine @ np.stack([rows * 0, rows, columns, rows * 0 + 1])[:, inner])[1] - stored.affine[1, 3]
    found = picture[rows[inner], columns[inner]]
    far = (y > 2) & (y < 78)
    np.testing.assert_allclose(found[far], y[far], atol=0.05)


@pytest.mark.parametrize("degrees", [-35, -14, 6, 25])
def test_an_askew_picture_is_turned_upright_beyond_ten_degrees(degrees):
    seen = upright(stack(directions=turned(degrees, "x") @ SAGITTAL))
    grid = grid_over(seen, SHAPE[1:], 0.8, 32)
    down = grid.affine[:3, 1] / 0.8
    lean = np.degrees(np.arccos(np.clip(-down[2], -1, 1)))
    assert lean == pytest.approx(abs(degrees) if abs(degrees) <= 10 else 0.0, abs=1e-4)


@pytest.mark.parametrize("degrees", [0, -14, 30])
def test_what_is_cut_is_carried_back_to_its_place(degrees):
    stored = stack(directions=turned(degrees, "x") @ SAGITTAL)
    grid = grid_over(upright(stored), SHAPE[1:], 0.8, 32)
    blob = np.zeros(SHAPE[1:], np.float32)
    blob[40:60, 30:50] = 1
    box = (slice(0, grid.shape[0]), slice(0, grid.shape[1]))
    painted, window = grid.back(grid.cut(blob)[None], box)
    found = np.zeros(SHAPE[1:])
    found[window] = painted[0]
    overlap = 2 * ((found > 0.5) & (blob > 0)).sum() / ((found > 0.5).sum() + blob.sum())
    assert overlap > 0.96


@pytest.mark.parametrize("degrees", [20, -30])
def test_planes_oblique_for_a_scoliosis_stay_as_they_are(degrees):
    seen = upright(stack(directions=turned(degrees, "z") @ SAGITTAL))
    assert abs(seen.normal[0]) == pytest.approx(np.cos(np.radians(degrees)))
    assert seen.step_mm == pytest.approx(4.0)
