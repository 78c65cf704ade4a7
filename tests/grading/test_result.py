"""The published document: its form, its numbers, its one spelling."""

import json
from dataclasses import replace
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.grading import canonical_json, grade_study
from dashboard.grading.result import probabilities_document
from dashboard.study import GRADES, Rejection, Role
from tests.grading.crops import axial_series, prediction, stack, study_of, sure
from tests.grading.worded import CROPS, graded, slices_of

GRADE = {"enum": [*GRADES, None]}
BAND = {"enum": ["low", "watch", "high", None]}
TEXTS = {"type": "array", "items": {"type": "string"}}
NUMBER = {"type": ["number", "null"]}
FRACTION = {"type": ["number", "null"], "minimum": 0, "maximum": 1}
PROBABILITIES = {
    "type": ["object", "null"],
    "required": list(GRADES),
    "properties": dict.fromkeys(GRADES, FRACTION),
    "additionalProperties": False,
}
POSITION = {"type": "array", "items": {"type": "number"}, "minItems": 3, "maxItems": 3}
MEASURES = ["cord_area_mm2", "cord_diameter_AP_mm", "cord_diameter_RL_mm", "canal_area_mm2", "csf_fraction"]
MEASURES += ["tumour_area_mm2", "cord_solidity"]


def record(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(properties), "properties": properties}


LEVEL = {
    "level": {"type": ["string", "null"]},
    "level_certain": {"type": ["boolean", "null"]},
    "level_probability": FRACTION,
    "level_series_instance_uid": {"type": ["string", "null"]},
}
SPINE = {
    **record(
        series_instance_uid={"type": "string"},
        volume_index={"type": "integer"},
        group={"type": "integer"},
        counted_from={"enum": ["sacrum", "C2", "both", "correction", "guess"]},
        certain={"type": "boolean"},
        note={"type": "string"},
        alternatives={
            "type": "array",
            "items": record(
                level_of_first={"type": "string"}, probability={"type": "number", "minimum": 0, "maximum": 1}
            ),
        },
        segments={
            "type": "array",
            "items": record(
                kind={"enum": ["vertebra", "disc"]},
                level={"type": "string"},
                probability={"type": "number", "minimum": 0, "maximum": 1},
                centre_mm=POSITION,
                corners_mm={"type": ["array", "null"], "items": POSITION, "minItems": 4, "maxItems": 4},
                complete={"type": "boolean"},
            ),
        },
    ),
    "type": ["object", "null"],
}
SCHEMA = record(
    schema={"const": "spine-triage/1"},
    study_instance_uid={"type": "string"},
    status={"enum": ["graded", "not_analysed"]},
    reasons=TEXTS,
    grade=GRADE,
    band=BAND,
    probability_high=FRACTION,
    probability_1c_or_worse=FRACTION,
    urgency=record(
        tier={"enum": ["immediate", "urgent", "soon", "routine", "not analysed"]},
        score={"type": "number", "minimum": 0, "maximum": 100},
        reasons=TEXTS,
    ),
    worst_slice={"type": ["object", "null"], "required": ["series_instance_uid", "number", *LEVEL]},
    levels={
        "type": "array",
        "items": record(
            **LEVEL,
            grade=GRADE,
            band=BAND,
            probabilities=PROBABILITIES,
            sop_instance_uid={"type": ["string", "null"]},
            frame={"type": ["integer", "null"]},
        ),
    },
    series={
        "type": "array",
        "items": record(
            series_instance_uid={"type": "string"},
            description={"type": "string"},
            modality={"type": "string"},
            plane={"enum": ["axial", "sagittal", "coronal", "oblique"]},
            role={"enum": [role.value for role in Role]},
            frames={"type": "integer"},
            analysed={"type": "boolean"},
            reason={"type": ["string", "null"]},
            orientation_ok={"type": ["boolean", "null"]},
            levels={"enum": ["certain", "uncertain", "not named", "not sagittal"]},
            levels_reason={"type": ["string", "null"]},
        ),
    },
    slices={
        "type": "array",
        "items": record(
            series_instance_uid={"type": "string"},
            sop_instance_uid={"type": ["string", "null"]},
            frame={"type": ["integer", "null"]},
            position_mm=POSITION,
            **LEVEL,
            grade=GRADE,
            band=BAND,
            probabilities=PROBABILITIES,
            status={"enum": ["analysed", "not_analysed"]},
            reasons=TEXTS,
            measures={"type": ["object", "null"], "required": MEASURES, "additionalProperties": NUMBER},
        ),
    },
    spine=SPINE,
    spines={"type": "array", "items": SPINE},
    findings={"type": "array", "items": {"type": "object"}},
    sagittal={"type": ["object", "null"]},
    rejected={"type": "array", "items": record(name={"type": "string"}, reason={"type": "string"})},
    timings_s=record(
        read={"type": "number"}, inference={"type": "number"}, grading={"type": "number"}, total={"type": "number"}
    ),
    model={"type": "array", "items": record(name={"type": "string"}, version={}, sha256={})},
)
TIMINGS = {"read": 0.1234567, "inference": 1.0, "grading": 0.1, "total": 1.2}
MODEL = [{"name": "compression", "version": "1.0.0", "sha256": "0" * 64}]


