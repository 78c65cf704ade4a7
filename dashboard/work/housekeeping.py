"""Clearing what killed workers, broken-off uploads and crashes left behind."""

import logging
from datetime import UTC, datetime, timedelta

from dashboard.records import (
    JobKind,
    Records,
    Upload,
    UploadState,
    add_job,
    current_finding_ids,
    delete_expired,
    find_upload,
    jobs_at_work,
    list_uploads,
    mark_failed,
    remember_audit,
    subjects_with_jobs,
)
from dashboard.records.contents import sweep_contents, sweep_leaving
from dashboard.work.triage import without_words

BROKEN_OFF_AFTER = timedelta(hours=24)
# A failed upload's files may be all there is of a study; they stay this long for another try.
FAILED_KEPT_FOR = timedelta(days=7)
# Younger folders may belong to something that is just about to be written to the database.
YOUNG = timedelta(hours=1)
LOST_KEPT_FOR = timedelta(days=30)
BROKEN_OFF = "The upload broke off and was not completed within a day; drop the files again."

log = logging.getLogger(__name__)


def tidy(records: Records, now: datetime) -> None:
    """Bring inbox and store in line with the database. Safe beside working workers; failures are logged."""
    for step in (_end_broken_off, delete_expired, _tidy_inbox, _tidy_store, _look_back):
        try:
            step(records, now)
        except Exception as error:  # noqa: BLE001 - whatever one step meets on the disk, the others are done
            log.error("%s: %s", step.__name__.strip("_"), without_words(error))


def _end_broken_off(records: Records, now: datetime) -> None:
    with records.writing() as session:
        for upload in list_uploads(session, [UploadState.RECEIVING], limit=10_000):
            if now - upload.created_at > BROKEN_OFF_AFTER:
                mark_failed(session, upload.id, BROKEN_OFF, now - FAILED_KEPT_FOR)


def _tidy_inbox(records: Records, now: datetime) -> None:
    for upload_id in records.inbox.upload_ids():
        _tidy_upload(records, upload_id, now)


def _tidy_upload(records: Records, upload_id: str, now: datetime) -> None:
    with records.reading() as session:
        upload = find_upload(session, upload_id)
        busy = subjects_with_jobs(session)
    if upload is None:
        if now - records.inbox.changed_at(upload_id) > YOUNG:
            records.inbox.remove(upload_id)
    elif upload.state is UploadState.FAILED:
        if now - _ended(upload) >= FAILED_KEPT_FOR:
            records.inbox.remove(upload_id)
    elif upload.state is not UploadState.RECEIVING and upload_id not in busy and now - _ended(upload) > YOUNG:
        # Its worker died before the files were safely stored: reading them again repairs what a crash cut short.
        with records.writing() as session:
            add_job(session, JobKind.READ_UPLOAD, upload_id, now)


def _tidy_store(records: Records, now: datetime) -> None:
    with records.reading() as session:
        current = current_finding_ids(session)
        busy, working = subjects_with_jobs(session), jobs_at_work(session)
    store = records.store
    sweep_leaving(records, now)
    sweep_contents(records, now)
    lost = 0
    for folder in store.leftovers(current, busy, working):
        changed_at = datetime.fromtimestamp(folder.stat().st_mtime, UTC) if folder.exists() else now
        # A whole study that the database does not know may be what a backup put back too old has forgotten.
        # Where files are kept elsewhere, those here are copies.
        whole_study = folder.parent == store.root and not store.blobs.elsewhere
        lost += whole_study
        if now - changed_at > (LOST_KEPT_FOR if whole_study else YOUNG):
            store.remove(folder)
    if lost:
        log.warning("%d stored studies are unknown to the database; each is kept for %s", lost, LOST_KEPT_FOR)


def _look_back(records: Records, now: datetime) -> None:
    """Remember how far the audit log came, and have what was deleted leave the disk."""
    remember_audit(records)
    records.database.overwrite_deleted()


def _ended(upload: Upload) -> datetime:
    return upload.finished_at or upload.created_at
