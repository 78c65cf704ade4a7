"""Kill -9 of a real worker, in the middle of a job: the job runs again and ends in one result."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dashboard.records import (
    MAX_ATTEMPTS,
    JobKind,
    JobState,
    Records,
    StudyState,
    UploadState,
    get_upload,
    list_findings,
    open_jobs,
    worklist,
)
from dashboard.records.tables import JobRow
from dashboard.settings import REPOSITORY, Settings
from dashboard.work import WorkerProcess, receive_files, worker_process
from tests.postgresql import BOTH_DATABASES

# Generous: the machine that runs the tests may be busy, and nothing here measures speed.
PATIENCE_S = 120.0
POLL_S = 0.002


@pytest.fixture
def environment(settings: Settings) -> dict[str, str]:
    return {
        **os.environ,
        "TRIAGE_DATA_DIR": str(settings.data_dir),
        "TRIAGE_DATABASE_URL": settings.database_url,
        "TRIAGE_MODELS_DIR": str(settings.models_dir),
        "PYTHONPATH": str(REPOSITORY),
    }


@pytest.fixture
def workers(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[WorkerProcess]:
    monkeypatch.setattr(worker_process, "FIRST_PAUSE_S", 0.05)
    monkeypatch.setattr(worker_process, "LONGEST_PAUSE_S", 0.05)
    process = WorkerProcess(environment)
    yield process
    process.stop()


def wait_for(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not what():
        assert time.monotonic() < deadline, "the worker did not get there"
        time.sleep(POLL_S)


def attempts(records: Records, kind: JobKind) -> int:
    """How often the running job of `kind` has been claimed; 0 when none runs."""
    with records.reading() as session:
        row = session.query(JobRow).filter_by(kind=kind.value, state=JobState.RUNNING.value).one_or_none()
        return 0 if row is None else row.attempts


def kill_in_the_middle(records: Records, workers: WorkerProcess, kind: JobKind, attempt: int = 1) -> None:
    """Stop the worker once it has claimed a job of `kind` for the n-th time, see that it holds it, and kill it."""
    wait_for(lambda: attempts(records, kind) == attempt)
    pid = workers.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    assert attempts(records, kind) == attempt, "the job was over before the worker could be stopped"
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: workers.pid != pid)


def idle(records: Records) -> bool:
    with records.reading() as session:
        return open_jobs(session) == 0


@pytest.mark.slow
@BOTH_DATABASES
def test_a_killed_worker_loses_nothing_and_doubles_nothing(
    records: Records, workers: WorkerProcess, demonstration: Path
) -> None:
    upload = receive_files(records, [demonstration])
    workers.start()
    kill_in_the_middle(records, workers, JobKind.READ_UPLOAD)
    kill_in_the_middle(records, workers, JobKind.TRIAGE_STUDY)
    wait_for(lambda: idle(records))
    with records.reading() as session:
        (study,) = worklist(session)
        assert len(list_findings(session, study.id)) == 1
        done = get_upload(session, upload.id)
    assert study.state in (StudyState.GRADED, StudyState.NOT_ANALYSED)
    assert (done.state, done.studies, done.accepted, done.duplicates) == (UploadState.DONE, 1, 49, 0)


@pytest.mark.slow
def test_a_study_that_kills_every_worker_ends_not_analysed(
    records: Records, workers: WorkerProcess, demonstration: Path
) -> None:
    receive_files(records, [demonstration])
    workers.start()
    for attempt in range(1, MAX_ATTEMPTS + 1):
        kill_in_the_middle(records, workers, JobKind.TRIAGE_STUDY, attempt)
    wait_for(lambda: idle(records))
    with records.reading() as session:
        (study,) = worklist(session)
        assert len(list_findings(session, study.id)) == 1
    assert study.state is StudyState.NOT_ANALYSED
    assert "stopped unexpectedly" in study.reasons[0]
    assert study.tier == "not analysed"


@pytest.mark.slow
def test_a_server_that_is_killed_takes_its_worker_along(environment: dict[str, str], records: Records) -> None:
    server = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, time; from dashboard.work import WorkerProcess; worker = WorkerProcess(); worker.start(); "
            "print(worker.pid, flush=True); time.sleep(600)",
        ],
        env=environment,
        stdout=subprocess.PIPE,
    )
    assert server.stdout is not None
    pid = int(server.stdout.readline())
    lock = records.settings.data_dir / "workers"
    wait_for(lambda: lock.is_dir() and any(lock.iterdir()))
    server.kill()
    server.wait()
    server.stdout.close()
    wait_for(lambda: not alive(pid))


def alive(pid: int) -> bool:
    """Whether a process runs; one that only waits to be reaped by init does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
