"""What leaves this package: frozen values, one kind a concept."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from dashboard.ingest import Identity
from dashboard.study import SlicePlace

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


class Verdict(StrEnum):
    """What a person says of a finding; `WITHDRAWN` stands on the row that takes another reading back.

    `RELEVELLED` names a level of the finding, and with it all levels; it says nothing of the grade.
    """

    AGREED = "agreed"
    CHANGED = "changed"
    NOT_GRADABLE = "not_gradable"
    RELEVELLED = "relevelled"
    WITHDRAWN = "withdrawn"


class Role(StrEnum):
    """What a user may do here, from nothing to everything."""

    NONE = "none"
    VIEWER = "viewer"
    READER = "reader"
    ADMIN = "admin"


class ShareState(StrEnum):
    """Whether a link opens."""

    ACTIVE = "active"
    EXPIRED = "expired"
    REVOKED = "revoked"


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
    """A file that was not used. `name` is a token; the name itself lies encrypted (:class:`Details`).

    The other fields are those of :class:`~dashboard.study.Rejection`.
    """

    name: str
    reason: str
    series_instance_uid: str = ""
    sop_instance_uid: str = ""


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
    finding exists. `reasons` are the urgency's, or why the study was not analysed. `read_at` is the moment of the
    first reading of the current finding that still stands, `read_by` and `read_grade` are of the last one; `flags` are
    the clinical flags in force, {flag: value}. `stage` says how far a running
    analysis has come, `place` is the worst slice in words, `regions` are the parts of the
    spine that the descriptions name.
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
    read_at: datetime | None = None
    flags: Mapping[str, str] = field(default_factory=dict)
    stage: str = ""
    place: str = ""
    regions: tuple[str, ...] = ()
    opened_by: str = ""
    read_by: str = ""
    read_grade: str | None = None


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
class Said:
    """What a person says of a finding.

    Attributes
    ----------
    verdict
        Agreed: the reading takes the finding's grade. Changed: another grade with its reason, or the same with a level;
        of a study without a suggested grade any grade. Not gradable: no grade, with the reason.
    grade
        One of the Bilsky grades; None where the person agrees, or says that none can be given.
    level
        One of :data:`dashboard.study.LEVELS`, or "".
    marks_hidden
        Whether the person looked without the software's marks. What they say is then compared with a suggestion that
        they did not see: it needs no reason, and the same grade is agreement.
    at
        The slice that shows it, of those in the result; None where the person points at none.
    """

    verdict: Verdict
    grade: str | None = None
    level: str = ""
    reason: str = field(default="", repr=False)
    comment: str = field(default="", repr=False)
    marks_hidden: bool = False
    at: SlicePlace | None = None


@dataclass(frozen=True)
class Reading:
    """What a person confirmed or changed about a finding, or took back.

    `grade` is the grade the person stands by, None where they say that none can be given, and in a withdrawal.
    `withdraws` names the reading that this row takes back; `withdrawn` says that a later row took this one back.
    `level_was` is what the software calls the level that a correction of levels names `level`; "" in other readings.
    `at` is the slice that the person pointed at, if any.
    """

    id: str
    study_id: str
    finding_id: str
    author: str
    verdict: Verdict
    grade: str | None
    level: str
    reason: str = field(repr=False)
    comment: str = field(repr=False)
    marks_hidden: bool
    withdraws: str | None
    created_at: datetime
    withdrawn: bool = False
    level_was: str = ""
    at: SlicePlace | None = None


@dataclass(frozen=True)
class FlagChange:
    """A clinical flag set, or taken back with the value ""."""

    study_id: str
    flag: str
    value: str
    author: str
    created_at: datetime


@dataclass(frozen=True)
class User:
    """A person who has signed in at least once.

    `created_at` and `seen_at`, of the first and the last sign-in, are by the identity provider's clock.
    """

    id: str
    name: str = field(repr=False)
    email: str = field(repr=False)
    role: Role
    created_at: datetime
    seen_at: datetime
    disabled_at: datetime | None = None


@dataclass(frozen=True)
class Share:
    """A link to one study, without its token: that is known to whoever holds the link, and to nobody here.

    `state` is as of the moment the share was looked up.
    """

    id: str
    study_id: str
    kind: str
    team_only: bool
    author: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    opened_at: datetime | None
    opened_count: int
    state: ShareState


@dataclass(frozen=True)
class AuditEntry:
    """One line of the audit log. `actor` is "console", "system", a user's id, or "share:" and a share's id."""

    number: int
    at: datetime
    actor: str
    action: str
    subject_id: str
    details: Mapping[str, str | int | bool | None]
    previous_hash: str
    hash: str


@dataclass(frozen=True)
class Job:
    """Work claimed by a worker. `attempts` counts the present one."""

    id: str
    kind: JobKind
    subject_id: str
    attempts: int
    worker: str
