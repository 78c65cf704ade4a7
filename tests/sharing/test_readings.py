"""Who may read, flag and delete; and what the audit log tells of it."""

from collections.abc import Callable

import pytest

from dashboard.errors import NotAllowed, RecordsError
from dashboard.grading import LevelCorrection
from dashboard.records import (
    Records,
    Role,
    Said,
    Verdict,
    audit_entries,
    current_reading,
    get_study,
    list_flags,
    worklist,
)
from dashboard.sharing import (
    CONSOLE,
    STRANGER,
    Person,
    correct_levels,
    flag,
    give_reading,
    guest,
    remove_study,
    take_back,
)
from tests.records.helpers import found_study
from tests.sharing.conftest import NOW

Member = Callable[[Role], Person]
CHANGE = Said(Verdict.CHANGED, "3", "T8", "HOPPER: no CSF", "GRACE agrees")


def actions(records: Records) -> list[tuple[str, str]]:
    with records.reading() as session:
        return [(entry.actor, entry.action) for entry in audit_entries(session)]


def outsiders(member: Member, study_id: str) -> list[Person]:
    return [STRANGER, guest("0" * 32, study_id), member(Role.NONE), member(Role.VIEWER)]


def test_a_reader_reads_and_takes_back(records: Records, member: Member) -> None:
    study_id, finding_id = found_study(records)
    reader = member(Role.READER)
    reading = give_reading(records, reader, study_id, finding_id, CHANGE, NOW)
    with records.reading() as session:
        assert current_reading(session, records.keys, study_id) == reading
    take_back(records, reader, reading.id, NOW)
    with records.reading() as session:
        assert current_reading(session, records.keys, study_id) is None
    assert actions(records)[:2] == [(reader.id, "withdraw_reading"), (reader.id, "read_study")]


def test_the_log_tells_the_grade_and_none_of_the_words(records: Records) -> None:
    study_id, finding_id = found_study(records)
    reading = give_reading(records, CONSOLE, study_id, finding_id, CHANGE, NOW)
    with records.reading() as session:
        (entry,) = audit_entries(session, action="read_study")
    assert entry.details == {"reading": reading.id, "verdict": "changed", "grade": "3"}


def test_a_reading_that_is_refused_is_not_noted(records: Records) -> None:
    study_id, finding_id = found_study(records)
    with pytest.raises(RecordsError):
        give_reading(records, CONSOLE, study_id, finding_id, Said(Verdict.CHANGED, "3"), NOW)
    assert actions(records) == []


def test_nobody_else_reads_flags_or_deletes(records: Records, member: Member) -> None:
    study_id, finding_id = found_study(records)
    reading = give_reading(records, CONSOLE, study_id, finding_id, Said(Verdict.AGREED), NOW)
    for person in outsiders(member, study_id):
        for attempt in (
            lambda person=person: give_reading(records, person, study_id, finding_id, Said(Verdict.AGREED), NOW),
            lambda person=person: take_back(records, person, reading.id, NOW),
            lambda person=person: flag(records, person, study_id, "known_cancer", "yes", NOW),
            lambda person=person: remove_study(records, person, study_id, NOW),
        ):
            with pytest.raises(NotAllowed):
                attempt()
    with pytest.raises(NotAllowed, match="delete studies"):
        remove_study(records, member(Role.READER), study_id, NOW)
    with pytest.raises(NotAllowed, match="Only the person"):
        take_back(records, member(Role.ADMIN), reading.id, NOW)


def test_a_flag_is_noted_without_the_day_symptoms_began(records: Records, member: Member) -> None:
    study_id, _ = found_study(records)
    reader = member(Role.READER)
    flag(records, reader, study_id, "symptom_onset", "2026-11-18", NOW)
    flag(records, reader, study_id, "symptom_onset", "", NOW)
    with records.reading() as session:
        assert [change.author for change in list_flags(session, study_id)] == [reader.id, reader.id]
        assert get_study(session, study_id).flags == {}
        noted = audit_entries(session, action="set_flag")
    assert [entry.details for entry in noted] == [
        {"flag": "symptom_onset", "set": False},
        {"flag": "symptom_onset", "set": True},
    ]


def test_an_administrator_deletes_and_one_line_stays(records: Records, member: Member) -> None:
    study_id, _ = found_study(records)
    admin = member(Role.ADMIN)
    remove_study(records, admin, study_id, NOW)
    with records.reading() as session:
        assert worklist(session) == ()
        (entry,) = audit_entries(session, action="delete_study")
    assert (entry.actor, entry.subject_id) == (admin.id, study_id)


def test_a_reader_corrects_levels_and_the_log_tells_from_what_to_what(records: Records, member: Member) -> None:
    spine = {"series_instance_uid": "2", "certain": False, "segments": [{"kind": "vertebra", "level": "T11"}]}
    study_id, finding_id = found_study(records, more={"spine": spine})
    reader, correction = member(Role.READER), LevelCorrection("T11", "T12")
    for person in outsiders(member, study_id):
        with pytest.raises(NotAllowed):
            correct_levels(records, person, study_id, finding_id, correction, NOW)
    reading = correct_levels(records, reader, study_id, finding_id, correction, NOW)
    with records.reading() as session:
        (entry,) = audit_entries(session, action="correct_levels")
    assert (entry.actor, entry.details) == (reader.id, {"reading": reading.id, "was": "T11", "now": "T12"})
    take_back(records, reader, reading.id, NOW)
    assert actions(records)[0] == (reader.id, "withdraw_reading")
