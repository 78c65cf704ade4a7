"""Levels in the result of a study: on slices, entries and series, and the published spine."""

import json
import re
from dataclasses import replace

import jsonschema
import numpy as np
import pytest

from dashboard.grading import LevelCorrection, canonical_json, grade_study, place_words, relevel
from dashboard.grading.spine.study import contradictions
from dashboard.study import Acquisition, FrameReference, Role, Series, Study, Volume
from dashboard.study.levels import LEVELS
from tests.grading.crops import axial_series, prediction, stack, sure
from tests.grading.spine.drawn import flat_models
from tests.grading.spine.truth import row_at, rows_of
from tests.grading.test_result import SCHEMA
from tests.grading.worded import CROPS

AXIAL, SAGITTAL = "2.25.7", "2.25.8"
# What the software counted from stays as it was noted, whatever a person names later.
LEVEL_FIELDS = {"level", "level_of_first", "counted_from", "note"}
LEVEL_NAME = re.compile(r"(?<![\w/])(?:[CTL]\d{1,2}/[TLS]?\d{1,2}|C[1-7]|T[3-9]|T1[0-2]|L[1-5]|S1)(?![\w/])")
STEP_MM = 6.0
TIMES = ("read", "inference", "grading", "total")


def sagittal_series(role=Role.SAGITTAL_T2, uid=SAGITTAL, frame="frame", **headers):
    volume = Volume(np.zeros((3, 4, 4), np.uint8), np.diag([4.0, 1, 1, 1]), tuple(FrameReference(k) for k in "abc"))
    reason = "Sagittal slices of 4.0 mm: axial T2 images, or a 3-D T2 volume, are needed for a grade."
    acquisition = Acquisition(modality="MR", series_description="SAG T2", **headers)
    return Series(uid, 2, acquisition, role, (volume,), reason, (), frame)


def across(whole, top, grades, step_mm=STEP_MM):
    """An axial prediction whose canal centres go down the drawn canal from a level."""
    way, points = whole.curve
    start = np.linalg.norm(points - whole.centre_mm(top)[1:], axis=1).argmin()
    steps = [start + int(k * step_mm / (way[1] - way[0])) for k in range(len(grades.split()))]
    made = []
    for index, (grade, at) in enumerate(zip(grades.split(), steps, strict=True)):
        one = prediction(sure(grade), 0.0, CROPS[grade], index=index)
        y, z = points[at]
        affine = one.affine.copy()
        affine[:3, 3] += np.array([whole.middle_x(z), y, z]) - one.centre_mm
        made.append(replace(one, affine=affine))
    return stack(made)


def texts(value, key=""):
    """Every text of a document but those of fields that hold a level."""
    if isinstance(value, dict):
        return [text for name, item in value.items() for text in texts(item, name)]
    if isinstance(value, list | tuple):
        return [text for item in value for text in texts(item, key)]
    return [value] if isinstance(value, str) and key not in LEVEL_FIELDS else []


def study(slices, *sagittal, frame="frame"):
    axial = replace(axial_series(slices), series_instance_uid=AXIAL, frame_of_reference_uid=frame)
    return Study("1.2.840.1", (*sagittal, axial))


@pytest.fixture(scope="module")
def axial(whole):
    return across(whole, "T6", "0 0 0 0 3 3 3 0 0 0")


@pytest.fixture(scope="module")
def graded(axial, seen):
    one = sagittal_series()
    return grade_study(
        study(10, one), {AXIAL: axial}, sagittal={SAGITTAL: (replace(seen, series_instance_uid=SAGITTAL),)}
    )


@pytest.fixture(scope="module")
def guessed(axial, seen, whole):
    cut = rows_of(seen, row_at(seen, whole.centre_mm("T2")), row_at(seen, whole.centre_mm("T11")), SAGITTAL)
    return grade_study(study(10, sagittal_series()), {AXIAL: axial}, sagittal={SAGITTAL: (cut,)})


