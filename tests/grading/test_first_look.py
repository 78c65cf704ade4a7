"""The line of the worklist: where to look first and why, read off a result document."""

from typing import Any

import pytest

from dashboard.grading import Band, first_look
from dashboard.study import suspicion_first

SUSPICION = {"suspected": True, "needs": "axial images", "level": "L4/5", "level_certain": True, "of": "cauda equina"}
ASKED = "compression of the cauda equina suspected on sagittal images: axial images needed"
NAMED = "suspected compression of the cauda equina at L4/5, axial images needed"


def document(**more: Any) -> dict[str, Any]:
    return {
        "status": "graded",
        "grade": "2",
        "band": "high",
        "reasons": [],
        "urgency": {"reasons": ["grade 2 suspected"]},
        "worst_slice": {"series_instance_uid": "1", "number": 2, "level": "T11", "level_certain": True},
        "levels": [{"level": "T10", "grade": "0"}, {"level": "T11", "grade": "2"}],
        "slices": [],
        **more,
    }


def test_the_worst_slice_comes_first() -> None:
    look = first_look(document())
    assert (look.level, look.place, look.reasons) == ("T11", "T11", ("grade 2 suspected",))


def test_a_suspicion_comes_before_a_slice_without_finding() -> None:
    look = first_look(document(grade="0", band="low", sagittal=SUSPICION, urgency={"reasons": ["first", ASKED]}))
    assert (look.level, look.place, look.reasons) == ("", "L4/5", ("first", NAMED))


@pytest.mark.parametrize("of", ["cord", "cauda equina"])
@pytest.mark.parametrize("band", [None, *Band])
def test_a_suspicion_is_first_where_no_graded_slice_asks_for_as_much(band: Band | None, of: str) -> None:
    # Urgent for a cord: before 1c, which is soon. Soon for a cauda equina.
    found = suspicion_first(document(band=band and band.value, sagittal=SUSPICION | {"of": of}))
    assert found is (band in (None, Band.LOW) or (band is Band.WATCH and of == "cord"))


@pytest.mark.parametrize("other", ["T1", "T4"])
def test_of_two_levels_of_one_grade_that_of_the_worst_slice_is_named(other: str) -> None:
    worst = {"series_instance_uid": "1", "number": 2, "level": "T10", "level_certain": True}
    look = first_look(document(worst_slice=worst, levels=[{"level": one, "grade": "2"} for one in (other, "T10")]))
    assert (look.level, look.place) == ("T10", "T10")


def test_a_suspicion_comes_after_a_compression() -> None:
    look = first_look(document(sagittal=SUSPICION, urgency={"reasons": ["grade 2 suspected", ASKED]}))
    assert (look.level, look.place, look.reasons) == ("T11", "T11", ("grade 2 suspected", NAMED))


@pytest.mark.parametrize("sagittal", [None, {"suspected": False, "needs": ""}])
def test_what_could_not_be_graded_has_its_reasons_and_no_level(sagittal: dict[str, Any] | None) -> None:
    more = {"status": "not_analysed", "grade": None, "band": None, "worst_slice": None, "levels": []}
    look = first_look(document(**more, reasons=["no axial T2 series"], sagittal=sagittal))
    assert (look.level, look.place, look.reasons) == ("", "", ("no axial T2 series",))


def test_what_could_not_be_graded_and_is_suspected_says_so_first() -> None:
    more = {"status": "not_analysed", "grade": None, "band": None, "worst_slice": None, "levels": []}
    look = first_look(document(**more, reasons=["no axial T2 series", ASKED], sagittal=SUSPICION))
    assert (look.level, look.place, look.reasons) == ("", "L4/5", (NAMED, "no axial T2 series"))


def test_a_result_that_names_levels_of_groups_alone_shows_the_level_of_its_grade() -> None:
    worst = {"series_instance_uid": "1", "number": 2, "level": None}
    look = first_look(document(worst_slice=worst, levels=[{"level": "T11", "level_certain": False, "grade": "2"}]))
    assert (look.level, look.place) == ("T11", "T11 (level uncertain)")


LOST = {
    "series_instance_uid": "1",
    "volume_index": 0,
    "slice_index": 4,
    "number": 5,
    "level": "T12",
    "level_certain": True,
}


def elsewhere(**more: Any) -> dict[str, Any]:
    """A 0 whose tier comes from a slice that could not be graded."""
    lost = {**LOST, **more}
    others = [{**LOST, "slice_index": n, "number": n + 1, "status": "analysed"} for n in range(4)]
    reasons = {"reasons": ["slice 5 could not be graded"]}
    slices = [*others, {**lost, "status": "not_analysed"}]
    return document(grade="0", band="low", first_slice=lost, slices=slices, urgency=reasons, sagittal=SUSPICION)


def test_the_slice_that_sets_the_tier_comes_before_the_worst_grade_and_a_suspicion() -> None:
    look = first_look(elsewhere())
    assert (look.level, look.place) == ("", "T12 (not graded)")


def test_that_a_level_is_uncertain_and_a_slice_not_graded_is_said_at_once() -> None:
    assert first_look(elsewhere(level_certain=False)).place == "T12 (not graded, level uncertain)"
    assert first_look(elsewhere(level=None)).place == "slice 5 of 5 (not graded)"
