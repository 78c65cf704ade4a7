"""The first job of an upload: read its files, store them without identity, and queue its studies."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from dashboard.errors import InputRefused
from dashboard.ingest import Door, Drop, Instance, KeyedPseudonym, KeyedUids, ReadProgress, read_drop
from dashboard.records import (
    Job,
    JobKind,
    Records,
    StoredRejection,
    StudyRecord,
    Upload,
    UploadState,
    add_content,
    add_job,
    add_study,
    end_job,
    files_of_upload,
    find_study,
    get_content,
    get_finding,
    get_upload,
    keep_identity,
    mark_done,
    mark_failed,
    new_id,
    note_progress,
)
from dashboard.records.files import flush
from dashboard.study import Rejection
from dashboard.work.engine import Engine
from dashboard.work.triage import split_by_study, study_uid

PROGRESS_EVERY = timedelta(milliseconds=300)
OTHER_CONTENT = (
    "An image with the same SOP Instance UID but other content is stored for this study already; that one is kept."
)
# Rank of a study's analysis, lower first: what may turn out urgent before what cannot.
AXIAL_OR_VOLUME, OTHER_MR, NO_MR = 0, 10, 20
# Planes within 45 degrees of axial: only those show the outline of a compressed cord.
AXIAL_COSINE = 0.7


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
    try:
        drop = _read(records, upload, job)
        with records.writing() as session:
            _keep(session, records, upload, drop, job, engine)
    except InputRefused as error:
        with records.writing() as session:
            if end_job(session, job, datetime.now(UTC)):
                mark_failed(session, upload.id, str(error), datetime.now(UTC))
    finally:
        records.store.remove(incoming)


def settle_upload(records: Records, upload_id: str) -> None:
    """Delete an upload's identified files, once what was made of them is safely on the disk.

    Those of an upload that is not done stay: they may be all there is.
    """
    with records.reading() as session:
        if get_upload(session, upload_id).state is not UploadState.DONE:
            return
        stored = files_of_upload(session, upload_id)
    folders = {study_id: records.store.instances_dir(study_id) for study_id in stored}
    flush([folders[study_id] / name for study_id, names in stored.items() for name in names])
    flush(folders.values())
    records.inbox.remove(upload_id)


def _read(records: Records, upload: Upload, job: Job) -> Drop:
    incoming = records.store.incoming_dir(job.id)
    out_dir, scratch = incoming / "instances", incoming / "scratch"
    out_dir.mkdir()
    scratch.mkdir()
    secret = records.keys.site_secret
    door = Door(KeyedUids(secret), KeyedPseudonym(secret), records.settings.keep_identity)
    files = records.inbox.files(upload.id)
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


def _keep(session: Session, records: Records, upload: Upload, drop: Drop, job: Job, engine: Engine) -> None:
    """Everything the upload changes, in one transaction."""
    now = datetime.now(UTC)
    if not end_job(session, job, now):
        return
    duplicates, rejections = drop.duplicates, [_stored(records, item) for item in drop.rejections]
    parts = split_by_study(drop)
    for part in parts:
        again, differing = _keep_study(session, records, upload, part, engine)
        duplicates += again
        rejections += differing
    if records.settings.keep_identity:
        names = _names(records, drop)
        keep_identity(session, records.keys, upload.id, names=names)
    if upload.state is UploadState.DONE:
        # Read again to repair what a crash cut short; the first reading's counts stand.
        return
    mark_done(
        session,
        upload.id,
        now,
        studies=len(parts),
        accepted=len(drop.instances),
        duplicates=duplicates,
        rejections=rejections,
    )


def _keep_study(
    session: Session, records: Records, upload: Upload, part: Drop, engine: Engine
) -> tuple[int, list[StoredRejection]]:
    """Store one study's part and queue its analysis; return duplicates and images that contradict stored ones."""
    study = _study(session, upload, part)
    known_instances, known_rejections = get_content(session, study.id)
    known = {item.sop_instance_uid: item.sha256 for item in known_instances}
    new = [item for item in part.instances if item.sop_instance_uid not in known]
    again = [item for item in part.instances if item.sop_instance_uid in known]
    differing = [
        StoredRejection(records.keys.name_token(item.name), OTHER_CONTENT)
        for item in again
        if known[item.sop_instance_uid] != item.sha256
    ]
    rejections = [_stored(records, item) for item in part.rejections] + differing
    unseen = [item for item in dict.fromkeys(rejections) if item not in known_rejections]
    repaired = [item for item in again if not (records.store.instances_dir(study.id) / item.path.name).exists()]
    records.store.take_in(study.id, [item.path for item in (*new, *repaired)])
    if new or unseen:
        anonymous = [replace(item, name=records.keys.name_token(item.name)) for item in new]
        add_content(session, study.id, upload.id, anonymous, unseen)
    if records.settings.keep_identity:
        _keep_identity(session, records, study, part)
    finding = get_finding(session, study.current_finding_id)
    outdated = finding is None or list(finding.models) != list(engine.describe())
    if new or unseen or outdated:
        add_job(session, JobKind.TRIAGE_STUDY, study.id, datetime.now(UTC), priority_of((*known_instances, *new)))
    return len(again) - len(differing), differing


def priority_of(instances: Sequence[Instance]) -> int:
    """Rank of a study's analysis by its headers, before anything is decoded."""
    magnetic = [item for item in instances if item.acquisition.modality == "MR"]
    if any(item.acquisition.mr_acquisition_type == "3D" or _is_axial(item) for item in magnetic):
        return AXIAL_OR_VOLUME
    return OTHER_MR if magnetic else NO_MR


def _is_axial(instance: Instance) -> bool:
    for plane in instance.frame_planes[:1]:
        rx, ry, _, cx, cy, _ = plane.image_orientation_patient
        return abs(rx * cy - ry * cx) >= AXIAL_COSINE
    return False


def _study(session: Session, upload: Upload, part: Drop) -> StudyRecord:
    """The study's record, made if it is new."""
    uid = study_uid(part)
    first = part.instances[0] if part.instances else None
    patient_key = first.patient_key if first else ""
    known = find_study(session, uid, patient_key)
    if known is not None:
        return known
    descriptions = [item.acquisition.study_description for item in part.instances if item.acquisition.study_description]
    return add_study(
        session,
        uid,
        patient_key,
        upload.received_at or upload.created_at,
        study_id=new_id(),
        study_date=first.study_date[:8] if first else "",
        study_time=first.study_time[:16] if first else "",
        description=descriptions[0] if descriptions else "",
        synthetic=upload.synthetic,
    )


def _keep_identity(session: Session, records: Records, study: StudyRecord, part: Drop) -> None:
    person = part.identities.get(study.study_instance_uid)
    originals = {} if person is None else {ours: theirs for theirs, ours in person.original_uids.items()}
    names = _names(records, part)
    without_uids = None if person is None else replace(person, original_uids={})
    keep_identity(session, records.keys, study.id, without_uids, originals, names)


def _names(records: Records, part: Drop) -> dict[str, str]:
    """Names of files by their tokens."""
    names = [*(item.name for item in part.rejections), *(item.name for item in part.instances)]
    return {records.keys.name_token(name): name for name in names}


def _stored(records: Records, rejection: Rejection) -> StoredRejection:
    return StoredRejection(records.keys.name_token(rejection.name), rejection.reason)
