"""The tables. Rows leave this package only as frozen dataclasses."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Text,
    event,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, Mapper, ORMExecuteState, Session, mapped_column
from sqlalchemy.types import TypeDecorator

from dashboard.errors import RecordsError

ID_LENGTH = 32


class UtcTime(TypeDecorator[datetime]):
    """A moment in UTC, kept without zone because SQLite keeps none, and handed out with it."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a moment without zone; store the others in UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone cannot be stored")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the moment its zone back."""
        return None if value is None else value.replace(tzinfo=UTC)


class Base(DeclarativeBase):
    """Base of all tables."""


class UploadRow(Base):
    """Files on their way from a browser, a folder or a network node to studies."""

    __tablename__ = "uploads"

    id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16), index=True)
    synthetic: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    received_at: Mapped[datetime | None] = mapped_column(UtcTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcTime)
    files_received: Mapped[int] = mapped_column(default=0)
    bytes_received: Mapped[int] = mapped_column(BigInteger, default=0)
    files_done: Mapped[int] = mapped_column(default=0)
    bytes_done: Mapped[int] = mapped_column(BigInteger, default=0)
    accepted: Mapped[int] = mapped_column(default=0)
    rejected: Mapped[int] = mapped_column(default=0)
    duplicates: Mapped[int] = mapped_column(default=0)
    studies: Mapped[int] = mapped_column(default=0)
    reason: Mapped[str] = mapped_column(Text, default="")
    rejections: Mapped[list[dict[str, str]]] = mapped_column(JSON, default=list)


class StudyRow(Base):
    """One examination of one patient under the UIDs of this site; what its current finding says stands beside."""

    __tablename__ = "studies"
    __table_args__ = (Index("one_study_of_a_patient", "study_instance_uid", "patient_key", unique=True),)

    id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    study_instance_uid: Mapped[str] = mapped_column(String(64))
    patient_key: Mapped[str] = mapped_column(String(64), index=True)
    state: Mapped[str] = mapped_column(String(16), index=True)
    study_date: Mapped[str] = mapped_column(String(8), default="")
    study_time: Mapped[str] = mapped_column(String(16), default="")
    description: Mapped[str] = mapped_column(Text, default="")
    synthetic: Mapped[bool] = mapped_column(default=False)
    tier: Mapped[str | None] = mapped_column(String(16))
    score: Mapped[float | None] = mapped_column(Float)
    grade: Mapped[str | None] = mapped_column(String(2))
    band: Mapped[str | None] = mapped_column(String(8))
    probability_high: Mapped[float | None] = mapped_column(Float)
    probability_1c_or_worse: Mapped[float | None] = mapped_column(Float)
    level: Mapped[str] = mapped_column(String(16), default="")
    reasons: Mapped[list[str]] = mapped_column(JSON, default=list)
    received_at: Mapped[datetime] = mapped_column(UtcTime, index=True)
    started_at: Mapped[datetime | None] = mapped_column(UtcTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcTime)
    opened_at: Mapped[datetime | None] = mapped_column(UtcTime)
    read_at: Mapped[datetime | None] = mapped_column(UtcTime)
    # Clinical flags a person has set: {flag: value}; how they came about stands in `flags`.
    flags: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    # No foreign key: findings point here already, and a circle of keys cannot be created in SQLite.
    current_finding_id: Mapped[str | None] = mapped_column(String(ID_LENGTH))
    # The count of all changes to studies when this one was changed last; the database itself keeps it.
    revision: Mapped[int] = mapped_column(BigInteger, default=0, index=True)
    stage: Mapped[str] = mapped_column(String(64), default="")
    place: Mapped[str] = mapped_column(String(64), default="")
    regions: Mapped[str] = mapped_column(String(64), default="")
    opened_by: Mapped[str] = mapped_column(String(48), default="")
    read_by: Mapped[str] = mapped_column(String(48), default="")
    read_grade: Mapped[str | None] = mapped_column(String(2))


class WorklistStateRow(Base):
    """The one row that counts the changes to studies, deletions among them."""

    __tablename__ = "worklist_state"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    revision: Mapped[int] = mapped_column(BigInteger)


class ContentRow(Base):
    """What one upload added to one study. Rows are only ever added, so that two uploads cannot undo each other."""

    __tablename__ = "contents"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    study_id: Mapped[str] = mapped_column(ForeignKey("studies.id", ondelete="CASCADE"), index=True)
    upload_id: Mapped[str] = mapped_column(ForeignKey("uploads.id"), index=True)
    instances: Mapped[bytes] = mapped_column(LargeBinary)
    rejections: Mapped[list[dict[str, str]]] = mapped_column(JSON, default=list)


class StoredFileRow(Base):
    """A file of a study, by its path below the study's folder, and what it holds."""

    __tablename__ = "stored_files"

    study_id: Mapped[str] = mapped_column(ForeignKey("studies.id", ondelete="CASCADE"), primary_key=True)
    path: Mapped[str] = mapped_column(String(255), primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    size_bytes: Mapped[int] = mapped_column(BigInteger)


class FindingRow(Base):
    """What the software suggested, once and for good."""

    __tablename__ = "findings"

    id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    study_id: Mapped[str] = mapped_column(ForeignKey("studies.id", ondelete="CASCADE"), index=True)
    # One finding a job at most, whoever runs it how often.
    job_id: Mapped[str] = mapped_column(String(ID_LENGTH), unique=True)
    document: Mapped[str] = mapped_column(Text)
    software_version: Mapped[str] = mapped_column(String(32))
    models: Mapped[list[dict[str, str]]] = mapped_column(JSON, default=list)
    created_at: Mapped[datetime] = mapped_column(UtcTime)


class IdentityRow(Base):
    """Who a study's patient is, and how an upload's files were named; both encrypted."""

    __tablename__ = "identities"

    subject_id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    person: Mapped[bytes] = mapped_column(LargeBinary)
    details: Mapped[bytes] = mapped_column(LargeBinary)


class JobRow(Base):
    """Work to be done once. `subject_id` is an upload's or a study's id, by `kind`."""

    __tablename__ = "jobs"
    __table_args__ = (
        Index(
            "one_waiting_job_a_subject",
            "kind",
            "subject_id",
            unique=True,
            sqlite_where=text("state = 'waiting'"),
            postgresql_where=text("state = 'waiting'"),
        ),
        Index(
            "one_running_job_a_subject",
            "subject_id",
            unique=True,
            sqlite_where=text("state = 'running'"),
            postgresql_where=text("state = 'running'"),
        ),
    )

    id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    subject_id: Mapped[str] = mapped_column(String(ID_LENGTH), index=True)
    state: Mapped[str] = mapped_column(String(16), index=True)
    priority: Mapped[int] = mapped_column(default=0)
    attempts: Mapped[int] = mapped_column(default=0)
    worker: Mapped[str] = mapped_column(String(ID_LENGTH), default="")
    heartbeat_at: Mapped[datetime | None] = mapped_column(UtcTime)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcTime)
    reason: Mapped[str] = mapped_column(Text, default="")


