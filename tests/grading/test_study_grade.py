"""A whole study: grade, status, tier, reasons."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.grading import TIERS, grade_study
from dashboard.grading.thresholds import GradingThresholds
from dashboard.study import GRADES, FrameReference, Rejection, Role, Volume
from tests.grading.crops import (
    Anatomy,
    axial_series,
    paint,
    prediction,
    stack,
    study_of,
    sure,
)
from tests.grading.worded import CROPS, graded, slices_of

FORBIDDEN = {"normal", "diagnosed", "excluded"}


def test_healthy_slices_are_not_flagged_and_routine():
    found = graded("0 0 0 0 0 0")
    assert (found.status, found.grade, found.urgency.tier.value) == ("graded", "0", "routine")
    assert found.urgency.reasons == ("not flagged: no epidural tumour suspected in the slices analysed",)


@pytest.mark.parametrize(("grade", "tier"), [("1c", "soon"), ("2", "urgent"), ("3", "immediate")])
def test_two_neighbours_of_a_grade_make_the_study_that_grade(grade, tier):
    found = graded(f"0 0 {grade} {grade} 0 0")
    assert (found.grade, found.urgency.tier.value) == (grade, tier)
    assert found.worst is not None and found.worst.number in (3, 4)
    assert "slices 3 and 4 agree" in found.urgency.reasons


@pytest.mark.parametrize("grade", ["2", "3"])
def test_one_noisy_slice_is_checked_soon_and_not_urgent(grade):
    found = graded(f"0 0 0 {grade} 0 0", step_mm=3.0)
    assert found.urgency.tier.value == "soon" and found.grade == "0"
    assert any("check slice 4" in reason for reason in found.urgency.reasons)
    assert found.worst is not None and found.worst.number == 4


@pytest.mark.parametrize("grade", ["2", "3"])
def test_one_sure_slice_of_a_thick_stack_counts_alone_and_that_is_said(grade):
    found = graded(f"0 0 0 {grade} 0 0", step_mm=5.0)
    # That nothing beside it is a 1c takes more off a 3 than off a 2.
    assert (found.grade, found.urgency.tier.value) == ("2", "urgent")
    assert "slices lie 5.0 mm apart, and one as sure as this counts alone" in found.urgency.reasons
    assert not any("check slice" in reason for reason in found.urgency.reasons)


@pytest.mark.parametrize("grade", ["1c", "2", "3"])
@pytest.mark.parametrize("words", ["{}", "{0} {0} {0}", "0 {} 0"])
def test_slices_one_to_a_disc_count_as_those_of_a_thick_stack_do(grade, words):
    thick, discs = (graded(words.format(grade), step_mm) for step_mm in (9.0, 30.0))
    assert discs.urgency.tier.value in {"1c": ("soon",), "2": ("urgent",), "3": ("urgent", "immediate")}[grade]
    if " 0" in words:
        assert (discs.grade, discs.urgency.tier) == (thick.grade, thick.urgency.tier)


@pytest.mark.parametrize("grade", ["1c", "2", "3"])
def test_a_single_slice_that_suggests_compression_and_is_not_sure_is_to_be_read_now(grade):
    made = [prediction(sure(grade, doubt=0.2), -30.0 * n, CROPS[grade], index=n) for n in range(2)]
    found = grade_study(study_of(axial_series(2)), {"2.25.7": stack(made)})
    assert found.urgency.tier.value == "not analysed" and found.status == "graded"
    assert any("no neighbouring slice" in reason for reason in found.urgency.reasons)


def test_a_study_that_single_slices_contradict_does_not_say_that_nothing_is_suspected():
    found = graded("0 0 1c 0 0", step_mm=3.0)
    assert (found.grade, found.urgency.tier.value) == ("0", "routine")
    assert found.urgency.reasons[0] == "not flagged: what single slices suggest, those beside them do not bear out"


def test_the_grade_of_a_study_is_that_of_a_slice():
    cuts = GradingThresholds(grade_cut=(0.55, 0.45, 0.4, 0.1, 0.425))
    rows = [(0.6, 0.03, 0.02, 0.01, 0.001)] * 4 + [(0.54, 0.53, 0.5, 0.45, 0.4)] * 5
    made = [prediction(row, -5.0 * n, CROPS["0"], index=n) for n, row in enumerate(rows)]
    found = grade_study(study_of(axial_series(9)), {"2.25.7": stack(made)}, cuts)
    assert found.worst is not None
    assert (found.grade, found.urgency.tier.value) == (found.worst.supported_grade, "soon")


def test_the_reasons_say_what_a_reader_would_point_at():
    reasons = " | ".join(graded("0 1c 3 3 1c 0").urgency.reasons)
    assert "tumour touches" in reasons and "% of the cord's outline" in reasons
    assert "no CSF seen round the cord" in reasons and "cord area" in reasons


def test_a_signal_void_beside_the_canal_is_named_and_not_graded():
    made = [replace(one, signal_void=True) for one in slices_of("0 0 0 0 0").slices]
    found = grade_study(study_of(axial_series(5)), {"2.25.7": stack(made)})
    assert found.status == "not_analysed"
    assert "without signal" in found.slices[2].reasons[0]


def test_the_end_of_a_reformat_that_leaves_the_volume_is_refused():
    made = [prediction(sure("0"), -3.0 * n, CROPS["0"], index=n, inside=0.9 if n else 0.6) for n in range(5)]
    found = grade_study(study_of(axial_series(5)), {"2.25.7": stack(made)})
    assert found.slices[0].reasons == ("the canal lies at the edge of the field of view",)
    assert [one.status for one in found.slices[1:]] == ["analysed"] * 4


def test_a_block_with_the_canal_near_its_edge_is_held_against_itself_and_not_against_the_others():
    upper = [prediction(sure("0"), -4.0 * n, CROPS["0"], index=n, inside=1.0) for n in range(18)]
    lower = [prediction(sure("3"), -4.0 * n, CROPS["3"], index=n - 18, volume=1, inside=0.6) for n in range(18, 28)]
    assert grade_study(study_of(axial_series(28)), {"2.25.7": stack(upper + lower)}).grade == "3"


def test_skull_base_that_looks_turned_at_the_head_end_is_looked_at_soon():
    turned = (0.02, 0.02, 0.02, 0.92, 0.02)
    made = [prediction(sure("2"), -4.0 * n, CROPS["2"], turned, index=n) for n in range(4)]
    made += [prediction(sure("0"), -4.0 * n, CROPS["0"], index=n) for n in range(4, 12)]
    found = grade_study(study_of(axial_series(12)), {"2.25.7": stack(made)})
    assert found.urgency.tier.value == "soon" and found.series[0].orientation_ok


def test_a_slice_between_spine_slices_that_does_not_look_like_spine_is_owed_a_grade():
    found = graded("0 0 0 brain brain 0 0 0")
    assert found.urgency.tier.value == "not analysed"
    assert found.slices[3].reasons == ("the image is unlike those the model was made for",)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("t1 t1 t1 t1 0", "most images do not look like T2"),
        ("brain brain brain 0", "most images do not look like axial slices of the spine"),
        ("cauda cauda cauda", "no cord at this level"),
        ("lost lost lost", "no cord could be outlined"),
    ],
)
def test_a_series_that_cannot_be_graded_says_why(words, reason):
    found = graded(words)
    assert (found.status, found.grade, found.urgency.tier.value) == ("not_analysed", None, "not analysed")
    assert not found.series[0].analysed and reason in (found.series[0].reason or "")
    assert found.reasons and found.reasons[0].startswith("not analysed: ") and reason in found.reasons[0]


def test_a_series_that_could_not_be_looked_at_raises_the_study():
    first, second = axial_series(4), axial_series(4, uid="2.25.8")
    found = grade_study(
        study_of(first, second), {"2.25.7": slices_of("0 0 0 0")}, failures={"2.25.8": "the pixels could not be read"}
    )
    assert found.urgency.tier.value == "not analysed"
    assert "an axial T2 series was not analysed: the pixels could not be read" in found.urgency.reasons


def test_a_sagittal_series_beside_an_analysed_one_changes_nothing():
    sagittal = axial_series(3, uid="2.25.8", role=Role.SAGITTAL_T2, reason="sagittal: not used for grading")
    found = grade_study(study_of(axial_series(4), sagittal), {"2.25.7": slices_of("0 0 0 0")})
    assert found.urgency.tier.value == "routine"
    assert found.series[1].reason == "sagittal: not used for grading"


def test_slices_of_one_band_share_an_entry():
    found = graded("0 0 2 3 2 0 0")
    assert [(level.grade, level.slices, level.level) for level in found.levels] == [
        ("0", 2, None),
        ("3", 3, None),
        ("0", 2, None),
    ]


def test_disagreement_of_model_and_measurements_is_said():
    made = [prediction(sure("3"), -5.0 * index, paint(Anatomy().sac, Anatomy().cord)) for index in range(4)]
    found = grade_study(study_of(axial_series(4)), {"2.25.7": stack(made)})
    assert any("model and measurements disagree" in reason for reason in found.urgency.reasons)


def test_of_several_series_the_one_that_is_meant_is_named():
    first = axial_series(5)
    second = replace(axial_series(5, uid="2.25.8", frame="2.25.77"), series_number=6)
    predictions = {"2.25.7": slices_of("0 0 0 0 0"), "2.25.8": slices_of("0 0 3 0 0", step_mm=3.0)}
    reasons = grade_study(study_of(first, second), predictions).urgency.reasons
    assert any("check slice 3 (grade 3) of series 6" in reason for reason in reasons)


def test_rejected_files_are_carried_along():
    study = replace(study_of(), rejected=(Rejection("IM1", "no DICOM"),))
    assert grade_study(study, {}).rejected == study.rejected


words = st.lists(st.sampled_from(["0", "1a", "1b", "1c", "2", "3", "lost", "cauda"]), min_size=1, max_size=8)


@settings(max_examples=25, deadline=None)
@given(words, words)
def test_the_order_of_series_and_their_uids_decide_nothing(first, second):
    made = [slices_of(" ".join(first)), slices_of(" ".join(second))]
    results = []
    for order, uids in (((0, 1), ("2.25.7", "2.25.8")), ((1, 0), ("2.25.98", "2.25.3"))):
        series = [axial_series(len(made[which].slices), uid=uids[which], frame="") for which in order]
        predictions = {uids[which]: replace(made[which], series_instance_uid=uids[which]) for which in order}
        results.append(grade_study(study_of(*series), predictions))
    there, back = results
    assert (there.grade, there.at_least, there.urgency.tier) == (back.grade, back.at_least, back.urgency.tier)
    assert there.urgency.score == back.urgency.score
    assert set(there.urgency.reasons) == set(back.urgency.reasons) or there.worst != back.worst


@settings(max_examples=25, deadline=None)
@given(st.integers(3, 9), st.data())
def test_a_healthy_stack_with_one_noisy_slice_is_never_urgent(count, data):
    where = data.draw(st.integers(0, count - 1))
    noise = data.draw(st.sampled_from(["2", "3"]))
    made = " ".join(noise if index == where else "0" for index in range(count))
    assert TIERS.index(graded(made, step_mm=3.0).urgency.tier) > 1


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from(GRADES), min_size=2, max_size=7), st.data())
def test_a_worse_slice_never_lowers_the_tier_or_the_score(grades, data):
    where = data.draw(st.integers(0, len(grades) - 1))
    worse = list(grades)
    worse[where] = data.draw(
        st.sampled_from([grade for grade in GRADES if GRADES.index(grade) >= GRADES.index(grades[where])])
    )
    before, after = graded(" ".join(grades)), graded(" ".join(worse))
    assert TIERS.index(after.urgency.tier) <= TIERS.index(before.urgency.tier)
    assert after.urgency.score >= before.urgency.score - 0.1, "other crops, so equal only in the main"


@settings(max_examples=20, deadline=None)
@given(words)
def test_no_word_shown_claims_more_than_a_suggestion(made):
    found = graded(" ".join(made))
    shown = " ".join([*found.reasons, *found.urgency.reasons, *(r for one in found.slices for r in one.reasons)])
    assert not FORBIDDEN & set(shown.lower().replace(",", " ").split()) and "ruled out" not in shown


@pytest.mark.parametrize(("same", "tier"), [(True, "soon"), (False, "immediate")])
def test_a_copy_of_a_series_bears_nothing_out(same, tier):
    rng = np.random.default_rng(4)
    noise = [rng.normal(size=(96, 96)).astype(np.float32) for _ in range(5)]
    first, second = (
        stack([replace(one, image=noise[k] + more) for k, one in enumerate(slices_of("0 0 3 0 0", 3.0).slices)], uid)
        for uid, more in (("2.25.7", np.float32(0)), ("2.25.8", np.float32(0 if same else 0.01)))
    )
    series = (axial_series(5), axial_series(5, uid="2.25.8"))
    found = grade_study(study_of(*series), {"2.25.7": first, "2.25.8": second})
    assert found.urgency.tier.value == tier


def beside_healthy(second, found, **changes):
    """A second axial series, with what was seen in it, beside six healthy slices."""
    other = replace(axial_series(6, uid="2.25.8", frame="2.25.77"), series_number=6, **changes)
    predictions = {"2.25.7": slices_of("0 0 0 0 0 0"), **({} if found is None else {"2.25.8": found})}
    return grade_study(study_of(axial_series(6), other), predictions, failures=second)


def test_an_axial_series_that_does_not_look_like_spine_is_checked_soon():
    found = beside_healthy({}, replace(slices_of("brain brain brain brain"), series_instance_uid="2.25.8"))
    assert (found.grade, found.urgency.tier.value) == ("0", "soon")
    assert "check that it shows no spine" in found.urgency.reasons[0] and "series 6" in found.urgency.reasons[0]


def beside_a_block(slice_axis):
    """Six healthy axial slices, and six of the same series stacked along another patient axis."""
    series = axial_series(6)
    volume = series.volumes[0]
    axes = {"x": [0, 1, 2, 3], "y": [1, 0, 2, 3]}[slice_axis]
    block = Volume(volume.voxels, np.eye(4)[:, axes], volume.frames)
    return grade_study(study_of(replace(series, volumes=(volume, block))), {"2.25.7": slices_of("0 0 0 0 0 0")})


def test_a_block_of_an_axial_series_that_lies_too_steep_is_not_passed_over():
    found = beside_a_block("y")
    assert found.urgency.tier.value == "not analysed"
    assert "6 slices lie too steep to be graded as axial ones" in found.urgency.reasons[0]


def test_sagittal_pictures_in_an_axial_series_are_no_steep_block():
    assert beside_a_block("x").urgency.tier.value == "routine"


def test_an_axial_series_that_gave_no_slice_is_not_passed_over():
    found = beside_healthy({}, stack([], uid="2.25.8"))
    assert found.urgency.tier.value == "not analysed" and "no axial slice could be made" in found.urgency.reasons[0]


def test_a_cauda_equina_beside_healthy_slices_asks_for_nothing():
    found = beside_healthy({}, replace(slices_of("cauda cauda cauda"), series_instance_uid="2.25.8"))
    assert found.urgency.tier.value == "routine"


@pytest.mark.parametrize("role", [Role.AXIAL_T2, Role.AXIAL_T2STAR, Role.VOLUME_T2])
def test_every_kind_of_series_that_can_be_graded_raises_the_study_when_it_fails(role):
    found = beside_healthy({"2.25.8": "the model gave no numbers"}, None, role=role)
    assert found.urgency.tier.value == "not analysed"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"unusable": 10}, "10 images have no usable place or may not be analysed"),
        ({"absent": 8}, "8 slices never arrived, as numbers and gaps tell"),
        ({"absent": 1}, "a slice never arrived, as numbers and gaps tell"),
        ({}, ""),
    ],
)
def test_what_of_a_graded_series_cannot_be_used_keeps_a_study_out_of_the_routine_ones(changes, words):
    study = study_of(replace(axial_series(6), **changes))
    found = grade_study(study, {"2.25.7": slices_of("0 0 0 0 0 0")})
    assert found.urgency.tier.value == ("not analysed" if words else "routine")
    assert any(words in one for one in found.urgency.reasons)


@pytest.mark.parametrize(("may_be", "tier"), [(True, "not analysed"), (False, "routine")])
def test_a_series_named_as_axial_t2_that_is_kept_out_is_not_passed_over(may_be, tier):
    other = axial_series(3, uid="2.25.8", role=Role.OTHER, reason="not used")
    other = replace(other, volumes=(), may_be_axial_t2=may_be)
    found = grade_study(study_of(axial_series(6), other), {"2.25.7": slices_of("0 0 0 0 0 0")})
    assert found.urgency.tier.value == tier
    assert any("named as axial T2 was not analysed: not used" in one for one in found.urgency.reasons) == may_be


LOST = "lost in transfer"


@pytest.mark.parametrize(
    ("series", "tier", "words"),
    [
        ("2.25.7", "not analysed", "2 images of axial T2 series 1 could not be read"),
        ("2.25.99", "not analysed", "a whole series could not be read (2 images)"),
        ("2.25.8", "routine", ""),
        ("", "routine", ""),
    ],
)
def test_damaged_images_keep_a_study_out_of_the_routine_ones(series, tier, words):
    sagittal = axial_series(3, uid="2.25.8", role=Role.SAGITTAL_T1, reason="sagittal: not used for grading")
    image = "1.2.{}" if series else ""
    lost = [Rejection(f"{n}", LOST, series_instance_uid=series, sop_instance_uid=image.format(n)) for n in range(2)]
    study = replace(study_of(axial_series(6), sagittal), rejected=tuple(lost))
    found = grade_study(study, {"2.25.7": slices_of("0 0 0 0 0 0")})
    assert (found.grade, found.urgency.tier.value) == ("0", tier)
    assert any(words in one for one in found.urgency.reasons)


@pytest.mark.parametrize(("damaged", "tier"), [(1, "routine"), (2, "not analysed")])
def test_a_damaged_slice_that_a_volume_was_mended_for_is_not_lost(damaged, tier):
    whole = axial_series(6)
    frames = (*whole.volumes[0].frames[:3], FrameReference(""), *whole.volumes[0].frames[4:])
    mended = replace(whole, volumes=(replace(whole.volumes[0], frames=frames),))
    lost = [Rejection(f"{n}", LOST, series_instance_uid="2.25.7", sop_instance_uid=f"1.{n}") for n in range(damaged)]
    study = replace(study_of(mended), rejected=tuple(lost))
    assert grade_study(study, {"2.25.7": slices_of("0 0 0 0 0 0")}).urgency.tier.value == tier
