"""Readings: what persons confirmed or changed, added beside the findings and never altered.

An undo is a row of its own that withdraws another, so that what was once said stays on record.
"""

import json
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from dashboard.errors import NotAllowed, RecordsError
from dashboard.grading import LevelCorrection, relevel
from dashboard.records.findings import restate
from dashboard.records.keys import Keys
from dashboard.records.model import Reading, Said, Verdict, new_id
from dashboard.records.plain import from_plain, to_plain
from dashboard.records.studies import study_row
from dashboard.records.tables import FindingRow, ReadingRow, StudyRow
from dashboard.study import GRADES, LEVELS, SlicePlace

LONGEST_WORDS = 4000


def add_reading(
    session: Session, keys: Keys, study_id: str, finding_id: str, author: str, said: Said, now: datetime
) -> Reading:
    """Add what `author` says of a finding.

    Raises
    ------
    RecordsError
        The finding is not what stands for this study now, or what was said is incomplete; the message says what to do.
    """
    row = study_row(session, study_id)
    document = json.loads(current_finding_row(session, row, finding_id).document)
    suggested = document.get("grade")
    verdict, grade = said.verdict, said.grade
    if said.level and said.level not in LEVELS:
        raise RecordsError(f"A level is one of {LEVELS[0]} to {LEVELS[-1]}, or a disc such as T8/9.")
    if said.at is not None and not any(said.at.is_of(entry) for entry in document.get("slices") or []):
        raise RecordsError("This slice is not one of the result; open the study again and point at it there.")
    if said.marks_hidden and verdict is Verdict.CHANGED and grade is not None and grade == suggested:
        verdict = Verdict.AGREED
    if verdict is Verdict.AGREED:
        grade = _agreed(grade, suggested)
    else:
        _check_change(said, suggested)
    added = _add(
        session,
        keys,
        ReadingRow(
            study_id=study_id,
            finding_id=finding_id,
            author=author,
            verdict=verdict.value,
            grade=grade,
            level=said.level,
            at_slice=None if said.at is None else json.dumps(to_plain(said.at)),
            words=_seal(keys, said.reason, said.comment),
            marks_hidden=said.marks_hidden,
            created_at=now,
        ),
    )
    row.read_at, row.read_by, row.read_grade = row.read_at or now, author, grade
    session.flush()
    return added


def current_finding_row(session: Session, study: StudyRow, finding_id: str) -> FindingRow:
    """The finding that somebody says something of, which must be the one that stands; for this package.

    Raises
    ------
    RecordsError
        It is another study's, or images were added since.
    """
    finding = session.get(FindingRow, finding_id)
    if finding is None or finding.study_id != study.id:
        raise RecordsError("This result is not one of this study; open the study again and read what is there now.")
    if finding_id != study.current_finding_id:
        raise RecordsError("Images were added and the study was analysed anew: look at the new result first.")
    return finding


def add_correction(
    session: Session,
    keys: Keys,
    study_id: str,
    finding_id: str,
    author: str,
    correction: LevelCorrection,
    now: datetime,
) -> Reading:
    """Add that what the finding calls one level is another, which all its levels follow (:func:`relevel`).

    It stands until its author withdraws it or somebody names a level again. The study is as read, or unread, as before.

    Raises
    ------
    RecordsError
        The finding is not what stands for this study now.
    LevelRefused
        The levels cannot follow; the message says why.
    """
    study = study_row(session, study_id)
    finding = current_finding_row(session, study, finding_id)
    relevel(json.loads(finding.document), correction)
    added = _add(
        session,
        keys,
        ReadingRow(
            study_id=study_id,
            finding_id=finding_id,
            author=author,
            verdict=Verdict.RELEVELLED.value,
            grade=None,
            level=correction.now,
            level_was=correction.was,
            words=_seal(keys, "", ""),
            created_at=now,
        ),
    )
    restate(session, study)
    return added


