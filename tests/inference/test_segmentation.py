import numpy as np
import pytest

from dashboard.inference.segmentation import BONE, CORD, CSF, OTHER, TUMOUR, clean, cord_centre
from dashboard.study import LABELS


def disc(row, column, radius_mm):
    grid = (np.mgrid[0:96, 0:96] - 47.5) * 0.5
    return np.hypot(grid[0] - row, grid[1] - column) <= radius_mm


def probabilities(*painted):
    """(5, 96, 96): `other`, painted over by (class, mask)."""
    labels = np.full((96, 96), OTHER)
    for label, mask in painted:
        labels[mask] = label
    soft = np.full((5, 96, 96), 0.02, np.float32)
    np.put_along_axis(soft, labels[None], 0.92, axis=0)
    return soft


def labels_of(*painted):
    return clean(probabilities(*painted), 0.5).argmax(axis=0)


def test_probabilities_still_sum_to_one():
    classes = clean(probabilities((CSF, disc(0, 0, 8)), (CORD, disc(0, 0, 4)), (CORD, disc(15, 15, 3))), 0.5)
    np.testing.assert_allclose(classes.sum(axis=0), 1, atol=1e-5)


def test_a_sound_segmentation_is_left_alone():
    sac, cord = disc(0, 0, 8), disc(0, 0, 4)
    labels = labels_of((BONE, disc(-15, 0, 5)), (CSF, sac), (CORD, cord), (TUMOUR, disc(0, 10, 3)))
    np.testing.assert_array_equal(labels == CORD, cord)
    np.testing.assert_array_equal(labels == CSF, sac & ~cord & ~disc(0, 10, 3))
    assert (labels == TUMOUR).any() and (labels == BONE).any()


def test_of_two_cords_the_one_in_the_middle_stays():
    labels = labels_of((CORD, disc(1, 1, 3)), (CORD, disc(-16, 10, 4)))
    np.testing.assert_array_equal(labels == CORD, disc(1, 1, 3))


def test_a_speck_is_no_cord():
    assert not (labels_of((CORD, disc(0, 0, 1))) == CORD).any()


def test_a_small_hole_in_the_cord_is_closed_and_a_large_one_kept():
    small, large = disc(0, 0, 1), disc(0, 0, 2)
    assert (labels_of((CORD, disc(0, 0, 5)), (CSF, small)) == CORD)[small].all()
    assert (labels_of((CORD, disc(0, 0, 5)), (CSF, large)) == CSF)[disc(0, 0, 1.5)].all()


def test_csf_far_from_the_cord_goes():
    labels = labels_of((CSF, disc(0, 0, 8)), (CORD, disc(0, 0, 4)), (CSF, disc(16, -12, 3)))
    assert not (labels == CSF)[disc(16, -12, 3)].any() and (labels == CSF)[disc(0, 6, 1)].all()


def test_without_a_cord_the_sac_in_the_middle_stays():
    labels = labels_of((CSF, disc(0, 0, 6)), (CSF, disc(16, -12, 3)))
    np.testing.assert_array_equal(labels == CSF, disc(0, 0, 6))


def test_tumour_specks_go_and_tumour_stays():
    labels = labels_of((TUMOUR, disc(10, 0, 0.6)), (TUMOUR, disc(-10, 0, 2)))
    np.testing.assert_array_equal(labels == TUMOUR, disc(-10, 0, 2))


def test_a_segmentation_of_nothing_stays_empty():
    assert not labels_of().any()


def test_the_cords_centre_is_in_mm():
    affine = np.diag([1, 0.5, 0.5, 1.0])
    labels = np.where(disc(2, -3, 4), CORD, OTHER).astype(np.uint8)
    np.testing.assert_allclose(cord_centre(labels, affine, 6.0, 0.5), [0, 23.75 + 2, 23.75 - 3], atol=0.05)


@pytest.mark.parametrize("radius", [0, 1])
def test_too_small_a_cord_has_no_centre(radius):
    labels = np.where(disc(0, 0, radius), CORD, OTHER).astype(np.uint8)
    assert cord_centre(labels, np.eye(4), 6.0, 0.5) is None


def test_the_classes_are_those_of_the_study():
    assert [LABELS[k] for k in (OTHER, CSF, CORD, TUMOUR, BONE)] == list(LABELS)
