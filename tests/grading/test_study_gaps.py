"""A whole study some of whose slices were not graded, where the cord ends, or where slices are missing."""

from dataclasses import replace

import numpy as np
import pytest

from dashboard.grading import StudyResult, grade_study
from dashboard.study import LABELS
from tests.grading.crops import (
    axial_series,
    prediction,
    stack,
    study_of,
    sure,
)
from tests.grading.worded import CAUDA, CROPS, graded, slices_of


def test_a_level_lost_between_two_flagged_ones_is_urgent():
    found = graded("0 0 1c lost 1c 0 0")
    assert found.urgency.tier.value == "urgent"
    assert any(reason.startswith("slice 4 could not be graded") for reason in found.urgency.reasons)


@pytest.mark.parametrize(
    ("words", "first", "worst"),
    [
        ("0 1c 2 2 0", 3, 3),  # the grade sets the tier
        ("0 0 1c lost 1c 0 0", 4, 3),  # a gap does
        ("0 0 lost lost lost 0 0", 4, None),  # its middle
        ("1a 1a 0 3 0 0", 1, 1),  # as soon as a slice alone, and graded
        ("0 0 0 3 0 0", 4, 4),
    ],
)
def test_the_slice_that_sets_the_tier_is_the_first_to_look_at(words, first, worst):
    document = graded(words, step_mm=3.0).to_document()
    assert document["first_slice"]["number"] == first
    assert worst is None or document["worst_slice"]["number"] == worst


def test_where_the_tier_is_about_no_slice_none_is_first():
    found = grade_study(study_of(axial_series(3)), {})
    assert found.to_document()["first_slice"] is None


def test_a_slice_that_never_arrived_is_looked_for_soon():
    made = list(slices_of("0 0 0 0 0 0 0").slices)
    kept = [replace(one, volume_index=int(index > 3)) for index, one in enumerate(made) if index != 3]
    found = grade_study(study_of(axial_series(6)), {"2.25.7": stack(kept)})
    assert found.urgency.tier.value == "soon"
    assert found.urgency.reasons[0] == "a slice may be missing after slice 3; the slices beside are not flagged"
    assert found.to_document()["first_slice"]["number"] == 3


def test_several_lost_slices_between_healthy_ones_stand_above_soon():
    found = graded("0 0 lost lost lost 0 0")
    assert found.urgency.tier.value == "not analysed" and found.status == "graded"
    assert any("read it now" in reason for reason in found.urgency.reasons)


def test_one_lost_slice_between_healthy_ones_is_looked_at_soon():
    assert graded("0 0 lost 0 0").urgency.tier.value == "soon"


def test_cauda_equina_below_the_conus_is_no_gap():
    found = graded("0 0 0 0 0 0 cauda cauda cauda")
    assert found.urgency.tier.value == "routine"
    assert {one.reasons for one in found.slices[6:]} == {("no cord at this level: the Bilsky scale does not apply",)}


def test_too_short_a_cord_above_a_cauda_equina_is_not_held_to_be_one():
    found = graded("0 0 0 cauda cauda cauda")
    assert found.status == "not_analysed"
    assert all("may be roots lying together" in one.reasons[0] for one in found.slices[:3])


def test_compression_in_too_short_a_cord_is_not_lost():
    found = graded("2 2 3 cauda cauda cauda")
    assert found.status == "not_analysed"
    assert found.urgency.tier.value in ("immediate", "urgent")


def cut(grades: str, canal_inside: float) -> StudyResult:
    """A stack of which every slice's canal is cut by the edge of the field."""
    made = [replace(one, canal_inside=canal_inside) for one in slices_of(grades).slices]
    return grade_study(study_of(axial_series(len(made))), {"2.25.7": stack(made)})


def test_compression_suspected_in_a_canal_that_is_cut_is_urgent():
    assert cut("0 0 3 3 3 0 0", 0.8).urgency.tier.value == "urgent"


