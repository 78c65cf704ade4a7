"""The database: opening it, bringing its tables up to date, and transactions whose failures are told plainly."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, inspect, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.orm import Session

from dashboard.errors import RecordsError
from dashboard.records.dialects import PATIENT, WRITES, make_engine
from dashboard.records.files import only_one_process
from dashboard.records.plain_errors import plain_error

MIGRATIONS = Path(__file__).resolve().parent / "migrations"
# The newest file in migrations/versions; a test holds the two together.
SCHEMA_REVISION = "0005"


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
        self._engine = make_engine(url)
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

    def overwrite_deleted(self) -> None:
        """Have what was deleted leave the disk now, as far as readers at work allow; PostgreSQL vacuums by itself.

        SQLite keeps what it overwrote in the log beside its file until the log is written back.
        """
        if self._engine.dialect.name != "sqlite":
            return
        with _translated():
            connection = self._engine.raw_connection()
            try:
                connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").close()
            except sqlite3.Error as error:
                # Below SQLAlchemy nobody has wrapped it.
                raise plain_error(DBAPIError(None, None, error)) from error
            finally:
                connection.close()

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (SQLAlchemyError, ConnectionError, TimeoutError) as error:
        raise plain_error(error) from error


def _revision(engine: Engine) -> str | None:
    if not inspect(engine).has_table("alembic_version"):
        return None
    with engine.connect() as connection:
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def _bring_up_to_date(engine: Engine) -> None:
    """Run the migrations that are missing, one process at a time: PostgreSQL's write lock sees to that by itself."""
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
        with engine.execution_options(**{WRITES: True, PATIENT: True}).begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
    except CommandError as error:
        raise RecordsError(
            "The database was written by a newer version of this software; start that version instead."
        ) from error
