"""Clinical flags: what a person knows that the pictures do not show. Rows are only ever added."""

import re
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from dashboard.errors import RecordsError
from dashboard.grading import DEFICITS, Flag
from dashboard.records.jobs import hasten_job
from dashboard.records.model import FlagChange
from dashboard.records.studies import study_row
from dashboard.records.tables import FlagRow

YES = "yes"
FLAGS = tuple(flag.value for flag in Flag)
ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def set_flag(session: Session, study_id: str, flag: str, value: str, author: str, now: datetime) -> FlagChange:
    """Set a flag of a study, or take it back. A deficit also hastens an analysis that still waits.

    Parameters
    ----------
    flag
        One of :data:`FLAGS`.
    value
        "yes", for ``symptom_onset`` a day as YYYY-MM-DD; "" takes the flag back.

    Raises
    ------
    RecordsError
        There is no such study or flag, or the value does not fit it.
    """
    _check(flag, value, now)
    study = study_row(session, study_id)
    row = FlagRow(study_id=study_id, flag=flag, value=value, author=author, created_at=now)
    session.add(row)
    kept = {name: kept for name, kept in (study.flags or {}).items() if name != flag}
    # A new dictionary: a change inside the stored one would go unseen.
    study.flags = {**kept, flag: value} if value else kept
    if value and flag in DEFICITS:
        hasten_job(session, study_id)
    session.flush()
    return _change(row)


def list_flags(session: Session, study_id: str) -> tuple[FlagChange, ...]:
    """Every change of the flags of a study, oldest first."""
    query = select(FlagRow).where(FlagRow.study_id == study_id).order_by(FlagRow.id)
    return tuple(_change(row) for row in session.scalars(query))


def _check(flag: str, value: str, now: datetime) -> None:
    if flag not in FLAGS:
        raise RecordsError(f"A flag is one of {', '.join(FLAGS)}.")
    if not value:
        return
    if flag != Flag.SYMPTOM_ONSET:
        if value != YES:
            raise RecordsError("This flag is set or not; it takes no other value.")
        return
    try:
        onset = date.fromisoformat(value) if ISO_DATE.fullmatch(value) else None
    except ValueError:
        onset = None
    if onset is None:
        raise RecordsError("The onset of symptoms is a day, written YYYY-MM-DD.")
    # East of Greenwich the day may have begun already.
    if onset > (now + timedelta(days=1)).date():
        raise RecordsError("The onset of symptoms lies in the future; correct the day.")


def _change(row: FlagRow) -> FlagChange:
    return FlagChange(row.study_id, row.flag, row.value, row.author, row.created_at)
