"""Deleting studies, by hand and by policy: rows first, in one transaction with the audit line, then files.

Whatever ends a deletion between the two leaves files that no row names; housekeeping removes those. A worker that is
at the study finds its job gone and throws its result away.
"""

import logging
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CursorResult, delete, exists, func, select
from sqlalchemy.orm import Session

from dashboard.errors import RecordsError
from dashboard.records.access import Records
from dashboard.records.audit import note
from dashboard.records.contents import finish_leaving, note_leaving
from dashboard.records.identities import forget_names, get_identity
from dashboard.records.model import UploadState
from dashboard.records.settling import settle_upload
from dashboard.records.stored_files import stored_files
from dashboard.records.studies import study_row
from dashboard.records.tables import (
    WITH_ITS_STUDY,
    Base,
    ContentRow,
    FindingRow,
    FlagRow,
    IdentityRow,
    JobRow,
    ReadingRow,
    ShareRow,
    StoredFileRow,
    StudyRow,
    UploadRow,
)

SYSTEM = "system"
FILES_STAY = "The study is deleted. Some of its files could not be removed yet; they are tried again every hour."

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Left:
    """What a deletion leaves to be removed from the disk: uploads that are gone, and uploads that others share."""

    gone: tuple[str, ...]
    shared: tuple[str, ...]


def delete_study(records: Records, study_id: str, actor: str, now: datetime) -> None:
    """Delete a study for good: files, findings, readings, flags, links, and who the patient is.

    One line of the audit log stays. Jobs of the study are cancelled. The same images sent again later are a new study.

    Raises
    ------
    RecordsError
        There is no such study, and nothing happened; or it is deleted but files could not be removed yet.
    """
    left = _delete_rows(records, study_id, actor, now, None)
    if left is not None:
        _delete_files(records, study_id, left)


def delete_expired(records: Records, now: datetime) -> int:
    """Delete every study to which nothing was added for the days of the policy; return how many.

    Uploads of that age of which no study was made go too, with the names of their files. Without a policy nothing
    is deleted. A study that cannot be deleted now is logged and tried again the next time.
    """
    days = records.settings.retention_days
    if not days:
        return 0
    before = now - timedelta(days=days)
    with records.reading() as session:
        expired = session.scalars(select(StudyRow.id).where(*_expired(before))).all()
    deleted = 0
    for study_id in expired:
        try:
            left = _delete_rows(records, study_id, SYSTEM, now, before)
            if left is not None:
                deleted += 1
                _delete_files(records, study_id, left)
        except RecordsError as error:
            log.error("%s", error)
    _delete_barren_uploads(records, before)
    return deleted


def _delete_rows(
    records: Records, study_id: str, actor: str, now: datetime, only_before: datetime | None
) -> _Left | None:
    """Delete the rows of a study and note it; None when images came in since it was found to be expired."""
    with records.writing() as session:
        study_row(session, study_id)
        if only_before is not None:
            still = select(StudyRow.id).where(StudyRow.id == study_id, *_expired(only_before))
            if session.scalar(still) is None:
                return None
        left = _uploads_of(session, study_id)
        note_leaving(records, study_id, {content.sha256 for content in stored_files(session, study_id).values()})
        _forget_names(session, records, study_id, left.shared)
        counts = {
            name: _delete(session, kind, kind.study_id == study_id)
            for name, kind in (
                ("findings", FindingRow),
                ("readings", ReadingRow),
                ("flags", FlagRow),
                ("links", ShareRow),
                ("uploads", ContentRow),
                ("files", StoredFileRow),
            )
        }
        subjects = (study_id, *left.gone)
        _delete(session, JobRow, JobRow.subject_id.in_(subjects))
        _delete(session, IdentityRow, IdentityRow.subject_id.in_(subjects))
        _delete(session, StudyRow, StudyRow.id == study_id)
        _delete(session, UploadRow, UploadRow.id.in_(left.gone))
        note(session, records.keys, actor, "delete_study", study_id, counts, now)
    return left


def _delete_files(records: Records, study_id: str, left: _Left) -> None:
    try:
        finish_leaving(records, study_id)
        for upload_id in left.gone:
            records.inbox.remove(upload_id)
        for upload_id in left.shared:
            if records.inbox.exists(upload_id):
                settle_upload(records, upload_id)
        records.database.overwrite_deleted()
    except RecordsError as error:
        raise RecordsError(f"{FILES_STAY} What stood in the way: {error}") from error


def _delete_barren_uploads(records: Records, before: datetime) -> None:
    """Forget uploads that ended before a moment and gave, or have left, no study."""
    ended = (UploadState.DONE.value, UploadState.FAILED.value)
    with records.writing() as session:
        barren = session.scalars(
            select(UploadRow.id).where(
                UploadRow.state.in_(ended),
                UploadRow.finished_at < before,
                ~exists().where(ContentRow.upload_id == UploadRow.id),
            )
        ).all()
        _delete(session, JobRow, JobRow.subject_id.in_(barren))
        _delete(session, IdentityRow, IdentityRow.subject_id.in_(barren))
        _delete(session, UploadRow, UploadRow.id.in_(barren))
    for upload_id in barren:
        records.inbox.remove(upload_id)


def _expired(before: datetime) -> tuple[Any, ...]:
    """Conditions of a study that arrived before a moment and to which nothing came after it."""
    arrived = func.coalesce(UploadRow.received_at, UploadRow.created_at)
    added = exists().where(ContentRow.study_id == StudyRow.id, ContentRow.upload_id == UploadRow.id, arrived >= before)
    return StudyRow.received_at < before, ~added


def _uploads_of(session: Session, study_id: str) -> _Left:
    """Uploads that brought something to a study: to it alone, or to others too."""
    of_study = set(session.scalars(select(ContentRow.upload_id).where(ContentRow.study_id == study_id)))
    of_others = set(
        session.scalars(
            select(ContentRow.upload_id).where(ContentRow.upload_id.in_(of_study), ContentRow.study_id != study_id)
        )
    )
    return _Left(tuple(sorted(of_study - of_others)), tuple(sorted(of_others)))


def _forget_names(session: Session, records: Records, study_id: str, uploads: Collection[str]) -> None:
    """Take the names of the study's files out of uploads that stay for other studies."""
    names = get_identity(session, records.keys, study_id).details.names
    for upload_id in uploads:
        others = session.scalars(
            select(ContentRow.study_id).where(ContentRow.upload_id == upload_id, ContentRow.study_id != study_id)
        ).all()
        kept = {name for other in others for name in get_identity(session, records.keys, other).details.names}
        forget_names(session, records.keys, upload_id, set(names) - kept)


def _delete(session: Session, kind: type[Base], *conditions: Any) -> int:
    """Delete rows by one statement; how many there were."""
    statement = delete(kind).where(*conditions).execution_options(**{WITH_ITS_STUDY: True}, synchronize_session=False)
    result = session.execute(statement)
    return result.rowcount if isinstance(result, CursorResult) else 0
