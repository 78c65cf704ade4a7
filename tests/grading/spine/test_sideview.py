"""What a study asks for from the side, over several sagittal volumes and beside graded axial slices."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dashboard.grading import StudyResult, first_look, grade_study
from dashboard.study import Acquisition, FrameReference, Role, Series, Volume
from dashboard.study.sagittal import SagittalPrediction
from tests.grading.crops import axial_series, study_of
from tests.grading.spine.drawn import Drawing, drawn, flat_models, one_model
from tests.grading.worded import slices_of

AXIAL = "2.25.7"
# In plain units: a canal half as wide is suspected, and surer than a cord as narrow.
MODELS = replace(
    flat_models(),
    canal_cord=one_model("canal_cord", (10.0, 0.0, 0.0), offset=-4.0),
    canal_cauda=one_model("canal_cauda", (10.0,), offset=-2.0),
)
PINCHED_CORD = Drawing(canal={"L1/2": 7.2}, cord_end="L4")
PINCHED_CAUDA = Drawing(canal={"L4/5": 2.6})
PLAIN = Drawing(cord_end="L4")
ASKED = "suspected on sagittal images: axial images needed"


def seen(drawing: Drawing, uid: str) -> SagittalPrediction:
    return replace(drawn(drawing)[0], series_instance_uid=uid)


def series_of(one: SagittalPrediction, frame: str, role: Role = Role.SAGITTAL_T2) -> Series:
    uid, count = one.series_instance_uid, len(one.labels)
    frames = tuple(FrameReference(f"{uid}.{k}") for k in range(count))
    volume = Volume(np.zeros(one.labels.shape, np.int16), one.affine, frames)
    return Series(uid, 5, Acquisition(modality="MR"), role, (volume,), "axial images are needed", (), frame)


def graded(
    *predictions: SagittalPrediction,
    axial_at: Any = None,
    axial_frame: str = "A",
    role: Role = Role.SAGITTAL_T2,
) -> StudyResult:
    """A study of sagittal series, each of its own frame ("A" first), and healthy axial slices from `axial_at` down."""
    sides = [series_of(one, "AB"[k], role) for k, one in enumerate(predictions)]
    sagittal = {one.series_instance_uid: (one,) for one in predictions}
    if axial_at is None:
        return grade_study(study_of(*sides), {}, sagittal=sagittal, finding_models=MODELS)
    stack = slices_of("0 " * 9, 4.0)
    x, y, z = axial_at
    moved = []
    for index, one in enumerate(stack.slices):
        affine = one.affine.copy()
        affine[:3, 3] += np.array([x, y, z + 16.0 - 4.0 * index]) - one.centre_mm
        moved.append(replace(one, affine=affine))
    axial = axial_series(9, uid=AXIAL, frame=axial_frame)
    found = replace(stack, slices=tuple(moved))
    return grade_study(study_of(axial, *sides), {AXIAL: found}, sagittal=sagittal, finding_models=MODELS)


def narrowest(result: StudyResult) -> list[float]:
    assert result.sagittal is not None
    return list(result.sagittal["worst"]["position_mm"])


FAR = (500.0, 0.0, 0.0)


@pytest.mark.parametrize(("frame", "tier", "needs"), [("A", "routine", None), ("B", "urgent", "axial images")])
def test_axial_slices_show_a_place_only_in_its_own_frame_of_reference(frame: str, tier: str, needs: str | None) -> None:
    cord = seen(PINCHED_CORD, "1.2.3")
    found = graded(cord, axial_at=narrowest(graded(cord)), axial_frame=frame)
    assert found.grade == "0"
    assert (found.urgency.tier.value, found.to_document()["sagittal"]["needs"]) == (tier, needs)


def test_axial_slices_without_a_frame_of_reference_show_nothing() -> None:
    cord = seen(PINCHED_CORD, "1.2.3")
    assert graded(cord, axial_at=narrowest(graded(cord)), axial_frame="").urgency.tier.value == "urgent"


@pytest.mark.parametrize(
    ("role", "tier"),
    [(Role.SAGITTAL_T2, "urgent"), (Role.SAGITTAL_STIR, "soon"), (Role.SAGITTAL_T1, "soon")],
)
def test_a_contrast_in_which_nothing_was_measured_asks_soon_and_says_so(role: Role, tier: str) -> None:
    found = graded(seen(PINCHED_CORD, "1.2.3"), axial_at=FAR, role=role)
    assert found.urgency.tier.value == tier
    assert ("not T2, of which nothing was measured" in found.urgency.reasons[0]) is (tier == "soon")
    assert "the cord at L1/2" in first_look(found.to_document()).reasons[0]


def test_other_contrasts_are_asked_only_where_no_t2_speaks() -> None:
    plain, cord = seen(PLAIN, "1.2.2"), seen(PINCHED_CORD, "1.2.3")
    sides = (series_of(plain, "A"), series_of(cord, "A", Role.SAGITTAL_STIR))
    sagittal = {"1.2.2": (plain,), "1.2.3": (cord,)}
    found = grade_study(study_of(*sides), {}, sagittal=sagittal, finding_models=MODELS)
    assert not any("axial images needed" in one for one in found.urgency.reasons)


def test_the_cord_speaks_for_the_study_before_a_surer_cauda_and_both_are_named() -> None:
    found = graded(seen(PINCHED_CORD, "1.2.3"), seen(PINCHED_CAUDA, "1.2.4"), axial_at=FAR)
    look = first_look(found.to_document())
    assert (found.urgency.tier.value, look.place.split()[0]) == ("urgent", "L1/2")
    assert look.reasons[0].startswith("suspected compression of the cord at L1/2")
    assert f"compression of the cauda equina {ASKED}" in look.reasons


def test_a_canal_narrowed_in_one_of_two_volumes_is_suspected_in_the_findings() -> None:
    found = graded(seen(PLAIN, "1.2.2"), seen(PINCHED_CORD, "1.2.3"))
    canal = [one for one in found.findings if one["kind"] == "canal_narrowing" and one["level"] == "L1/2"]
    assert [(one["status"], one["series_instance_uid"]) for one in canal] == [("suspected", "1.2.3")]
