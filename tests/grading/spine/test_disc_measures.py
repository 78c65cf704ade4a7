"""Discs are measured in mm: heights, what passes the border, slips, signals."""

import numpy as np
import pytest

from tests.grading.spine.drawn import DEPTH_MM, PIXEL_MM, Drawing, measured


def disc(level: str, drawing: Drawing | None = None):
    measures, places = measured(drawing)
    return measures.discs[places[level]]


# The drawing leaves 0.4 mm of cortex on either side of a segment.
@pytest.mark.parametrize("height", [4.0, 8.0, 7.2])
def test_height_is_that_of_the_drawing(height: float) -> None:
    found = disc("L3/4", Drawing(height={"L3/4": (height, height)}))
    assert found.height_mm == pytest.approx(height - 0.8, abs=PIXEL_MM)
    assert found.depth_mm == pytest.approx(DEPTH_MM, abs=PIXEL_MM)


def test_front_and_back_of_a_wedge_differ() -> None:
    found = disc("L4/5", Drawing(height={"L4/5": (8.0, 4.0)}))
    assert found.front_mm - found.back_mm == pytest.approx(4.0 * 0.7, abs=0.8)


def test_height_index_is_relative_to_the_bodies() -> None:
    plain = disc("L3/4")
    assert plain.height_index == pytest.approx((8.0 - 0.8) / (28.0 - 0.8), abs=0.03)


def test_a_narrow_disc_is_narrow_among_the_others() -> None:
    assert disc("L3/4", Drawing(height={"L3/4": (4.0, 4.0)})).relative_height == pytest.approx(3.2 / 7.2, abs=0.1)


@pytest.mark.parametrize("bulge", [0.0, 2.4, 5.6])
def test_bulge_is_what_passes_the_back_corners(bulge: float) -> None:
    found = disc("L4/5", Drawing(bulge={"L4/5": bulge}))
    assert found.bulge_mm == pytest.approx(bulge, abs=PIXEL_MM)


def test_a_herniation_in_one_plane_is_focal_and_a_bulge_in_all_is_not() -> None:
    focal = disc("L4/5", Drawing(bulge={"L4/5": 6.4}, bulge_reach=0))
    broad = disc("L4/5", Drawing(bulge={"L4/5": 6.4}))
    assert focal.bulge_widest_mm == pytest.approx(broad.bulge_widest_mm, abs=PIXEL_MM)
    assert focal.focal_mm > 4
    assert abs(broad.focal_mm) < 1


@pytest.mark.parametrize("forward", [8.0, -4.0])
def test_slip_is_signed_forward_and_in_percent_of_the_endplate(forward: float) -> None:
    found = disc("L3/4", Drawing(forward=dict.fromkeys(("L3", "L2", "L1", "T12"), forward)))
    assert found.slip_mm == pytest.approx(forward, abs=PIXEL_MM)
    assert found.shift_percent == pytest.approx(found.slip_percent, abs=3)
    assert found.slip_percent == pytest.approx(100 * forward / DEPTH_MM, abs=3)


def test_a_plain_spine_does_not_slip() -> None:
    measures, _ = measured()
    assert max(abs(one.slip_mm) for one in measures.discs.values()) < PIXEL_MM


def test_nucleus_is_read_against_csf_and_marrow() -> None:
    signals = disc("L2/3").signals
    assert signals.nucleus_to_csf == pytest.approx(0.5, abs=0.03)
    assert signals.nucleus_to_marrow == pytest.approx(0.5 / 0.4, abs=0.05)
    assert signals.nucleus_to_annulus > 3


def test_a_black_nucleus_has_no_border() -> None:
    black = disc("L2/3", Drawing(nucleus={"L2/3": 0.12})).signals
    assert black.nucleus_to_annulus == pytest.approx(1.0, abs=0.05)
    assert black.border < 0.2 * disc("L2/3").signals.border


def test_the_highest_disc_has_a_body_below_only_where_none_is_above() -> None:
    measures, places = measured()
    assert measures.discs[places["T12/L1"]].bulge_mm is not None
    assert np.isfinite(measures.discs[places["L5/S1"]].height_index)
