"""What the list is narrowed to."""

from dataclasses import replace
from datetime import timedelta

import pytest

from dashboard.ingest import Identity
from dashboard.records import StudyState, WorklistEntry
from dashboard.screens.list_filter import Wanted, narrowed, status_of
from tests.screens.test_lines import NOW, STUDY

PERSON = Identity(patient_name="Okafor^Ngozi", patient_id="RXH-17", accession_number="A99")
ENTRIES = [
    WorklistEntry(replace(STUDY, id="a", regions=("thoracic",)), PERSON),
    WorklistEntry(replace(STUDY, id="b", tier="soon", band="low", opened_at=NOW), None),
    WorklistEntry(replace(STUDY, id="c", tier=None, band=None, state=StudyState.RECEIVED), None),
    WorklistEntry(replace(STUDY, id="d", tier="soon", read_at=NOW, regions=("cervical", "thoracic")), None),
]


def shown(wanted: Wanted, names: bool = True) -> str:
    return "".join(entry.study.id for entry in narrowed(ENTRIES, wanted, names))


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Wanted(), "abcd"),
        (Wanted(tier=frozenset({"soon"})), "bd"),
        (Wanted(tier=frozenset({"waiting"})), "c"),
        (Wanted(status=frozenset({"new"})), "a"),
        (Wanted(status=frozenset({"opened", "read"})), "bd"),
        (Wanted(status=frozenset({"on its way"})), "c"),
        (Wanted(band=frozenset({"none"})), "c"),
        (Wanted(region=frozenset({"thoracic"})), "ad"),
        (Wanted(region=frozenset({"not stated"})), "bc"),
        (Wanted(tier=frozenset({"soon"}), region=frozenset({"cervical"})), "d"),
        (Wanted(words="ngozi okafor"), "a"),
        (Wanted(words="Okafor, Ngozi"), "a"),
        (Wanted(words="rxh-17"), "a"),
        (Wanted(words="a99"), "a"),
        (Wanted(words="nobody"), ""),
        (Wanted(words="   "), "abcd"),
    ],
)
def test_choices_narrow_the_list_in_its_order(wanted: Wanted, expected: str) -> None:
    assert shown(wanted) == expected


@pytest.mark.parametrize("tier", ["urgent", "soon"])
def test_a_study_that_flags_move_is_found_with_those_it_is_read_with_and_its_own(tier: str) -> None:
    moved = WorklistEntry(replace(STUDY, id="m", tier="soon", flags={"new_deficit": "yes"}), None)
    assert narrowed([moved], Wanted(tier=frozenset({tier})), names=False) == [moved]
    assert narrowed([moved], Wanted(tier=frozenset({"immediate"})), names=False) == []


@pytest.mark.parametrize("words", ["müller", "MULLER", "mu\u0308ller", "siobhan", "siobhán"])
def test_a_name_is_found_however_its_accents_are_typed(words: str) -> None:
    entry = WorklistEntry(STUDY, Identity(patient_name="Müller^Siobha\u0301n"))
    assert narrowed([entry], Wanted(words=words), names=True) == [entry]


def test_names_are_not_searched_for_those_who_may_not_see_them() -> None:
    assert shown(Wanted(words="okafor"), names=False) == ""
    assert shown(Wanted(words="t8"), names=False) == "abcd"


def test_search_words_are_in_no_representation() -> None:
    assert "okafor" not in repr(Wanted(words="okafor"))


def test_a_reading_counts_more_than_an_opening() -> None:
    assert status_of(replace(STUDY, opened_at=NOW, read_at=NOW + timedelta(minutes=1))) == "read"
