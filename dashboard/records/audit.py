"""The audit log: who did what and when. Lines are only ever added, and each carries the hash of the one before.

The hashes are keyed with the site's secret: whoever can write to the database but lacks the key cannot alter, reorder
or take out a line unseen. Where the log ends is kept in a row of its own, sealed with the same key, so that lines cut
off its end are missed. A whole database put back to an earlier day is found by the witness (records/witness.py).
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from dashboard.errors import RecordsError
from dashboard.records.keys import Keys
from dashboard.records.model import AuditEntry
from dashboard.records.tables import AuditHeadRow, AuditRow

Details = Mapping[str, str | int | bool | None]
ACTIONS = (
    "view_study",
    "open_share",
    "read_study",
    "withdraw_reading",
    "correct_levels",
    "share",
    "revoke_share",
    "export",
    "delete_study",
    "sign_in",
    "sign_out",
    "refuse",
    "set_role",
    "disable_user",
    "enable_user",
    "set_flag",
    "upload",
)
HEAD = 1
LONGEST_ACTOR = 48
LONGEST_DETAILS = 2000
ROWS_AT_ONCE = 1000


@dataclass(frozen=True)
class AuditFault:
    """The first line of the log that is not as it was written, and what is wrong, in words."""

    number: int
    words: str


@dataclass(frozen=True)
class AuditEnd:
    """Where a log ended at some moment: the number and the hash of its last line."""

    number: int = 0
    hash: str = ""


def note(
    session: Session,
    keys: Keys,
    actor: str,
    action: str,
    subject_id: str,
    details: Details,
    now: datetime,
) -> AuditEntry:
    """Add a line within the transaction of what it tells of: both are kept, or neither.

    Parameters
    ----------
    session
        Of :meth:`Records.writing`, whose lock gives each line its number.
    actor
        "console", "system", a user's id, or "share:" and a share's id.
    action
        One of :data:`ACTIONS`.
    details
        Plain values that name nobody.

    Raises
    ------
    RecordsError
        The action is unknown, or the details are too long or not plain.
    """
    _check(actor, action, details)
    head = session.get(AuditHeadRow, HEAD, with_for_update=True)
    last = int(session.scalar(select(func.max(AuditRow.number))) or 0)
    number = max(last, head.number if head else 0) + 1
    # Where the end was tampered with the chain stays broken here for good: checks must go on finding it.
    previous = head.hash if head is not None and _is_sealed(keys, head) else ""
    at = now.astimezone(UTC)
    told = json.dumps(dict(details), sort_keys=True, ensure_ascii=True)
    hash_ = _hash(keys, number, at, actor, action, subject_id, told, previous)
    row = AuditRow(
        number=number,
        at=at,
        actor=actor,
        action=action,
        subject_id=subject_id,
        details=told,
        previous_hash=previous,
        hash=hash_,
    )
    session.add(row)
    if head is None:
        head = AuditHeadRow(id=HEAD)
        session.add(head)
    head.number, head.hash, head.seal = number, hash_, _seal(keys, number, hash_)
    session.flush()
    return _entry(row)


def entries(
    session: Session,
    *,
    limit: int = 200,
    before: int | None = None,
    actor: str | None = None,
    action: str | None = None,
    subject_id: str | None = None,
) -> tuple[AuditEntry, ...]:
    """Lines of the log, newest first; `before` is the number of the last line already seen."""
    query = select(AuditRow).order_by(AuditRow.number.desc()).limit(limit)
    if before is not None:
        query = query.where(AuditRow.number < before)
    for column, wanted in ((AuditRow.actor, actor), (AuditRow.action, action), (AuditRow.subject_id, subject_id)):
        if wanted is not None:
            query = query.where(column == wanted)
    return tuple(_entry(row) for row in session.scalars(query))


def find_fault(session: Session, keys: Keys, seen: AuditEnd | None = None) -> AuditFault | None:
    """The first fault of the log, or None where it is whole.

    Parameters
    ----------
    seen
        Where the log ended when it was last looked at; it must still hold that line.
    """
    end = AuditEnd()
    for row in session.scalars(_in_order()):
        fault = _fault_of(keys, row, end)
        if fault is not None:
            return fault
        if seen is not None and row.number == seen.number and row.hash != seen.hash:
            return AuditFault(row.number, "it is not the line that stood there before; the log was written anew")
        end = AuditEnd(row.number, row.hash)
    return _fault_of_end(session, keys, end, seen)


def log_end(session: Session) -> AuditEnd:
    """Where the log ends now."""
    row = session.scalar(select(AuditRow).order_by(AuditRow.number.desc()).limit(1))
    return AuditEnd() if row is None else AuditEnd(row.number, row.hash)


def export(session: Session) -> Iterator[str]:
    """The whole log as JSON, one line an entry, oldest first, hashes included."""
    for row in session.scalars(_in_order()):
        entry = _entry(row)
        yield json.dumps(
            {
                "number": entry.number,
                "at": _moment(entry.at),
                "actor": entry.actor,
                "action": entry.action,
                "subject_id": entry.subject_id,
                "details": dict(entry.details),
                "previous_hash": entry.previous_hash,
                "hash": entry.hash,
            }
        )


def _in_order() -> Select[AuditRow]:
    return select(AuditRow).order_by(AuditRow.number).execution_options(yield_per=ROWS_AT_ONCE)


def _fault_of(keys: Keys, row: AuditRow, before: AuditEnd) -> AuditFault | None:
    if row.number != before.number + 1:
        return AuditFault(before.number + 1, "it is missing")
    if row.previous_hash != before.hash:
        return AuditFault(row.number, "it does not follow from the line before it")
    right = _hash(keys, row.number, row.at, row.actor, row.action, row.subject_id, row.details, row.previous_hash)
    if row.hash != right:
        return AuditFault(row.number, "it was altered, or written with another key")
    return None


def _fault_of_end(session: Session, keys: Keys, end: AuditEnd, seen: AuditEnd | None) -> AuditFault | None:
    head = session.get(AuditHeadRow, HEAD, populate_existing=True)
    if head is None or not _is_sealed(keys, head):
        return AuditFault(end.number + 1, "the seal that says where the log ends is missing or false")
    if (head.number, head.hash) != (end.number, end.hash) or (seen is not None and seen.number > end.number):
        return AuditFault(end.number + 1, "it is missing: lines were cut off the end of the log")
    return None


def _is_sealed(keys: Keys, head: AuditHeadRow) -> bool:
    if head.number == 0:
        # As the migration left it, before anything was noted.
        return (head.hash, head.seal) == ("", "")
    return head.seal == _seal(keys, head.number, head.hash)


def _seal(keys: Keys, number: int, hash_: str) -> str:
    return keys.keyed_hash("end", f"{number}:{hash_}")


def _hash(
    keys: Keys, number: int, at: datetime, actor: str, action: str, subject_id: str, details: str, previous: str
) -> str:
    fields = [number, _moment(at), actor, action, subject_id, details, previous]
    return keys.keyed_hash("line", json.dumps(fields, ensure_ascii=True))


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _check(actor: str, action: str, details: Details) -> None:
    if action not in ACTIONS:
        raise RecordsError(f"The audit log knows no such action; it is one of {', '.join(ACTIONS)}.")
    if not 0 < len(actor) <= LONGEST_ACTOR:
        raise RecordsError("A line of the audit log names who acted.")
    if not all(value is None or isinstance(value, str | int | bool) for value in details.values()):
        raise RecordsError("Details of the audit log are plain values.")
    if len(json.dumps(dict(details))) > LONGEST_DETAILS:
        raise RecordsError("Details of the audit log are too long.")


def _entry(row: AuditRow) -> AuditEntry:
    return AuditEntry(
        number=row.number,
        at=row.at,
        actor=row.actor,
        action=row.action,
        subject_id=row.subject_id,
        details=_details(row.details),
        previous_hash=row.previous_hash,
        hash=row.hash,
    )


def _details(told: str) -> dict[str, str | int | bool | None]:
    """Details as noted; a line whose details were made unreadable is still shown."""
    try:
        plain = json.loads(told)
    except ValueError:
        plain = None
    return plain if isinstance(plain, dict) else {"unreadable": told}
