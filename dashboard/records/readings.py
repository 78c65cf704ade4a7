"""Readings: what persons confirmed or changed, added beside the findings and never altered.

An undo is a row of its own that withdraws another, so that what was once said stays on record.
"""

import json
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from dashboard.errors import NotAllowed, RecordsError
from dashboard.records.keys import Keys
from dashboard.records.model import Reading, Verdict, new_id
from dashboard.records.studies import study_row
from dashboard.records.tables import FindingRow, ReadingRow
from dashboard.study import GRADES

LONGEST_WORDS = 4000
LONGEST_LEVEL = 16


def add_reading(
    session: Session,
    keys: Keys,
    study_id: str,
    finding_id: str,
    author: str,
    verdict: Verdict,
    grade: str | None,
    level: str,
    reason: str,
    comment: str,
    marks_hidden: bool,
    now: datetime,
) -> Reading:
    """Add what `author` says of a finding.

    Parameters
    ----------
    verdict
        Agreed: the reading takes the finding's grade. Changed: `reason` is needed, and a grade or a level.
    grade
        One of the Bilsky grades; None for none, or where the author agrees.
    marks_hidden
        Whether the author looked without the software's marks.

    Raises
    ------
    RecordsError
        The finding is not one of this study, or what was said is incomplete; the message says what to do.
    """
    row = study_row(session, study_id)
    finding = session.get(FindingRow, finding_id)
    if finding is None or finding.study_id != study_id:
        raise RecordsError("This result is not one of this study; open the study again and read what is there now.")
    suggested = json.loads(finding.document).get("grade")
    if verdict is Verdict.AGREED:
        if grade not in (None, suggested):
            raise RecordsError("To agree is to keep the suggested grade; choose 'change' for another one.")
        grade = suggested
    elif verdict is Verdict.CHANGED:
        _check_change(grade, level, reason)
    else:
        raise RecordsError("A reading agrees or changes; withdraw one that should not count.")
    added = _add(
        session,
        keys,
        ReadingRow(
            study_id=study_id,
            finding_id=finding_id,
            author=author,
            verdict=verdict.value,
            grade=grade,
            level=_bounded(level, LONGEST_LEVEL, "level"),
            words=_seal(keys, reason, comment),
            marks_hidden=marks_hidden,
            created_at=now,
        ),
    )
    row.read_at = row.read_at or now
    session.flush()
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
    standing = [reading for reading in list_readings(session, keys, row.study_id) if _stands(reading)]
    study.read_at = standing[0].created_at if standing else None
    session.flush()
    return added


def list_readings(session: Session, keys: Keys, study_id: str) -> tuple[Reading, ...]:
    """Everything persons said of a study, withdrawals included, oldest first."""
    query = select(ReadingRow).where(ReadingRow.study_id == study_id).order_by(ReadingRow.created_at, ReadingRow.id)
    rows = session.scalars(query).all()
    withdrawn = {row.withdraws for row in rows}
    return tuple(_reading(keys, row, row.id in withdrawn) for row in rows)


def current_reading(session: Session, keys: Keys, study_id: str) -> Reading | None:
    """The latest reading that stands, or None while the study is unread."""
    standing = [reading for reading in list_readings(session, keys, study_id) if _stands(reading)]
    return standing[-1] if standing else None


def _stands(reading: Reading) -> bool:
    return not reading.withdrawn and reading.withdraws is None


def _check_change(grade: str | None, level: str, reason: str) -> None:
    if grade is not None and grade not in GRADES:
        raise RecordsError(f"A grade is one of {', '.join(GRADES)}.")
    if grade is None and not level:
        raise RecordsError("A change names another grade or another level.")
    if not reason.strip():
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
    )
