import numpy as np
import pytest

from dashboard.inference.native import Segmented, paint_reformats, paint_stack
from dashboard.inference.orientation import crop_affine, patient_axes, picture_axes
from dashboard.study import slice_affine
from tests.inference.phantoms import ORDERS, axial_affine, reorder, wrap

SHAPE = (24, 50, 50)


def cylinder(affine, lean=(0.0, 0.0), radius=5.0):
    """Class probabilities of a leaning cylinder through the origin, as seen in the plane of a crop."""
    grid = np.stack([np.zeros((96, 96)), *np.mgrid[0:96, 0:96], np.ones((96, 96))]).reshape(4, -1)
    distance = from_axis((affine @ grid)[:3], lean).reshape(96, 96)
    disc = np.clip(radius + 0.5 - distance, 0, 1)
    return np.stack([1 - disc, disc]).astype(np.float32)


def from_axis(points, lean):
    axis = np.array([*lean, 1.0]) / np.linalg.norm([*lean, 1.0])
    return np.linalg.norm(points - np.outer(axis, axis @ points), axis=0)


def truth(stored, lean=(0.0, 0.0), radius=5.0):
    shape = stored.voxels.shape
    index = np.stack([*np.mgrid[tuple(slice(0, n) for n in shape)], np.ones(shape)]).reshape(4, -1)
    return from_axis((stored.affine @ index)[:3], lean).reshape(shape) <= radius


def dice(a, b):
    return 2 * np.sum(a & b) / (a.sum() + b.sum())


@pytest.mark.parametrize(("order", "flips"), ORDERS)
def test_planes_across_a_leaning_tube_fill_it_however_stored(order, flips):
    lean = (0.1, 0.35)
    stored = reorder(wrap(np.zeros(SHAPE, np.uint8), axial_affine((1, 1, 1), shape=SHAPE)), order, flips)
    axes = patient_axes(np.array([*lean, 1.0]))
    affines = [crop_affine(axes.normal * s, axes, 96, 0.5) for s in np.arange(15, -16, -3.0)]
    crops = [Segmented(k, affine, cylinder(affine, lean)) for k, affine in enumerate(affines)]
    labels = paint_reformats(stored, crops, 2)
    assert dice(labels == 1, truth(stored, lean)) > 0.97


def test_a_taper_is_followed_between_planes():
    stored = wrap(np.zeros(SHAPE, np.uint8), axial_affine((1, 1, 1), shape=SHAPE))
    axes = patient_axes(np.array([0, 0, 1.0]))
    wide, narrow = (crop_affine(np.array([0.0, 0, z]), axes, 96, 0.5) for z in (6, -6))
    crops = [Segmented(0, wide, cylinder(wide, radius=8)), Segmented(1, narrow, cylinder(narrow, radius=3))]
    areas = (paint_reformats(stored, crops, 1) == 1).sum(axis=(1, 2))[6:18]
    assert np.all(np.diff(areas) >= 0) and areas[0] < 45 and areas[-1] > 170


def test_far_from_all_planes_nothing_is_painted():
    stored = wrap(np.zeros((60, 50, 50), np.uint8), axial_affine((1, 1, 1), shape=(60, 50, 50)))
    affine = crop_affine(np.zeros(3), patient_axes(np.array([0, 0, 1.0])), 96, 0.5)
    labels = paint_reformats(stored, [Segmented(0, affine, cylinder(affine))], 1)
    assert 1 <= np.count_nonzero(labels.any(axis=(1, 2))) <= 8


def test_no_planes_paint_nothing():
    stored = wrap(np.zeros(SHAPE, np.uint8), axial_affine((1, 1, 1), shape=SHAPE))
    assert not paint_reformats(stored, [], 2).any() and not paint_stack(stored, [], 2).any()


@pytest.mark.parametrize("turn", [0, 25])
def test_a_stack_is_painted_slice_by_slice(turn):
    shape = (5, 80, 80)
    stored = wrap(np.zeros(shape, np.uint8), axial_affine((4, 0.6, 0.6), shape=shape, turn_deg=turn))
    crops = []
    for k in (1, 3):
        native = slice_affine(stored.affine, k)
        affine = crop_affine((stored.affine @ [k, 39.5, 39.5, 1])[:3], picture_axes(native), 96, 0.5)
        crops.append(Segmented(k, affine, cylinder(affine)))
    labels = paint_stack(stored, crops, 2)
    assert [bool(plane.any()) for plane in labels] == [False, True, False, True, False]
    assert dice(labels[1] == 1, truth(stored)[1]) > 0.97
