"""The database: opening it, bringing its tables up to date, and transactions whose failures are told plainly."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.orm import Session

from dashboard.errors import RecordsError
from dashboard.records.files import PRIVATE_FILE, make_private_dir, only_one_process, plain_os_errors
from dashboard.records.tables import NEVER_CHANGED_WORDS

MIGRATIONS = Path(__file__).resolve().parent / "migrations"
# The newest file in migrations/versions; a test holds the two together.
SCHEMA_REVISION = "0002"
BUSY_TIMEOUT_MS = 15_000
WRITES = "triage_writes"

# What SQLite and PostgreSQL say, and what that means to the person who has to do something about it.
PLAIN_WORDS = (
    ("disk is full", "The disk is full; free some space and try again. Nothing that was stored is lost."),
    ("no space left", "The disk is full; free some space and try again. Nothing that was stored is lost."),
    ("readonly database", "The database may only be read: give the data folder back its write permission."),
    ("read-only", "The database may only be read: give the data folder back its write permission."),
    ("unable to open database", "The database cannot be opened: check that the data folder exists and is ours."),
    ("not a database", "The database file is damaged: put back the latest backup of it."),
    ("malformed", "The database file is damaged: put back the latest backup of it."),
    ("disk i/o error", "The disk fails to read or write the database: check the disk, then restart."),
    ("never changed", NEVER_CHANGED_WORDS),
    ("database is locked", "The database stayed busy for too long; try again."),
    ("could not connect", "The database server does not answer; check that it runs and can be reached."),
    ("connection refused", "The database server does not answer; check that it runs and can be reached."),
)


def plain_error(error: SQLAlchemyError) -> RecordsError:
    """Turn what the database said into words; values of the statement are left out, they may name a patient."""
    said = str(error.orig).lower() if isinstance(error, DBAPIError) else type(error).__name__
    for pattern, words in PLAIN_WORDS:
        if pattern in said:
            return RecordsError(words)
    return RecordsError(f"The database refused a request ({type(error).__name__}); nothing was changed.")


class Database:
    """Transactions on one database.

    Parameters
    ----------
    url
        SQLAlchemy address. The folder of a SQLite file is made when it is missing.

    Raises
    ------
    RecordsError
        The address is malformed, or the database cannot be opened or brought up to date.
    """

    def __init__(self, url: str) -> None:
        self._engine = _engine(url)
        try:
            with _translated():
                _bring_up_to_date(self._engine)
        except RecordsError:
            self._engine.dispose()
            raise

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Session on one consistent state of the database."""
        with _translated(), Session(self._engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Session that commits at the end, or changes nothing when an error leaves the block."""
        engine = self._engine.execution_options(**{WRITES: True})
        with _translated(), Session(engine, expire_on_commit=False) as session, session.begin():
            yield session

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        raise plain_error(error) from error


def _engine(url: str) -> Engine:
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite" and parsed.database:
            _make_private_file(Path(parsed.database))
        engine = create_engine(parsed, connect_args={"check_same_thread": False} if "sqlite" in url else {})
    except (ArgumentError, ImportError) as error:
        raise RecordsError("TRIAGE_DATABASE_URL is not an address SQLAlchemy understands; correct it.") from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _make_private_file(path: Path) -> None:
    """Make the database's file, so that it and those SQLite puts beside it are for their owner only."""
    make_private_dir(path.parent)
    with plain_os_errors("The database"):
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
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _revision(engine: Engine) -> str | None:
    if not inspect(engine).has_table("alembic_version"):
        return None
    with engine.connect() as connection:
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def _bring_up_to_date(engine: Engine) -> None:
    """Run the migrations that are missing; one process at a time when the database is a local file."""
    if _revision(engine) == SCHEMA_REVISION:
        return
    local = engine.url.database if engine.dialect.name == "sqlite" else None
    with only_one_process(Path(local).with_suffix(".migrating") if local else None):
        if _revision(engine) != SCHEMA_REVISION:
            migrate(engine)


def migrate(engine: Engine, revision: str = "head") -> None:
    """Bring the tables of `engine` to `revision`."""
    # Imported here: it costs a tenth of a second, and almost every start finds nothing to do.
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    try:
        with engine.execution_options(**{WRITES: True}).begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
    except CommandError as error:
        raise RecordsError(
            "The database was written by a newer version of this software; start that version instead."
        ) from error