class ReadingRow(Base):
    """What a person confirmed or changed, once and for good; an undo is a row that withdraws another."""

    __tablename__ = "readings"

    id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    study_id: Mapped[str] = mapped_column(ForeignKey("studies.id", ondelete="CASCADE"), index=True)
    # Asked for with every picture: levels are named as they were corrected.
    finding_id: Mapped[str] = mapped_column(String(ID_LENGTH), index=True)
    author: Mapped[str] = mapped_column(String(ID_LENGTH))
    verdict: Mapped[str] = mapped_column(String(16))
    grade: Mapped[str | None] = mapped_column(String(2))
    level: Mapped[str] = mapped_column(String(16), default="")
    # Reason and comment are free text that may name somebody: encrypted like identities.
    words: Mapped[bytes] = mapped_column(LargeBinary)
    marks_hidden: Mapped[bool] = mapped_column(default=False)
    withdraws: Mapped[str | None] = mapped_column(String(ID_LENGTH))
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    # Of a correction of levels: what the software calls the level that the person names `level`.
    level_was: Mapped[str] = mapped_column(String(16), default="", server_default="")
    # The slice that the person pointed at, as JSON of a SlicePlace.
    at_slice: Mapped[str | None] = mapped_column(Text)


class FlagRow(Base):
    """A clinical flag set or taken back; rows are only ever added."""

    __tablename__ = "flags"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    study_id: Mapped[str] = mapped_column(ForeignKey("studies.id", ondelete="CASCADE"), index=True)
    flag: Mapped[str] = mapped_column(String(32))
    value: Mapped[str] = mapped_column(String(32), default="")
    author: Mapped[str] = mapped_column(String(ID_LENGTH))
    created_at: Mapped[datetime] = mapped_column(UtcTime)


