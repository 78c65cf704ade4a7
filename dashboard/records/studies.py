"""Studies: the worklist's lines, and what each is made of."""

import json
import zlib
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from dashboard.errors import RecordsError
from dashboard.grading import reading_rank
from dashboard.ingest import Instance
from dashboard.records.model import StoredRejection, StudyRecord, StudyState, new_id
from dashboard.records.plain import from_plain, to_plain
from dashboard.records.tables import ContentRow, StudyRow


def find_study(session: Session, study_instance_uid: str, patient_key: str) -> StudyRecord | None:
    """The study of this UID and patient, or None."""
    query = select(StudyRow).where(
        StudyRow.study_instance_uid == study_instance_uid, StudyRow.patient_key == patient_key
    )
    row = session.scalar(query)
    return None if row is None else as_record(row)


def studies_of_uid(session: Session, study_instance_uid: str) -> tuple[StudyRecord, ...]:
    """Every patient's study of this UID, first received first."""
    query = select(StudyRow).where(StudyRow.study_instance_uid == study_instance_uid)
    return tuple(as_record(row) for row in session.scalars(query.order_by(StudyRow.received_at, StudyRow.id)))


def other_studies(session: Session, study_id: str) -> tuple[StudyRecord, ...]:
    """The other studies of a study's patient that have a finding, latest first.

    Raises
    ------
    RecordsError
        There is no such study.
    """
    row = study_row(session, study_id)
    query = (
        select(StudyRow)
        .where(StudyRow.patient_key == row.patient_key, StudyRow.id != study_id)
        .where(StudyRow.current_finding_id.is_not(None))
        .order_by(StudyRow.study_date.desc(), StudyRow.study_time.desc(), StudyRow.id)
    )
    return tuple(as_record(other) for other in session.scalars(query))


def add_study(
    session: Session,
    study_instance_uid: str,
    patient_key: str,
    now: datetime,
    *,
    study_id: str = "",
    study_date: str = "",
    study_time: str = "",
    description: str = "",
    synthetic: bool = False,
) -> StudyRecord:
    """Add a study in state received."""
    row = StudyRow(
        id=study_id or new_id(),
        study_instance_uid=study_instance_uid,
        patient_key=patient_key,
        state=StudyState.RECEIVED.value,
        study_date=study_date,
        study_time=study_time,
        description=description,
        synthetic=synthetic,
        received_at=now,
        level="",
        reasons=[],
        flags={},
    )
    session.add(row)
    session.flush()
    return as_record(row)


def name_study(
    session: Session, study_id: str, patient_key: str, *, study_date: str, study_time: str, description: str
) -> StudyRecord:
    """Say whose a study is of which nothing could be read so far, and what its first images say of it.

    Raises
    ------
    RecordsError
        There is none of this id.
    """
    row = study_row(session, study_id)
    row.patient_key, row.description = patient_key, description
    row.study_date, row.study_time = study_date, study_time
    session.flush()
    return as_record(row)


def get_study(session: Session, study_id: str) -> StudyRecord:
    """Look a study up.

    Raises
    ------
    RecordsError
        There is none of this id.
    """
    return as_record(study_row(session, study_id))


def worklist(session: Session, by_urgency: bool = True) -> tuple[StudyRecord, ...]:
    """All studies in the order of reading (:func:`urgency_key`), or the latest arrival first."""
    found = [as_record(row) for row in session.scalars(select(StudyRow))]
    return tuple(sorted(found, key=urgency_key if by_urgency else arrival_key))


def urgency_key(study: StudyRecord) -> tuple[object, ...]:
    """Sort key of the order of reading: what a person has read follows what nobody has."""
    return (
        study.read_at is not None,
        *reading_rank(study.tier, study.flags, study.read_grade),
        study.received_at,
        -(study.score or 0.0),
        study.id,
    )


def arrival_key(study: StudyRecord) -> tuple[object, ...]:
    """Sort key of the order of arrival, the latest first."""
    return -study.received_at.timestamp(), study.id


