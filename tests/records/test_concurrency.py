"""What several processes do at once comes out as if they had taken turns, with SQLite and with PostgreSQL."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest
from sqlalchemy import text

from dashboard.errors import RecordsError
from dashboard.records import (
    Job,
    JobKind,
    Records,
    Role,
    add_finding,
    add_job,
    add_study,
    claim_job,
    disable_user,
    keep_identity,
    list_findings,
    list_users,
    new_id,
    note,
    open_jobs,
    open_records,
    sign_in,
    worklist,
)
from dashboard.records.audit import entries, find_fault
from dashboard.records.tables import JobRow
from dashboard.settings import REPOSITORY
from tests.postgresql import BOTH_DATABASES
from tests.records.helpers import NOW, document

THREADS = 6
T = TypeVar("T")


def at_once(records: Records, do: Callable[[Records, int], T]) -> list[T]:
    """What each of several threads gets that begin together, each with connections of its own."""
    start = threading.Barrier(THREADS)
    results: list[T] = []
    failures: list[BaseException] = []

    def run(number: int) -> None:
        own = open_records(records.settings)
        try:
            start.wait()
            results.append(do(own, number))
        except BaseException as error:  # noqa: BLE001 - told to the test below
            failures.append(error)
        finally:
            own.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    return results


def claim_all(records: Records, number: int) -> list[Job]:
    claimed = []
    while True:
        with records.writing() as session:
            job = claim_job(session, f"worker {number}", NOW)
        if job is None:
            return claimed
        claimed.append(job)


def test_a_job_is_claimed_by_one_of_many_workers(records: Records) -> None:
    with records.writing() as session:
        for _ in range(12):
            add_job(session, JobKind.TRIAGE_STUDY, new_id(), NOW)
    claimed = [job.id for jobs in at_once(records, claim_all) for job in jobs]
    assert (len(claimed), len(set(claimed))) == (12, 12)


def test_a_subject_is_worked_on_by_one_of_many_workers(records: Records) -> None:
    """Two jobs of one subject lie in two rows: to lock the row one takes does not keep the other from being taken."""
    subjects = [new_id() for _ in range(12)]
    with records.writing() as session:
        for subject in subjects:
            for kind in JobKind:
                add_job(session, kind, subject, NOW)
    claimed = [job.subject_id for jobs in at_once(records, claim_all) for job in jobs]
    assert sorted(claimed) == sorted(subjects)


def test_the_database_itself_refuses_a_second_running_job_of_a_subject(records: Records) -> None:
    with pytest.raises(RecordsError), records.writing() as session:
        for kind in JobKind:
            session.add(JobRow(id=new_id(), kind=kind.value, subject_id="study", state="running", created_at=NOW))
    with records.reading() as session:
        assert open_jobs(session) == 0


def test_work_asked_for_by_many_waits_once(records: Records) -> None:
    def ask(own: Records, number: int) -> None:
        with own.writing() as session:
            add_job(session, JobKind.TRIAGE_STUDY, "study", NOW)

    at_once(records, ask)
    with records.reading() as session:
        assert open_jobs(session) == 1


def test_a_job_ends_in_one_finding_whoever_believes_it_to_be_theirs(records: Records) -> None:
    with records.writing() as session:
        study = add_study(session, "2.25.1", "patient", NOW)
        add_job(session, JobKind.TRIAGE_STUDY, study.id, NOW)
        job = claim_job(session, "worker", NOW)
    assert job is not None

    def end(own: Records, number: int) -> bool:
        with own.writing() as session:
            return add_finding(session, new_id(), job, document(), "0", NOW)

    assert sorted(at_once(records, end)) == [False] * (THREADS - 1) + [True]
    with records.reading() as session:
        assert len(list_findings(session, study.id)) == 1


def test_lines_of_the_audit_log_written_at_once_are_one_chain(records: Records) -> None:
    def write(own: Records, number: int) -> None:
        for _ in range(5):
            with own.writing() as session:
                note(session, own.keys, f"user {number}", "view_study", "", {}, NOW)

    at_once(records, write)
    with records.reading() as session:
        assert [entry.number for entry in entries(session)] == list(range(THREADS * 5, 0, -1))
        assert find_fault(session, records.keys) is None


def test_the_first_sign_in_of_a_person_at_once_makes_one_user(records: Records) -> None:
    def enter(own: Records, number: int) -> str:
        with own.writing() as session:
            return sign_in(session, own.keys, "https://id", "4711", "", "", NOW, Role.VIEWER).id

    assert len(set(at_once(records, enter))) == 1


def test_administrators_cannot_shut_each_other_out_at_once(records: Records) -> None:
    with records.writing() as session:
        ids = [
            sign_in(session, records.keys, "https://id", str(number), "", "", NOW, Role.ADMIN).id
            for number in range(THREADS)
        ]

    def shut_out(own: Records, number: int) -> bool:
        try:
            with own.writing() as session:
                disable_user(session, ids[number], NOW)
        except Exception as error:  # noqa: BLE001 - which one is told by its name
            return type(error).__name__ != "NotAllowed"
        return True

    assert sorted(at_once(records, shut_out)) == [False] + [True] * (THREADS - 1)
    with records.reading() as session:
        assert len([user for user in list_users(session, records.keys) if user.disabled_at is None]) == 1


def test_what_uploads_add_to_one_identity_at_once_is_all_kept(records: Records) -> None:
    def keep(own: Records, number: int) -> None:
        with own.writing() as session:
            keep_identity(session, own.keys, "study", original_uids={f"2.25.{number}": f"1.{number}"})

    at_once(records, keep)
    with records.reading() as session:
        known = records.identity(session, "study").details.original_uids
    assert known == {f"2.25.{number}": f"1.{number}" for number in range(THREADS)}


def test_a_reader_sees_one_state_while_others_write(records: Records) -> None:
    with records.reading() as session:
        assert worklist(session) == ()
        with records.writing() as other:
            add_study(other, "2.25.1", "patient", NOW)
        assert worklist(session) == ()
    with records.reading() as session:
        assert len(worklist(session)) == 1


def test_a_reader_changes_nothing(records: Records) -> None:
    """PostgreSQL refuses at once; SQLite takes it back at the end."""
    try:
        with records.reading() as session:
            add_study(session, "2.25.1", "patient", NOW)
    except RecordsError as error:
        assert "takes no changes" in str(error)
    with records.reading() as session:
        assert worklist(session) == ()


@BOTH_DATABASES
def test_processes_that_start_at_once_bring_the_tables_up_to_date_once(database_url: str, tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "TRIAGE_DATA_DIR": str(tmp_path / "data"),
        "TRIAGE_DATABASE_URL": database_url,
        "PYTHONPATH": str(REPOSITORY),
    }
    code = "from dashboard.records import open_records; from dashboard.settings import load_settings; " + (
        "site = open_records(load_settings())\nwith site.reading() as session: print('ready')\nsite.close()"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(3)
    ]
    ended = [process.communicate() for process in processes]
    assert [out for out, _ in ended] == [b"ready\n"] * 3, ended


def test_a_writer_waits_for_a_bounded_time(records: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboard.records.dialects.BUSY_TIMEOUT_MS", 100)
    impatient = open_records(records.settings)
    try:
        with records.writing() as session:
            add_study(session, "2.25.1", "patient", NOW)
            with pytest.raises(RecordsError, match="busy for too long"), impatient.writing() as other:
                other.execute(text("SELECT 1"))
    finally:
        impatient.close()
