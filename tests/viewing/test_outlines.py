"""Outlines run half way between pixels in and out, close, and lie in the patient."""

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dashboard.study import LABELS
from dashboard.viewing import mask_outlines, slice_outlines


def area(loop: np.ndarray) -> float:
    """Signed area (shoelace)."""
    following = np.roll(loop, -1, axis=0)
    return float((loop[:, 0] * following[:, 1] - loop[:, 1] * following[:, 0]).sum() / 2)


def test_a_square_is_outlined_half_a_pixel_outside_its_pixels() -> None:
    mask = np.zeros((6, 6), bool)
    mask[2:4, 1:4] = True
    (loop,) = mask_outlines(mask)
    assert (loop[0] == loop[-1]).all()
    assert loop.min(axis=0).tolist() == [1.5, 0.5]
    assert loop.max(axis=0).tolist() == [3.5, 3.5]


def test_a_hole_has_its_own_outline_the_other_way_round() -> None:
    mask = np.ones((7, 7), bool)
    mask[3, 3] = False
    areas = sorted(area(loop[:-1]) for loop in mask_outlines(mask))
    assert len(areas) == 2
    assert areas[0] * areas[1] < 0


def inside(loops: list[np.ndarray], row: int, column: int) -> bool:
    """Whether a ray from a pixel's centre to the right crosses the lines an odd number of times."""
    crossings = 0
    for loop in loops:
        for (r0, c0), (r1, c1) in pairwise(loop):
            # Slightly off the row, so that no ray meets a corner.
            at = row + 1e-3
            if (r0 > at) != (r1 > at):
                crossings += c0 + (at - r0) / (r1 - r0) * (c1 - c0) > column
    return crossings % 2 == 1


@settings(max_examples=80, deadline=None)
@given(arrays(bool, st.tuples(st.integers(1, 9), st.integers(1, 9))))
def test_outlines_close_and_part_pixels_in_from_pixels_out(mask: np.ndarray) -> None:
    loops = mask_outlines(mask)
    assert all((loop[0] == loop[-1]).all() for loop in loops)
    found = [[inside(loops, row, column) for column in range(mask.shape[1])] for row in range(mask.shape[0])]
    np.testing.assert_array_equal(found, mask)


def test_the_sac_holds_the_cord_and_absent_structures_are_left_out() -> None:
    labels = np.zeros((20, 20), np.uint8)
    labels[5:15, 5:15] = LABELS.index("csf")
    labels[8:12, 8:12] = LABELS.index("cord")
    affine = np.eye(4)[:, [2, 1, 0, 3]]
    affine[:3, 3] = (100.0, 200.0, 300.0)
    found = slice_outlines(labels, affine)
    assert set(found) == {"cord", "sac"}
    (sac,) = found["sac"]
    assert sac[:, 0].min() == 104.5
    assert sac[:, 1].max() == 214.5
    assert set(sac[:, 2]) == {300.0}
