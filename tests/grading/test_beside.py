"""The cord against the cord beside: what is compared, what it says, and what it may never do."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.grading import GradingThresholds
from dashboard.grading.beside import (
    LEAST_CHANGE_MM,
    LEAST_RATIO,
    MOST_CHANGE_MM,
    REACH_MM,
    USUAL_CHANGE_MM,
    USUAL_RATIO,
    Beside,
    compare,
    evidence_of,
    with_evidence,
)
from dashboard.grading.morphometry import measure
from dashboard.grading.profile import REACH_MM as NEAR_MM
from dashboard.grading.result import measures_document
from dashboard.grading.series import graded_slices
from dashboard.grading.words import finding_words
from dashboard.study.masks import SliceMasks
from tests.grading.crops import PIXEL_MM, Anatomy, Labels, ellipse, paint, prediction, stack, sure

NARROWING_WEIGHT = (12.0, 24.0, 24.0, 24.0, 6.0)
CHANGE_WEIGHT = (0.0, 0.0, 0.0, 6.0, 3.0)
WEIGHTS = (NARROWING_WEIGHT, CHANGE_WEIGHT)
CORD = ellipse(8.0, 12.0)
NONE = np.zeros_like(CORD)
AREA = np.count_nonzero(CORD)
BLANK = measure(SliceMasks(CORD, ellipse(13.0, 15.0), NONE, PIXEL_MM))


def sized(share: float) -> Labels:
    """A cord of this share of the usual area, in the same shape."""
    return ellipse(8.0 * share**0.5, 12.0 * share**0.5)


def masks(cords: list[Labels]) -> list[SliceMasks]:
    return [SliceMasks(cord, cord, NONE, PIXEL_MM) for cord in cords]


def compared(cords: list[Labels], usual: list[bool] | None = None, step_mm: float = 4.0) -> list[Beside | None]:
    centres = np.array([(0.0, 0.0, -step_mm * i) for i in range(len(cords))])
    return compare(masks(cords), centres, usual or [True] * len(cords))


def middle_of(found: list[Beside | None]) -> Beside:
    one = found[len(found) // 2]
    assert one is not None
    return one


PINCHED = [True, True, False, True, True]


def test_a_pinched_cord_is_a_share_of_what_lies_above_and_below():
    found = middle_of(compared([CORD, CORD, sized(0.7), CORD, CORD], PINCHED))
    assert found.area_ratio == pytest.approx(0.7, abs=0.02)
    # Each half axis loses 16 %: 0.65 mm of the shorter one, 0.98 mm of the longer.
    assert 0.5 < found.change_mm < 1.2


def test_a_cord_that_tapers_towards_the_conus_is_not_narrowed_anywhere():
    for one in compared([sized(1 - 0.04 * i) for i in range(9)]):
        assert one is not None and evidence_of(one.area_ratio, one.change_mm)[0] == 0
        assert evidence_of(one.area_ratio, one.change_mm)[1] <= 0


def test_suspected_slices_do_not_stand_for_the_usual_cord():
    cords = [CORD, sized(0.75), sized(0.7), sized(0.75), CORD]
    assert middle_of(compared(cords, [True, False, False, False, True])).area_ratio == pytest.approx(0.7, abs=0.02)
    assert middle_of(compared(cords)).area_ratio > 0.8


@pytest.mark.parametrize(
    ("cords", "usual", "step_mm"),
    [
        ([CORD, NONE, CORD], [True, True, True], 4.0),  # no cord here
        ([NONE, sized(0.7), NONE], [True, False, True], 4.0),  # none beside
        ([CORD, sized(0.7), CORD], [False, False, False], 4.0),  # all suspected
        ([CORD, sized(0.7), CORD], [True, False, True], REACH_MM + 1),  # too far
        ([CORD, sized(0.7), NONE], [True, False, True], NEAR_MM + 1),  # too far for one side alone
    ],
)
def test_without_a_cord_beside_nothing_is_compared(cords, usual, step_mm):
    assert compared(cords, usual, step_mm)[1] is None


@pytest.mark.parametrize(
    ("cords", "usual"),
    [
        ([CORD, sized(0.7)], [True, False]),  # nothing below
        ([NONE, sized(0.7), CORD], [True, False, True]),  # none above
        ([CORD, sized(0.7), CORD], [True, False, False]),  # all suspected below
    ],
)
def test_one_side_alone_says_nothing_for_a_compression(cords, usual):
    found = compared(cords, usual)[1]
    assert found is not None and found.area_ratio is None
    assert found.change_mm > USUAL_CHANGE_MM
    assert evidence_of(None, found.change_mm) == (0.0, 0.0)
    assert evidence_of(None, 0.0) == evidence_of(1.0, 0.0) == (0.0, LEAST_CHANGE_MM - USUAL_CHANGE_MM)


def test_stations_that_overlap_are_compared_by_place():
    heights = [0.0, -8.0, -4.0, -12.0]
    cords = masks([CORD, sized(0.7), CORD, CORD])
    found = compare(cords, np.array([(0, 0, z) for z in heights]), [True, False, True, True])
    assert found[1] is not None
    assert found[1].area_ratio == pytest.approx(0.7, abs=0.02)


@pytest.mark.parametrize("at", [(0.0, 0.0), (1.5, -1.0), (-0.75, 0.25), (14.0, 14.0)])
def test_a_cord_that_only_lies_elsewhere_has_not_changed(at):
    found = middle_of(compared([CORD, CORD, ellipse(8.0, 12.0, at), CORD, CORD], PINCHED))
    assert found.area_ratio == pytest.approx(1, abs=0.03)
    assert found.change_mm < LEAST_CHANGE_MM


def test_a_cord_pressed_flat_has_changed_though_its_area_is_the_same():
    found = middle_of(compared([CORD, CORD, ellipse(6.0, 16.0), CORD, CORD], PINCHED))
    assert found.area_ratio == pytest.approx(1, abs=0.03)
    # Its front and back lie 1 mm within the usual cord, the sides of that deeper within it.
    assert 1.0 <= found.change_mm <= 2.0


@pytest.mark.parametrize("depth_mm", [1.0, 1.5, 2.0])
def test_a_dent_from_one_side_is_as_deep_as_it_is(depth_mm):
    rows = (np.arange(len(CORD)) - (len(CORD) - 1) / 2) * PIXEL_MM
    dented = CORD & (rows[:, None] > -4.0 + depth_mm)
    found = middle_of(compared([CORD, CORD, dented, CORD, CORD], PINCHED))
    # Half of a straight dent can be taken up by moving the one outline against the other.
    assert depth_mm / 2 - 0.3 <= found.change_mm <= depth_mm + 0.25
    assert found.area_ratio == pytest.approx(np.count_nonzero(dented) / AREA)


SPECK, DIAGONAL = np.zeros_like(CORD), np.zeros_like(CORD)
SPECK[40, 40] = DIAGONAL[40, 40] = DIAGONAL[41, 41] = True


@pytest.mark.parametrize("cord", [SPECK, DIAGONAL, np.ones_like(CORD), CORD & (np.indices(CORD.shape).sum(0) % 2 == 0)])
def test_whatever_was_outlined_as_cord_is_compared(cord):
    found = middle_of(compared([CORD, CORD, cord, CORD, CORD], PINCHED))
    assert found.change_mm > USUAL_CHANGE_MM
    # It may even stand beside others.
    assert middle_of(compared([cord, cord, CORD, cord, cord])).change_mm > USUAL_CHANGE_MM


def test_tumour_that_was_outlined_as_cord_is_no_cord_like_beside():
    swollen = CORD | ellipse(5.0, 5.0, (-5.0, 0.0))
    found = middle_of(compared([CORD, CORD, swollen, CORD, CORD], PINCHED))
    assert found.area_ratio > 1
    assert evidence_of(found.area_ratio, found.change_mm)[1] > 0


@given(
    st.lists(st.floats(0, 1), min_size=5, max_size=5),
    st.floats(0.01, 2),
    st.floats(0.01, 2),
    st.floats(0, 9),
    st.floats(0, 9),
)
def test_a_smaller_or_more_changed_cord_never_lowers_a_probability(head, ratio, other, change, more):
    head = np.minimum.accumulate(np.array(head))
    (least, most), (small, large) = sorted((ratio, other)), sorted((change, more))
    worse = with_evidence(head, evidence_of(least, large), WEIGHTS)
    better = with_evidence(head, evidence_of(most, small), WEIGHTS)
    assert (worse >= better - 1e-12).all()
    assert (np.diff(worse) <= 0).all() and (np.diff(better) <= 0).all()
    # Narrowing alone speaks for compression only.
    assert (with_evidence(head, evidence_of(least, None), WEIGHTS) >= head - 1e-12).all()


def test_what_healthy_cords_vary_by_and_what_is_unknown_count_for_nothing():
    head = np.array(sure("1c"))
    for ratio in (None, USUAL_RATIO, 1.0, 1.3):
        for change in (None, USUAL_CHANGE_MM):
            assert (with_evidence(head, evidence_of(ratio, change), WEIGHTS) == head).all()


def test_half_an_outline_makes_no_compression_where_the_head_is_sure():
    head = np.array([0.08, 0.01, 0.005, 0.001, 0.0005])
    assert evidence_of(0.1, 9.0) == evidence_of(LEAST_RATIO, MOST_CHANGE_MM)
    assert with_evidence(head, evidence_of(0.1, 9.0), WEIGHTS)[0] < 0.5


def test_a_cord_as_beside_unmakes_no_compression_where_the_head_is_sure():
    assert evidence_of(1.0, 0.0) == evidence_of(1.0, LEAST_CHANGE_MM) < (0.0, 0.0)
    assert with_evidence(np.array(sure("2")), evidence_of(1.0, 0.0), WEIGHTS)[3] > 0.5


def series_with(middle: Anatomy, at_least: tuple[float, ...]):
    healthy = [prediction(z_mm=-4.0 * i, index=i) for i in range(7)]
    labels = paint(Anatomy().sac, middle.cord)
    healthy[3] = prediction(at_least, z_mm=-12.0, index=3, labels=labels)
    return stack(healthy)


@pytest.mark.parametrize(("cord_ap", "grade"), [(7.0, "1c"), (4.5, "2")])
def test_the_same_opinion_of_the_head_is_a_2_where_the_cord_is_pinched(cord_ap, grade):
    cuts = GradingThresholds(narrowing_weight=NARROWING_WEIGHT)
    unsure = (0.99, 0.97, 0.9, 0.2, 0.01)
    slices = graded_slices(series_with(replace(Anatomy(), cord_ap=cord_ap), unsure), cuts)
    one = slices[3]
    assert one.grade.grade == grade
    assert one.grade.head_grade == "1c"
    assert one.measures.cord_area_ratio == pytest.approx(cord_ap / 7.0, abs=0.03)
    assert all(other.grade.grade == "0" for other in slices if other is not one)


@pytest.mark.parametrize(("size", "grade"), [((7.0, 9.5), "1c"), ((5.6, 11.9), "2")])
def test_the_same_opinion_of_the_head_is_a_1c_where_the_cord_is_as_beside(size, grade):
    cuts = GradingThresholds(change_weight=CHANGE_WEIGHT)
    ap, rl = size
    unsure = (0.99, 0.97, 0.9, 0.6, 0.01)
    one = graded_slices(series_with(replace(Anatomy(), cord_ap=ap, cord_rl=rl), unsure), cuts)[3]
    assert one.measures.cord_area_ratio == pytest.approx(1, abs=0.02)
    assert one.grade.grade == grade
    assert one.grade.head_grade == "2"


def test_the_reason_says_how_much_is_missing():
    cuts = GradingThresholds()
    one = graded_slices(series_with(replace(Anatomy(), cord_ap=4.9), sure("2")), cuts)[3]
    assert "cord area 37 mm2 (29 % less than beside, outline changed by 1.0 mm)" in finding_words("2", one.measures)
    same = replace(one.measures, cord_area_ratio=1.0, cord_change_mm=0.0)
    assert "(no less than beside, outline as beside)" in finding_words("2", same)
    assert "(outline as beside)" in finding_words("1c", same)
    assert "beside)" not in finding_words("0", same)
    assert "beside)" not in finding_words("2", replace(same, cord_area_ratio=None, cord_change_mm=None))


@pytest.mark.parametrize("change_mm", [0.6499, 0.65, 0.6449, 1.0])
def test_words_and_numbers_print_alike(change_mm):
    measures = replace(BLANK, cord_area_ratio=0.9, cord_change_mm=change_mm)
    stated = measures_document(measures)["cord_change_mm"]
    assert f"outline changed by {stated:.1f} mm" in finding_words("2", measures)
