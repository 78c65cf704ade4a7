"""The sagittal model's view of a series, with a model that tells classes by grey value."""

from dataclasses import replace

import numpy as np
import pytest

from dashboard.inference import analyse_sagittal, shows_sagittal
from dashboard.inference.sagittal import neighbour_step
from dashboard.study import Role
from dashboard.study.sagittal import SAGITTAL_CLASSES
from tests.inference.phantoms import ORDERS, axial_affine, centred, reorder, series, straight, volume, wrap

SAGITTAL = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]], float).T
CANAL, CORD = SAGITTAL_CLASSES.index("canal"), SAGITTAL_CLASSES.index("cord")
SHAPE = (13, 200, 160)


def tube(spacing=(4.0, 0.7, 0.7), shape=SHAPE, slope=0.1, x=0.0):
    affine = centred(SAGITTAL, spacing, (0.0, 0.0, 0.0), shape)
    return volume(affine, shape, straight(x=x, slope_y=slope), (0.0, slope))


def of(*volumes, role=Role.SAGITTAL_T2):
    return series(*volumes, role=role)


def truth(stored):
    """The class nearest in grey value, as the model tells them."""
    return np.select([stored.voxels > 750, stored.voxels > 300], [CANAL, CORD], 0)


def dice(found, there):
    return 2 * (found & there).sum() / (found.sum() + there.sum())


@pytest.fixture(scope="module")
def seen(models):
    (prediction,) = analyse_sagittal(of(tube()), models)
    return prediction


def test_planes_run_from_right_to_left_rows_down_columns_back(seen):
    np.testing.assert_allclose(seen.affine[:3, 0], [4.0, 0, 0], atol=1e-9)
    np.testing.assert_allclose(seen.affine[:3, 1], [0, 0, -0.8], atol=1e-9)
    np.testing.assert_allclose(seen.affine[:3, 2], [0, 0.8, 0], atol=1e-9)


def test_pictures_are_multiples_of_32_and_planes_are_those_acquired(seen):
    assert seen.labels.shape == (13, 192, 160) == seen.image.shape == seen.inside.shape == seen.certainty.shape


def test_labels_in_the_grid_of_the_images_are_where_the_tissue_is(seen):
    stored = tube()
    wanted = truth(stored)
    for label in (CANAL, CORD):
        assert dice(seen.native_labels == label, wanted == label) > 0.9


def test_nothing_is_labelled_outside_the_field(seen):
    assert not seen.labels[~seen.inside].any()


@pytest.mark.parametrize(("order", "flips"), [(o, f) for o, f in ORDERS if o[0] == 0])
def test_an_upside_down_or_mirrored_stack_gives_the_same(models, seen, order, flips):
    (found,) = analyse_sagittal(of(reorder(tube(), order, flips)), models)
    np.testing.assert_array_equal(found.labels, seen.labels)
    np.testing.assert_allclose(found.affine, seen.affine, atol=1e-9)


@pytest.mark.parametrize("order", [(1, 2, 0), (2, 0, 1), (1, 0, 2)])
def test_a_fine_volume_is_seen_from_the_side_whatever_plane_it_was_stored_in(models, order):
    stored = reorder(tube((1.0, 1.0, 1.0), (40, 100, 80)), order, (True, False, True))
    (found,) = analyse_sagittal(of(stored, role=Role.OTHER), models)
    assert found.plane_spacing_mm == pytest.approx(2.0)
    assert dice(found.native_labels > 0, truth(stored) > 0) > 0.85


def test_planes_of_a_wide_volume_lie_about_the_canal(models):
    (found,) = analyse_sagittal(of(tube((1.0, 1.2, 1.2), (260, 60, 40), x=70.0), role=Role.VOLUME_T2), models)
    across = found.affine[0, 3] + found.affine[0, 0] * np.arange(len(found.labels))
    assert len(across) == 46 and across[0] < 60 and across[-1] > 80


