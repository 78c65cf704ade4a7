"""What SQLite and PostgreSQL need to behave alike: writers one after the other, readers on one state, bounded waits."""

import ssl
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from dashboard.errors import RecordsError, RecordsUnavailable
from dashboard.records.files import PRIVATE_FILE, make_private_dir, plain_os_errors

# Execution options of a connection: its transaction writes; it may wait for long.
WRITES, PATIENT = "triage_writes", "triage_patient"
BUSY_TIMEOUT_MS = 15_000
PATIENT_TIMEOUT_MS = 50_000
# The server's answer to one statement; longer than any wait for a lock.
ANSWER_TIMEOUT_S = 60
# A transaction that somebody forgot, or whose machine is gone, must not lock out all other writers.
IDLE_TIMEOUT = "60s"
# Any number that no other user of the database locks.
WRITE_LOCK = 7_461_696_765
DRIVER = "postgresql+pg8000"
TAKEN_AWAY = (
    "The database file was taken away or replaced while the software runs: put it back, or stop the software, put "
    "back a backup and start again."
)
MALFORMED = "TRIAGE_DATABASE_URL is not an address SQLAlchemy understands; correct it."


def make_engine(address: str) -> Engine:
    """Engine of a SQLite file or a PostgreSQL database.

    Raises
    ------
    RecordsError
        The address is malformed, or of another kind of database.
    """
    try:
        url = make_url(address)
        if url.get_backend_name() == "sqlite":
            return _sqlite(url)
        if url.get_backend_name() == "postgresql":
            return _postgresql(url)
    except (ArgumentError, ImportError, NoSuchModuleError, ValueError) as error:
        raise RecordsError(MALFORMED) from error
    raise RecordsError("TRIAGE_DATABASE_URL must begin with sqlite: or postgresql:; correct it.")


def _sqlite(url: URL) -> Engine:
    engine = create_engine(url, connect_args={"check_same_thread": False})
    event.listen(engine, "connect", _prepare_sqlite)
    if url.database:
        path = Path(url.database)
        _make_private_file(path)
        place = _place(path)
        # SQLite would make an empty file of a lost one, and go on writing to one that was taken away.
        event.listen(engine, "do_connect", lambda *_: _check_place(path, place))
        event.listen(engine, "begin", lambda _: _check_place(path, place))
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _place(path: Path) -> tuple[int, int] | None:
    """What tells this very file from another that bears its name later; None where there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _check_place(path: Path, place: tuple[int, int] | None) -> None:
    if _place(path) != place:
        raise RecordsUnavailable(TAKEN_AWAY)


def _make_private_file(path: Path) -> None:
    """Make the database's file, so that it and those SQLite puts beside it are for their owner only."""
    make_private_dir(path.parent)
    with plain_os_errors("The database"):
        if not path.exists():
            path.touch(mode=PRIVATE_FILE)


def _prepare_sqlite(connection: Any, record: Any) -> None:
    # The driver must not open transactions by itself: a write that starts as a read may fail half-way as locked.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA journal_mode = WAL")
    # What a page called received must outlive a power cut, which WAL promises only with FULL.
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    # What is deleted is overwritten, not only forgotten.
    cursor.execute("PRAGMA secure_delete = ON")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _postgresql(url: URL) -> Engine:
    query = dict(url.query)
    arguments = {
        "timeout": ANSWER_TIMEOUT_S,
        "application_name": "spine-triage",
        "startup_params": {"idle_in_transaction_session_timeout": IDLE_TIMEOUT},
        **_encryption(str(query.pop("sslmode", "")), str(query.pop("sslrootcert", ""))),
    }
    # A server that was restarted is noticed when a connection is taken, not by whoever uses it.
    engine = create_engine(
        url.set(drivername=DRIVER, query=query), connect_args=arguments, pool_pre_ping=True, pool_timeout=15
    )
    event.listen(engine, "begin", _begin_postgresql)
    return engine


def _encryption(mode: str, root_certificate: str) -> dict[str, Any]:
    """libpq's sslmode for a driver that takes a context; without it, encrypted where the server offers it."""
    if mode in ("", "allow", "prefer"):
        return {}
    if mode == "disable":
        return {"ssl_context": False}
    if mode not in ("require", "verify-full"):
        raise RecordsError("sslmode in TRIAGE_DATABASE_URL must be disable, prefer, require or verify-full.")
    try:
        context = ssl.create_default_context(cafile=root_certificate or None)
    except OSError as error:
        raise RecordsError("sslrootcert in TRIAGE_DATABASE_URL is no file of certificates.") from error
    if mode == "require":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return {"ssl_context": context}


def _begin_postgresql(connection: Connection) -> None:
    options = connection.get_execution_options()
    if not options.get(WRITES, False):
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        return
    wait_ms = PATIENT_TIMEOUT_MS if options.get(PATIENT, False) else BUSY_TIMEOUT_MS
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = {wait_ms}")
    # One writer at a time, as SQLite has it: whoever looks something up and then writes cannot be overtaken.
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITE_LOCK})")
