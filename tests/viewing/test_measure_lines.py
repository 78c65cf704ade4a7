"""The lines drawn are as long as the numbers measured."""

import numpy as np
import pytest

from dashboard.grading.morphometry import measure
from dashboard.study.masks import slice_masks
from dashboard.viewing.measure_lines import AP, GAP, RL, measure_lines

PIXEL_MM = 0.5
AFFINE = np.array([[0, 0, 0.5, -12.0], [0, 0.5, 0, -12.0], [-1, 0, 0, 7.0], [0, 0, 0, 1]])


def labels(tumour_row: int) -> np.ndarray:
    """Cord of 14 by 18 pixels in its sac, and a disc of tumour whose middle is in that row."""
    rows, columns = np.indices((64, 64))
    found = np.zeros((64, 64), np.uint8)
    found[np.hypot(rows - 32, columns - 32) <= 15] = 1
    found[np.hypot(rows - tumour_row, columns - 32) <= 8] = 3
    found[((rows - 32) / 7) ** 2 + ((columns - 32) / 9) ** 2 <= 1] = 2
    return found


def length(ends: np.ndarray) -> float:
    return float(np.linalg.norm(ends[1] - ends[0]))


def test_the_lines_have_the_measured_lengths() -> None:
    drawn = measure_lines(labels(52), AFFINE, PIXEL_MM)
    measured = measure(slice_masks(labels(52), PIXEL_MM))
    assert length(drawn[AP]) == pytest.approx(measured.cord_diameter_ap_mm)
    assert length(drawn[RL]) == pytest.approx(measured.cord_diameter_rl_mm)
    assert length(drawn[GAP]) == pytest.approx(measured.cord_gap_mm)


def test_they_point_front_to_back_and_right_to_left_of_the_patient() -> None:
    drawn = measure_lines(labels(52), AFFINE, PIXEL_MM)
    front, back = drawn[AP]
    right, left = drawn[RL]
    assert front[1] < back[1]
    assert right[0] < left[0]
    assert (front[2], right[2]) == (7.0, 7.0)


def test_where_tumour_touches_there_is_no_gap() -> None:
    assert set(measure_lines(labels(44), AFFINE, PIXEL_MM)) == {AP, RL}


def test_nothing_is_drawn_on_a_slice_without_a_cord() -> None:
    assert measure_lines(np.zeros((8, 8), np.uint8), AFFINE, PIXEL_MM) == {}