def document_of(words: str) -> dict[str, Any]:
    return graded(words).to_document(TIMINGS, MODEL)


@pytest.mark.parametrize("words", ["0 0 0", "0 1c 3 2 0 lost cauda", "t1 t1", "lost"])
def test_the_document_has_the_published_form(words):
    jsonschema.validate(json.loads(canonical_json(document_of(words))), SCHEMA)


def test_a_study_without_images_has_the_published_form():
    study = replace(study_of(), rejected=(Rejection("folder/IM1", "no DICOM"),))
    document = grade_study(study, {}).to_document(TIMINGS, MODEL)
    jsonschema.validate(document, SCHEMA)
    assert document["rejected"] == [{"name": "folder/IM1", "reason": "no DICOM"}]


def test_the_keys_stand_in_the_order_of_the_schema():
    keys = list(document_of("0 0"))
    assert [key for key in keys if key in SCHEMA["properties"]] == list(SCHEMA["properties"])


def test_a_reformat_has_no_frame_but_a_place():
    made = [replace(prediction(sure("0"), -5.0 * n, CROPS["0"], index=n), frame=None) for n in range(3)]
    found = grade_study(study_of(axial_series(3)), {"2.25.7": stack(made)}).to_document()
    assert found["slices"][1]["sop_instance_uid"] is None and found["slices"][1]["slice_index"] == 1


def test_probability_high_is_that_of_grades_2_and_3():
    document = document_of("0 0 2 2 0")
    worst = document["slices"][2]["supported_probabilities"]
    assert document["probability_high"] == pytest.approx(worst["2"] + worst["3"], abs=0.02)
    assert document["probability_1c_or_worse"] >= document["probability_high"]


@given(st.lists(st.floats(0, 1), min_size=5, max_size=5).map(lambda values: sorted(values, reverse=True)))
def test_six_probabilities_sum_to_one_after_rounding(at_least):
    assert round(sum(probabilities_document(at_least).values()), 9) == 1


def test_numbers_are_rounded_and_never_negative_zero():
    text = canonical_json(document_of("0 1c 2 0"))
    assert "-0.0," not in text and "-0.0}" not in text
    assert json.loads(text)["timings_s"]["read"] == 0.123
    assert all(len(repr(p)) <= 6 for p in json.loads(text)["slices"][0]["probabilities"].values())


def test_the_same_study_gives_the_same_bytes():
    assert canonical_json(document_of("0 1c 2 0")) == canonical_json(document_of("0 1c 2 0"))


def test_uids_decide_no_order():
    made = slices_of("0 2 2 0")
    study = study_of(axial_series(4, uid="2.25.9"), axial_series(4, uid="2.25.1", role=Role.OTHER, reason="no"))
    document = grade_study(study, {"2.25.9": made}).to_document()
    assert [one["series_instance_uid"] for one in document["series"]] == ["2.25.9", "2.25.1"]
    heights = [one["position_mm"][2] for one in document["slices"]]
    assert heights == sorted(heights, reverse=True)


def test_canonical_json_is_one_line_of_ascii_and_refuses_nan():
    assert canonical_json({"a": "é"}) == '{"a":"\\u00e9"}'
    with pytest.raises(ValueError, match="JSON"):
        canonical_json({"a": float("nan")})
