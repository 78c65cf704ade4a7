"""A cluster that is named instead of one of our own: joined, lost, come back, shared by two servers."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from dashboard.errors import SettingsError
from dashboard.records import JobKind, Records, StudyState, list_findings, open_records, worklist
from dashboard.settings import REPOSITORY, Settings
from dashboard.work import receive_files
from dashboard.work.cluster import check_address
from dashboard.work.dispatcher import AMPLE_POLL_S, FRUITLESS_TASKS, LOOK_S, Dispatcher
from dashboard.work.worker_command import run_worker
from tests.browser.provider import free_port
from tests.work.drops import drops_of
from tests.work.test_killed_worker import (
    idle,
    kill_worker_in_the_middle,
    one_result,
    running,
    wait_for,
    worker_pid,
)

STUDIES = 4


@contextmanager
def process(*command: str, environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A Python process for the block, killed with its children at the end."""
    started = subprocess.Popen(
        [sys.executable, *command], env=environment, start_new_session=True, stderr=subprocess.DEVNULL
    )
    try:
        yield started
    finally:
        with suppress(ProcessLookupError):
            os.killpg(started.pid, signal.SIGKILL)
        started.wait()


@contextmanager
def cluster(port: int, environment: dict[str, str]) -> Iterator[None]:
    """A scheduler and one worker that joined it, for the block."""
    scheduler = ("-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard")
    with (
        process(*scheduler, environment=environment),
        process("-m", "dashboard", "worker", environment=environment),
    ):
        yield


@contextmanager
def dispatching(records: Records) -> Iterator[None]:
    """A server's dispatcher for the block."""
    dispatcher = Dispatcher(records)
    thread = threading.Thread(target=dispatcher.run)
    thread.start()
    try:
        yield
    finally:
        dispatcher.stop()
        thread.join()


def environment_of(settings: Settings) -> dict[str, str]:
    """Environment of another process of the same site."""
    return {
        **os.environ,
        "TRIAGE_DATA_DIR": str(settings.data_dir),
        "TRIAGE_DATABASE_URL": settings.database_url,
        "TRIAGE_MODELS_DIR": str(settings.models_dir),
        "TRIAGE_SCHEDULER": settings.scheduler,
        "PYTHONPATH": str(REPOSITORY),
    }


@pytest.fixture
def drops(demonstration: Path, tmp_path: Path) -> list[Path]:
    """A few slices each of several people."""
    return drops_of(demonstration, tmp_path, STUDIES)


@pytest.mark.slow
def test_workers_join_and_a_lost_scheduler_is_found_again_by_two_servers(records: Records, drops: list[Path]) -> None:
    port = free_port()
    settings = replace(records.settings, scheduler=f"tcp://127.0.0.1:{port}")
    environment = environment_of(settings)
    with ExitStack() as stack:
        servers = [stack.enter_context(_closing(open_records(settings))) for _ in range(2)]
        for server in servers:
            stack.enter_context(dispatching(server))
        with cluster(port, environment):
            receive_files(servers[0], drops[:2])
            wait_for(lambda: idle(records))
        receive_files(servers[1], drops[2:])
        with cluster(port, environment):
            wait_for(lambda: idle(records))
    with records.reading() as session:
        studies = worklist(session)
        assert [len(list_findings(session, study.id)) for study in studies] == [1] * STUDIES
    assert {study.state for study in studies} <= {StudyState.GRADED, StudyState.NOT_ANALYSED}


@pytest.mark.slow
def test_a_job_on_a_named_cluster_outlives_its_worker_and_the_command_that_joined_it(
    records: Records, demonstration: Path
) -> None:
    port = free_port()
    settings = replace(records.settings, scheduler=f"tcp://127.0.0.1:{port}")
    environment = environment_of(settings)
    with _closing(open_records(settings)) as server, dispatching(server), cluster(port, environment):
        upload = receive_files(server, [demonstration])
        kill_worker_in_the_middle(records, JobKind.READ_UPLOAD)
        wait_for(lambda: running(records, JobKind.TRIAGE_STUDY)[0] == 1)
        holder = worker_pid(records, running(records, JobKind.TRIAGE_STUDY)[1])
        os.killpg(os.getpgid(holder), signal.SIGKILL)
        with process("-m", "dashboard", "worker", environment=environment):
            wait_for(lambda: idle(records))
    one_result(records, upload.id)


def test_a_worker_without_a_cluster_says_what_to_set(records: Records) -> None:
    with pytest.raises(SettingsError, match="TRIAGE_SCHEDULER"):
        run_worker(records.settings)


@pytest.mark.parametrize("address", ["scheduler.example.org:8786", "http://scheduler", "/tmp/file", "inproc://x"])
def test_an_address_of_another_kind_is_refused(address: str) -> None:
    with pytest.raises(SettingsError, match="TRIAGE_SCHEDULER"):
        check_address(address)


def test_a_malformed_address_ends_the_dispatcher(records: Records) -> None:
    dispatcher = Dispatcher(replace(records, settings=replace(records.settings, scheduler="nonsense")))
    with pytest.raises(SettingsError, match="TRIAGE_SCHEDULER"):
        dispatcher.run()


def test_a_cluster_without_this_software_is_told_and_not_asked_again_at_once(
    records: Records, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    dispatcher, waits = Dispatcher(records), list[float | None]()
    monkeypatch.setattr(dispatcher._stop, "wait", waits.append)
    for _ in range(3):
        task = Future[bool]()
        task.set_exception(RuntimeError("Error during deserialization of the task graph."))
        monkeypatch.setattr(task, "status", "error", raising=False)
        dispatcher._tasks.add(task)
    dispatcher._forget_ended()
    assert not dispatcher._tasks
    assert "cannot load this software" in caplog.text
    assert waits == [LOOK_S]


def test_what_waits_for_a_machine_that_is_away_is_looked_for_less_often(
    records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    dispatcher, waits = Dispatcher(records), list[float | None]()
    monkeypatch.setattr(dispatcher._stop, "wait", waits.append)
    for look in range(2 * FRUITLESS_TASKS + 2):
        task = Future[bool]()
        task.set_result(look == FRUITLESS_TASKS + 1)
        monkeypatch.setattr(task, "status", "finished", raising=False)
        dispatcher._tasks.add(task)
        dispatcher._forget_ended()
        dispatcher._dispatch(None, waiting=1, running=0)
        # A look at which no task has ended changes nothing.
        dispatcher._forget_ended()
    # After as many in vain as that; a task that found work begins the count anew.
    assert waits == [AMPLE_POLL_S] * 3
    dispatcher._dispatch(None, waiting=0, running=0)
    dispatcher._dispatch(None, waiting=1, running=0)
    assert len(waits) == 3


@contextmanager
def _closing(records: Records) -> Iterator[Records]:
    try:
        yield records
    finally:
        records.close()
