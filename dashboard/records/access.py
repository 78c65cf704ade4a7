"""Everything a process needs to read and write records, opened in one step."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from dashboard.errors import RecordsError, TriageError
from dashboard.records import identities, uploads
from dashboard.records.blobs import Blobs
from dashboard.records.contents import fetch_files
from dashboard.records.database import Database
from dashboard.records.files import make_private_dir
from dashboard.records.inbox import Inbox
from dashboard.records.jobs import READ_PRIORITY, add_job
from dashboard.records.keys import SITE_SECRET_FILE, Keys, load_keys
from dashboard.records.model import Finding, JobKind, StoredIdentity, Upload
from dashboard.records.store import Store
from dashboard.records.tables import AuditRow, IdentityRow, StudyRow, UploadRow, UserRow
from dashboard.settings import Settings

# What `reading` and `writing` hand out, for the signatures of those who use them.
__all__ = ["Records", "Session", "open_records"]


@dataclass(frozen=True)
class Records:
    """Database, keys, store and inbox of one site. Safe to share between threads."""

    settings: Settings
    database: Database = field(repr=False)
    keys: Keys = field(repr=False)
    store: Store
    inbox: Inbox

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Session for the functions of this package that look something up."""
        with self.database.reading() as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Session for the functions that change something: all of it, or nothing when an error leaves the block."""
        with self.database.writing() as session:
            yield session

    def identity(self, session: Session, subject_id: str) -> StoredIdentity:
        """What is known of the patient of a study, or of the file names of an upload."""
        return identities.get_identity(session, self.keys, subject_id)

    def finding_dir(self, finding: Finding) -> Path:
        """Folder for :func:`read_study`, :func:`read_predictions` and :func:`read_masks`, fetched if it is not here."""
        fetch_files(self, finding.study_id, f"findings/{finding.id}/")
        return self.store.finding_dir(finding.study_id, finding.id)

    def instances_dir(self, study_id: str) -> Path:
        """Folder of a study's de-identified DICOM files, fetched if they are not here."""
        fetch_files(self, study_id, "instances/")
        return self.store.instances_dir(study_id)

    def uploads_here(self) -> tuple[str, ...] | None:
        """Uploads that this machine can read; None for all of them, where the database is its own.

        Dropped files are identified, and stay in the data folder of the machine that received them.
        """
        own = self.settings.database_url == self.settings.own_database_url
        return None if own else self.inbox.upload_ids()

    def receive(self, session: Session, upload_id: str, now: datetime) -> Upload:
        """Mark an upload, whose files have been flushed, as received and have it read."""
        arrived = self.inbox.arrived(upload_id)
        size = sum(file.size_bytes for file in arrived)
        upload = uploads.mark_received(session, upload_id, len(arrived), size, now)
        add_job(session, JobKind.READ_UPLOAD, upload_id, now, READ_PRIORITY)
        return upload

    def close(self) -> None:
        """Close the database's connections."""
        self.database.close()


def open_records(settings: Settings) -> Records:
    """Open, and on first use make, the records of `settings.data_dir`.

    Raises
    ------
    RecordsError, SettingsError
        A folder, key or the database cannot be opened; the message says what to do.
    """
    _refuse_lost_database(settings)
    make_private_dir(settings.data_dir)
    make_private_dir(settings.inbox_dir)
    make_private_dir(settings.store_dir)
    make_private_dir(settings.leaving_dir)
    database = Database(settings.database_url)
    try:
        keys = _open_keys(settings, database)
    except TriageError:
        database.close()
        raise
    return Records(
        settings=settings,
        database=database,
        keys=keys,
        store=Store(settings.store_dir, Blobs(settings.store_dir / "blobs", settings.store_url)),
        inbox=Inbox(settings.inbox_dir, settings.max_upload_bytes, settings.archive.max_entries),
    )


def _refuse_lost_database(settings: Settings) -> None:
    """Never begin an empty database beside what a lost one knew: its files would look like nobody's."""
    if settings.database_url != settings.own_database_url or not (settings.data_dir / SITE_SECRET_FILE).exists():
        return
    if not settings.own_database_file.exists():
        raise RecordsError(
            "The database is missing from a data folder that is in use: put back its backup, or start with an empty "
            "data folder."
        )


def _open_keys(settings: Settings, database: Database) -> Keys:
    """Never make new keys beside what was written with others: patients would be told apart, and names be lost."""
    with database.reading() as session:
        in_use = any(session.scalar(select(kind).limit(1)) for kind in (UploadRow, StudyRow, UserRow, AuditRow))
        keys = load_keys(settings, may_make=not in_use)
        known = session.scalar(select(IdentityRow.details).limit(1))
    if known is not None:
        keys.decrypt(known)
    return keys
