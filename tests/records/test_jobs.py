"""Jobs are claimed once, survive their workers, and end once."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.records import (
    MAX_ATTEMPTS,
    Job,
    JobKind,
    Records,
    add_job,
    beat,
    claim_job,
    end_job,
    has_waiting_job,
    new_id,
    nobody_works,
    open_jobs,
    overtaken_uploads,
    release_job,
    release_jobs,
    running_workers,
)
from dashboard.records.database import Database

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
STUDY = JobKind.TRIAGE_STUDY


def claim(records: Records, worker: str, now: datetime = NOW) -> Job | None:
    with records.writing() as session:
        return claim_job(session, worker, now)


def add(records: Records, subject: str, priority: int = 0, now: datetime = NOW) -> None:
    with records.writing() as session:
        add_job(session, STUDY, subject, now, priority)


def test_a_job_is_claimed_once(records: Records) -> None:
    add(records, "study")
    first = claim(records, "one")
    assert first is not None
    assert (first.subject_id, first.attempts) == ("study", 1)
    assert claim(records, "two") is None


def test_the_same_work_waits_once(records: Records) -> None:
    add(records, "study")
    add(records, "study")
    with records.reading() as session:
        assert open_jobs(session) == 1


def test_urgent_looking_comes_first_then_the_oldest(records: Records) -> None:
    add(records, "late", 0, NOW + MINUTE)
    add(records, "dull", 10, NOW - MINUTE)
    add(records, "early", 0, NOW)
    order = [job.subject_id for job in (claim(records, "one") for _ in range(3)) if job]
    assert order == ["early", "late", "dull"]


def test_one_subject_is_worked_on_by_one_worker_at_a_time(records: Records) -> None:
    add(records, "study")
    first = claim(records, "one")
    add(records, "study")
    assert claim(records, "two") is None
    with records.writing() as session:
        assert first is not None
        assert end_job(session, first, NOW)
    assert claim(records, "two") is not None


def test_a_dead_workers_job_waits_again(records: Records) -> None:
    add(records, "study")
    claim(records, "dead")
    with records.writing() as session:
        released, poisoned = release_jobs(session, NOW, MINUTE, {"dead"})
    again = claim(records, "alive")
    assert (len(released), poisoned) == (1, ())
    assert again is not None
    assert again.attempts == 2


def test_a_silent_workers_job_waits_again_and_a_beating_ones_does_not(records: Records) -> None:
    add(records, "one")
    add(records, "two")
    claim(records, "silent")
    claim(records, "beating")
    with records.writing() as session:
        beat(session, "beating", NOW + 2 * MINUTE)
    with records.writing() as session:
        released, _ = release_jobs(session, NOW + 2 * MINUTE, MINUTE)
    assert [job.worker for job in released] == ["silent"]
    with records.reading() as session:
        assert running_workers(session) == {"beating"}


def test_a_job_that_keeps_killing_its_worker_is_given_up(records: Records) -> None:
    add(records, "study")
    for _ in range(MAX_ATTEMPTS - 1):
        claim(records, "dead")
        with records.writing() as session:
            assert release_jobs(session, NOW, MINUTE, {"dead"})[1] == ()
    claim(records, "dead")
    with records.writing() as session:
        released, poisoned = release_jobs(session, NOW, MINUTE, {"dead"})
        assert released == ()
        assert end_job(session, poisoned[0], NOW)


def test_a_worker_that_was_thought_dead_cannot_end_its_job(records: Records) -> None:
    add(records, "study")
    first = claim(records, "slow")
    with records.writing() as session:
        release_jobs(session, NOW, MINUTE, {"slow"})
    second = claim(records, "slow")
    with records.writing() as session:
        assert first is not None
        assert second is not None
        assert not end_job(session, first, NOW)
        assert end_job(session, second, NOW)


def test_a_failed_job_gives_way_to_a_newer_one_for_the_same_study(records: Records) -> None:
    add(records, "study")
    job = claim(records, "one")
    add(records, "study")
    with records.writing() as session:
        assert job is not None
        release_job(session, job)
    with records.reading() as session:
        assert open_jobs(session) == 1


@settings(max_examples=30)
@given(st.lists(st.sampled_from(["add", "claim", "die", "end"]), max_size=25))
def test_whatever_happens_no_job_is_lost_or_ended_twice(steps: list[str]) -> None:
    """A waiting or running job is always there until it is ended, and each is ended once."""
    database = Database("sqlite://")
    added, ended, held = 0, set(), []
    try:
        for step in steps:
            with database.writing() as session:
                if step == "add":
                    add_job(session, STUDY, new_id(), NOW)
                    added += 1
                elif step == "claim" and (job := claim_job(session, "worker", NOW)) is not None:
                    held.append(job)
                elif step == "die":
                    _, poisoned = release_jobs(session, NOW, MINUTE, {"worker"})
                    for job in poisoned:
                        assert end_job(session, job, NOW)
                        ended.add(job.id)
                elif step == "end" and held and end_job(session, held[-1], NOW):
                    assert held[-1].id not in ended
                    ended.add(held[-1].id)
            with database.reading() as session:
                assert open_jobs(session) == added - len(ended)
    finally:
        database.close()


def test_an_upload_is_left_to_the_machine_that_has_its_files(records: Records) -> None:
    with records.writing() as session:
        for subject in ("far", "near"):
            add_job(session, JobKind.READ_UPLOAD, subject, NOW)
        assert has_waiting_job(session, ["near"])
        job = claim_job(session, "worker", NOW, ["near"])
        assert job is not None
        assert job.subject_id == "near"
        assert not has_waiting_job(session, ["near"])
        assert claim_job(session, "worker", NOW, ["near"]) is None
        assert claim_job(session, "worker", NOW) is not None


def test_work_that_waits_without_a_sign_of_life_is_nobodys(records: Records) -> None:
    add(records, "first")
    add(records, "second")
    with records.writing() as session:
        assert not nobody_works(session, NOW + MINUTE, MINUTE)
        assert nobody_works(session, NOW + 2 * MINUTE, MINUTE)
        claim_job(session, "worker", NOW + 2 * MINUTE)
        assert not nobody_works(session, NOW + 2 * MINUTE, MINUTE)
        assert nobody_works(session, NOW + 4 * MINUTE, MINUTE)


def test_an_upload_that_a_later_one_overtook_waits_for_a_machine_where_nobody_works(records: Records) -> None:
    with records.writing() as session:
        add_job(session, JobKind.READ_UPLOAD, "far", NOW)
        add_job(session, JobKind.READ_UPLOAD, "near", NOW + MINUTE)
        add_job(session, JobKind.READ_UPLOAD, "last", NOW + 2 * MINUTE)
        assert overtaken_uploads(session, NOW + 3 * MINUTE, MINUTE) == 0
        assert claim_job(session, "worker", NOW + 2 * MINUTE, ["near"]) is not None
        assert overtaken_uploads(session, NOW + 3 * MINUTE, MINUTE) == 1
        # Taken at last, and let go of a moment ago: somebody works there.
        job = claim_job(session, "other", NOW + 3 * MINUTE, ["far"])
        assert job is not None
        assert overtaken_uploads(session, NOW + 3 * MINUTE, MINUTE) == 0
        release_job(session, job)
        assert overtaken_uploads(session, NOW + 3 * MINUTE, MINUTE) == 0