def test_of_a_canal_that_is_hardly_seen_nothing_is_suspected():
    assert cut("0 0 3 3 3 0 0", 0.5).urgency.tier.value == "not analysed"


def test_healthy_slices_of_a_cut_canal_are_not_urgent():
    assert cut("0 0 0 0 0 0 0", 0.8).urgency.tier.value == "not analysed"


def test_no_cord_in_the_middle_of_the_cord_is_owed_a_grade():
    found = graded("0 0 0 cauda cauda cauda 0 0 0 0 0")
    assert found.urgency.tier.value == "not analysed"


def test_a_cord_seen_below_the_conus_is_not_believed():
    found = graded("0 0 0 0 cauda cauda cauda 1b cauda cauda")
    assert found.slices[7].status == "not_analysed"
    assert found.slices[7].reasons == ("below the level where the cord ends: the Bilsky scale does not apply",)


def conus(step_mm: float = 5.0, below: str = "cauda cauda cauda", **change: np.ndarray) -> StudyResult:
    """A cord that is not seen in slice 7, seen again in 8, and ends."""
    made = list(slices_of(f"0 0 0 0 0 0 cauda 0 {below}", step_mm).slices)
    made[6] = replace(made[6], **change)
    return grade_study(study_of(axial_series(len(made))), {"2.25.7": stack(made)})


def test_a_cord_that_comes_and_goes_at_the_conus_in_an_open_sac_is_no_gap():
    found = conus()
    assert found.urgency.tier.value == "routine"
    assert found.slices[6].status == "not_analysed" and "the cord ends about here" in found.slices[6].reasons[0]
    assert found.slices[7].status == "analysed"


def test_with_a_tumour_or_without_csf_it_is_one():
    tumour, dry = CAUDA.copy(), np.zeros_like(CAUDA)
    tumour[60:70, 40:50] = LABELS.index("tumour")
    dry[46:50, 44:52] = LABELS.index("csf")
    for labels in (tumour, dry):
        assert conus(labels=labels).urgency.tier.value != "routine"


def test_where_the_cord_does_not_end_soon_or_not_for_certain_it_is_one():
    assert conus(step_mm=12.0).urgency.tier.value != "routine"
    assert conus(below="lost").urgency.tier.value != "routine"


def above_a_cauda(scene: tuple[float, ...]) -> StudyResult:
    """Six slices with the outlines and the head of a 3 that look like `scene`, above twenty of cauda equina."""
    made = list(slices_of("3 3 3 3 3 3" + " cauda" * 20).slices)
    made[:6] = [replace(one, scene=np.array(scene)) for one in made[:6]]
    return grade_study(study_of(axial_series(len(made))), {"2.25.7": stack(made)})


def test_what_is_unlike_a_spine_above_a_cauda_equina_is_not_spoken_for_by_it():
    found = above_a_cauda((0.42, 0.0, 0.04, 0.18, 0.36))
    assert (found.status, found.urgency.tier.value) == ("not_analysed", "not analysed")
    assert {one.reasons for one in found.slices[:6]} == {("the image is unlike those the model was made for",)}
    assert above_a_cauda((0.9, 0.0, 0.02, 0.04, 0.04)).urgency.tier.value == "immediate"


def test_one_slice_without_a_visible_cord_at_the_foot_of_the_stack_is_owed_a_grade():
    assert graded("0 0 0 0 cauda").urgency.tier.value == "soon"


def test_planes_at_the_ends_that_left_the_volume_lose_nothing():
    made = [
        replace(prediction(sure("0"), -3.0 * n, CROPS["0"], index=n, inside=0.9 if n > 1 else 0.2), frame=None)
        for n in range(8)
    ]
    found = grade_study(study_of(axial_series(8)), {"2.25.7": stack(made)})
    assert found.urgency.tier.value == "routine"
    assert any(reason.startswith("slices 1 to 2 could not be graded") for reason in found.urgency.reasons)
