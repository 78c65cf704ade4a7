"""One level is named by a person, and all others follow; the result itself stays as it was."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.errors import LevelRefused
from dashboard.grading import LevelCorrection, correction_of, place_words, relevel, sagittal_words
from dashboard.grading.norms import comparisons
from dashboard.study import DISCS, LEVELS, VERTEBRAE, shifted, steps_between

SHOWN = "The header says lumbar spine, the pictures show T10 to T11."


def result(*levels: str) -> dict[str, Any]:
    """A result with segments of these names, and everything else that names levels."""
    return {
        "grade": "3",
        "urgency": {"tier": "immediate", "reasons": ["suspected compression, axial images needed"]},
        "series": [{"description": "T2 TSE sag"}],
        "spine": {
            "series_instance_uid": "2",
            "certain": False,
            "counted_from": "guess",
            "note": "level uncertain: neither C2 nor the sacrum is in view",
            "alternatives": [{"level_of_first": "T9", "probability": 0.3}],
            "segments": [{"kind": "disc" if "/" in one else "vertebra", "level": one} for one in levels],
        },
        "levels": [{"level": "T11", "grade": "3"}],
        "worst_slice": {"series_instance_uid": "1", "number": 2, "volume_index": 0, "slice_index": 1},
        "slices": [
            {"series_instance_uid": "1", "volume_index": 0, "slice_index": 0, "level": None, "level_certain": False},
            {"series_instance_uid": "1", "volume_index": 0, "slice_index": 1, "level": "T11", "level_certain": False},
        ],
        "findings": [{"level": "T11/12", "level_certain": False, "text": "disc dark on T2"}],
        "sagittal": {
            "suspected": True,
            "needs": "axial images",
            "level": "T11",
            "canal": [{"level": "T10", "cord_diameter_AP_mm": 5.0, "norm_z": None}],
        },
    }


def test_every_level_follows_and_the_result_stays() -> None:
    document = result("T10", "T10/11", "T11", "T11/12", "T12")
    before = copy.deepcopy(document)
    moved = relevel(document, LevelCorrection("T11", "T12"))
    assert document == before
    assert [one["level"] for one in moved["spine"]["segments"]] == ["T11", "T11/12", "T12", "T12/L1", "L1"]
    assert [one["level"] for one in moved["slices"]] == [None, "T12"]
    assert [one["level_certain"] for one in moved["slices"]] == [False, True]
    assert moved["levels"][0]["level"] == moved["sagittal"]["level"] == "T12"
    assert moved["findings"][0] == {"level": "T12/L1", "level_certain": True, "text": "disc dark on T2"}
    assert moved["urgency"] == document["urgency"]
    assert moved["series"] == document["series"]
    (place,) = moved["sagittal"]["canal"]
    assert place["level"] == "T11"
    assert place["norm_z"] == comparisons(place, "T11")["norm_z"] != comparisons(place, "T10")["norm_z"]
    assert (place_words(document), place_words(moved)) == ("T11 (level uncertain)", "T12")
    assert sagittal_words(moved) == "suspected compression at T12, axial images needed"


def test_what_was_corrected_stands_in_the_spine() -> None:
    moved = relevel(result("T10", "T11"), LevelCorrection("T11", "T12"))
    spine = moved["spine"]
    assert (spine["counted_from"], spine["certain"], spine["alternatives"]) == ("correction", True, [])
    assert spine["note_before_correction"].startswith("level uncertain")
    assert correction_of(moved) == LevelCorrection("T11", "T12")
    assert correction_of(result("T10")) is None


def test_naming_it_as_it_is_makes_it_certain() -> None:
    document = result("T10", "T11")
    moved = relevel(document, LevelCorrection("T11", "T11"))
    assert moved["spine"]["certain"]
    assert moved["findings"] == [document["findings"][0] | {"level_certain": True}]
    place = moved["sagittal"]["canal"][0]
    assert place["norm_z"] == comparisons(place, "T10")["norm_z"] is not None


@pytest.mark.parametrize(
    ("correction", "words"),
    [
        (LevelCorrection("L1", "L2"), "no such vertebra or disc"),
        (LevelCorrection("T11", "T11/12"), "a vertebra as a vertebra"),
        (LevelCorrection("T11", "S1"), "T12 would lie below S1"),
        (LevelCorrection("T11", "C2"), "T10 would lie above C2"),
    ],
)
def test_a_level_that_the_others_cannot_follow_is_refused(correction: LevelCorrection, words: str) -> None:
    with pytest.raises(LevelRefused, match=words):
        relevel(result("T10", "T11", "T12"), correction)


def test_volumes_that_were_named_apart_stay() -> None:
    document = result("T10", "T11")
    own, with_it, apart = (
        document["spine"] | {"group": group, "series_instance_uid": uid}
        for group, uid in ((0, "2"), (0, "3"), (1, "4"))
    )
    cited = [{"level": "T11", "level_certain": False, "level_series_instance_uid": uid} for uid in ("3", "4")]
    document |= {"spine": own, "spines": [own, with_it, apart], "slices": cited}
    document["findings"] = [{"level": "T11", "series_instance_uid": uid} for uid in ("2", "4")]
    moved = relevel(document, LevelCorrection("T11", "T12"))
    assert [one["segments"][1]["level"] for one in moved["spines"]] == ["T12", "T12", "T11"]
    assert [one["certain"] for one in moved["spines"]] == [True, True, False]
    assert [(one["level"], one["level_certain"]) for one in moved["slices"]] == [("T12", True), ("T11", False)]
    assert [one["level"] for one in moved["findings"]] == ["T12", "T11"]


@pytest.mark.parametrize(("now", "kept"), [("T12", ["thin slices"]), ("T11", [SHOWN, "thin slices"])])
def test_that_the_pictures_contradict_a_header_goes_with_the_names_it_was_told_by(now: str, kept: list[str]) -> None:
    document = result("T10", "T11") | {"series": [{"series_instance_uid": "1", "warnings": [SHOWN, "thin slices"]}]}
    moved = relevel(document, LevelCorrection("T11", now))
    assert [one["warnings"] for one in moved["series"]] == [kept]


def test_a_level_beyond_the_named_segments_becomes_unknown() -> None:
    document = result("L4", "L5") | {"slices": [{"level": "S1", "level_certain": True}]}
    moved = relevel(document, LevelCorrection("L4", "L5"))
    assert moved["slices"] == [{"level": None, "level_certain": False}]


@given(st.sampled_from(LEVELS), st.integers(-30, 30))
def test_a_level_moved_and_moved_back_is_itself(level: str, steps: int) -> None:
    moved = shifted(level, steps)
    if moved is not None:
        assert steps_between(level, moved) == steps
        assert shifted(moved, -steps) == level


def test_vertebrae_and_discs_do_not_change_into_each_other() -> None:
    assert steps_between("L4", "L4/5") is None
    assert all(shifted(one, 1) in (*VERTEBRAE, None) for one in VERTEBRAE)
    assert all(shifted(one, 1) in (*DISCS, None) for one in DISCS)
