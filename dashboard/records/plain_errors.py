"""What a database says, turned into words for the person who has to do something about it."""

from typing import Any

from sqlalchemy.exc import DBAPIError, SQLAlchemyError, TimeoutError

from dashboard.errors import RecordsError, RecordsUnavailable
from dashboard.records.files import DISK_FULL, READ_ONLY
from dashboard.records.tables import NEVER_CHANGED_WORDS

SERVER_READ_ONLY = "The database server takes no changes for now: it is a standby, or was set to read only."
CANNOT_OPEN = "The database cannot be opened: check that the data folder exists and is ours."
DAMAGED = (
    "The database is damaged: put back the latest backup of it. Until then read studies yourself, and tell whoever "
    "runs this server."
)
DISK_FAILS = (
    "The disk fails to read or write the database: check the disk, then restart. Until then read studies yourself, and "
    "tell whoever runs this server."
)
BUSY = "The database stayed busy for too long; try again."
NO_ANSWER = (
    "The database server does not answer; check that it runs and can be reached. Nothing that was stored is lost."
)
NO_ENTRY = "The database server refuses us: check name, password and database in TRIAGE_DATABASE_URL."

# Words that tell of something which passes.
FOR_NOW = (DISK_FULL, READ_ONLY, SERVER_READ_ONLY, CANNOT_OPEN, BUSY, NO_ANSWER)

# What SQLite, and the PostgreSQL driver where it has no code, say.
SAID = (
    ("disk is full", DISK_FULL),
    ("no space left", DISK_FULL),
    ("readonly database", READ_ONLY),
    ("unable to open database", CANNOT_OPEN),
    ("not a database", DAMAGED),
    ("malformed", DAMAGED),
    ("disk i/o error", DISK_FAILS),
    ("never changed", NEVER_CHANGED_WORDS),
    ("database is locked", BUSY),
    ("create a connection", NO_ANSWER),
    ("network error", NO_ANSWER),
    ("connection is closed", NO_ANSWER),
    ("communication error", NO_ANSWER),
    ("server refuses ssl", "The database server does not speak TLS, as sslmode in TRIAGE_DATABASE_URL asks it to."),
)
# Codes of PostgreSQL's appendix A by their beginning; the longest that fits counts.
CODES = {
    "08": NO_ANSWER,
    "57P": NO_ANSWER,
    "53": "The database server is short of memory or connections; try again, or give it more.",
    "53100": DISK_FULL,
    "28": NO_ENTRY,
    "3D000": NO_ENTRY,
    "42501": "The database server lets us not do this: the user in TRIAGE_DATABASE_URL must own its database.",
    "25006": SERVER_READ_ONLY,
    "55P03": BUSY,
    "57014": BUSY,
    "40": BUSY,
    "58": DISK_FAILS,
    "XX001": DAMAGED,
    "XX002": DAMAGED,
}


def plain_error(error: SQLAlchemyError | OSError) -> RecordsError:
    """Turn what the database said into words; values of the statement are left out, they may name a patient."""
    if isinstance(error, OSError):
        # The driver lets failures of its socket through as they are.
        return RecordsUnavailable(NO_ANSWER)
    if isinstance(error, TimeoutError):
        return RecordsUnavailable(BUSY)
    words = _words(error.orig) if isinstance(error, DBAPIError) else None
    if words in FOR_NOW:
        return RecordsUnavailable(words)
    return RecordsError(words or f"The database refused a request ({type(error).__name__}); nothing was changed.")


def _words(said: Any) -> str | None:
    text = str(said).lower()
    by_text = next((words for pattern, words in SAID if pattern in text), None)
    return by_text or _by_code(_code(said))


def _code(said: Any) -> str:
    """PostgreSQL's five characters, or nothing."""
    told = said.args[0] if getattr(said, "args", ()) else None
    return str(told.get("C", "")) if isinstance(told, dict) else ""


def _by_code(code: str) -> str | None:
    fitting = [known for known in CODES if code.startswith(known)]
    return CODES[max(fitting, key=len)] if fitting else None