def withdraw_reading(session: Session, keys: Keys, reading_id: str, author: str, now: datetime) -> Reading:
    """Add the row that takes back a reading of the same author; the study is unread again if no other stands.

    Raises
    ------
    NotAllowed
        Another person's reading.
    RecordsError
        There is no such reading, or it is withdrawn already.
    """
    row = session.get(ReadingRow, reading_id)
    if row is None or row.withdraws is not None:
        raise RecordsError("This reading is not here; the study may have been deleted.")
    if row.author != author:
        raise NotAllowed("Only the person who gave a reading may withdraw it.")
    study = study_row(session, row.study_id)
    if session.scalar(select(ReadingRow.id).where(ReadingRow.withdraws == reading_id)) is not None:
        raise RecordsError("This reading is withdrawn already.")
    added = _add(
        session,
        keys,
        ReadingRow(
            study_id=row.study_id,
            finding_id=row.finding_id,
            author=author,
            verdict=Verdict.WITHDRAWN.value,
            grade=None,
            level="",
            words=_seal(keys, "", ""),
            marks_hidden=False,
            withdraws=reading_id,
            created_at=now,
        ),
    )
    readings = list_readings(session, keys, row.study_id)
    standing = [reading for reading in readings if _stands(reading, study.current_finding_id)]
    study.read_at = standing[0].created_at if standing else None
    study.read_by = standing[-1].author if standing else ""
    study.read_grade = standing[-1].grade if standing else None
    restate(session, study)
    return added


def list_readings(session: Session, keys: Keys, study_id: str) -> tuple[Reading, ...]:
    """Everything persons said of a study, withdrawals included, oldest first."""
    query = select(ReadingRow).where(ReadingRow.study_id == study_id).order_by(ReadingRow.created_at, ReadingRow.id)
    rows = session.scalars(query).all()
    withdrawn = {row.withdraws for row in rows}
    return tuple(_reading(keys, row, row.id in withdrawn) for row in rows)


def current_reading(session: Session, keys: Keys, study_id: str) -> Reading | None:
    """The latest reading of the current finding that stands, or None while that is unread."""
    finding_id = study_row(session, study_id).current_finding_id
    standing = [one for one in list_readings(session, keys, study_id) if _stands(one, finding_id)]
    return standing[-1] if standing else None


def _stands(reading: Reading, finding_id: str | None) -> bool:
    said = reading.withdraws is None and reading.verdict is not Verdict.RELEVELLED
    return said and not reading.withdrawn and reading.finding_id == finding_id


def _agreed(grade: str | None, suggested: str | None) -> str:
    if suggested is None:
        raise RecordsError("No grade was suggested for this study: give one, or say that it cannot be graded.")
    if grade not in (None, suggested):
        raise RecordsError("To agree is to keep the suggested grade; choose 'change' for another one.")
    return suggested


def _check_change(said: Said, suggested: str | None) -> None:
    if said.verdict is Verdict.NOT_GRADABLE:
        if said.grade is not None:
            raise RecordsError("A study that cannot be graded has no grade.")
    elif said.verdict is not Verdict.CHANGED:
        raise RecordsError("A reading agrees, changes, or says that no grade can be given; withdraw one that is wrong.")
    elif said.grade not in GRADES:
        raise RecordsError(f"A grade is one of {', '.join(GRADES)}.")
    elif said.grade == suggested and not said.level:
        raise RecordsError("This is the grade that was suggested: agree, or name the level.")
    # Nothing is overruled where the level is named, where there was no suggestion, or where nobody saw it.
    overruled = said.verdict is Verdict.NOT_GRADABLE or suggested not in (None, said.grade)
    if overruled and not said.marks_hidden and not said.reason.strip():
        raise RecordsError("A change needs its reason, in a few words.")


def _add(session: Session, keys: Keys, row: ReadingRow) -> Reading:
    row.id = new_id()
    session.add(row)
    session.flush()
    return _reading(keys, row, withdrawn=False)


def _seal(keys: Keys, reason: str, comment: str) -> bytes:
    """Free text may name somebody: it is stored encrypted, as identities are."""
    words = {
        "reason": _bounded(reason.strip(), LONGEST_WORDS, "reason"),
        "comment": _bounded(comment.strip(), LONGEST_WORDS, "comment"),
    }
    return keys.encrypt(json.dumps(words))


def _bounded(text: str, longest: int, what: str) -> str:
    if len(text) > longest:
        raise RecordsError(f"The {what} is longer than {longest} characters; shorten it.")
    return text


def _reading(keys: Keys, row: ReadingRow, withdrawn: bool) -> Reading:
    words = json.loads(keys.decrypt(row.words))
    return Reading(
        id=row.id,
        study_id=row.study_id,
        finding_id=row.finding_id,
        author=row.author,
        verdict=Verdict(row.verdict),
        grade=row.grade,
        level=row.level,
        reason=words["reason"],
        comment=words["comment"],
        marks_hidden=row.marks_hidden,
        withdraws=row.withdraws,
        created_at=row.created_at,
        withdrawn=withdrawn,
        level_was=row.level_was or "",
        at=from_plain(SlicePlace, json.loads(row.at_slice)) if row.at_slice else None,
    )