def mark_started(session: Session, study_id: str, now: datetime) -> None:
    """Analysis has begun."""
    row = study_row(session, study_id)
    row.started_at, row.stage = now, ""
    if row.current_finding_id is None:
        row.state = StudyState.RUNNING.value


def note_stage(session: Session, study_id: str, stage: str) -> None:
    """How far the analysis has come, in a few words; a study that was deleted meanwhile is left in peace."""
    session.execute(update(StudyRow).where(StudyRow.id == study_id).values(stage=stage))


def mark_opened(session: Session, study_id: str, by: str, now: datetime) -> None:
    """A person, by their id, looks at the study; only the first time counts."""
    row = study_row(session, study_id)
    if row.opened_at is None:
        row.opened_at, row.opened_by = now, by


def add_content(
    session: Session,
    study_id: str,
    upload_id: str,
    instances: Sequence[Instance],
    rejections: Sequence[StoredRejection],
) -> None:
    """Keep what `upload_id` added to a study. Paths are left out; names of accepted files become tokens before."""
    plain = [{**to_plain(instance), "path": instance.path.name} for instance in instances]
    session.add(
        ContentRow(
            study_id=study_id,
            upload_id=upload_id,
            instances=zlib.compress(json.dumps(plain).encode(), 1),
            rejections=[asdict(item) for item in rejections],
        )
    )
    session.flush()


def get_content(session: Session, study_id: str) -> tuple[tuple[Instance, ...], tuple[StoredRejection, ...]]:
    """All instances and rejections of a study in order of arrival; paths are bare file names."""
    instances: dict[str, Instance] = {}
    rejections: dict[StoredRejection, None] = {}
    for row in session.scalars(select(ContentRow).where(ContentRow.study_id == study_id).order_by(ContentRow.id)):
        for plain in _unpack(row.instances):
            instance = from_plain(Instance, plain)
            instances.setdefault(instance.sop_instance_uid, instance)
        rejections.update(dict.fromkeys(StoredRejection(**item) for item in row.rejections))
    return tuple(instances.values()), tuple(rejections)


def files_of_upload(session: Session, upload_id: str) -> dict[str, tuple[str, ...]]:
    """Names of the stored files that came with an upload, by study id."""
    query = select(ContentRow).where(ContentRow.upload_id == upload_id).order_by(ContentRow.id)
    return {
        row.study_id: tuple(str(plain["path"]) for plain in _unpack(row.instances)) for row in session.scalars(query)
    }


def current_finding_ids(session: Session) -> dict[str, str | None]:
    """The current finding of every study."""
    rows = session.execute(select(StudyRow.id, StudyRow.current_finding_id))
    return {row.id: row.current_finding_id for row in rows}


def _unpack(packed: bytes) -> list[Any]:
    try:
        unpacked = json.loads(zlib.decompress(packed))
    except (zlib.error, ValueError) as error:
        raise RecordsError("A stored study is damaged; drop it again.") from error
    return list(unpacked)


def study_row(session: Session, study_id: str) -> StudyRow:
    """The row itself, for this package."""
    row = session.get(StudyRow, study_id)
    if row is None:
        raise RecordsError("This study is not here; it may have been deleted.")
    return row


def as_record(row: StudyRow) -> StudyRecord:
    """The frozen value of a row, for this package."""
    return StudyRecord(
        id=row.id,
        study_instance_uid=row.study_instance_uid,
        patient_key=row.patient_key,
        state=StudyState(row.state),
        study_date=row.study_date,
        study_time=row.study_time,
        description=row.description,
        synthetic=row.synthetic,
        tier=row.tier,
        score=row.score,
        grade=row.grade,
        band=row.band,
        probability_high=row.probability_high,
        probability_1c_or_worse=row.probability_1c_or_worse,
        level=row.level,
        reasons=tuple(row.reasons),
        received_at=row.received_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        opened_at=row.opened_at,
        current_finding_id=row.current_finding_id,
        read_at=row.read_at,
        flags=dict(row.flags or {}),
        stage=row.stage,
        place=row.place,
        regions=tuple(filter(None, row.regions.split(","))),
        opened_by=row.opened_by,
        read_by=row.read_by,
        read_grade=row.read_grade,
    )