def test_slices_across_the_canal_have_the_level_they_lie_at(graded, whole):
    document = graded.to_document()
    for one in document["slices"]:
        assert one["level_certain"] is True and one["level_series_instance_uid"] == SAGITTAL
        name = one["level"].split("/")[0]
        assert abs(one["position_mm"][2] - whole.centre_mm(name)[2]) < 20
    assert document["slices"][0]["level"] == "T6"


def test_the_worst_slice_and_the_entries_have_levels(graded):
    document = graded.to_document()
    worst = document["worst_slice"]
    assert worst["level"] in LEVELS and worst["level_certain"] is True
    assert place_words(document) == worst["level"]
    assert all(one["level"] in LEVELS for one in document["levels"])


def test_the_spine_is_published(graded):
    spine = graded.to_document()["spine"]
    assert (spine["counted_from"], spine["certain"], spine["note"]) == ("both", True, "")
    assert [one["level"] for one in spine["segments"]] == list(LEVELS[1:-1])
    assert {one["kind"] for one in spine["segments"]} == {"vertebra", "disc"}
    assert spine["segments"][0]["corners_mm"] is None
    assert len(spine["segments"][8]["corners_mm"]) == 4
    jsonschema.validate(json.loads(canonical_json(graded.to_document(dict.fromkeys(TIMES, 0.0)))), SCHEMA)


def test_no_text_of_a_result_names_a_level_so_that_a_correction_rewrites_none(axial, seen):
    masks = {SAGITTAL: (replace(seen, series_instance_uid=SAGITTAL),)}
    models = flat_models(herniation=0.4, listhesis=0.4, canal_cord=0.4, canal_cauda=0.4, modic=0.4)
    document = grade_study(
        study(10, sagittal_series()), {AXIAL: axial}, sagittal=masks, finding_models=models
    ).to_document()
    assert {one["status"] for one in document["findings"]} >= {"suspected", "measured", "not_analysed"}
    assert not [text for text in texts(document) if LEVEL_NAME.search(text)]


def test_an_uncertain_level_says_so(guessed):
    document = guessed.to_document()
    assert document["slices"][3]["level_certain"] is False
    assert place_words(document).endswith("(level uncertain)")
    assert document["spine"]["counted_from"] == "guess"
    assert document["series"][0]["levels"] == "uncertain"


def test_a_slice_of_another_frame_of_reference_has_no_level_and_keeps_its_position(axial, seen):
    one = sagittal_series(frame="elsewhere")
    found = grade_study(
        study(10, one), {AXIAL: axial}, sagittal={SAGITTAL: (replace(seen, series_instance_uid=SAGITTAL),)}
    )
    document = found.to_document()
    assert {one["level"] for one in document["slices"]} == {None}
    assert document["slices"][0]["position_mm"] == [round(float(v), 2) for v in axial.slices[0].centre_mm]
    assert document["spine"] is not None and place_words(document).startswith("slice ")


def test_without_a_sagittal_series_there_are_no_levels(axial):
    document = grade_study(study(10), {AXIAL: axial}).to_document()
    assert (document["spine"], document["spines"], document["findings"], document["sagittal"]) == (None, [], [], None)
    assert {one["level"] for one in document["slices"]} == {None}
    assert document["series"][0]["levels"] == "not sagittal"


def test_levels_change_no_grade(graded, axial):
    bare = grade_study(study(10, sagittal_series()), {AXIAL: axial})
    assert (graded.grade, graded.urgency, graded.at_least) == (bare.grade, bare.urgency, bare.at_least)


def test_a_series_that_could_not_be_looked_at_says_why(axial):
    found = grade_study(
        study(10, sagittal_series()), {AXIAL: axial}, sagittal_failures={SAGITTAL: "Model sagittal: file is missing."}
    )
    assert found.series[0].levels.value == "not named"
    assert found.series[0].levels_reason == "Model sagittal: file is missing."


