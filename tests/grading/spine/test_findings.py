"""Findings by level: in order, in words a clinician reads, each with its scale and what is known of its source."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from dashboard.grading.spine.canal import CanalStation
from dashboard.grading.spine.canal_findings import kang_finding, kang_grade
from dashboard.grading.spine.contrasts import STIR, OtherContrast, age_hint
from dashboard.grading.spine.disc_findings import meyerding_grade
from dashboard.grading.spine.findings import spine_findings
from dashboard.grading.spine.result import KINDS
from dashboard.study.levels import LEVELS
from tests.grading.spine.drawn import BODY_MM, CANAL, CORD, Drawing, cut, drawn, flat_models, one_model, place

PLACE = place("C5/6")
FORBIDDEN = ("normal", "ruled out", "diagnos")


def findings(drawing: Drawing | None = None, models=None, others=(), certain: bool = True):
    prediction, spine = drawn(drawing, certain)
    return spine_findings(prediction, spine, models or flat_models(), others=others)


def the(found, level: str, kind: str):
    (one,) = [one for one in found if (one.level, one.kind) == (level, kind)]
    return one


def test_they_stand_head_to_foot_then_by_kind() -> None:
    places = [(LEVELS.index(one.level), KINDS.index(one.kind)) for one in findings()]
    assert places == sorted(places)


def test_every_disc_and_body_is_spoken_of() -> None:
    assert {one.level for one in findings()} == {one.level for one in drawn()[1].named}


def test_no_word_claims_more_than_a_suspicion() -> None:
    found = findings(Drawing(height={"L2": (14.0, BODY_MM)}, marrow={"L3": 0.8}), flat_models(bulge=0.4, modic=0.4))
    assert not [one.text for one in found for word in FORBIDDEN if word in one.text.lower()]


def test_the_document_is_plain_json_with_the_published_fields() -> None:
    documents = [one.to_document() for one in findings()]
    json.dumps(documents, allow_nan=False)
    assert set(documents[0]) == {
        "level", "level_certain", "kind", "grade", "value", "unit", "probability", "status", "reason", "scale", "text",
        "series_instance_uid", "level_series_instance_uid", "position_mm", "source_status",
    }  # fmt: skip


def test_an_uncertain_level_is_said_of_every_finding() -> None:
    assert all(one.level_certain for one in findings())
    assert not any(one.level_certain for one in findings(certain=False))


def test_a_level_less_sure_than_its_spine_is_uncertain_by_itself() -> None:
    prediction, spine = drawn()
    doubtful = tuple(replace(one, probability=0.7) if one.level == "L4" else one for one in spine.named)
    found = spine_findings(prediction, replace(spine, named=doubtful), flat_models())
    assert {one.level for one in found if not one.level_certain} == {"L4"}


def test_no_text_names_a_level() -> None:
    found = findings(Drawing(height={"L2": (14.0, BODY_MM)}, marrow={"L3": 0.8}), flat_models(bulge=0.4, modic=0.4))
    assert not [one.text for one in found if re.search(r"\b(?:C[1-7]|T(?:[3-9]|1[0-2])|L[1-5]|S1)\b", one.text)]


def test_what_was_not_analysed_says_why() -> None:
    for one in findings():
        if one.status == "not_analysed":
            assert one.reason
            assert "not analysed, because" in one.text


def test_a_recalled_scale_says_that_its_source_is_to_be_confirmed() -> None:
    found = findings()
    for kind in ("disc_degeneration", "modic_change", "listhesis", "disc_herniation"):
        assert the(found, "L4/5", kind).source_status == "source to be confirmed"
    assert the(found, "L4/5", "lumbar_stenosis").source_status == "verified"


def test_a_cut_body_is_not_measured() -> None:
    prediction, spine = drawn()
    found = spine_findings(prediction, cut(spine, "T12"), flat_models())
    assert the(found, "T12", "coverage").status == "not_analysed"


def test_planes_beside_the_canal_measure_nothing_there() -> None:
    prediction, spine = drawn()
    labels = prediction.labels.copy()
    rows = np.flatnonzero(next(one for one in spine.named if one.level == "L4").segment.mask.any(axis=(0, 2)))
    band = labels[:, rows[0] - 8 :]
    band[(band == CANAL) | (band == CORD)] = 0
    found = spine_findings(replace(prediction, labels=labels), spine, flat_models())
    one = the(found, "L4", "coverage")
    assert one.status == "not_analysed"
    assert "beside the middle of the spine" in one.reason
    assert not [other for other in found if other.level == "L4" and other.kind == "vertebral_height_loss"]


def test_a_wedge_is_suspected_with_its_genant_grade() -> None:
    one = the(findings(Drawing(height={"L2": (BODY_MM * 0.68, BODY_MM)})), "L2", "vertebral_height_loss")
    assert (one.status, one.grade) == ("suspected", "2")
    assert "wedge height loss" in one.text


def test_without_stir_the_age_is_not_analysed() -> None:
    one = the(findings(Drawing(height={"L2": (14.0, BODY_MM)})), "L2", "fracture_age")
    assert one.status == "not_analysed"
    assert "STIR" in one.reason


def test_a_collapse_bright_on_stir_could_be_recent() -> None:
    drawing = Drawing(height={"L2": (14.0, BODY_MM)})
    prediction, spine = drawn(drawing)
    voxels = np.full(prediction.image.shape, 100.0, np.float32)
    voxels[next(one.segment.mask for one in spine.named if one.level == "L2")] = 250.0
    found = findings(drawing, others=[OtherContrast(STIR, voxels, prediction.affine)])
    one = the(found, "L2", "fracture_age")
    assert one.grade == "recent"
    assert "could be recent" in one.text


def test_of_two_stir_stacks_each_tells_of_the_bodies_it_shows() -> None:
    drawing = Drawing(height={"L2": (14.0, BODY_MM)})
    prediction, spine = drawn(drawing)
    voxels = np.full(prediction.image.shape, 100.0, np.float32)
    voxels[next(one.segment.mask for one in spine.named if one.level == "L2")] = 250.0
    # The second stack begins below L2.
    below = round(np.argwhere(next(one.segment.mask for one in spine.named if one.level == "L2"))[:, 1].max()) + 1
    lower = prediction.affine.copy()
    lower[:3, 3] += lower[:3, 1] * below
    stacks = [OtherContrast(STIR, voxels, prediction.affine), OtherContrast(STIR, voxels[:, below:], lower)]
    assert the(findings(drawing, others=stacks), "L2", "fracture_age").grade == "recent"


def test_stir_elsewhere_tells_nothing() -> None:
    prediction, _ = drawn()
    far = prediction.affine.copy()
    far[:3, 3] += 1000.0
    drawing = Drawing(height={"L2": (14.0, BODY_MM)})
    other = OtherContrast(STIR, np.full(prediction.image.shape, 100.0, np.float32), far)
    assert the(findings(drawing, others=[other]), "L2", "fracture_age").status == "not_analysed"


def test_t1_alone_does_not_call_a_collapse_old() -> None:
    assert age_hint({"sagittal_t1": {4: 1.0}}, 4)[0] is None


def test_a_body_dark_on_t1_is_not_called_old_for_want_of_stir_signal() -> None:
    grade, words = age_hint({"sagittal_stir": {3: 1.45}, "sagittal_t1": {3: 0.45}}, 3)
    assert grade is None and "its age is not told" in words
    assert age_hint({"sagittal_stir": {3: 1.45}, "sagittal_t1": {3: 1.0}}, 3)[0] == "old"


@pytest.mark.parametrize("blind", [(19, 20), ()])
def test_a_neck_that_could_not_be_outlined_throughout_is_not_cleared(blind: tuple[int, ...]) -> None:
    def station(k: int) -> CanalStation:
        level = "C5/6" if 18 <= k < 22 else "C5" if k < 18 else "C6"
        seen = (None, 0.0, None, None) if k in blind else (7.0, 13.0, 3.0, 3.0)
        return CanalStation(level, 2.0 * k, (0.0, 0.0, -2.0 * k), 2, *seen)

    found = kang_finding(drawn()[0], [station(k) for k in range(40)], "C5/6", PLACE)
    assert found.status == ("not_analysed" if blind else "not_flagged")


def test_a_bright_body_is_a_hint_with_its_limits() -> None:
    one = the(findings(Drawing(marrow={"L3": 0.9})), "L3", "marrow_signal")
    assert one.status == "suspected"
    assert "could be metastasis, infection" in one.text
    assert "diffuse change" in one.text


def test_a_suspected_slip_has_a_meyerding_grade_and_one_not_flagged_has_none() -> None:
    slipped = Drawing(forward=dict.fromkeys(("L3", "L2", "L1", "T12"), 12.0))
    models = replace(flat_models(), listhesis=one_model("listhesis", (1.0,), offset=-3.0))
    found = findings(slipped, models)
    assert the(found, "L3/4", "listhesis").grade == "II"
    assert "forward" in the(found, "L3/4", "listhesis").text
    assert the(found, "L4/5", "listhesis").grade is None


@pytest.mark.parametrize(("back_mm", "status", "grade"), [(6.0, "not_flagged", None), (12.0, "suspected", "II")])
def test_a_slip_far_backward_is_suspected_by_its_measure(back_mm: float, status: str, grade: str | None) -> None:
    slipped = Drawing(forward=dict.fromkeys(("L3", "L2", "L1", "T12"), -back_mm))
    models = replace(flat_models(), listhesis=one_model("listhesis", (1.0,), offset=-3.0))
    slip = the(findings(slipped, models), "L3/4", "listhesis")
    assert (slip.status, slip.grade) == (status, grade)
    assert "backward" in slip.text
    assert (slip.probability is None) == (status == "suspected")


@pytest.mark.parametrize(("percent", "grade"), [(10, "I"), (25, "I"), (26, "II"), (60, "III"), (99, "IV"), (101, "V")])
def test_meyerding_grades(percent: float, grade: str) -> None:
    assert meyerding_grade(percent) == grade
    assert meyerding_grade(-percent) == grade


def test_signals_of_a_t1_are_not_read_as_t2() -> None:
    prediction, spine = drawn(Drawing(marrow={"L3": 0.9}))
    found = spine_findings(prediction, spine, flat_models(), is_t2=False)
    for level, kind in (("L4/5", "disc_degeneration"), ("L4/5", "modic_change"), ("L3", "marrow_signal")):
        assert the(found, level, kind).status == "not_analysed"
    assert the(found, "L4/5", "listhesis").value is not None


def test_pfirrmann_names_the_step_that_its_probabilities_reach() -> None:
    models = replace(flat_models(), pfirrmann=one_model("pfirrmann", offset=1.5))
    one = the(findings(models=models), "L4/5", "disc_degeneration")
    # Offsets 1.5, 0.5, -0.5: two of three steps are likelier than not.
    assert one.grade == "4"
    assert "Pfirrmann IV" in one.text


@pytest.mark.parametrize(
    ("lost", "cord", "signal", "grade"),
    [(0.4, 5, 1.0, "0"), (0.6, 5, 1.0, "1"), (0.6, 30, 1.0, "2"), (0.6, 30, 1.5, "3"), (0.6, 5, 1.5, "1")],
)
def test_kang_grades(lost: float, cord: float, signal: float, grade: str) -> None:
    assert kang_grade(lost, cord, signal) == grade
