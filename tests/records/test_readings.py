"""What a person says is added beside the finding, stays as it was said, and is told to nobody without the key."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, select, text, update

from dashboard.errors import LevelRefused, NotAllowed, RecordsError
from dashboard.grading import LevelCorrection
from dashboard.records import (
    JobKind,
    Reading,
    Records,
    Said,
    Verdict,
    add_correction,
    add_finding,
    add_job,
    add_reading,
    claim_job,
    current_reading,
    get_finding,
    get_study,
    list_readings,
    new_id,
    shown_finding,
    withdraw_reading,
)
from dashboard.records.tables import Base, FindingRow, ReadingRow, StudyRow
from dashboard.study import SlicePlace
from tests.records.helpers import NOW, document, found_study

MINUTE = timedelta(minutes=1)


def read(
    records: Records,
    study_id: str,
    finding_id: str,
    verdict: Verdict = Verdict.AGREED,
    grade: str | None = None,
    level: str = "",
    reason: str = "",
    minutes: int = 0,
    author: str = "console",
    comment: str = "",
    at: SlicePlace | None = None,
) -> Reading:
    with records.writing() as session:
        said = Said(verdict, grade, level, reason, comment, at=at)
        return add_reading(session, records.keys, study_id, finding_id, author, said, NOW + minutes * MINUTE)


def withdraw(records: Records, reading: Reading, minutes: int = 5, author: str = "console") -> Reading:
    with records.writing() as session:
        return withdraw_reading(session, records.keys, reading.id, author, NOW + minutes * MINUTE)


def test_agreeing_takes_the_findings_grade_and_leaves_the_finding_alone(records: Records) -> None:
    study_id, finding_id = found_study(records, "1c")
    with records.reading() as session:
        before = get_finding(session, finding_id)
    added = read(records, study_id, finding_id, comment="seen with the surgeon")
    with records.reading() as session:
        assert list_readings(session, records.keys, study_id) == (added,)
        assert current_reading(session, records.keys, study_id) == added
        assert get_finding(session, finding_id) == before
        assert get_study(session, study_id).read_at == NOW
    assert (added.grade, added.verdict, added.comment) == ("1c", Verdict.AGREED, "seen with the surgeon")


def test_there_is_nothing_to_agree_with_where_no_grade_was_suggested(records: Records) -> None:
    study_id, finding_id = found_study(records, None)
    with pytest.raises(RecordsError, match="No grade was suggested"):
        read(records, study_id, finding_id)
    given = read(records, study_id, finding_id, Verdict.CHANGED, "1b")
    none = read(records, study_id, finding_id, Verdict.NOT_GRADABLE, reason="metal", minutes=1)
    assert (given.grade, none.grade) == ("1b", None)


def test_naming_the_level_of_the_suggested_grade_needs_no_reason(records: Records) -> None:
    reading = read(records, *found_study(records, "2"), Verdict.CHANGED, "2", "T12/L1")
    assert (reading.grade, reading.level) == ("2", "T12/L1")


def test_a_new_result_is_unread_and_the_former_one_can_be_read_no_more(records: Records) -> None:
    study_id, former = found_study(records)
    reading = read(records, study_id, former)
    second = read(records, study_id, former, minutes=1)
    with records.writing() as session:
        add_job(session, JobKind.TRIAGE_STUDY, study_id, NOW)
        job = claim_job(session, "worker", NOW)
        assert job is not None
        assert add_finding(session, new_id(), job, document("3"), "0", NOW)
    with records.reading() as session:
        assert get_study(session, study_id).read_at is None
        assert current_reading(session, records.keys, study_id) is None
        assert list_readings(session, records.keys, study_id) == (reading, second)
    with pytest.raises(RecordsError, match="analysed anew"):
        read(records, study_id, former)
    withdraw(records, second)
    with records.reading() as session:
        assert get_study(session, study_id).read_at is None


def test_a_second_reading_stands_beside_the_first(records: Records) -> None:
    study_id, finding_id = found_study(records)
    first = read(records, study_id, finding_id, author="one")
    second = read(records, study_id, finding_id, Verdict.CHANGED, "3", "T8", "no CSF left", 1, "two")
    with records.reading() as session:
        assert list_readings(session, records.keys, study_id) == (first, second)
        assert current_reading(session, records.keys, study_id) == second
        assert get_study(session, study_id).read_at == NOW


@pytest.mark.parametrize(
    ("verdict", "grade", "level", "reason", "words"),
    [
        (Verdict.CHANGED, "3", "", "  ", "needs its reason"),
        (Verdict.CHANGED, None, "T8", "because", "A grade is one of 0, 1a"),
        (Verdict.CHANGED, "2", "", "because", "agree, or name the level"),
        (Verdict.NOT_GRADABLE, None, "", "", "needs its reason"),
        (Verdict.NOT_GRADABLE, "2", "", "metal", "has no grade"),
        (Verdict.CHANGED, "4", "", "because", "A grade is one of 0, 1a"),
        (Verdict.AGREED, "3", "", "", "keep the suggested grade"),
        (Verdict.WITHDRAWN, None, "", "", "agrees, changes, or says"),
        (Verdict.CHANGED, "3", "Mrs Hopper", "because", "A level is one of C1 to S1"),
        (Verdict.CHANGED, "3", "", "x" * 4001, "reason is longer"),
    ],
)
def test_what_is_incomplete_is_refused_and_leaves_the_study_unread(
    records: Records, verdict: Verdict, grade: str | None, level: str, reason: str, words: str
) -> None:
    study_id, finding_id = found_study(records)
    with pytest.raises(RecordsError, match=words):
        read(records, study_id, finding_id, verdict, grade, level, reason)
    with records.reading() as session:
        assert list_readings(session, records.keys, study_id) == ()
        assert get_study(session, study_id).read_at is None


def test_a_finding_of_another_study_cannot_be_read_here(records: Records) -> None:
    study_id, _ = found_study(records)
    _, elsewhere = found_study(records, uid="2.25.2")
    for finding_id in (elsewhere, new_id()):
        with pytest.raises(RecordsError, match="not one of this study"):
            read(records, study_id, finding_id)


def test_withdrawing_adds_a_row_and_the_study_is_unread_again(records: Records) -> None:
    study_id, finding_id = found_study(records)
    first = read(records, study_id, finding_id)
    second = read(records, study_id, finding_id, minutes=1)
    withdraw(records, first)
    with records.reading() as session:
        assert get_study(session, study_id).read_at == NOW + MINUTE
        assert current_reading(session, records.keys, study_id) == second
    withdraw(records, second, 6)
    with records.reading() as session:
        assert get_study(session, study_id).read_at is None
        assert current_reading(session, records.keys, study_id) is None
        listed = list_readings(session, records.keys, study_id)
    assert [(reading.withdrawn, reading.withdraws) for reading in listed] == [
        (True, None),
        (True, None),
        (False, first.id),
        (False, second.id),
    ]


def test_only_its_author_withdraws_a_reading_and_only_once(records: Records) -> None:
    reading = read(records, *found_study(records), author="one")
    with pytest.raises(NotAllowed, match="Only the person"):
        withdraw(records, reading, author="two")
    undo = withdraw(records, reading, author="one")
    with pytest.raises(RecordsError, match="withdrawn already"):
        withdraw(records, reading, author="one")
    with pytest.raises(RecordsError, match="not here"):
        withdraw(records, undo, author="one")


def test_neither_reading_nor_finding_can_be_altered_or_deleted_through_the_session(records: Records) -> None:
    study_id, finding_id = found_study(records)
    reading = read(records, study_id, finding_id)
    for kind, id_ in ((ReadingRow, reading.id), (FindingRow, finding_id)):
        with pytest.raises(RecordsError, match="never changed"), records.writing() as session:
            row = session.get_one(kind, id_)
            row.created_at = NOW + MINUTE
        with pytest.raises(RecordsError, match="never changed"), records.writing() as session:
            session.delete(session.get_one(kind, id_))
    with records.reading() as session:
        assert list_readings(session, records.keys, study_id) == (reading,)


def test_not_even_a_statement_alters_what_is_stored(records: Records) -> None:
    """The database refuses by itself what goes round the session."""
    study_id, finding_id = found_study(records)
    reading = read(records, study_id, finding_id)
    for statement in (
        update(ReadingRow).values(grade="0"),
        update(Base.metadata.tables["readings"]).values(grade="0"),
        update(Base.metadata.tables["findings"]).values(document="{}"),
        text("UPDATE readings SET author = 'nobody'"),
    ):
        with pytest.raises(RecordsError, match="never changed"), records.writing() as session:
            session.execute(statement)
    with records.reading() as session:
        assert list_readings(session, records.keys, study_id) == (reading,)


def test_a_statement_that_deletes_readings_is_refused(records: Records) -> None:
    study_id, finding_id = found_study(records)
    reading = read(records, study_id, finding_id)
    for kind in (ReadingRow, FindingRow):
        with pytest.raises(RecordsError, match="never changed"), records.writing() as session:
            session.execute(delete(kind))
    with records.reading() as session:
        assert list_readings(session, records.keys, study_id) == (reading,)


def test_what_was_written_lies_encrypted_and_is_not_shown(records: Records) -> None:
    reading = read(
        records, *found_study(records), Verdict.CHANGED, "3", "T8", "HOPPER was seen", comment="GRACE agrees"
    )
    with records.reading() as session:
        words = session.scalars(select(ReadingRow.words)).one()
    assert (reading.reason, reading.comment) == ("HOPPER was seen", "GRACE agrees")
    for secret in ("HOPPER", "GRACE"):
        assert secret.encode() not in words
        assert secret not in repr(reading)


def test_the_slice_that_a_person_points_at_is_kept(records: Records) -> None:
    entry = {"series_instance_uid": "2.25.9", "volume_index": 0, "slice_index": 3}
    study_id, finding_id = found_study(records, "2", more={"slices": [entry]})
    at = SlicePlace("2.25.9", 0, 3, 4)
    added = read(records, study_id, finding_id, at=at)
    with records.reading() as session:
        assert list_readings(session, records.keys, study_id) == (added,)
    assert added.at == at
    with pytest.raises(RecordsError, match="not one of the result"):
        read(records, study_id, finding_id, at=SlicePlace("2.25.9", 0, 4, 5))


def levelled(records: Records, *levels: str) -> tuple[str, str]:
    """A study whose finding names these levels, the first of them as the place of its grade."""
    segments = [{"kind": "vertebra", "level": level} for level in levels]
    more = {
        "levels": [{"level": levels[0], "grade": "2"}],
        "spine": {"series_instance_uid": "2", "certain": False, "segments": segments},
    }
    return found_study(records, more=more)


def correct(
    records: Records, study_id: str, finding_id: str, now: str, author: str = "ada", minutes: int = 0
) -> Reading:
    correction, at = LevelCorrection("T11", now), NOW + minutes * MINUTE
    with records.writing() as session:
        return add_correction(session, records.keys, study_id, finding_id, author, correction, at)


def shown(records: Records, finding_id: str) -> tuple[str, str]:
    """The level as it is shown, and as it was found."""
    with records.reading() as session:
        as_shown, as_found = shown_finding(session, finding_id), get_finding(session, finding_id)
    assert as_shown is not None
    assert as_found is not None
    return as_shown.document["levels"][0]["level"], as_found.document["levels"][0]["level"]


def test_levels_follow_a_correction_and_the_finding_stays(records: Records) -> None:
    study_id, finding_id = levelled(records, "T11", "T12")
    reading = correct(records, study_id, finding_id, "T12")
    assert (reading.verdict, reading.level_was, reading.level) == (Verdict.RELEVELLED, "T11", "T12")
    assert shown(records, finding_id) == ("T12", "T11")
    with records.reading() as session:
        study = get_study(session, study_id)
        assert (study.level, study.place) == ("T12", "T12")
        # The study is no more read than before, and the worklist says so.
        assert study.read_at is None
        assert current_reading(session, records.keys, study_id) is None


def test_the_last_correction_stands_until_it_is_withdrawn(records: Records) -> None:
    study_id, finding_id = levelled(records, "T11")
    correct(records, study_id, finding_id, "T12")
    last = correct(records, study_id, finding_id, "T10", author="grace", minutes=1)
    assert shown(records, finding_id) == ("T10", "T11")
    with records.writing() as session:
        withdraw_reading(session, records.keys, last.id, "grace", NOW)
    assert shown(records, finding_id) == ("T12", "T11")
    with records.reading() as session:
        assert get_study(session, study_id).place == "T12"


def test_levels_that_cannot_follow_are_not_kept(records: Records) -> None:
    study_id, finding_id = levelled(records, "T11", "L5")
    with pytest.raises(LevelRefused, match="below S1"):
        correct(records, study_id, finding_id, "L1")
    with records.reading() as session:
        assert list_readings(session, records.keys, study_id) == ()


def test_a_former_finding_takes_no_correction(records: Records) -> None:
    study_id, finding_id = levelled(records, "T11")
    with records.writing() as session:
        session.get_one(StudyRow, study_id).current_finding_id = None
    with pytest.raises(RecordsError, match="analysed anew"):
        correct(records, study_id, finding_id, "T12")
