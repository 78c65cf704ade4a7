"""Studies without a grade say what was sent and what is needed."""

import pytest

from dashboard.grading import grade_study
from dashboard.study import Rejection, Role, Study
from tests.grading.crops import axial_series, study_of

NEEDED = "axial T2 images of the spine are needed for a grade"


def reasons_of(*roles: Role) -> tuple[str, ...]:
    series = [axial_series(2, uid=f"2.25.{n}", role=role, reason="not used") for n, role in enumerate(roles)]
    found = grade_study(study_of(*series), {})
    assert found.status == "not_analysed" and found.grade is None and found.urgency.tier.value == "not analysed"
    assert found.urgency.reasons == found.reasons
    return found.reasons


@pytest.mark.parametrize(
    ("roles", "words"),
    [
        ([Role.SAGITTAL_T2, Role.SAGITTAL_STIR], "only sagittal images"),
        ([Role.CT], "only CT"),
        ([Role.PET, Role.CT], "only PET and CT"),
        ([Role.BRAIN_FLAIR, Role.BRAIN_T2], "only brain images"),
        ([Role.DWI, Role.ADC], "only diffusion images"),
        ([Role.AXIAL_T1], "axial images are T1 only"),
    ],
)
def test_the_kind_of_study_is_named(roles, words):
    assert reasons_of(*roles) == (f"not analysed: {words}; {NEEDED}",)


def test_a_mixture_says_what_is_missing_and_each_reason():
    assert reasons_of(Role.OTHER, Role.CT) == (f"not analysed: no axial T2 images; {NEEDED}", "not used")


def test_no_images_at_all_count_the_files_that_could_not_be_used():
    study = Study("2.25.1", (), rejected=(Rejection("a", "damaged"), Rejection("b", "damaged")))
    assert grade_study(study, {}).reasons == (
        f"not analysed: no images could be read (2 files could not be used); {NEEDED}",
    )


def test_an_axial_t2_series_that_was_refused_gives_its_own_reason():
    series = axial_series(2, reason="slices overlap")
    assert grade_study(study_of(series), {}).reasons == ("not analysed: slices overlap",)
