"""Measures of shapes whose sizes are known."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.grading.masks import slice_masks
from dashboard.grading.morphometry import Measures, measure
from tests.grading.crops import CORD, CSF, PIXEL_MM, TUMOUR, Anatomy, Labels, ellipse, front_depth_mm, paint


def measured(labels: Labels) -> Measures:
    return measure(slice_masks(labels, PIXEL_MM))


def with_front(depth_mm: float, direction: float = 0.0, anatomy: Anatomy | None = None) -> Labels:
    """A straight front that has come `depth_mm` into the sac and cut whatever lay there."""
    anatomy = anatomy or Anatomy()
    depth = front_depth_mm(direction, np.inf, anatomy)
    tumour = (depth <= depth_mm) & (depth > -2.5) & ellipse(anatomy.sac_ap + 5, anatomy.sac_rl + 5)
    return paint(anatomy.sac & ~tumour, anatomy.cord & ~tumour, tumour)


@given(ap=st.floats(5, 9), rl=st.floats(7, 14))
def test_area_and_diameters_are_those_of_the_ellipse(ap, rl):
    found = measured(paint(ellipse(16, 20), ellipse(ap, rl)))
    assert found.cord_area_mm2 == pytest.approx(math.pi / 4 * ap * rl, rel=0.1)
    assert found.cord_diameter_ap_mm == pytest.approx(ap, abs=PIXEL_MM)
    assert found.cord_diameter_rl_mm == pytest.approx(rl, abs=PIXEL_MM)


def test_the_axis_nearer_to_right_left_is_the_right_left_diameter():
    turned = measured(paint(ellipse(16, 20), ellipse(6, 11, turn=math.radians(30))))
    upright = measured(paint(ellipse(16, 20), ellipse(11, 6)))
    assert turned.cord_diameter_rl_mm == pytest.approx(11, abs=0.4)
    assert upright.cord_diameter_ap_mm == pytest.approx(11, abs=0.4)


def test_sac_is_cord_and_csf():
    found = measured(paint(ellipse(13, 15), ellipse(7, 9.5)))
    sac, cord = math.pi / 4 * 13 * 15, math.pi / 4 * 7 * 9.5
    assert found.canal_area_mm2 == pytest.approx(sac, rel=0.03)
    assert found.csf_fraction == pytest.approx(1 - cord / sac, abs=0.03)


@given(ap=st.floats(5, 9), rl=st.floats(7, 14))
def test_a_convex_cord_is_solid(ap, rl):
    assert measured(paint(ellipse(16, 20), ellipse(ap, rl))).cord_solidity > 0.93


def test_a_dented_cord_is_less_solid():
    cord = ellipse(7, 11) & ~ellipse(5, 5, centre_mm=(-3.0, 0.0))
    assert measured(paint(ellipse(13, 15), cord)).cord_solidity < 0.9


def test_nothing_outlined_gives_no_numbers_but_zeros():
    found = measured(np.zeros((96, 96), np.uint8))
    assert found.cord_area_mm2 == 0 and found.tumour_area_mm2 == 0
    assert found.cord_diameter_ap_mm is None and found.csf_fraction is None and found.cord_gap_mm is None


def test_a_cord_of_one_pixel_is_measured_without_complaint():
    labels = np.zeros((96, 96), np.uint8)
    labels[40, 40] = CORD
    assert measured(labels).cord_diameter_ap_mm is None


@pytest.mark.parametrize("direction", [0.0, math.pi / 2, math.pi, -math.pi / 2, 0.8])
@pytest.mark.parametrize("depth", [1.0, 2.0, 3.0])
def test_indentation_of_the_sac_is_the_depth_of_the_front(direction, depth):
    found = measured(with_front(depth, direction, Anatomy(cord_ap=4, cord_rl=4)))
    assert found.sac_indentation_mm == pytest.approx(depth, abs=0.8)


@given(first=st.floats(0.2, 5.5), second=st.floats(0.2, 5.5))
def test_gap_never_grows_and_contact_never_shrinks_as_a_front_advances_without_cutting(first, second):
    near, far = sorted((first, second))
    anatomy = Anatomy()
    depth = front_depth_mm(0.0, np.inf, anatomy)
    slices = []
    for level in (near, far):
        tumour = (depth <= level) & (depth > -2) & ellipse(18, 20) & ~anatomy.cord
        slices.append(measured(paint(anatomy.sac & ~tumour, anatomy.cord, tumour)))
    assert slices[1].cord_gap_mm <= slices[0].cord_gap_mm
    assert slices[1].contact_fraction >= slices[0].contact_fraction
    assert slices[1].csf_fraction <= slices[0].csf_fraction


def test_tumour_round_the_whole_cord_touches_all_of_it():
    cord = ellipse(6, 8)
    found = measured(paint(cord, cord, ellipse(14, 16) & ~cord))
    assert found.contact_fraction == 1 and found.cord_gap_mm == 0 and found.visible_csf_mm2 == 0


def test_a_film_of_csf_under_a_millimetre_is_not_visible():
    cord = ellipse(6, 8)
    found = measured(paint(ellipse(7, 9), cord))
    assert found.csf_fraction > 0.1 and found.visible_csf_mm2 < 2


def test_labels_far_from_the_sac_are_no_epidural_tumour_and_no_csf():
    labels = paint(ellipse(13, 15), ellipse(7, 9.5))
    alone = measured(labels)
    labels[2:8, 2:8], labels[85:92, 85:92] = TUMOUR, CSF
    assert measured(labels) == alone


def test_the_larger_of_two_cord_parts_is_the_cord():
    labels = paint(ellipse(13, 15), ellipse(7, 9.5))
    alone = measured(labels).cord_area_mm2
    labels[5:8, 5:8] = CORD
    assert measured(labels).cord_area_mm2 == alone


@given(rows=st.integers(-8, 8), columns=st.integers(-8, 8))
def test_measures_do_not_depend_on_where_in_the_crop_the_canal_lies(rows, columns):
    labels = with_front(4.0)
    assert measured(np.roll(labels, (rows, columns), (0, 1))) == measured(labels)


def test_mirroring_right_and_left_changes_nothing_but_rounding():
    there, back = measured(with_front(4.0, 0.7)), measured(with_front(4.0, 0.7)[:, ::-1].copy())
    assert there.contact_fraction == back.contact_fraction
    assert there.cord_indentation_mm == pytest.approx(back.cord_indentation_mm, abs=PIXEL_MM)
