"""The job of a study: analyse everything stored of it, and add one finding."""

from dataclasses import asdict, replace
from datetime import UTC, datetime

from dashboard import __version__
from dashboard.ingest import Drop, RejectedFile
from dashboard.records import (
    Job,
    Records,
    StudyRecord,
    add_finding,
    get_content,
    get_study,
    mark_started,
    new_id,
    note_stage,
    write_study,
)
from dashboard.records.contents import contents_of, forget_findings, keep_files
from dashboard.records.stored_files import add_stored_files
from dashboard.work.engine import Engine
from dashboard.work.triage import TriagedStudy, not_analysed, triage_study


def triage_stored_study(records: Records, job: Job, engine: Engine) -> None:
    """Run the job. A finding is added once, even when two workers believe the job to be theirs.

    Raises
    ------
    RecordsError
        Something could not be read or written; the job may be tried again.
    """
    with records.writing() as session:
        mark_started(session, job.subject_id, datetime.now(UTC))
    study, part = _stored_part(records, job.subject_id)
    finding_id = new_id()
    folder = records.store.fresh_dir(records.store.finding_dir(study.id, finding_id))

    def report(stage: str) -> None:
        with records.writing() as session:
            note_stage(session, study.id, stage)

    _keep(records, study, job, finding_id, triage_study(part, folder / "volumes", engine, 0.0, report))


def give_up_on_study(records: Records, job: Job, engine: Engine, reason: str) -> None:
    """End the job of a study that cannot be analysed with a finding that says so."""
    study, part = _stored_part(records, job.subject_id)
    finding_id = new_id()
    records.store.fresh_dir(records.store.finding_dir(study.id, finding_id))
    _keep(records, study, job, finding_id, not_analysed(part, engine, reason))


def _stored_part(records: Records, study_id: str) -> tuple[StudyRecord, Drop]:
    with records.reading() as session:
        study = get_study(session, study_id)
        instances, rejections = get_content(session, study_id)
    folder = records.instances_dir(study_id)
    uid = study.study_instance_uid
    return study, Drop(
        instances=tuple(replace(item, path=folder / item.path.name) for item in instances),
        rejections=tuple(RejectedFile(study_instance_uid=uid, **asdict(item)) for item in rejections),
        identities={},
    )


def _keep(records: Records, study: StudyRecord, job: Job, finding_id: str, triaged: TriagedStudy) -> None:
    folder = records.store.finding_dir(study.id, finding_id)
    write_study(folder, triaged.study, triaged.predictions, triaged.sagittal)
    kept = contents_of(records, study.id, folder)
    with records.writing() as session:
        ours = add_finding(session, finding_id, job, triaged.document, __version__, datetime.now(UTC))
        if ours:
            add_stored_files(session, study.id, kept)
    if not ours:
        # Another worker took the job over, or the study was deleted meanwhile.
        records.store.remove_finding(study.id, finding_id)
        return
    # The former finding's folder stays for the screens that are looking at it; those before it go.
    former = study.current_finding_id
    keep = [finding_id, *([former] if former else [])]
    records.store.sweep_findings(study.id, keep)
    forget_findings(records, study.id, keep)
    # The result is on screen already; only the next job waits for this.
    keep_files(records, study.id, (path for path in sorted(folder.rglob("*")) if path.is_file()))
