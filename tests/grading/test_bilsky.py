"""Grades from measurements and head."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.grading import BAND_OF_GRADE, Band, GradingThresholds
from dashboard.grading.bilsky import grade_from, grade_probabilities, grade_slice, rules_at_least
from dashboard.grading.masks import slice_masks
from dashboard.grading.morphometry import Measures, measure
from dashboard.study import GRADES
from tests.grading.crops import PIXEL_MM, Anatomy, crop_of_grade, paint, sure

BLANK = measure(slice_masks(paint(Anatomy().sac, Anatomy().cord), PIXEL_MM))
falling = st.lists(st.floats(0, 1), min_size=5, max_size=5).map(lambda values: np.array(sorted(values, reverse=True)))
tumours = st.builds(
    lambda area, contact, gap, cord_in, sac_in, csf: replace(
        BLANK,
        tumour_area_mm2=area,
        contact_fraction=contact,
        cord_gap_mm=0.0 if contact else gap,
        cord_indentation_mm=cord_in,
        sac_indentation_mm=sac_in,
        visible_csf_mm2=csf,
    ),
    st.floats(0, 200),
    st.floats(0, 1),
    st.floats(0, 8),
    st.floats(0, 5),
    st.floats(0, 8),
    st.floats(0, 150),
)


def quadratic_weighted_kappa(table: np.ndarray) -> float:
    weights = np.subtract.outer(np.arange(len(table)), np.arange(len(table))) ** 2
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    return 1 - float((weights * table).sum() / (weights * expected).sum())


def rules_grade(measures: Measures) -> str:
    return GRADES[int((rules_at_least(measures) >= 0.5).sum())]


def test_rules_on_true_masks_reach_a_kappa_of_095():
    rng = np.random.default_rng(20)
    table = np.zeros((6, 6), int)
    for rank, grade in enumerate(GRADES):
        while table[rank].sum() < 60:
            labels = crop_of_grade(grade, rng)
            if labels is not None:
                found = rules_grade(measure(slice_masks(labels, PIXEL_MM)))
                table[rank, GRADES.index(found)] += 1
    assert quadratic_weighted_kappa(table) >= 0.95
    assert table[4:, :3].sum() == 0, "no 2 or 3 may be read as 0 to 1b"


@given(falling)
def test_six_probabilities_are_none_below_zero_and_sum_to_one(at_least):
    probabilities = grade_probabilities(at_least)
    assert tuple(probabilities) == GRADES
    assert min(probabilities.values()) >= 0 and sum(probabilities.values()) == pytest.approx(1)


@given(tumours)
def test_rules_never_rise_with_the_grade(measures):
    rules = rules_at_least(measures)
    assert np.all(np.diff(rules) <= 0) and rules[-1] >= 0 and rules[0] <= 1


@given(tumours, st.floats(0, 0.5), st.floats(0, 3), st.floats(0, 3), st.floats(0, 100), st.floats(0, 3))
def test_more_contact_deformation_or_less_csf_never_lowers_the_rules(measures, contact, deeper, dent, csf, nearer):
    worse = replace(
        measures,
        contact_fraction=min(1.0, measures.contact_fraction + contact),
        cord_indentation_mm=measures.cord_indentation_mm + deeper,
        sac_indentation_mm=measures.sac_indentation_mm + dent,
        visible_csf_mm2=max(0.0, measures.visible_csf_mm2 - csf),
        cord_gap_mm=max(0.0, measures.cord_gap_mm - nearer),
    )
    assert np.all(rules_at_least(worse) >= rules_at_least(measures) - 1e-12)


@given(tumours)
def test_a_slice_the_head_holds_healthy_stays_grade_0_whatever_was_outlined(measures):
    assert grade_slice(np.array(sure("0")), measures, GradingThresholds()).grade == "0"


def test_specks_of_tumour_do_not_lift_a_slice_the_head_leaves_below_its_cut():
    touching = replace(BLANK, tumour_area_mm2=16, contact_fraction=0.17, cord_gap_mm=0.0, cord_indentation_mm=1.2)
    thresholds = GradingThresholds(grade_cut=(0.65, 0.45, 0.35, 0.35, 0.3))
    assert grade_slice(np.array([0.54, 0.34, 0.16, 0.06, 0.02]), touching, thresholds).grade == "0"


@pytest.mark.parametrize("grade", GRADES)
def test_head_and_rules_of_one_mind_give_that_grade(grade):
    rng = np.random.default_rng(4)
    labels = None
    while labels is None:
        labels = crop_of_grade(grade, rng)
    found = grade_slice(np.array(sure(grade)), measure(slice_masks(labels, PIXEL_MM)), GradingThresholds())
    assert found.grade == grade and not found.disagree


def test_contact_without_visible_deformation_is_not_measured_as_compression():
    touching = replace(BLANK, tumour_area_mm2=40, contact_fraction=0.15, cord_gap_mm=0.0, sac_indentation_mm=2.0)
    assert rules_grade(touching) == "1c"
    assert rules_grade(replace(touching, contact_fraction=0.4)) == "2"
    assert rules_grade(replace(touching, cord_indentation_mm=1.3)) == "2"


def test_no_csf_left_makes_it_grade_3():
    pressed = replace(BLANK, tumour_area_mm2=90, contact_fraction=0.5, cord_gap_mm=0.0, sac_indentation_mm=3.0)
    assert rules_grade(pressed) == "2"
    assert rules_grade(replace(pressed, visible_csf_mm2=0.0)) == "3"


def test_a_head_that_sees_compression_where_nothing_is_outlined_disagrees():
    found = grade_slice(np.array(sure("3")), BLANK, GradingThresholds())
    assert found.disagree and found.head_grade == "3" and found.rules_grade == "0"


def test_neighbouring_grades_are_no_disagreement():
    touching = replace(BLANK, tumour_area_mm2=40, contact_fraction=0.15, cord_gap_mm=0.0, sac_indentation_mm=2.0)
    assert not grade_slice(np.array(sure("2")), touching, GradingThresholds()).disagree


def test_the_grade_is_the_worst_whose_probability_reaches_its_cut():
    assert grade_from([0.9, 0.8, 0.6, 0.3, 0.1], [0.5] * 5) == "1c"
    assert grade_from([0.9, 0.8, 0.6, 0.3, 0.1], [0.5, 0.5, 0.5, 0.25, 0.25]) == "2"


def test_what_is_most_likely_a_0_is_no_2_however_low_the_cut_of_a_2():
    assert grade_from([0.29, 0.21, 0.21, 0.21, 0.16], [0.525, 0.375, 0.25, 0.2, 0.2]) == "0"


def test_what_is_likelier_a_compression_than_not_is_no_0_wherever_the_cut_for_1a_lies():
    cuts = [0.55, 0.45, 0.4, 0.1, 0.425]
    assert grade_from([0.534, 0.507, 0.507, 0.507, 0.507], cuts) == "3"
    assert grade_from([0.534, 0.507, 0.507, 0.507, 0.1], cuts) == "2"
    assert grade_from([0.534, 0.507, 0.507, 0.49, 0.1], cuts) == "0"


def test_bands_leave_1c_on_its_own():
    assert [BAND_OF_GRADE[grade] for grade in GRADES] == [Band.LOW] * 3 + [Band.WATCH] + [Band.HIGH] * 2
