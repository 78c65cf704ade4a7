import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from dashboard.inference import analyse_series, load_models
from dashboard.study import Role
from tests.inference.phantoms import (
    CORD_RADIUS_MM,
    ORDERS,
    axial_affine,
    canal_graph,
    centred,
    compression_graph,
    paint,
    reorder,
    series,
    straight,
    volume,
    wrap,
    write_model,
)

CORD = 2


def cord_dice(stored, labels, curve, slope=(0.0, 0.0)):
    shape = stored.voxels.shape
    index = np.stack([*np.mgrid[tuple(slice(0, n) for n in shape)], np.ones(shape)]).reshape(4, -1)
    points = (stored.affine @ index)[:3]
    offset = points[:2].T - curve(points[2])
    lean = np.array([*slope, 1.0]) / np.linalg.norm([*slope, 1.0])
    radius = np.sqrt((offset**2).sum(axis=1) - (offset @ lean[:2]) ** 2).reshape(shape)
    truth, found = radius <= CORD_RADIUS_MM, labels == CORD
    return 2 * (truth & found).sum() / (truth.sum() + found.sum())


def assert_same(one, two):
    assert len(one.slices) == len(two.slices)
    for a, b in zip(one.slices, two.slices, strict=True):
        for key in ("affine", "image", "labels", "at_least", "scene"):
            assert getattr(a, key).tobytes() == getattr(b, key).tobytes()
        assert (a.canal_score, a.inside) == (b.canal_score, b.inside)
    assert all(a.tobytes() == b.tobytes() for a, b in zip(one.native_labels, two.native_labels, strict=True))


@pytest.mark.parametrize(("order", "flips"), ORDERS)
def test_a_volume_gives_the_same_centres_however_stored(models, order, flips):
    shape, curve, slope = (12, 64, 56), straight(3, 5, 0.1, 0.3), (0.1, 0.3)
    stored = reorder(volume(axial_affine((3, 1, 1), shape=shape), shape, curve, slope), order, flips)
    found = analyse_series(series(stored, role=Role.VOLUME_T2), models)
    assert len(found.slices) >= 10
    for one in found.slices:
        np.testing.assert_allclose(one.centre_mm[:2], curve(one.centre_mm[2]), atol=0.5)
        assert one.frame is None and one.canal_score > 0.5
    assert cord_dice(stored, found.native_labels[0], curve, slope) > 0.95


@pytest.mark.parametrize(("order", "flips"), [item for item in ORDERS if item[0][0] == 0])
def test_a_stack_gives_the_same_pictures_however_stored(models, order, flips):
    shape, curve = (6, 120, 140), straight(8, -12)
    stored = volume(axial_affine((4, 0.7, 0.6), shape=shape, tilt_deg=12), shape, curve)
    plain = analyse_series(series(stored), models)
    found = analyse_series(series(reorder(stored, order, flips)), models)
    for one, two in zip(plain.slices, found.slices, strict=True):
        np.testing.assert_allclose(two.affine, one.affine, atol=0.02)
        np.testing.assert_allclose(two.image, one.image, atol=0.05)
        np.testing.assert_allclose(two.centre_mm[:2], curve(two.centre_mm[2]), atol=0.3)


def test_slices_come_head_first_and_name_their_frames(models):
    shape = (6, 120, 120)
    stored = volume(axial_affine(shape=shape), shape, straight())
    found = analyse_series(series(stored), models)
    assert [one.slice_index for one in found.slices] == [5, 4, 3, 2, 1, 0]
    assert [one.frame for one in found.slices] == list(reversed(stored.frames))
    heights = [one.centre_mm[2] for one in found.slices]
    assert heights == sorted(heights, reverse=True)


def test_threads_change_no_byte(models, single_thread_models):
    shape, curve = (30, 60, 60), straight(0, 0, 0, 0.2)
    for role, spacing in ((Role.VOLUME_T2, (1, 1, 1)), (Role.AXIAL_T2, (4, 0.8, 0.8))):
        one = series(volume(axial_affine(spacing, shape=shape), shape, curve), role=role)
        assert_same(analyse_series(one, models), analyse_series(one, single_thread_models))


