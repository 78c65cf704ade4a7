"""The list in memory is the list in the database, whoever changed that."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import event, text

from dashboard.ingest import Identity
from dashboard.records import (
    Records,
    WorklistMirror,
    delete_study,
    keep_identity,
    mark_opened,
    set_flag,
    worklist,
)
from tests.records.test_studies import study

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def ids(entries: Any) -> list[str]:
    return [entry.study.id for entry in entries]


def check(mirror: WorklistMirror, records: Records) -> None:
    state = mirror.look()
    with records.reading() as session:
        assert [entry.study for entry in state.by_urgency] == list(worklist(session))
        assert [entry.study for entry in state.by_arrival] == list(worklist(session, by_urgency=False))


def test_every_change_is_seen(records: Records) -> None:
    mirror = WorklistMirror(records)
    check(mirror, records)
    first = study(records, "1", "soon")
    study(records, "2", None, NOW + MINUTE)
    check(mirror, records)
    with records.writing() as session:
        mark_opened(session, first, "somebody", NOW)
    check(mirror, records)
    with records.writing() as session:
        set_flag(session, first, "new_deficit", "yes", "somebody", NOW)
    check(mirror, records)
    assert ids(mirror.look().by_urgency)[0] == first


def test_a_deleted_study_is_gone_and_its_place_in_the_count_is_not_used_again(records: Records) -> None:
    mirror = WorklistMirror(records)
    first, second = study(records, "1", "soon"), study(records, "2", "urgent")
    revision = mirror.look().revision
    delete_study(records, second, "console", NOW)
    third = study(records, "3", "urgent")
    assert sorted(ids(mirror.look().by_urgency)) == sorted([first, third])
    assert mirror.look().revision > revision + 1
    check(mirror, records)


def test_a_change_past_the_code_is_seen_too(records: Records) -> None:
    mirror = WorklistMirror(records)
    study_id = study(records, "1", "soon")
    mirror.look()
    with records.writing() as session:
        session.execute(text("UPDATE studies SET tier = 'immediate' WHERE id = :id"), {"id": study_id})
    assert mirror.look().entries[study_id].study.tier == "immediate"


def test_a_list_that_is_up_to_date_costs_one_query(records: Records) -> None:
    mirror = WorklistMirror(records)
    for number in range(5):
        study(records, str(number), "soon")
    mirror.look()
    asked: list[str] = []
    with records.reading() as session:
        engine = session.get_bind()
    event.listen(engine, "before_cursor_execute", lambda *arguments: asked.append(arguments[2]))
    before = mirror.look()
    assert [statement for statement in asked if statement.startswith("SELECT")] == asked[-1:]
    assert "studies" not in asked[-1]
    assert mirror.look() is before


def test_only_the_changed_studies_are_read_and_decrypted_again(records: Records) -> None:
    mirror = WorklistMirror(records)
    first, second = study(records, "1", "soon"), study(records, "2", "soon")
    with records.writing() as session:
        keep_identity(session, records.keys, first, Identity(patient_name="Okafor"))
    before = mirror.look()
    with records.writing() as session:
        mark_opened(session, second, "", NOW)
    after = mirror.look()
    assert after.entries[first] is before.entries[first]
    assert after.entries[second] is not before.entries[second]


def test_people_are_known_even_where_they_are_named_later(records: Records) -> None:
    mirror = WorklistMirror(records)
    study_id = study(records, "1", "soon")
    assert mirror.look().entries[study_id].person is None
    with records.writing() as session:
        keep_identity(session, records.keys, study_id, Identity(patient_name="Okafor"))
        mark_opened(session, study_id, "", NOW)
    assert mirror.look().entries[study_id].person == Identity(patient_name="Okafor")
    assert "Okafor" not in repr(mirror.look())
