"""Contact: which pixels of the cord's outline tumour touches."""

import numpy as np

from dashboard.study.contact import CONTACT_PX, outline, outline_distance_px, touched
from dashboard.study.masks import SliceMasks


def masks(cord: np.ndarray, tumour: np.ndarray) -> SliceMasks:
    """A slice of these two shapes in a sac as large as the cord."""
    return SliceMasks(cord, cord, tumour, 0.5)


def blank() -> np.ndarray:
    """An empty grid."""
    return np.zeros((9, 9), bool)


def test_the_outline_is_every_pixel_with_a_side_neighbour_outside() -> None:
    cord = blank()
    cord[2:7, 2:7] = True
    assert int(outline(cord).sum()) == 16
    cord[4, 4] = False
    assert int(outline(cord).sum()) == 20


def test_side_and_corner_neighbours_touch_and_nothing_farther() -> None:
    cord, tumour = blank(), blank()
    cord[3:6, 3:6] = True
    tumour[2, 2] = True
    assert np.argwhere(touched(masks(cord, tumour))).tolist() == [[3, 3]]
    tumour[2, 2], tumour[1, 4] = False, True
    assert not touched(masks(cord, tumour)).any()
    assert outline_distance_px(cord, tumour).min() > CONTACT_PX


def test_without_tumour_or_cord_nothing_is_touched() -> None:
    cord = blank()
    cord[3:6, 3:6] = True
    assert not touched(masks(cord, blank())).any()
    assert not touched(masks(blank(), cord)).any()
