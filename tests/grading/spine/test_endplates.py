"""Marrow along endplates: read on T2, and its Modic type told where T1 of the same frame shows it."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from dashboard.grading import grade_study
from dashboard.grading.spine.contrasts import STIR, T1, OtherContrast
from dashboard.grading.spine.findings import spine_findings
from dashboard.grading.spine.measures import measure_spine
from dashboard.study import Acquisition, FrameReference, Role, Series, Study, Volume
from tests.grading.spine.drawn import drawn, flat_models

LEVEL = "L4/5"
MARROW_T1 = 300.0
FLAGGED = flat_models(modic=0.4)


def painted(image, spine, factor):
    """The picture with 6 mm of marrow on either side of a disc made brighter or darker."""
    changed = np.array(image, np.float32)
    disc = next(one.segment.mask for one in spine.named if one.level == LEVEL)
    near = ndimage.binary_dilation(disc, np.ones((1, 3, 1)), iterations=8)
    marrow = np.any([one.segment.mask for one in spine.named if one.segment.kind == "vertebra"], axis=0)
    changed[near & marrow] *= factor
    return changed


def modic(t2=1.0, t1=None, models=FLAGGED, role=T1, shift_mm=0.0):
    """The finding at one disc whose marrow is changed by these factors on T2 and T1."""
    prediction, spine = drawn()
    others = []
    if t1 is not None:
        affine = prediction.affine.copy()
        affine[2, 3] += shift_mm
        others.append(OtherContrast(role, painted(np.full(prediction.image.shape, MARROW_T1), spine, t1), affine))
    changed = replace(prediction, image=painted(prediction.image, spine, t2))
    found = spine_findings(changed, spine, models, others=others)
    (one,) = [one for one in found if (one.level, one.kind) == (LEVEL, "modic_change")]
    return one


def test_bright_and_dark_marrow_are_read_against_the_bodys_middle() -> None:
    prediction, spine = drawn()
    place = next(k for k, one in enumerate(spine.named) if one.level == LEVEL)
    for factor in (0.5, 1.0, 1.8):
        changed = replace(prediction, image=painted(prediction.image, spine, factor))
        found = measure_spine(changed, spine).endplates[place]
        for log in (found.t2.min(), found.brightest):
            assert np.exp(log) == pytest.approx(factor, rel=0.05)


def test_types_are_not_told_apart_on_t2_alone() -> None:
    one = modic(t2=1.8)
    assert (one.status, one.grade, one.value) == ("suspected", None, None)
    assert "cannot be told apart on T2 alone" in one.text


@pytest.mark.parametrize(("t1", "grade", "words"), [(0.5, "1", "type 1"), (1.8, "2", "type 2"), (1.0, None, "no type")])
def test_t1_tells_the_type_of_what_is_bright_on_t2(t1: float, grade: str | None, words: str) -> None:
    one = modic(t2=1.8, t1=t1)
    assert (one.status, one.grade, one.unit) == ("suspected", grade, "ratio")
    assert one.value == pytest.approx(t1, rel=0.05)
    assert words in one.text
    assert one.probability is not None


def test_dark_on_both_is_type_3_with_its_doubt() -> None:
    one = modic(t2=0.4, t1=0.4, models=flat_models())
    assert (one.status, one.grade, one.probability) == ("suspected", "3", None)
    assert "Schmorl" in one.text


@pytest.mark.parametrize(("t2", "t1"), [(0.4, None), (0.4, 1.0), (1.0, 0.4), (1.0, 1.0)])
def test_dark_on_one_alone_is_no_type_3(t2: float, t1: float | None) -> None:
    one = modic(t2=t2, t1=t1, models=flat_models())
    assert (one.status, one.grade) == ("not_flagged", None)


def test_a_t1_that_does_not_reach_the_disc_tells_nothing() -> None:
    one = modic(t2=1.8, t1=0.5, shift_mm=1000.0)
    assert (one.grade, one.value) == (None, None)
    assert "cannot be told apart on T2 alone" in one.text


def test_a_stir_is_not_read_as_a_t1() -> None:
    assert modic(t2=1.8, t1=0.5, role=STIR).grade is None


def test_a_t1_of_another_grid_is_read_by_its_coordinates() -> None:
    prediction, spine = drawn()
    picture = painted(np.full(prediction.image.shape, MARROW_T1), spine, 0.5)
    finer = np.repeat(np.repeat(picture, 2, axis=1), 2, axis=2)
    halved = prediction.affine @ np.diag([1.0, 0.5, 0.5, 1.0])
    halved[:3, 3] -= prediction.affine[:3, 1:3].sum(axis=1) / 4
    changed = replace(prediction, image=painted(prediction.image, spine, 1.8))
    found = spine_findings(changed, spine, FLAGGED, others=[OtherContrast(T1, finer, halved)])
    (one,) = [one for one in found if (one.level, one.kind) == (LEVEL, "modic_change")]
    assert one.grade == "1"


def test_of_two_t1_stacks_the_one_that_reaches_the_disc_tells() -> None:
    prediction, spine = drawn()
    picture = painted(np.full(prediction.image.shape, MARROW_T1), spine, 0.5)
    far = prediction.affine.copy()
    far[2, 3] += 1000.0
    here, elsewhere = OtherContrast(T1, picture, prediction.affine), OtherContrast(T1, picture, far)
    changed = replace(prediction, image=painted(prediction.image, spine, 1.8))
    for others in ([here, elsewhere], [elsewhere, here]):
        found = spine_findings(changed, spine, FLAGGED, others=others)
        (one,) = [one for one in found if (one.level, one.kind) == (LEVEL, "modic_change")]
        assert one.grade == "1"


@pytest.mark.parametrize(("frame", "grade"), [("one", "1"), ("another", None), ("", None)])
def test_in_a_study_only_a_t1_of_the_same_frame_of_reference_tells(frame: str, grade: str | None) -> None:
    prediction, spine = drawn()
    seen = replace(prediction, series_instance_uid="1.2.1", image=painted(prediction.image, spine, 1.8))
    t1 = painted(np.full(prediction.image.shape, MARROW_T1), spine, 0.5)
    frames = tuple(FrameReference(f"1.2.9.{k}") for k in range(len(t1)))
    t2_series, t1_series = (
        Series(
            uid,
            number,
            Acquisition(modality="MR"),
            role,
            (Volume(picture, prediction.affine, frames),),
            frame_of_reference_uid=of,
        )
        for uid, number, role, picture, of in (
            ("1.2.1", 1, Role.SAGITTAL_T2, seen.image, "one" if frame else ""),
            ("1.2.2", 2, Role.SAGITTAL_T1, t1, frame),
        )
    )
    result = grade_study(
        Study("1.2", (t2_series, t1_series)), {}, sagittal={"1.2.1": (seen,)}, finding_models=FLAGGED
    ).to_document()
    (one,) = [one for one in result["findings"] if (one["level"], one["kind"]) == (LEVEL, "modic_change")]
    assert (one["status"], one["grade"]) == ("suspected", grade)
