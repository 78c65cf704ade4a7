"""The ``audit`` commands: is the log whole, and the log as JSON lines."""

from datetime import UTC, datetime
from typing import TextIO

from dashboard.records import check_audit, note, open_records
from dashboard.records.audit import export
from dashboard.settings import Settings

WHOLE, BROKEN = 0, 2
# Whoever can run a command here owns the data folder: the log calls that the console.
ACTOR = "console"


def check_log(settings: Settings, stdout: TextIO) -> int:
    """Check the whole audit log and say in words what was found.

    Returns
    -------
    int
        0 where every line is as it was written, 2 where one is not.

    Raises
    ------
    RecordsError
        The log cannot be read.
    """
    records = open_records(settings)
    try:
        end, fault = check_audit(records)
    finally:
        records.close()
    if fault is not None:
        stdout.write(f"The audit log is broken at line {fault.number}: {fault.words}.\n")
        return BROKEN
    lines = "1 line" if end.number == 1 else f"{end.number} lines"
    stdout.write(f"The audit log is whole: {lines}, every one as it was written.\n")
    return WHOLE


def export_log(settings: Settings, stdout: TextIO) -> int:
    """Write the whole audit log, one JSON object a line; the export itself is its last line.

    Raises
    ------
    RecordsError
        The log cannot be read or added to.
    """
    records = open_records(settings)
    try:
        with records.writing() as session:
            note(session, records.keys, ACTOR, "export", "", {"what": "audit"}, datetime.now(UTC))
        with records.reading() as session:
            for line in export(session):
                stdout.write(line + "\n")
    finally:
        records.close()
    return WHOLE
