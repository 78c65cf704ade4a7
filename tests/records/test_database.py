"""The database opens private, up to date and durable, and says plainly what is wrong with it."""

import shutil
import sqlite3
import stat
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import Mock

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from cryptography.fernet import Fernet
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.pool import StaticPool

from dashboard.errors import RecordsError, RecordsUnavailable
from dashboard.records import Records, add_study, keep_identity, open_records, worklist
from dashboard.records.database import MIGRATIONS, SCHEMA_REVISION, Database, migrate
from dashboard.records.tables import Base
from dashboard.settings import Settings, load_settings
from tests.postgresql import BOTH_DATABASES, ONLY_SQLITE

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_migrations_make_the_tables_the_code_uses() -> None:
    engine = create_engine("sqlite://", poolclass=StaticPool)
    migrate(engine)
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), Base.metadata)
    engine.dispose()
    assert differences == []


def test_migrations_can_be_taken_back() -> None:
    engine = create_engine("sqlite://", poolclass=StaticPool)
    migrate(engine)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
    left = inspect(engine).get_table_names()
    engine.dispose()
    assert left == ["alembic_version"]


def test_newest_migration_is_the_one_the_code_expects() -> None:
    newest = sorted(path.name for path in (MIGRATIONS / "versions").glob("0*.py"))[-1]
    assert newest.startswith(f"{SCHEMA_REVISION}_")


@ONLY_SQLITE
def test_sqlite_is_durable_checked_and_shared(records: Records) -> None:
    with records.reading() as session:
        answers = {
            name: session.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert answers == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 15_000}


@ONLY_SQLITE
def test_data_folder_is_for_its_owner_only(records: Records) -> None:
    data_dir = records.settings.data_dir
    for folder in (data_dir, records.settings.inbox_dir, records.settings.store_dir):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for name in ("identity.key", "site-secret.key", "triage.sqlite3"):
        assert stat.S_IMODE((data_dir / name).stat().st_mode) == 0o600


def test_an_error_changes_nothing(records: Records) -> None:
    with pytest.raises(ValueError, match="stop"), records.writing() as session:
        add_study(session, "1.2", "patient", NOW)
        raise ValueError("stop")
    with records.reading() as session:
        assert worklist(session) == ()


def test_damaged_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "triage.sqlite3"
    path.write_bytes(b"this is no database" * 1000)
    with pytest.raises(RecordsError, match="damaged"):
        Database(f"sqlite:///{path}")


@ONLY_SQLITE
def test_full_disk_is_named_and_loses_nothing(records: Records) -> None:
    with records.writing() as session:
        add_study(session, "1.2", "patient", NOW)
    with pytest.raises(RecordsError, match="disk is full"), records.writing() as session:
        session.execute(text("PRAGMA max_page_count = 1"))
        for number in range(2000):
            add_study(session, f"1.3.{number}", "patient", NOW, description="x" * 1000)
    with records.reading() as session:
        assert len(worklist(session)) == 1


@ONLY_SQLITE
def test_read_only_database_is_named(records: Records) -> None:
    with pytest.raises(RecordsError, match="may only be read"), records.reading() as session:
        session.execute(text("PRAGMA query_only = 1"))
        add_study(session, "1.2", "patient", NOW)


def test_database_of_a_newer_version_is_named(records: Records) -> None:
    with records.writing() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(RecordsError, match="newer version"):
        open_records(records.settings)


@pytest.mark.parametrize("address", ["not an address", "postgresql://name:word@host:port/database"])
def test_malformed_address_is_named(address: str) -> None:
    with pytest.raises(RecordsError, match="TRIAGE_DATABASE_URL"):
        Database(address)


@ONLY_SQLITE
def test_a_disk_that_is_full_when_deleted_things_are_overwritten_is_named(
    records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = Mock()
    connection.cursor.return_value.execute.side_effect = sqlite3.OperationalError("database or disk is full")
    monkeypatch.setattr(records.database._engine, "raw_connection", lambda: connection)
    with pytest.raises(RecordsUnavailable, match="disk is full"):
        records.database.overwrite_deleted()
    connection.close.assert_called_once()


def test_two_openings_agree_on_keys(tmp_path: Path) -> None:
    settings = load_settings({"TRIAGE_DATA_DIR": str(tmp_path / "data")})
    first, second = open_records(settings), open_records(settings)
    assert first.keys.site_secret == second.keys.site_secret
    assert second.keys.decrypt(first.keys.encrypt("name")) == "name"
    first.close()
    second.close()


@pytest.mark.parametrize("name", ["identity.key", "site-secret.key"])
@BOTH_DATABASES
def test_a_lost_key_is_named_and_not_made_anew(records: Records, tmp_path: Path, name: str) -> None:
    with records.writing() as session:
        add_study(session, "1.2", "patient", NOW)
    copy = tmp_path / "copy"
    shutil.copytree(records.settings.data_dir, copy)
    (copy / name).unlink()
    with pytest.raises(RecordsError, match=name):
        open_records(copied(records, copy))
    assert not (copy / name).exists()


def test_another_key_is_named(records: Records, tmp_path: Path) -> None:
    with records.writing() as session:
        keep_identity(session, records.keys, "subject", names={"token": "name"})
    copy = tmp_path / "copy"
    shutil.copytree(records.settings.data_dir, copy)
    (copy / "identity.key").write_bytes(Fernet.generate_key())
    with pytest.raises(RecordsError, match="another key"):
        open_records(copied(records, copy))


def copied(records: Records, folder: Path) -> Settings:
    """Settings of the same site with a copy of its data folder."""
    url = "" if records.settings.database_url.startswith("sqlite") else records.settings.database_url
    return load_settings({"TRIAGE_DATA_DIR": str(folder), "TRIAGE_DATABASE_URL": url})
