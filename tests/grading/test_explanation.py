"""What speaks for a grade, in the words of the field, the same for page and command line."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.grading import grade_study
from dashboard.grading.bilsky import DISAGREEMENT_RANKS, SliceGrade
from dashboard.grading.explanation import bears_out
from dashboard.grading.masks import slice_masks
from dashboard.grading.morphometry import Measures, measure
from dashboard.grading.words import finding_words, leaning_words, opinion_words, slice_words
from dashboard.study import GRADES
from tests.grading.crops import PIXEL_MM, Anatomy, axial_series, ellipse, paint, prediction, stack, study_of, sure
from tests.grading.worded import CROPS, graded, slices_of

SURE = (0.9, 0.8, 0.7, 0.6, 0.1)


def measured(**changes: float | None) -> Measures:
    """Measures of a healthy slice but for `changes`."""
    anatomy = Anatomy()
    return replace(measure(slice_masks(paint(anatomy.sac, anatomy.cord), PIXEL_MM)), **changes)


LONE = "no neighbour supports it: no slice beside it was analysed"


def said(words: str, number: int) -> tuple[str, ...]:
    """Explanation of a slice of a stack 3 mm apart; see :func:`slices_of` for the words."""
    return graded(words, step_mm=3.0).slices[number - 1].explanation


def test_contact_dent_and_csf_left_are_said_with_their_units():
    found = measured(
        contact_fraction=0.41, cord_gap_mm=0.0, cord_indentation_mm=1.84, visible_csf_mm2=12.25, cord_area_mm2=43.5
    )
    assert finding_words("2", found) == (
        "suspected tumour touches 41 % of the cord's outline, cord dented 1.8 mm, CSF 12 mm2 left, cord area 44 mm2"
    )


def test_tumour_that_does_not_touch_is_said_with_its_distance_and_the_dent_of_the_sac():
    near = measured(cord_gap_mm=1.62, sac_indentation_mm=0.9, cord_indentation_mm=0.0, visible_csf_mm2=80.0)
    words = finding_words("1b", near)
    assert words.startswith("suspected tumour comes within 1.6 mm of the cord, thecal sac dented 0.9 mm")
    assert "thecal sac not dented" in finding_words("1a", replace(near, sac_indentation_mm=0.0))


def test_nothing_outlined_is_said_without_claiming_more():
    words = finding_words("0", measured(visible_csf_mm2=90.0))
    assert words.startswith("no tumour outlined beside the cord, CSF 90 mm2 round the cord")


def test_specks_outlined_in_a_slice_of_grade_0_are_said_and_not_called_suspected():
    speck = measured(cord_gap_mm=3.5, sac_indentation_mm=0.2, tumour_area_mm2=4.0, visible_csf_mm2=163.0)
    words = finding_words("0", speck)
    assert words.startswith("an area of 4 mm2 outlined as tumour comes within 3.5 mm of the cord")
    assert "CSF 163 mm2 round the cord" in words and "suspected" not in words


def test_lost_csf_and_slight_contact_are_not_printed_as_a_number():
    slight = measured(contact_fraction=0.004, cord_gap_mm=0.0, cord_indentation_mm=0.01, visible_csf_mm2=0.0)
    assert "touches less than 1 % of the cord's outline, cord not dented, no CSF seen" in finding_words("1c", slight)


def test_a_cord_pressed_flat_is_not_called_undented():
    flat = measured(contact_fraction=0.34, cord_gap_mm=0.0, cord_indentation_mm=0.0)
    assert "dented" not in finding_words("2", flat) and "cord not dented" in finding_words("1c", flat)


@pytest.mark.parametrize("head", GRADES)
@pytest.mark.parametrize("rules", GRADES)
def test_model_and_measurements_are_quoted_where_they_differ_and_disagree_when_far_apart(head, rules):
    opinion = opinion_words(SliceGrade(SURE, head, head, rules))
    apart = abs(GRADES.index(head) - GRADES.index(rules))
    if apart == 0:
        assert opinion is None
        return
    assert opinion is not None
    assert f"the model {'suggests' if apart >= DISAGREEMENT_RANKS else 'by itself suggests'} grade {head}" in opinion
    assert f"the measurements grade {rules}" in opinion
    assert opinion.startswith("model and measurements disagree: ") == (apart >= DISAGREEMENT_RANKS)


def test_that_a_milder_grade_is_likelier_is_said():
    words = "grade 1c is the likeliest (P 0.85); 2 is suggested all the same, so that few are missed"
    assert leaning_words(SliceGrade((0.99, 0.98, 0.96, 0.11, 0.01), "2", "2", "2")) == words
    assert leaning_words(SliceGrade((0.99, 0.98, 0.96, 0.8, 0.01), "2", "2", "2")) is None
    # A worse one may be likelier than a 0 by no more than the cut allows; nothing is played down there.
    assert leaning_words(SliceGrade((0.54, 0.01, 0.0, 0.0, 0.0), "0", "0", "0")) is None


def test_disagreement_stands_among_the_reasons_too_in_the_same_words():
    far = SliceGrade(SURE, "2", "3", "1b")
    assert opinion_words(far) in slice_words(far, measured(cord_gap_mm=1.0))


@pytest.mark.parametrize(
    ("words", "number", "sentence"),
    [
        ("0 2 2 2 0", 3, "slices 2 and 4 agree: 2, 2"),
        ("0 1b 2 1c 0", 3, "slices 2 and 4 agree: 1b, 1c"),
        ("0 0 2 2 0", 3, "slice 4 agrees: 2; slice 2 does not: 0"),
        ("0 0 2 0 0", 3, "no neighbour supports it: slices 2 and 4 are graded 0, 0"),
        ("0 0 2", 3, "no neighbour supports it: slice 2 is graded 0"),
        ("2", 1, f"{LONE}; there is no other slice, and one as sure as this counts alone"),
        ("0 2 2 lost", 3, "slice 2 agrees: 2; slice 4 was not analysed"),
        (
            "0 lost 2 lost 0",
            3,
            "no neighbour supports it: slices 1 and 5 are graded 0, 0; slices 2 and 4 were not analysed",
        ),
        ("lost 2 lost", 2, "no neighbour supports it: no slice beside it was analysed"),
        ("2 lost 2", 1, "slice 3 agrees: 2; slice 2 was not analysed"),
        ("0 0 0", 2, "slices 1 and 3 agree: 0, 0"),
        ("2 0 2", 2, "no neighbour supports it: slices 1 and 3 are graded 2, 2"),
        ("0 0 0", 1, "slice 2 agrees: 0"),
    ],
)
def test_neighbours_are_named_with_their_grades(words, number, sentence):
    assert sentence in said(words, number)


def test_that_one_slice_of_a_thick_stack_counts_alone_is_said():
    words = (
        "no neighbour supports it: slices 2 and 4 are graded 0, 0; slices lie 5.0 mm apart, and one as sure as this "
    )
    assert words + "counts alone" in graded("0 0 2 0 0", step_mm=5.0).slices[2].explanation


def test_what_lies_too_far_away_is_no_neighbour():
    found = graded("2 2", step_mm=15.0).slices[0]
    assert f"{LONE}; slices lie 15.0 mm apart, and one as sure as this counts alone" in found.explanation


def test_a_grade_that_neighbours_do_not_bear_out_is_said_together_with_them():
    assert "together with its neighbours: grade 0" in said("0 0 2 0 0", 3)
    assert not any("together" in sentence for sentence in said("0 2 2 2 0", 3))


def test_another_series_of_the_same_place_may_stand_in():
    first, second = axial_series(3), axial_series(3, uid="2.25.8")
    made = {"2.25.7": slices_of("0 2 0"), "2.25.8": slices_of("0 2 0")}
    sentences = grade_study(study_of(first, second), made).slices[1].explanation
    words = "no neighbour supports it: slices 1 and 3 are graded 0, 0; another series shows the same place as 2"
    assert words in sentences
    apart = axial_series(3, uid="2.25.8", frame="2.25.77")
    assert "another series" not in " ".join(grade_study(study_of(first, apart), made).slices[1].explanation)


def test_a_slice_that_was_not_analysed_has_reasons_and_no_explanation():
    found = graded("0 lost 0").slices[1]
    assert found.explanation == () and found.reasons


def test_disagreement_is_said_on_the_slice_it_is_about():
    healthy = paint(Anatomy().sac, Anatomy().cord)
    made = [prediction(sure("3"), -5.0 * index, healthy, index=index) for index in range(3)]
    found = grade_study(study_of(axial_series(3)), {"2.25.7": stack(made)})
    assert found.slices[1].explanation[1].startswith("model and measurements disagree: the model suggests grade 3")
    assert found.slices[1].explanation[0].startswith("no tumour outlined beside the cord")


def test_the_document_carries_the_explanation_of_each_slice():
    found = graded("0 2 2 lost")
    document = found.to_document()
    assert [one["explanation"] for one in document["slices"]] == [list(one.explanation) for one in found.slices]
    assert document["slices"][3]["explanation"] == []


def test_the_share_said_is_the_share_measured():
    cord = ellipse(6, 8)
    labels = paint(cord, cord, ellipse(14, 16) & ~cord)
    made = [prediction(sure("3"), -5.0 * index, labels, index=index) for index in range(2)]
    first = grade_study(study_of(axial_series(2)), {"2.25.7": stack(made)}).slices[0].explanation[0]
    assert first.startswith("suspected tumour touches 100 % of the cord's outline")
    assert "no CSF seen round the cord" in first


@settings(max_examples=20, deadline=None)
@given(st.lists(st.sampled_from([*CROPS, "lost"]), min_size=1, max_size=7))
def test_every_analysed_slice_is_explained_and_never_contradicts_its_support(grades):
    for one in graded(" ".join(grades)).slices:
        assert bool(one.explanation) == (one.grade is not None)
        if one.grade is not None and one.grade.grade != "0" and one.supported_grade == one.grade.grade:
            words = " ".join(one.explanation)
            assert ("no neighbour" in words) == ("counts alone" in words)


def test_a_milder_neighbour_bears_out_and_a_much_milder_one_does_not():
    assert bears_out("1b", "2") and not bears_out("1a", "2")
    assert bears_out("0", "0") and not bears_out("1a", "0")


def test_no_number_is_printed_that_is_not_finite():
    labels = np.zeros((96, 96), np.uint8)
    assert "nan" not in finding_words("0", measure(slice_masks(labels, PIXEL_MM)))
