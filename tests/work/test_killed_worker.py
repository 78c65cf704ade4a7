"""Kill -9 of a real worker, scheduler or server, in the middle of a job: each job runs again and ends in one result."""

import errno
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from dashboard.records import (
    MAX_ATTEMPTS,
    JobKind,
    JobState,
    Records,
    StudyRecord,
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
from tests.work.drops import drops_of

# Generous: the machine that runs the tests may be busy, and nothing here measures speed.
PATIENCE_S = 240.0
POLL_S = 0.002
SERVER = (
    "import sys, time; from dashboard.work import WorkerProcess; worker = WorkerProcess(); worker.start(); "
    "print(worker.pid, flush=True); time.sleep(600)"
)


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
def cluster(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[WorkerProcess]:
    monkeypatch.setattr(worker_process, "FIRST_PAUSE_S", 0.05)
    monkeypatch.setattr(worker_process, "LONGEST_PAUSE_S", 0.05)
    process = WorkerProcess(environment)
    yield process
    process.stop()


def wait_for(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not what():
        assert time.monotonic() < deadline, "it did not get there"
        time.sleep(POLL_S)


def running(records: Records, kind: JobKind) -> tuple[int, str]:
    """How often the running job of `kind` has been claimed, and by which worker; (0, "") when none runs."""
    with records.reading() as session:
        row = session.query(JobRow).filter_by(kind=kind.value, state=JobState.RUNNING.value).one_or_none()
        return (0, "") if row is None else (row.attempts, row.worker)


def worker_pid(records: Records, worker: str) -> int:
    """Process that holds a worker's lock; 0 when there is none."""
    path = records.settings.data_dir / "workers" / f"{worker}.lock"
    with suppress(FileNotFoundError, ValueError):
        return int(path.read_text())
    return 0


def kill_worker_in_the_middle(records: Records, kind: JobKind, attempt: int = 1) -> None:
    """Stop the worker once it has claimed a job of `kind` for the n-th time, see that it holds it, and kill it."""
    wait_for(lambda: running(records, kind)[0] == attempt)
    pid = worker_pid(records, running(records, kind)[1])
    assert pid
    os.kill(pid, signal.SIGSTOP)
    assert running(records, kind)[0] == attempt, "the job was over before the worker could be stopped"
    os.kill(pid, signal.SIGKILL)


def worker_processes(dispatcher: int) -> tuple[int, ...]:
    """Worker processes of a dispatcher, those at their very start included."""
    found = []
    for children in Path(f"/proc/{dispatcher}/task").glob("*/children"):
        with suppress(OSError):
            for pid in children.read_text().split():
                if "spawn_main" in Path(f"/proc/{pid}/cmdline").read_text():
                    found.append(int(pid))
    return tuple(found)


def kill_if_running(records: Records, study_id: str) -> bool:
    """Kill the worker that holds a study's job, if one does."""
    with records.reading() as session:
        row = session.query(JobRow).filter_by(subject_id=study_id, state=JobState.RUNNING.value).one_or_none()
        worker = row.worker if row else ""
    pid = worker_pid(records, worker) if worker else 0
    if pid:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return bool(pid)


def listed(records: Records) -> tuple[StudyRecord, ...]:
    with records.reading() as session:
        return worklist(session)


def idle(records: Records) -> bool:
    with records.reading() as session:
        return open_jobs(session) == 0


def one_result(records: Records, upload_id: str) -> None:
    """What was received ended in one study with one result."""
    with records.reading() as session:
        (study,) = worklist(session)
        assert len(list_findings(session, study.id)) == 1
        done = get_upload(session, upload_id)
    assert study.state in (StudyState.GRADED, StudyState.NOT_ANALYSED)
    assert "stopped unexpectedly" not in " ".join(study.reasons)
    assert (done.state, done.studies, done.accepted, done.duplicates) == (UploadState.DONE, 1, 49, 0)


def test_a_worker_that_cannot_be_started_again_is_tried_again(
    cluster: WorkerProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.start()
    first, spawn, tried = cluster.pid, cluster._spawn, []

    def without_memory() -> "subprocess.Popen[bytes]":
        tried.append(time.monotonic())
        if len(tried) < 3:
            raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))
        return spawn()

    monkeypatch.setattr(cluster, "_spawn", without_memory)
    assert first is not None
    os.kill(first, signal.SIGKILL)
    deadline = time.monotonic() + PATIENCE_S
    while (cluster.pid in (None, first) or not cluster.alive) and time.monotonic() < deadline:
        time.sleep(POLL_S)
    assert len(tried) == 3 and cluster.alive


@pytest.mark.slow
@BOTH_DATABASES
def test_a_worker_that_is_killed_again_at_its_start_is_replaced_all_the_same(
    records: Records, cluster: WorkerProcess, demonstration: Path
) -> None:
    """Dask gives up a worker that dies before it has started."""
    cluster.start()
    dispatcher, locks = cluster.pid, records.settings.data_dir / "workers"
    assert dispatcher
    wait_for(lambda: locks.is_dir() and any(locks.iterdir()))
    first = worker_processes(dispatcher)
    os.kill(first[0], signal.SIGKILL)
    wait_for(lambda: worker_processes(dispatcher) not in ((), first))
    os.kill(worker_processes(dispatcher)[0], signal.SIGKILL)
    upload = receive_files(records, [demonstration])
    wait_for(lambda: idle(records))
    one_result(records, upload.id)


@pytest.mark.slow
@BOTH_DATABASES
def test_a_killed_worker_loses_nothing_and_doubles_nothing(
    records: Records, cluster: WorkerProcess, demonstration: Path
) -> None:
    upload = receive_files(records, [demonstration])
    cluster.start()
    kill_worker_in_the_middle(records, JobKind.READ_UPLOAD)
    kill_worker_in_the_middle(records, JobKind.TRIAGE_STUDY)
    wait_for(lambda: idle(records))
    one_result(records, upload.id)


@pytest.mark.slow
@BOTH_DATABASES
def test_a_killed_scheduler_takes_its_workers_along_and_loses_nothing(
    records: Records, cluster: WorkerProcess, demonstration: Path
) -> None:
    upload = receive_files(records, [demonstration])
    cluster.start()
    for kind in (JobKind.READ_UPLOAD, JobKind.TRIAGE_STUDY):
        wait_for(lambda kind=kind: running(records, kind)[0] > 0)  # type: ignore[misc]
        scheduler, worker = cluster.pid, worker_pid(records, running(records, kind)[1])
        assert scheduler
        os.kill(scheduler, signal.SIGKILL)
        wait_for(lambda scheduler=scheduler: cluster.pid != scheduler)  # type: ignore[misc]
        wait_for(lambda worker=worker: not alive(worker))  # type: ignore[misc]
    wait_for(lambda: idle(records))
    one_result(records, upload.id)


@pytest.mark.slow
def test_a_study_that_kills_every_worker_ends_not_analysed(
    records: Records, cluster: WorkerProcess, demonstration: Path
) -> None:
    receive_files(records, [demonstration])
    cluster.start()
    for attempt in range(1, MAX_ATTEMPTS + 1):
        kill_worker_in_the_middle(records, JobKind.TRIAGE_STUDY, attempt)
    wait_for(lambda: idle(records))
    with records.reading() as session:
        (study,) = worklist(session)
        assert len(list_findings(session, study.id)) == 1
    assert study.state is StudyState.NOT_ANALYSED
    assert "stopped unexpectedly" in study.reasons[0]
    assert study.tier == "not analysed"


@pytest.fixture
def several(demonstration: Path, tmp_path: Path) -> list[Path]:
    """A few slices each of several people."""
    return drops_of(demonstration, tmp_path, 4)


@pytest.mark.slow
@BOTH_DATABASES
def test_a_study_that_kills_every_worker_blocks_no_other(
    records: Records, cluster: WorkerProcess, several: list[Path]
) -> None:
    receive_files(records, several[:2])
    cluster.start()
    wait_for(lambda: len(listed(records)) == 2)
    wait_for(lambda: running(records, JobKind.TRIAGE_STUDY)[0] > 0)
    with records.reading() as session:
        poisoned = session.query(JobRow).filter_by(kind="triage_study", state="running").one().subject_id
    wait_for(lambda: idle(records) or kill_if_running(records, poisoned))
    while not idle(records):
        kill_if_running(records, poisoned)
        time.sleep(POLL_S)
    ends = {study.id: study for study in listed(records)}
    assert len(ends) == 2
    with records.reading() as session:
        assert [len(list_findings(session, study_id)) for study_id in ends] == [1, 1]
    (other,) = [study for study_id, study in ends.items() if study_id != poisoned]
    assert "stopped unexpectedly" not in " ".join(other.reasons)


@pytest.mark.slow
@BOTH_DATABASES
@pytest.mark.parametrize("seed", [1, 2])
def test_kills_at_any_moment_lose_no_study_and_double_none(
    records: Records, cluster: WorkerProcess, several: list[Path], seed: int
) -> None:
    uploads = [receive_files(records, [folder]).id for folder in several]
    cluster.start()
    chance = random.Random(seed)
    for _ in range(4):
        time.sleep(chance.uniform(0.1, 2.5))
        if chance.random() < 0.4 and cluster.pid:
            os.kill(cluster.pid, signal.SIGKILL)
        else:
            for path in (records.settings.data_dir / "workers").glob("*.lock"):
                with suppress(OSError, ValueError):
                    os.kill(int(path.read_text()), signal.SIGKILL)
    wait_for(lambda: idle(records))
    with records.reading() as session:
        studies = worklist(session)
        assert [len(list_findings(session, study.id)) for study in studies] == [1] * len(several)
        assert {get_upload(session, upload).state for upload in uploads} == {UploadState.DONE}
    assert {study.state for study in studies} <= {StudyState.GRADED, StudyState.NOT_ANALYSED}


@pytest.mark.slow
def test_a_server_that_is_killed_takes_all_along_and_the_next_one_goes_on(
    environment: dict[str, str], records: Records, cluster: WorkerProcess, demonstration: Path
) -> None:
    upload = receive_files(records, [demonstration])
    server = subprocess.Popen([sys.executable, "-c", SERVER], env=environment, stdout=subprocess.PIPE)
    assert server.stdout is not None
    scheduler = int(server.stdout.readline())
    wait_for(lambda: running(records, JobKind.READ_UPLOAD)[0] > 0)
    worker = worker_pid(records, running(records, JobKind.READ_UPLOAD)[1])
    server.kill()
    server.wait()
    server.stdout.close()
    wait_for(lambda: not alive(scheduler) and not alive(worker))
    cluster.start()
    wait_for(lambda: idle(records))
    one_result(records, upload.id)


def alive(pid: int) -> bool:
    """Whether a process runs; one that only waits to be reaped by init does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
