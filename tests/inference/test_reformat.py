from itertools import pairwise

import numpy as np
import pytest

from dashboard.inference.localisation import CanalPoint
from dashboard.inference.preprocessing import nonzero_window
from dashboard.inference.reformat import MAX_PLANES, fit_curve, reformat_volume
from dashboard.study import Volume
from tests.inference.phantoms import axial_affine, centred, straight, volume, wrap

SAGITTAL = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]], float).T


def points(heights, curve, score=0.9):
    return [CanalPoint(np.array([*curve(np.array(z, float)), z]), score, True) for z in heights]


def all_planes(stored, models):
    return reformat_volume(stored, 0, nonzero_window([stored.voxels]), models.canal, 2)


def reformats(stored, models):
    return [item for item in all_planes(stored, models) if not item[0].between]


@pytest.mark.parametrize("count", [1, 2, 4, 5, 30])
def test_a_curve_through_any_number_of_points(count):
    heights = np.arange(count) * -3.0
    curve = fit_curve(points(heights, straight(5, -4, 0, 0.3 if count > 1 else 0)))
    found = curve.points_mm(np.array([-50.0, 0, 10]))
    slope = 0.3 if count > 1 else 0
    np.testing.assert_allclose(found[:, 1], [-4 - 50 * slope, -4, -4 + 10 * slope], atol=1e-3)
    np.testing.assert_allclose(found[:, 0], 5, atol=1e-3)


def test_a_curve_irons_out_jitter():
    heights = np.arange(0, -200, -3.0)
    noise = np.random.default_rng(5).normal(0, 1.5, (len(heights), 2))
    bow = [
        CanalPoint(np.array([n[0], 20 * np.cos(z / 60) + n[1], z]), 0.9, True)
        for z, n in zip(heights, noise, strict=True)
    ]
    curve = fit_curve(bow)
    error = curve.points_mm(heights)[:, 1] - 20 * np.cos(heights / 60)
    assert np.sqrt(np.mean(error**2)) < 0.7


def test_a_curve_trusts_sure_points_more():
    sure = points(np.arange(0, -60, -3.0), straight(0, 0), 0.95)
    unsure = points(np.arange(-60, -66, -3.0), straight(0, 8), 0.02)
    assert abs(fit_curve(sure + unsure).points_mm(np.array([-60.0]))[0, 1]) < 2


def test_without_any_finding_the_curve_keeps_to_the_given_centres():
    blind = [CanalPoint(np.array([1.0, 2.0, z]), 0.0, False) for z in (0.0, -3.0, -6.0)]
    np.testing.assert_allclose(fit_curve(blind).points_mm(np.array([-4.0])), [[1, 2, -4]], atol=1e-9)


def test_planes_stand_across_a_leaning_canal(models):
    shape = (70, 80, 70)
    curve = straight(2, -3, 0.1, 0.4)
    stored = volume(axial_affine((1, 1, 1), shape=shape), shape, curve, (0.1, 0.4))
    lean = np.array([0.1, 0.4, 1]) / np.linalg.norm([0.1, 0.4, 1])
    found = reformats(stored, models)
    for plane, point in found:
        assert np.degrees(np.arccos(plane.axes.normal @ lean)) < 1.0
        np.testing.assert_allclose(point.centre_mm[:2], curve(point.centre_mm[2]), atol=0.3)
    steps = [np.linalg.norm(b.centre_mm - a.centre_mm) for (_, a), (_, b) in pairwise(found)]
    np.testing.assert_allclose(steps, 3.0, atol=0.05)
    assert [plane.slice_index for plane, _ in found] == list(range(len(found)))


def test_a_narrow_sagittal_slab_is_enough(models):
    shape = (23, 200, 200)
    curve = straight(1, 5, 0, 0.2)
    stored = volume(centred(SAGITTAL, (1, 0.7, 0.7), (0, 0, 0), shape), shape, curve, (0, 0.2))
    found = reformats(stored, models)
    assert len(found) > 40
    for _, point in found:
        np.testing.assert_allclose(point.centre_mm[:2], curve(point.centre_mm[2]), atol=0.8)


def test_zeros_round_a_volume_change_no_plane(models):
    shape = (40, 60, 50)
    bare = volume(axial_affine((1, 1, 1), shape=shape), shape, straight(2, -3, 0.1, 0.4), (0.1, 0.4))
    wide = [(30, 25), (8, 0), (0, 12)]
    affine = bare.affine.copy()
    affine[:3, 3] -= affine[:3, :3] @ [before for before, _ in wide]
    frames = bare.frames[:1] * (shape[0] + 55)
    filled = Volume(np.pad(bare.voxels, wide), affine, frames)
    for (plane, point), (other, same) in zip(all_planes(bare, models), all_planes(filled, models), strict=True):
        np.testing.assert_allclose(same.centre_mm, point.centre_mm, atol=1e-3)
        np.testing.assert_allclose(other.axes.normal, plane.axes.normal, atol=1e-4)


def test_thick_native_slices_set_the_step(models):
    shape = (20, 90, 90)
    stored = volume(axial_affine((5, 1, 1), shape=shape), shape, straight())
    found = reformats(stored, models)
    assert len(found) == 20


def test_the_number_of_planes_is_capped(models):
    shape = (800, 40, 40)
    stored = volume(axial_affine((1, 1, 1), shape=shape), shape, straight())
    assert MAX_PLANES - 5 <= len(all_planes(stored, models)) <= MAX_PLANES


def test_planes_between_go_down_to_the_native_spacing(models):
    shape = (40, 50, 50)
    stored = volume(axial_affine((1, 1, 1), shape=shape), shape, straight())
    found = all_planes(stored, models)
    assert [(plane.slice_index, plane.between) for plane, _ in found[:5]] == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1)]
    steps = [a.centre_mm[2] - b.centre_mm[2] for (_, a), (_, b) in pairwise(found)]
    np.testing.assert_allclose(steps, 1.0, atol=0.05)


@pytest.mark.parametrize("value", [0, 7])
def test_a_volume_without_contrast_has_planes_and_no_canal(models, value):
    stored = wrap(np.full((20, 40, 40), value, np.uint16), axial_affine((1, 1, 1), shape=(20, 40, 40)))
    found = reformats(stored, models)
    assert found and all(point.score == 0 for _, point in found)