def test_several_stacks_of_one_series_keep_their_own_labels(models):
    curve, slope = straight(0, 10, 0, 0.3), (0, 0.3)
    shapes, tilts, heights = ((4, 120, 120), (3, 100, 100)), (0, -17), (30.0, -30.0)
    stored = [
        volume(axial_affine((4, 0.6, 0.6), (0, 10 + 0.3 * z, z), shape, tilt), shape, curve, slope)
        for shape, tilt, z in zip(shapes, tilts, heights, strict=True)
    ]
    found = analyse_series(series(*stored), models)
    assert [one.volume_index for one in found.slices] == [0] * 4 + [1] * 3
    for one, labels in zip(stored, found.native_labels, strict=True):
        assert labels.shape == one.voxels.shape and cord_dice(one, labels, curve, slope) > 0.9


def test_an_off_centre_crop_is_cut_again_around_the_cord(models, monkeypatch):
    shape, curve = (5, 160, 160), straight(20, -15)
    monkeypatch.setattr("dashboard.inference.localisation._refine", lambda heat, row, column: (row + 2.0, column - 1.5))
    found = analyse_series(series(volume(axial_affine(shape=shape), shape, curve)), models)
    for one in found.slices:
        np.testing.assert_allclose(one.centre_mm[:2], [20, -15], atol=0.2)


def test_a_tube_at_the_fields_edge_is_half_inside(models):
    shape = (5, 100, 100)
    found = analyse_series(series(volume(axial_affine((4, 0.6, 0.6), shape=shape), shape, straight(25, 0))), models)
    for one in found.slices:
        assert one.inside < 0.65 and one.centre_mm[0] == pytest.approx(25, abs=1.5)
        assert one.image[:, -34:].max() < 1e-6


def test_an_edge_through_the_canal_is_told(models):
    shape = (5, 100, 100)
    affine = axial_affine((4, 0.6, 0.6), shape=shape)
    cut, whole = (analyse_series(series(volume(affine, shape, straight(x, 0))), models) for x in (25, 15))
    assert max(one.canal_inside for one in cut.slices) < 0.9
    assert min(one.canal_inside for one in whole.slices) == 1.0


@pytest.mark.parametrize(("scene", "painted"), [(1, True), (2, True), (3, False), (4, False)])
def test_a_picture_that_is_no_upright_spine_is_not_painted(tmp_path, scene, painted):
    write_model(tmp_path, canal_graph())
    write_model(tmp_path, compression_graph(scene=np.eye(5)[scene] * 9))
    shape = (3, 100, 100)
    found = analyse_series(
        series(volume(axial_affine((4, 0.6, 0.6), shape=shape), shape, straight())), load_models(tmp_path)
    )
    assert bool(found.native_labels[0].any()) is painted
    assert all(one.scene.argmax() == scene for one in found.slices)


def test_zeros_round_a_narrow_field_are_not_taken_for_picture(models):
    shape = (5, 120, 120)
    affine = axial_affine((4, 0.6, 0.6), shape=shape)
    voxels = paint(affine, shape, straight())
    voxels[:, :, :44], voxels[:, :, 76:] = 0, 0
    found = analyse_series(series(wrap(voxels, affine)), models)
    assert all(0.3 < one.inside < 0.5 for one in found.slices)
    whole = analyse_series(series(wrap(paint(affine, shape, straight()), affine)), models)
    assert all(one.inside == 1.0 for one in whole.slices)


def test_one_slice_is_enough(models):
    shape = (1, 120, 120)
    found = analyse_series(series(volume(axial_affine(shape=shape), shape, straight(4, 4))), models)
    assert len(found.slices) == 1
    np.testing.assert_allclose(found.slices[0].centre_mm[:2], [4, 4], atol=0.3)


