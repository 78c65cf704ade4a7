"""Findings: what the software suggested, added and never changed."""

import json
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from dashboard.grading import TIERS, LevelCorrection, Tier, first_look, relevel
from dashboard.records.jobs import end_job
from dashboard.records.model import Document, Finding, Job, StudyState, Verdict
from dashboard.records.studies import study_row
from dashboard.records.tables import FindingRow, ReadingRow, StudyRow
from dashboard.study import regions_of


def add_finding(
    session: Session, finding_id: str, job: Job, document: Document, software_version: str, now: datetime
) -> bool:
    """End `job` with a finding that becomes the study's current one.

    Returns False, and adds nothing, when another worker has taken the job over: each job has one result.
    """
    if not end_job(session, job, now):
        return False
    models = [{key: str(value) for key, value in model.items()} for model in document.get("model", [])]
    session.add(
        FindingRow(
            id=finding_id,
            study_id=job.subject_id,
            job_id=job.id,
            document=json.dumps(document, ensure_ascii=False, allow_nan=False),
            software_version=software_version,
            models=models,
            created_at=now,
        )
    )
    _summarise(study_row(session, job.subject_id), document, finding_id, now)
    session.flush()
    return True


def get_finding(session: Session, finding_id: str | None) -> Finding | None:
    """Look a finding up; None when there is none of this id."""
    row = session.get(FindingRow, finding_id) if finding_id else None
    return None if row is None else _finding(row)


def shown_finding(session: Session, finding_id: str | None) -> Finding | None:
    """A finding as screens show it: with its levels as a person has named them, where somebody has.

    What the software found is :func:`get_finding`.
    """
    found = get_finding(session, finding_id)
    correction = standing_correction(session, finding_id)
    if found is None or correction is None:
        return found
    return replace(found, document=relevel(found.document, correction[1]))


def standing_correction(session: Session, finding_id: str | None) -> tuple[str, LevelCorrection] | None:
    """The last correction of a finding's levels that nobody has taken back, with its reading's id; None without one."""
    rows = session.execute(
        select(ReadingRow.id, ReadingRow.verdict, ReadingRow.level_was, ReadingRow.level, ReadingRow.withdraws)
        .where(ReadingRow.finding_id == finding_id)
        .order_by(ReadingRow.created_at.desc(), ReadingRow.id.desc())
    ).all()
    withdrawn = {row.withdraws for row in rows}
    standing = (row for row in rows if row.verdict == Verdict.RELEVELLED.value and row.id not in withdrawn)
    last = next(standing, None)
    return None if last is None else (last.id, LevelCorrection(last.level_was, last.level))


def restate(session: Session, study: StudyRow) -> None:
    """Have the worklist's line name places as they are named now; for this package."""
    session.flush()
    shown = shown_finding(session, study.current_finding_id)
    if shown is not None:
        _name_places(study, shown.document)
    session.flush()


def study_of_finding(session: Session, finding_id: str) -> str | None:
    """Id of the study that a finding is about; None when there is none of this id. The document is not read."""
    return session.scalar(select(FindingRow.study_id).where(FindingRow.id == finding_id))


def list_findings(session: Session, study_id: str) -> tuple[Finding, ...]:
    """All findings of a study, newest first."""
    query = select(FindingRow).where(FindingRow.study_id == study_id).order_by(FindingRow.created_at.desc())
    return tuple(_finding(row) for row in session.scalars(query))


def _summarise(row: StudyRow, document: Document, finding_id: str, now: datetime) -> None:
    """Copy to the study's row what the worklist shows and sorts by."""
    urgency: dict[str, Any] = document.get("urgency") or {}
    row.current_finding_id, row.finished_at = finding_id, now
    # What was read before is not what is found now.
    row.read_at, row.read_by, row.read_grade = None, "", None
    if _is_more_urgent(urgency.get("tier"), row.tier):
        # Nobody has seen it as what it is now.
        row.opened_at, row.opened_by = None, ""
    row.state = StudyState(document["status"]).value
    row.tier, row.score = urgency.get("tier"), urgency.get("score")
    row.grade, row.band = document.get("grade"), document.get("band")
    row.probability_high = document.get("probability_high")
    row.probability_1c_or_worse = document.get("probability_1c_or_worse")
    _name_places(row, document)
    described = [row.description, *(str(series.get("description") or "") for series in document.get("series") or [])]
    row.regions = ",".join(regions_of(described))


def _is_more_urgent(tier: str | None, than: str | None) -> bool:
    return tier is not None and than is not None and TIERS.index(Tier(tier)) < TIERS.index(Tier(than))


def _name_places(row: StudyRow, document: Document) -> None:
    """What of the worklist's line names a level."""
    look = first_look(document)
    row.level, row.place, row.reasons = look.level, look.place, list(look.reasons)


def _finding(row: FindingRow) -> Finding:
    return Finding(
        id=row.id,
        study_id=row.study_id,
        document=json.loads(row.document),
        software_version=row.software_version,
        models=tuple(row.models),
        created_at=row.created_at,
    )
