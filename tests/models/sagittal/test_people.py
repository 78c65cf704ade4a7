"""What is taken from the published masks of real people, and what of them is not taught."""

import numpy as np
import pytest

from models.training.sagittal.labels import DISC, LUMBOSACRAL, VERTEBRA
from models.training.sagittal.people import UNKNOWN_MM, endplates_not_left_out

SPACING = np.array([1.0, 0.5, 0.5])
BONE = slice(10, 50)
UPPER, DISC_ROWS, LOWER = slice(0, 40), slice(40, 56), slice(56, 100)


def masks(line_px: int, disc: int = DISC) -> np.ndarray:
    """A disc between two bones in three planes, with ``line_px`` rows on either side of it that belong to neither."""
    labels = np.zeros((3, 100, 60), np.uint8)
    labels[:, UPPER, BONE] = labels[:, LOWER, BONE] = VERTEBRA
    labels[:, DISC_ROWS, BONE] = 0
    labels[:, DISC_ROWS.start + line_px : DISC_ROWS.stop - line_px, BONE] = disc
    return labels


@pytest.mark.parametrize("disc", [DISC, LUMBOSACRAL])
def test_where_a_disc_was_outlined_up_to_the_bone_neither_side_is_taught(disc):
    unknown = endplates_not_left_out(masks(0, disc), SPACING)
    reach = round(UNKNOWN_MM / SPACING[1])
    for meeting in (DISC_ROWS.start, DISC_ROWS.stop):
        assert unknown[1, meeting - reach // 2 : meeting + reach, 20:40].all()
    # The middle of the disc and of the bones is.
    assert not unknown[:, (DISC_ROWS.start + DISC_ROWS.stop) // 2].any()
    assert not unknown[:, :30].any()
    assert not unknown[:, 70:].any()


def test_outlines_that_leave_the_endplates_out_are_taught_whole():
    assert not endplates_not_left_out(masks(3), SPACING).any()


def test_a_disc_that_meets_the_bone_in_a_corner_is_taught_whole():
    labels = masks(3)
    labels[:, DISC_ROWS, 10:20] = DISC
    assert not endplates_not_left_out(labels, SPACING).any()


def test_a_plane_tells_nothing_of_the_next():
    labels = masks(0)
    labels[2, DISC_ROWS] = 0
    unknown = endplates_not_left_out(labels, SPACING)
    assert unknown[1].any()
    assert not unknown[2].any()


def test_the_inner_part_of_a_thin_disc_is_taught_however_near_the_bone_is():
    labels = np.zeros((1, 100, 60), np.uint8)
    labels[:, :, BONE] = VERTEBRA
    labels[:, 48:52, BONE] = LUMBOSACRAL
    unknown = endplates_not_left_out(labels, SPACING)
    taught = (labels == LUMBOSACRAL) & ~unknown
    assert taught[0, :, 20:40].any(axis=0).all()
    assert unknown[0, 48, 20:40].all()
    assert unknown[0, 51, 20:40].all()