class UserRow(Base):
    """A person who has signed in. Who they are is encrypted; issuer and subject are kept as one keyed hash."""

    __tablename__ = "users"

    id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    login_hash: Mapped[str] = mapped_column(String(64), unique=True)
    person: Mapped[bytes] = mapped_column(LargeBinary)
    role: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    seen_at: Mapped[datetime] = mapped_column(UtcTime)
    disabled_at: Mapped[datetime | None] = mapped_column(UtcTime)


class ShareRow(Base):
    """A link to one study, read-only and without identity; of its token only a hash is kept."""

    __tablename__ = "shares"

    id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    study_id: Mapped[str] = mapped_column(ForeignKey("studies.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    team_only: Mapped[bool] = mapped_column(default=False)
    author: Mapped[str] = mapped_column(String(ID_LENGTH))
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    expires_at: Mapped[datetime] = mapped_column(UtcTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcTime)
    opened_at: Mapped[datetime | None] = mapped_column(UtcTime)
    opened_count: Mapped[int] = mapped_column(default=0)


class AuditRow(Base):
    """One line of the audit log; each carries the hash of the one before, and none is ever changed."""

    __tablename__ = "audit"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(UtcTime, index=True)
    actor: Mapped[str] = mapped_column(String(48))
    action: Mapped[str] = mapped_column(String(32), index=True)
    subject_id: Mapped[str] = mapped_column(String(ID_LENGTH), default="", index=True)
    details: Mapped[str] = mapped_column(Text, default="{}")
    previous_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


class AuditHeadRow(Base):
    """The one row that says where the audit log ends, sealed with the site's key: cutting lines off is found."""

    __tablename__ = "audit_head"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column()
    hash: Mapped[str] = mapped_column(String(64))
    seal: Mapped[str] = mapped_column(String(64))


# Execution option of the one statement that may delete what is never changed: that which deletes its whole study.
WITH_ITS_STUDY = "triage_with_its_study"
NEVER_CHANGED = (FindingRow, ReadingRow, FlagRow, AuditRow)
NEVER_CHANGED_WORDS = "What was stored once is never changed; add a new row."


def _refuse_change(mapper: Mapper[Any], connection: Any, row: Base) -> None:
    raise RecordsError(NEVER_CHANGED_WORDS)


@event.listens_for(Session, "do_orm_execute")
def _refuse_statement(state: ORMExecuteState) -> None:
    changes = state.is_update or (state.is_delete and not state.execution_options.get(WITH_ITS_STUDY, False))
    if changes and state.bind_mapper is not None and state.bind_mapper.class_ in NEVER_CHANGED:
        raise RecordsError(NEVER_CHANGED_WORDS)


for _kind in NEVER_CHANGED:
    event.listen(_kind, "before_update", _refuse_change)
    event.listen(_kind, "before_delete", _refuse_change)
