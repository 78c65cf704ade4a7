"""The first job of an upload: read its files, store them without identity, and queue its studies."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from dashboard.errors import InputRefused
from dashboard.ingest import Door, Drop, KeyedPseudonym, KeyedUids, ReadProgress, read_drop
from dashboard.ingest.uids import UidMap
from dashboard.records import (
    Job,
    Records,
    Upload,
    UploadState,
    end_job,
    get_upload,
    mark_failed,
    note_progress,
)
from dashboard.work.engine import Engine
from dashboard.work.filing import Filing, NotedUids

PROGRESS_EVERY = timedelta(milliseconds=300)
FILES_GONE = "Files of this upload were received and are no longer in the data folder; drop them again."


def read_upload(records: Records, job: Job, engine: Engine) -> None:
    """Run the job. Afterwards the upload is done, or failed with a reason; running it again changes nothing.

    Raises
    ------
    RecordsError
        Something could not be written; the job may be tried again.
    """
    with records.reading() as session:
        upload = get_upload(session, job.subject_id)
    incoming = records.store.fresh_dir(records.store.incoming_dir(job.id))
    uids = NotedUids(KeyedUids(records.keys.site_secret))
    try:
        drop = _read(records, upload, job, uids)
        if records.store.blobs.elsewhere:
            # Before the study is queued: whoever takes its job may have to fetch them.
            kept = records.store.blobs.keep_all(item.path for item in drop.instances)
        else:
            kept = {}
        with records.writing() as session:
            Filing(session, records, upload, engine, uids.noted, kept).keep(drop, job)
    except InputRefused as error:
        with records.writing() as session:
            if end_job(session, job, datetime.now(UTC)):
                mark_failed(session, upload.id, str(error), datetime.now(UTC))
    finally:
        records.store.remove(incoming)


def _read(records: Records, upload: Upload, job: Job, uids: UidMap) -> Drop:
    incoming = records.store.incoming_dir(job.id)
    out_dir, scratch = incoming / "instances", incoming / "scratch"
    out_dir.mkdir()
    scratch.mkdir()
    door = Door(uids, KeyedPseudonym(records.keys.site_secret), records.settings.keep_identity)
    files = records.inbox.files(upload.id)
    if upload.state is not UploadState.DONE and len(files) < upload.files_received:
        raise InputRefused(FILES_GONE)
    report = _reporter(records, upload.id) if upload.state is not UploadState.DONE else lambda progress: None
    return read_drop(files, door, out_dir, scratch, records.settings.archive, report)


def _reporter(records: Records, upload_id: str) -> Callable[[ReadProgress], None]:
    """Writes progress to the database, a few times a second at most."""
    last = datetime.min.replace(tzinfo=UTC)

    def report(progress: ReadProgress) -> None:
        nonlocal last
        now = datetime.now(UTC)
        if now - last >= PROGRESS_EVERY:
            last = now
            with records.writing() as session:
                note_progress(session, upload_id, progress)

    return report
