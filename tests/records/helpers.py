"""Rows that several tests of the records need."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from dashboard.records import JobKind, Records, add_finding, add_job, add_study, claim_job, new_id

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def document(grade: str | None = "2", tier: str = "urgent") -> dict[str, Any]:
    """A result as grading publishes it, as far as the records look at it."""
    return {
        "status": "graded" if grade else "not_analysed",
        "reasons": [],
        "grade": grade,
        "urgency": {"tier": tier, "score": 60.0, "reasons": []},
        "model": [{"name": "compression", "version": "1", "sha256": "0"}],
    }


def found_study(
    records: Records, grade: str | None = "2", uid: str = "2.25.1", more: Mapping[str, Any] | None = None
) -> tuple[str, str]:
    """Ids of a study and of its one finding, whose document says `more`."""
    with records.writing() as session:
        study = add_study(session, uid, "patient", NOW)
        add_job(session, JobKind.TRIAGE_STUDY, study.id, NOW)
        job = claim_job(session, "worker", NOW)
        assert job is not None
        finding_id = new_id()
        assert add_finding(session, finding_id, job, document(grade) | dict(more or {}), "0", NOW)
    return study.id, finding_id
