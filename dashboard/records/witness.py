"""The witness of the audit log: a file in the data folder that says how far the log had come when last looked at.

A database put back to an earlier day, log, end and seal together, is whole in itself. The witness lies outside it and
never goes back, so that even this is found. It is written by housekeeping and by each check that finds the log whole.
"""

import json
from pathlib import Path

from dashboard.records.access import Records
from dashboard.records.audit import AuditEnd, AuditFault, find_fault, log_end
from dashboard.records.files import PRIVATE_FILE, flush, plain_os_errors

WITNESS_FILE = "audit-witness.json"


def check_audit(records: Records) -> tuple[AuditEnd, AuditFault | None]:
    """Check the whole log against its seals and its witness; where it is whole, remember how far it came.

    Raises
    ------
    RecordsError
        The database or the witness cannot be read.
    """
    seen, false = _read(records)
    with records.reading() as session:
        fault = find_fault(session, records.keys, seen)
        end = log_end(session)
    if fault is None and false:
        fault = AuditFault(end.number, "the witness file in the data folder was altered")
    if fault is None:
        _write(records, end)
    return end, fault


def remember_audit(records: Records) -> None:
    """Remember how far the log has come. A log that has gone back is left for the check to find."""
    seen, false = _read(records)
    with records.reading() as session:
        end = log_end(session)
    if not false and end.number > (seen.number if seen else 0):
        _write(records, end)


def _path(records: Records) -> Path:
    return records.settings.data_dir / WITNESS_FILE


def _read(records: Records) -> tuple[AuditEnd | None, bool]:
    """What the witness says, and whether it was altered."""
    path = _path(records)
    with plain_os_errors("The witness of the audit log"):
        if not path.exists():
            return None, False
        text = path.read_text(encoding="utf-8")
    try:
        told = json.loads(text)
        end = AuditEnd(int(told["number"]), str(told["hash"]))
        sealed = told["seal"] == _seal(records, end)
    except (ValueError, KeyError, TypeError):
        return None, True
    return (end, False) if sealed else (None, True)


def _write(records: Records, end: AuditEnd) -> None:
    path = _path(records)
    part = path.with_suffix(".part")
    told = json.dumps({"number": end.number, "hash": end.hash, "seal": _seal(records, end)})
    with plain_os_errors("The witness of the audit log"):
        part.touch(mode=PRIVATE_FILE)
        part.write_text(told, encoding="utf-8")
        flush([part])
        part.replace(path)
        flush([path.parent])


def _seal(records: Records, end: AuditEnd) -> str:
    return records.keys.keyed_hash("witness", f"{end.number}:{end.hash}")