@pytest.mark.parametrize("role", [Role.AXIAL_T2, Role.VOLUME_T2])
@pytest.mark.parametrize("value", [0, 250, np.nan])
def test_a_volume_without_contrast_has_slices_without_canal(models, role, value):
    shape = (6, 50, 50)
    flat = wrap(np.full(shape, value, np.float32), axial_affine((3, 1, 1), shape=shape))
    found = analyse_series(series(flat, role=role), models)
    assert found.slices and all(one.canal_score == 0 and np.isfinite(one.at_least).all() for one in found.slices)
    assert not found.native_labels[0].any()


@pytest.mark.parametrize("role", [Role.AXIAL_T2, Role.VOLUME_T2])
def test_some_nan_does_not_spread(models, role):
    shape, curve = (24, 60, 60), straight()
    voxels = paint(axial_affine((1.5, 1, 1), shape=shape), shape, curve, dtype=np.float32)
    voxels[:, :3] = np.nan
    voxels[4, 20:40, 50:] = np.inf
    stored = wrap(voxels, axial_affine((1.5, 1, 1), shape=shape))
    found = analyse_series(series(stored, role=role), models)
    assert all(np.isfinite(one.image).all() for one in found.slices)
    assert cord_dice(stored, found.native_labels[0], curve) > 0.95


def test_a_sagittal_stack_is_not_read_as_axial(models):
    directions = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]], float).T
    shape = (7, 60, 60)
    found = analyse_series(series(volume(centred(directions, (4, 1, 1), (0, 0, 0), shape), shape, straight())), models)
    assert found.slices == () and not found.native_labels[0].any()


def test_a_series_without_volumes_gives_nothing(models):
    found = analyse_series(series(), models)
    assert found.slices == () and found.native_labels == ()


def test_a_read_only_map_is_not_copied_or_changed(models, tmp_path):
    shape = (6, 100, 100)
    np.save(tmp_path / "v.npy", paint(axial_affine(shape=shape), shape, straight()))
    mapped = np.load(tmp_path / "v.npy", mmap_mode="r")
    found = analyse_series(series(wrap(mapped, axial_affine(shape=shape))), models)
    assert len(found.slices) == 6


SURELY_A_PLANE_MM = 10.0


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    shape=st.tuples(*[st.integers(1, 30)] * 3),
    spacing=st.tuples(*[st.floats(0.2, 8)] * 3),
    angles=st.tuples(*[st.floats(-180, 180)] * 3),
    role=st.sampled_from([Role.AXIAL_T2, Role.VOLUME_T2]),
    dtype=st.sampled_from([np.uint8, np.int16, np.uint16, np.int32, np.float32, np.float64]),
    seed=st.integers(0, 99),
)
def test_any_volume_in_any_position_gets_an_answer(models, shape, spacing, angles, role, dtype, seed):
    voxels = (np.random.default_rng(seed).normal(100, 50, shape)).clip(0, 250).astype(dtype)
    directions = Rotation.from_euler("xyz", angles, degrees=True).as_matrix()
    found = analyse_series(series(wrap(voxels, centred(directions, spacing, (5, 6, 7), shape)), role=role), models)
    assert found.native_labels[0].shape == shape
    heights = [one.centre_mm[2] for one in found.slices]
    assert len(heights) <= max(shape[0], 200) and np.isfinite(heights).all()
    if role is Role.VOLUME_T2 and min(shape) > 1 and min(np.multiply(shape, spacing)) >= SURELY_A_PLANE_MM:
        # A volume thinner than the step between planes may hold none; grading says so.
        assert found.slices
    for one in found.slices:
        assert 0 <= one.canal_score <= 1 and 0 <= one.inside <= 1 and np.isfinite(one.image).all()
        np.testing.assert_allclose(np.cross(one.affine[:3, 2], one.affine[:3, 1]) / 0.25, one.affine[:3, 0], atol=1e-6)