def test_one_thread_and_two_give_the_same_bytes(models, single_thread_models, seen):
    (one,) = analyse_sagittal(of(tube()), single_thread_models)
    for name in ("labels", "certainty", "image", "native_labels"):
        assert getattr(one, name).tobytes() == getattr(seen, name).tobytes()


@pytest.mark.parametrize(
    ("step_mm", "planes"), [(4.4, 1), (3.0, 1), (5.0, 1), (2.0, 2), (1.0, 4), (0.9, 4), (6.0, 0), (2.75, 0), (12.0, 0)]
)
def test_the_neighbour_is_about_4_mm_away_or_the_plane_itself(step_mm, planes):
    assert neighbour_step(step_mm) == planes


def test_a_stack_of_many_planes_is_thinned(models):
    (found,) = analyse_sagittal(of(tube((2.0, 2.0, 2.0), (90, 40, 40))), models)
    assert len(found.labels) == 30 and found.plane_spacing_mm == pytest.approx(6.0)


@pytest.mark.parametrize("role", [Role.CT, Role.PET, Role.ADC, Role.DWI, Role.BRAIN_T2])
def test_other_things_than_a_spine_are_not_looked_at(role):
    assert not shows_sagittal(of(tube(), role=role))


def test_a_sagittal_series_of_unknown_purpose_is_looked_at_unless_it_is_a_localiser():
    assert shows_sagittal(of(tube(), role=Role.OTHER))
    assert not shows_sagittal(of(tube(shape=(5, 60, 60)), role=Role.OTHER))


def test_an_axial_stack_gives_nothing(models):
    axial = wrap(np.zeros((10, 50, 50), np.uint16), axial_affine(shape=(10, 50, 50)))
    assert analyse_sagittal(of(axial), models) == ()


def test_without_the_model_there_is_nothing(models):
    assert analyse_sagittal(of(tube()), replace(models, sagittal=None)) == ()


def test_a_series_of_zeros_gives_labels_of_nothing(models):
    blank = wrap(np.zeros(SHAPE, np.uint16), centred(SAGITTAL, (4.0, 0.7, 0.7), (0, 0, 0), SHAPE))
    (found,) = analyse_sagittal(of(blank), models)
    assert not found.labels.any() and not found.native_labels.any()


class Watched:
    """A session that notes the size of every picture it is shown."""

    def __init__(self, session):
        self.session, self.sides = session, []

    def run(self, slices):
        self.sides.append(slices.shape[2:])
        return self.session.run(slices)


def watched(models):
    eye = Watched(models.sagittal)
    return eye, replace(models, sagittal=eye, threads=1)


def test_after_a_few_whole_planes_only_the_spine_and_what_is_round_it_is_looked_at(models):
    eye, watching = watched(models)
    stored = tube((4.0, 1.0, 1.0), (13, 200, 300))
    (found,) = analyse_sagittal(of(stored), watching)
    whole = found.labels.shape[1:]
    assert len(eye.sides) == 13 and eye.sides.count(whole) == 4
    assert max(columns for rows, columns in eye.sides if (rows, columns) != whole) <= whole[1] / 2
    assert dice(found.native_labels > 0, truth(stored) > 0) > 0.9


def test_planes_far_beside_the_spine_are_not_looked_at(models):
    eye, watching = watched(models)
    stored = tube((4.0, 1.0, 1.0), (29, 100, 120))
    (found,) = analyse_sagittal(of(stored), watching)
    whole = eye.sides.count(found.labels.shape[1:])
    assert (whole, len(found.labels)) == (8, 29)
    assert 8 < len(eye.sides) <= 8 + 4 * 3
    assert dice(found.native_labels > 0, truth(stored) > 0) > 0.9


def test_a_stack_whose_first_planes_show_nothing_is_looked_at_whole(models):
    eye, watching = watched(models)
    blank = wrap(np.zeros(SHAPE, np.uint16), centred(SAGITTAL, (4.0, 0.7, 0.7), (0, 0, 0), SHAPE))
    (found,) = analyse_sagittal(of(blank), watching)
    assert eye.sides == [found.labels.shape[1:]] * 13
