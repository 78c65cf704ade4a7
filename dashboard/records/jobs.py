"""Jobs: claimed by one worker at a time, run again when their worker is gone, ended once."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from dashboard.records.model import Job, JobKind, JobState, new_id
from dashboard.records.tables import JobRow

# A worker that dies three times over the same job is not unlucky; the job kills it.
MAX_ATTEMPTS = 3
# Between studies that look urgent and those that do not: an unread upload may hold either.
READ_PRIORITY = 5
# Before all that looks urgent by itself.
HASTENED = -1
OPEN_STATES = (JobState.WAITING.value, JobState.RUNNING.value)


def add_job(session: Session, kind: JobKind, subject_id: str, now: datetime, priority: int = 0) -> None:
    """Have something done, unless the same already waits. Lower `priority` comes first."""
    waiting = select(JobRow.id).where(
        JobRow.kind == kind.value, JobRow.subject_id == subject_id, JobRow.state == JobState.WAITING.value
    )
    if session.scalar(waiting) is None:
        session.add(
            JobRow(
                id=new_id(),
                kind=kind.value,
                subject_id=subject_id,
                state=JobState.WAITING.value,
                priority=priority,
                created_at=now,
            )
        )


def hasten_job(session: Session, subject_id: str) -> None:
    """Have what waits for a study come before everything that was not hastened."""
    session.execute(
        update(JobRow)
        .where(JobRow.subject_id == subject_id, JobRow.state == JobState.WAITING.value)
        .values(priority=HASTENED)
    )


def claim_job(session: Session, worker: str, now: datetime, here: Collection[str] | None = None) -> Job | None:
    """Take the first waiting job whose subject no other job works on; None when there is none.

    `here` names the uploads whose files lie on this machine, where others are left to the machines that have them.
    """
    other = aliased(JobRow)
    busy = select(other.id).where(other.subject_id == JobRow.subject_id, other.state == JobState.RUNNING.value)
    query = (
        select(JobRow)
        .where(_claimable(here), ~busy.exists())
        .order_by(JobRow.priority, JobRow.created_at, JobRow.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    row = session.scalar(query)
    if row is None:
        return None
    row.state, row.worker, row.heartbeat_at = JobState.RUNNING.value, worker, now
    row.attempts = (row.attempts or 0) + 1
    session.flush()
    return _job(row)


def beat(session: Session, worker: str, now: datetime) -> None:
    """Say that `worker` lives."""
    session.execute(
        update(JobRow).where(JobRow.worker == worker, JobRow.state == JobState.RUNNING.value).values(heartbeat_at=now)
    )


def end_job(session: Session, job: Job, now: datetime, state: JobState = JobState.DONE, reason: str = "") -> bool:
    """End `job` if it is still ours; False when another worker has taken it over, whose result then counts."""
    row = session.get(JobRow, job.id, with_for_update=True)
    if row is None or (row.state, row.worker, row.attempts) != (JobState.RUNNING.value, job.worker, job.attempts):
        return False
    row.state, row.reason, row.finished_at = state.value, reason, now
    session.flush()
    return True


def release_job(session: Session, job: Job, counts: bool = True) -> None:
    """Have `job`, which failed but left its worker alive, tried again; nothing happens if it is no longer ours.

    An attempt that failed for want of disk or database does not count against the job.
    """
    row = session.get(JobRow, job.id, with_for_update=True)
    if row is not None and (row.state, row.worker, row.attempts) == (JobState.RUNNING.value, job.worker, job.attempts):
        row.attempts -= 0 if counts else 1
        _release(session, row)


def release_jobs(
    session: Session, now: datetime, silent_for: timedelta, dead_workers: Collection[str] = ()
) -> tuple[tuple[Job, ...], tuple[Job, ...]]:
    """Let go of jobs whose worker is known to be dead or has been silent for too long.

    Returns
    -------
    released, poisoned
        Jobs that wait again, and jobs that have ended their worker too often: those are still marked running
        and must be ended by the caller with a result that says so.
    """
    rows = session.scalars(
        select(JobRow)
        .where(
            JobRow.state == JobState.RUNNING.value,
            or_(JobRow.heartbeat_at < now - silent_for, JobRow.worker.in_(list(dead_workers))),
        )
        .with_for_update(skip_locked=True)
    ).all()
    released, poisoned = [], []
    for row in rows:
        if row.attempts >= MAX_ATTEMPTS:
            poisoned.append(_job(row))
            continue
        _release(session, row)
        released.append(_job(row))
    return tuple(released), tuple(poisoned)


def running_workers(session: Session) -> frozenset[str]:
    """Names of the workers that hold jobs."""
    query = select(JobRow.worker).where(JobRow.state == JobState.RUNNING.value).distinct()
    return frozenset(session.scalars(query))


def has_waiting_job(session: Session, here: Collection[str] | None = None) -> bool:
    """Whether there may be something to claim; far cheaper than claiming, which locks."""
    return session.scalar(select(JobRow.id).where(_claimable(here)).limit(1)) is not None


def subjects_with_jobs(session: Session) -> frozenset[str]:
    """Ids of uploads and studies that a job waits for or works on."""
    return frozenset(session.scalars(select(JobRow.subject_id).where(JobRow.state.in_(OPEN_STATES))))


def jobs_at_work(session: Session) -> frozenset[str]:
    """Ids of jobs that a worker has claimed."""
    return frozenset(session.scalars(select(JobRow.id).where(JobRow.state == JobState.RUNNING)))


def nobody_works(session: Session, now: datetime, silent_for: timedelta) -> bool:
    """Whether something has waited for so long in which no worker gave a sign of life."""
    since = now - silent_for
    waits = select(JobRow.id).where(JobRow.state == JobState.WAITING.value, JobRow.created_at < since).limit(1)
    if session.scalar(waits) is None:
        return False
    return session.scalar(select(JobRow.id).where(JobRow.heartbeat_at >= since).limit(1)) is None


def overtaken_uploads(session: Session, now: datetime, silent_for: timedelta) -> int:
    """Uploads that have waited for so long while one that came later was taken: their files lie where nobody works."""
    since, later = now - silent_for, aliased(JobRow)
    overtaken = select(later.id).where(
        later.kind == JobKind.READ_UPLOAD.value, later.created_at > JobRow.created_at, later.heartbeat_at.is_not(None)
    )
    query = select(func.count()).where(
        JobRow.kind == JobKind.READ_UPLOAD.value,
        JobRow.state == JobState.WAITING.value,
        JobRow.created_at < since,
        or_(JobRow.heartbeat_at.is_(None), JobRow.heartbeat_at < since),
        overtaken.exists(),
    )
    return session.scalar(query) or 0


@dataclass(frozen=True)
class JobCounts:
    """How many jobs wait and how many run."""

    waiting: int
    running: int


def job_counts(session: Session) -> JobCounts:
    """How much work there is."""
    query = select(JobRow.state, func.count()).where(JobRow.state.in_(OPEN_STATES)).group_by(JobRow.state)
    counts = dict(session.execute(query).all())
    return JobCounts(counts.get(JobState.WAITING.value, 0), counts.get(JobState.RUNNING.value, 0))


def open_jobs(session: Session) -> int:
    """Jobs that wait or run."""
    return len(session.scalars(select(JobRow.id).where(JobRow.state.in_(OPEN_STATES))).all())


def _claimable(here: Collection[str] | None) -> ColumnElement[bool]:
    waits = JobRow.state == JobState.WAITING.value
    if here is None:
        return waits
    return and_(waits, or_(JobRow.kind != JobKind.READ_UPLOAD.value, JobRow.subject_id.in_(list(here))))


def _release(session: Session, row: JobRow) -> None:
    twin = select(JobRow.id).where(
        JobRow.kind == row.kind, JobRow.subject_id == row.subject_id, JobRow.state == JobState.WAITING.value
    )
    # A newer job for the same subject does all that this one would have done.
    superseded = session.scalar(twin) is not None
    row.state = JobState.FAILED.value if superseded else JobState.WAITING.value
    row.reason = "superseded" if superseded else ""
    session.flush()


def _job(row: JobRow) -> Job:
    return Job(row.id, JobKind(row.kind), row.subject_id, row.attempts, row.worker)
