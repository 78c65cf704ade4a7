"""What was asked of the list and how it went: when studies came, were opened and read, and what was read."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from dashboard.records.tables import StudyRow


@dataclass(frozen=True)
class Turnaround:
    """Times of one study, and the suggested grade beside the one a person read last; None where there is none yet."""

    received_at: datetime
    finished_at: datetime | None
    opened_at: datetime | None
    read_at: datetime | None
    tier: str | None
    grade: str | None
    read_grade: str | None


def turnarounds(session: Session) -> tuple[Turnaround, ...]:
    """Every study that is no demonstration, in order of arrival."""
    query = (
        select(
            StudyRow.received_at,
            StudyRow.finished_at,
            StudyRow.opened_at,
            StudyRow.read_at,
            StudyRow.tier,
            StudyRow.grade,
            StudyRow.read_grade,
        )
        .where(StudyRow.synthetic.is_(False))
        .order_by(StudyRow.received_at, StudyRow.id)
    )
    return tuple(Turnaround(*row) for row in session.execute(query))
