"""The audit log only grows, and whatever is done to it behind the software's back is found."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, text, update

from dashboard.errors import RecordsError
from dashboard.records import Records, Session, check_audit, note, open_records, remember_audit
from dashboard.records.audit import AuditEnd, entries, export, find_fault
from dashboard.records.database import Database
from dashboard.records.keys import Keys
from dashboard.records.tables import AuditHeadRow, AuditRow, Base
from dashboard.records.witness import WITNESS_FILE
from tests.records.helpers import NOW

LINES = 6
# Tables, not their rows' classes: these statements go round everything the session refuses.
AUDIT, HEAD = Base.metadata.tables["audit"], Base.metadata.tables["audit_head"]


def write(records: Records, count: int = LINES) -> None:
    for number in range(count):
        with records.writing() as session:
            note(session, records.keys, "console", "view_study", f"{number:032d}", {"place": number}, NOW)


def behind_our_back(session: Session) -> None:
    """What somebody with rights over the database would do first: take its own refusal away."""
    postgresql = session.get_bind().dialect.name == "postgresql"
    for what in ("update", "delete"):
        session.execute(text(f"DROP TRIGGER audit_refuses_{what}" + (" ON audit" if postgresql else "")))


def first_fault(records: Records) -> int | None:
    with records.reading() as session:
        fault = find_fault(session, records.keys)
    return None if fault is None else fault.number


def test_lines_are_numbered_chained_and_whole(records: Records) -> None:
    write(records)
    with records.reading() as session:
        newest = entries(session)
        assert find_fault(session, records.keys) is None
    assert [entry.number for entry in newest] == [6, 5, 4, 3, 2, 1]
    assert [entry.previous_hash for entry in newest] == [*(entry.hash for entry in newest[1:]), ""]
    assert newest[-1].details == {"place": 0}


def test_an_empty_log_is_whole(records: Records) -> None:
    assert first_fault(records) is None


def test_a_line_is_kept_with_what_it_tells_of_or_not_at_all(records: Records) -> None:
    with pytest.raises(ValueError, match="stop"), records.writing() as session:
        note(session, records.keys, "console", "export", "", {}, NOW)
        raise ValueError("stop")
    write(records, 1)
    with records.reading() as session:
        assert [entry.action for entry in entries(session)] == ["view_study"]
    assert first_fault(records) is None


def test_lines_are_found_by_who_what_and_of_what(records: Records) -> None:
    write(records)
    with records.writing() as session:
        note(session, records.keys, "share:1", "open_share", "study", {}, NOW)
    with records.reading() as session:
        assert [entry.number for entry in entries(session, actor="share:1")] == [7]
        assert [entry.number for entry in entries(session, action="view_study", limit=2)] == [6, 5]
        assert [entry.number for entry in entries(session, before=3)] == [2, 1]
        assert [entry.number for entry in entries(session, subject_id="study")] == [7]


@pytest.mark.parametrize(
    ("actor", "action", "details"),
    [
        ("console", "view studies", {}),
        ("", "export", {}),
        ("console", "export", {"a": "x" * 3000}),
        ("a" * 49, "export", {}),
    ],
)
def test_what_is_no_line_is_refused(records: Records, actor: str, action: str, details: dict[str, str]) -> None:
    with pytest.raises(RecordsError), records.writing() as session:
        note(session, records.keys, actor, action, "", details, NOW)


def test_the_database_itself_refuses_changes(records: Records) -> None:
    write(records)
    for statement in (
        update(AUDIT).values(actor="nobody"),
        update(AuditRow).values(actor="nobody"),
        delete(AUDIT),
        delete(AuditRow),
    ):
        with pytest.raises(RecordsError, match="never changed"), records.writing() as session:
            session.execute(statement)
    assert first_fault(records) is None


@pytest.mark.parametrize(
    "change",
    [
        {"actor": "nobody"},
        {"action": "export"},
        {"subject_id": "0" * 32},
        {"details": "{}"},
        {"at": NOW + timedelta(microseconds=1)},
        {"hash": "0" * 64},
        {"previous_hash": "0" * 64},
    ],
)
def test_any_change_of_a_line_is_found_at_that_line(records: Records, change: dict[str, object]) -> None:
    write(records)
    with records.writing() as session:
        behind_our_back(session)
        session.execute(update(AUDIT).where(AUDIT.c.number == 4).values(**change))
    assert first_fault(records) == 4


@pytest.mark.parametrize("number", [1, 3])
def test_a_line_taken_out_is_missed(records: Records, number: int) -> None:
    write(records)
    with records.writing() as session:
        behind_our_back(session)
        session.execute(delete(AUDIT).where(AUDIT.c.number == number))
    assert first_fault(records) == number


def test_a_line_taken_out_is_missed_even_if_the_others_are_numbered_anew(records: Records) -> None:
    write(records)
    with records.writing() as session:
        behind_our_back(session)
        session.execute(delete(AUDIT).where(AUDIT.c.number == 3))
        for number in (4, 5, 6):
            session.execute(update(AUDIT).where(AUDIT.c.number == number).values(number=number - 1))
        session.execute(update(HEAD).values(number=5))
    assert first_fault(records) == 3


def test_lines_that_change_places_are_found(records: Records) -> None:
    write(records)
    with records.writing() as session:
        behind_our_back(session)
        for before, after in ((2, 100), (3, 2), (100, 3)):
            session.execute(update(AUDIT).where(AUDIT.c.number == before).values(number=after))
    assert first_fault(records) == 2


@pytest.mark.parametrize("left", [0, 4])
def test_lines_cut_off_the_end_are_missed(records: Records, left: int) -> None:
    write(records)
    with records.writing() as session:
        behind_our_back(session)
        session.execute(delete(AUDIT).where(AUDIT.c.number > left))
    assert first_fault(records) == left + 1


def test_a_shorter_log_with_a_matching_but_unsealed_end_is_found(records: Records) -> None:
    write(records)
    with records.writing() as session:
        behind_our_back(session)
        session.execute(delete(AUDIT).where(AUDIT.c.number > 4))
        fourth = session.get_one(AuditRow, 4)
        session.execute(update(HEAD).values(number=4, hash=fourth.hash))
    assert first_fault(records) == 5


@pytest.mark.parametrize("end", ["cut", "unsealed", "gone"])
def test_an_end_that_was_tampered_with_stays_found_after_more_lines(records: Records, end: str) -> None:
    write(records)
    with records.writing() as session:
        behind_our_back(session)
        session.execute(delete(AUDIT).where(AUDIT.c.number > 4))
        fourth = session.get_one(AuditRow, 4)
        if end == "unsealed":
            session.execute(update(HEAD).values(number=4, hash=fourth.hash))
        elif end == "gone":
            session.execute(delete(HEAD))
    write(records, 2)
    assert first_fault(records) == 5


def test_a_chain_made_with_another_key_is_found(records: Records, tmp_path: Path) -> None:
    write(records)
    stranger = open_records(records.settings)
    object.__setattr__(stranger.keys, "site_secret", b"\0" * 32)
    assert first_fault(stranger) == 1
    stranger.close()


def test_a_database_put_back_to_an_earlier_day_is_found_by_the_witness(records: Records) -> None:
    write(records, 4)
    with records.reading() as session:
        fourth = session.get_one(AuditRow, 4)
        head = session.get_one(AuditHeadRow, 1)
        seal = head.seal
    write(records, 2)
    assert check_audit(records) == (AuditEnd(6, entry_hash(records, 6)), None)
    with records.writing() as session:
        behind_our_back(session)
        session.execute(delete(AUDIT).where(AUDIT.c.number > 4))
        session.execute(update(HEAD).values(number=4, hash=fourth.hash, seal=seal))
    assert first_fault(records) is None
    _, fault = check_audit(records)
    assert fault is not None
    assert (fault.number, "cut off" in fault.words) == (5, True)
    write(records, 1)
    with records.writing() as session:
        note(session, records.keys, "console", "export", "", {}, NOW)
    _, fault = check_audit(records)
    assert fault is not None
    assert (fault.number, "anew" in fault.words) == (6, True)


def entry_hash(records: Records, number: int) -> str:
    with records.reading() as session:
        return session.get_one(AuditRow, number).hash


def test_a_witness_that_was_altered_is_found_and_not_replaced(records: Records) -> None:
    write(records)
    remember_audit(records)
    path = records.settings.data_dir / WITNESS_FILE
    forged = json.dumps({**json.loads(path.read_text()), "number": 2})
    path.write_text(forged)
    _, fault = check_audit(records)
    assert fault is not None
    assert "witness" in fault.words
    remember_audit(records)
    assert path.read_text() == forged


def test_the_witness_never_goes_back(records: Records) -> None:
    write(records)
    remember_audit(records)
    before = (records.settings.data_dir / WITNESS_FILE).read_text()
    with records.writing() as session:
        behind_our_back(session)
        session.execute(delete(AUDIT).where(AUDIT.c.number > 4))
    remember_audit(records)
    assert (records.settings.data_dir / WITNESS_FILE).read_text() == before


def test_export_is_one_json_object_a_line_with_the_hashes(records: Records) -> None:
    write(records)
    with records.reading() as session:
        lines = [json.loads(line) for line in export(session)]
        assert [line["hash"] for line in lines] == [entry.hash for entry in reversed(entries(session))]
    assert lines[0]["at"] == "2026-01-01T12:00:00.000000+00:00"


def test_a_details_text_made_unreadable_is_found_and_still_shown(records: Records) -> None:
    write(records)
    with records.writing() as session:
        behind_our_back(session)
        session.execute(update(AUDIT).where(AUDIT.c.number == 2).values(details="{"))
    with records.reading() as session:
        assert entries(session, before=3, limit=1)[0].details == {"unreadable": "{"}
    assert first_fault(records) == 2


# Six entries stay within what a line may hold, however many bytes each letter takes.
PLAIN = st.dictionaries(
    st.text(max_size=8), st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=12), max_size=6
)


@settings(max_examples=20)
@given(st.lists(PLAIN, max_size=4))
def test_whatever_is_noted_comes_back_whole(details: list[dict[str, str | int | bool | None]]) -> None:

    keys, database = Keys(b"1" * 32, Fernet(Fernet.generate_key())), Database("sqlite://")
    try:
        for one in details:
            with database.writing() as session:
                note(session, keys, "console", "export", "", one, NOW)
        with database.reading() as session:
            assert [entry.details for entry in reversed(entries(session))] == details
            assert find_fault(session, keys) is None
    finally:
        database.close()
