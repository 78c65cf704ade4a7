"""What leaves this package: frozen values, one kind a concept."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from dashboard.ingest import Identity

Document = dict[str, Any]


def new_id() -> str:
    """Opaque id of 32 hexadecimal digits that nobody can guess."""
    return secrets.token_hex(16)


class UploadState(StrEnum):
    """Life of an upload."""

    RECEIVING = "receiving"
    RECEIVED = "received"
    READING = "reading"
    DONE = "done"
    FAILED = "failed"


class StudyState(StrEnum):
    """Life of a study."""

    RECEIVED = "received"
    RUNNING = "running"
    GRADED = "graded"
    NOT_ANALYSED = "not_analysed"


class JobKind(StrEnum):
    """What a job does with its subject."""

    READ_UPLOAD = "read_upload"
    TRIAGE_STUDY = "triage_study"


class JobState(StrEnum):
    """Life of a job."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True)
class StoredRejection:
    """A file that was not used. `name` is a token; the name itself lies encrypted (:class:`Details`)."""

    name: str
    reason: str


@dataclass(frozen=True)
class Upload:
    """One drop and how far it has come.

    `files_received` counts files as sent; `files_done` to `studies` what reading made of them. `reason` says in
    words why nothing could be used, or why the upload ended.
    """

    id: str
    state: UploadState
    synthetic: bool
    created_at: datetime
    received_at: datetime | None
    finished_at: datetime | None
    files_received: int
    bytes_received: int
    files_done: int
    bytes_done: int
    accepted: int
    rejected: int
    duplicates: int
    studies: int
    reason: str
    rejections: tuple[StoredRejection, ...]


@dataclass(frozen=True)
class StudyRecord:
    """One line of the worklist: a study and what its current finding says.

    UIDs and the patient's key are those of this site. `tier` and what follows are None or empty until a
    finding exists. `reasons` are the urgency's, or why the study was not analysed.
    """

    id: str
    study_instance_uid: str
    patient_key: str
    state: StudyState
    study_date: str
    study_time: str
    description: str
    synthetic: bool
    tier: str | None
    score: float | None
    grade: str | None
    band: str | None
    probability_high: float | None
    probability_1c_or_worse: float | None
    level: str
    reasons: tuple[str, ...]
    received_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    opened_at: datetime | None
    current_finding_id: str | None


@dataclass(frozen=True)
class Finding:
    """What the software suggested: the result document with the UIDs of this site, and what made it."""

    id: str
    study_id: str
    document: Document
    software_version: str
    models: tuple[Mapping[str, str], ...]
    created_at: datetime


@dataclass(frozen=True)
class Details:
    """What turns a stored document back into the person's own: UIDs {ours: original}, names {token: name}."""

    original_uids: Mapping[str, str] = field(default_factory=dict, repr=False)
    names: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class StoredIdentity:
    """A subject's identity as kept: who the patient is (None for an upload) and the details."""

    person: Identity | None = field(default=None, repr=False)
    details: Details = field(default_factory=Details, repr=False)


@dataclass(frozen=True)
class Job:
    """Work claimed by a worker. `attempts` counts the present one."""

    id: str
    kind: JobKind
    subject_id: str
    attempts: int
    worker: str