def test_a_sagittal_series_without_a_spine_says_so(axial, seen):
    blank = replace(seen, labels=np.zeros_like(seen.labels), series_instance_uid=SAGITTAL)
    found = grade_study(study(10, sagittal_series()), {AXIAL: axial}, sagittal={SAGITTAL: (blank,)})
    assert found.series[0].levels.value == "not named" and "no row of vertebrae" in found.series[0].levels_reason


def test_a_cervical_study_whose_header_says_lumbar_is_warned_of(axial, seen, whole):
    cut = rows_of(seen, 0, row_at(seen, whole.centre_mm("T3")), SAGITTAL)
    one = sagittal_series(body_part_examined="LSPINE")
    found = grade_study(study(10, one), {AXIAL: axial}, sagittal={SAGITTAL: (cut,)})
    assert any("The header says lumbar spine, the pictures show C2 to T" in words for words in found.series[0].warnings)


def test_a_header_that_names_one_of_the_regions_shown_is_no_contradiction():
    one = sagittal_series(body_part_examined="TSPINE")
    assert contradictions(one, ["C5", "C6", "C7", "C7/T1", "T1", "T2"]) == ()
    assert contradictions(one, []) == ()
    assert contradictions(sagittal_series(body_part_examined="SPINE"), ["C5", "C6"]) == ()


def test_a_description_that_lies_is_warned_of_too():
    one = sagittal_series(protocol_name="LWS sag")
    assert contradictions(one, ["C3", "C4", "C5"]) == (
        "The description says lumbar spine, the pictures show C3 to C5.",
    )


def test_a_correction_moves_every_level_of_the_result(guessed):
    document = guessed.to_document()
    segments = document["spine"]["segments"]
    was = segments[4]["level"]
    now = LEVELS[LEVELS.index(was) + 2]
    found = relevel(document, LevelCorrection(was, now))
    assert [one["level"] for one in found["spine"]["segments"]] == [
        LEVELS[LEVELS.index(one["level"]) + 2] for one in segments
    ]
    assert found["spines"][0]["segments"] == found["spine"]["segments"]
    moved = LEVELS[LEVELS.index(document["slices"][0]["level"]) + 2]
    assert (found["slices"][0]["level"], found["slices"][0]["level_certain"]) == (moved, True)
    assert found["worst_slice"]["level_certain"] is True and found["levels"][0]["level_certain"] is True
    assert document["slices"][0]["level_certain"] is False


def test_the_series_in_the_best_contrast_speaks_for_the_study(axial, seen):
    first = sagittal_series(Role.SAGITTAL_T1, "2.25.9")
    one = {uid: (replace(seen, series_instance_uid=uid),) for uid in ("2.25.9", SAGITTAL)}
    found = grade_study(study(10, first, sagittal_series()), {AXIAL: axial}, sagittal=one)
    document = found.to_document()
    assert [one["series_instance_uid"] for one in document["spines"]] == [SAGITTAL, "2.25.9"]
    assert document["spine"]["series_instance_uid"] == SAGITTAL
    assert {one["group"] for one in document["spines"]} == {0}


def test_a_series_whose_pictures_stand_on_their_head_is_warned_of(axial, seen):
    upside = replace(
        seen,
        labels=np.ascontiguousarray(np.flip(seen.labels, 1)),
        certainty=np.ascontiguousarray(np.flip(seen.certainty, 1)),
        series_instance_uid=SAGITTAL,
    )
    found = grade_study(study(10, sagittal_series()), {AXIAL: axial}, sagittal={SAGITTAL: (upside,)})
    assert found.series[0].orientation_ok is False
    assert "The pictures look upside down, although their header says otherwise." in found.series[0].warnings


def test_a_series_that_stands_upright_says_so(graded):
    assert graded.series[0].orientation_ok is True
