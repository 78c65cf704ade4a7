"""Disk full, read-only, damaged, taken away, server gone: each is told in words, and nothing received is lost."""

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dashboard.errors import RecordsError, RecordsUnavailable
from dashboard.records import (
    Records,
    StudyState,
    UploadState,
    add_study,
    get_upload,
    list_findings,
    open_jobs,
    open_records,
    worklist,
)
from dashboard.settings import REPOSITORY, Settings, load_settings
from dashboard.work import receive_files, study_job
from dashboard.work.engine import Engine
from dashboard.work.worker import Worker
from tests.postgresql import Server, needed_programs
from tests.work.test_worker import drive, drop, studies, work

PATIENCE_S = 120.0
MIB = 1024**2


def wait_for(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not what():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.02)


@contextmanager
def working(records: Records, engine: Engine) -> Iterator[None]:
    """A worker at work for the block."""
    worker, over = Worker(records, engine), threading.Event()
    thread = threading.Thread(target=drive, args=(worker, over.is_set))
    thread.start()
    try:
        yield
    finally:
        over.set()
        worker.stop()
        thread.join()


def idle(records: Records) -> bool:
    with records.reading() as session:
        return open_jobs(session) == 0


def one_result(records: Records, upload_id: str) -> None:
    """What was received ended as if nothing had happened."""
    with records.reading() as session:
        upload = get_upload(session, upload_id)
        (study,) = worklist(session)
        assert len(list_findings(session, study.id)) == 1
    assert (upload.state, upload.accepted, upload.rejected) == (UploadState.DONE, 49, 0)
    assert "stopped unexpectedly" not in " ".join(study.reasons)
    assert study.state in (StudyState.GRADED, StudyState.NOT_ANALYSED)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 48 MiB of our own; skips where we may not mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", folder], capture_output=True).returncode:
        pytest.skip("a disk of our own can only be mounted as the administrator of the machine")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.fixture
def on_small_disk(small_disk: Path, models_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr("dashboard.records.inbox.RESERVE_BYTES", 0)
    return load_settings({"TRIAGE_DATA_DIR": str(small_disk / "data"), "TRIAGE_MODELS_DIR": str(models_dir)})


def fill(folder: Path) -> Path:
    """Take every byte that is left."""
    path = folder / "filler"
    with path.open("wb", buffering=0) as file:
        for size in (MIB, 4096, 1):
            try:
                while True:
                    file.write(b"\1" * size)
            except OSError:
                continue
    return path


@pytest.mark.parametrize("moment", ["before reading", "before analysing"])
def test_a_full_disk_is_told_and_the_work_goes_on_once_there_is_room(
    on_small_disk: Settings,
    engine: Engine,
    demonstration: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    moment: str,
) -> None:
    monkeypatch.setattr("dashboard.work.worker.BEAT_S", 0.05)
    records = open_records(on_small_disk)
    fillers: list[Path] = []
    try:
        upload = receive_files(records, [demonstration])
        if moment == "before reading":
            fillers.append(fill(on_small_disk.data_dir.parent))
        else:
            real = study_job.triage_study

            def fill_first(*arguments: object) -> object:
                if not fillers:
                    fillers.append(fill(on_small_disk.data_dir.parent))
                return real(*arguments)  # type: ignore[arg-type]

            monkeypatch.setattr(study_job, "triage_study", fill_first)
        with working(records, engine):
            wait_for(lambda: caplog.text.count("disk is full") + caplog.text.count("OSError") > 4)
            with records.reading() as session:
                assert all(not list_findings(session, study.id) for study in worklist(session))
            fillers[0].unlink()
            wait_for(lambda: idle(records))
        one_result(records, upload.id)
    finally:
        records.close()


def test_a_read_only_disk_is_told_and_everything_is_there_afterwards(
    on_small_disk: Settings, engine: Engine, demonstration: Path
) -> None:
    records = open_records(on_small_disk)
    drop(records, engine, demonstration)
    records.close()
    disk = on_small_disk.data_dir.parent
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    words = []
    for attempt in (lambda site: receive_files(site, [demonstration]), lambda site: add(site)):
        with pytest.raises(RecordsError) as told:
            site = open_records(on_small_disk)
            try:
                attempt(site)
            finally:
                site.close()
        words.append(str(told.value))
    assert all(re.search("may only be read|cannot be opened", one) for one in words), words
    subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
    records = open_records(on_small_disk)
    assert len(studies(records)) == 1
    records.close()


def add(records: Records) -> None:
    with records.writing() as session:
        add_study(session, "2.25.1", "patient", datetime.now(UTC))


def test_a_database_damaged_while_we_run_is_told(records: Records, engine: Engine, demonstration: Path) -> None:
    drop(records, engine, demonstration)
    records.close()
    path = records.settings.own_database_file
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + os.urandom(len(whole) - 4096))
    with pytest.raises(RecordsError, match="damaged"):
        site = open_records(records.settings)
        try:
            studies(site)
        finally:
            site.close()
    path.write_bytes(whole)
    site = open_records(records.settings)
    assert len(studies(site)) == 1
    site.close()


def test_a_database_taken_away_while_we_run_is_told_and_loses_nothing(
    records: Records, engine: Engine, demonstration: Path
) -> None:
    """Without a check SQLite would go on writing to the file that nobody can find any more."""
    drop(records, engine, demonstration)
    path = records.settings.own_database_file
    away = path.rename(path.with_name("elsewhere"))
    for _ in range(2):
        with pytest.raises(RecordsUnavailable, match="taken away"):
            studies(records)
        with pytest.raises(RecordsUnavailable, match="taken away"):
            receive_files(records, [demonstration])
    assert not path.exists(), "an empty database took its place"
    away.rename(path)
    assert len(studies(records)) == 1
    add(records)


def test_a_lost_database_is_not_replaced_by_an_empty_one(records: Records, engine: Engine, demonstration: Path) -> None:
    drop(records, engine, demonstration)
    records.close()
    path = records.settings.own_database_file
    path.unlink()
    with pytest.raises(RecordsError, match="database is missing"):
        open_records(records.settings)
    assert not path.exists()


def test_the_start_tells_a_damaged_database_in_words(tmp_path: Path) -> None:
    (tmp_path / "triage.sqlite3").write_bytes(b"this is no database" * 1000)
    environment = {**os.environ, "TRIAGE_DATA_DIR": str(tmp_path), "PYTHONPATH": str(REPOSITORY)}
    command = [sys.executable, "-c", "import dashboard.app"]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert ended.returncode == 1
    assert "The database is damaged: put back the latest backup" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.fixture
def own_server() -> Iterator[Server]:
    """A server that may be killed."""
    server = Server(needed_programs())
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.mark.slow
def test_a_database_server_that_is_killed_and_comes_back_loses_nothing(
    own_server: Server,
    settings: Settings,
    engine: Engine,
    demonstration: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("dashboard.work.worker.BEAT_S", 0.05)
    records = open_records(replace(settings, database_url=own_server.address("postgres")))
    try:
        upload = receive_files(records, [demonstration])
        own_server.kill()
        for _ in range(3):
            with pytest.raises(RecordsUnavailable, match="does not answer"):
                studies(records)
            with pytest.raises(RecordsUnavailable, match="does not answer"):
                add(records)
        with working(records, engine):
            wait_for(lambda: "does not answer" in caplog.text)
            own_server.start()
            wait_for(lambda: idle(records))
        one_result(records, upload.id)
        work(records, engine)
    finally:
        records.close()


@pytest.mark.slow
def test_a_database_server_that_is_killed_in_the_middle_of_a_job(
    own_server: Server,
    settings: Settings,
    engine: Engine,
    demonstration: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("dashboard.work.worker.BEAT_S", 0.05)
    monkeypatch.setattr("dashboard.work.worker.RECOVER_EVERY", timedelta(0))
    real = study_job.triage_study
    killed: list[bool] = []

    def kill_first(*arguments: object) -> object:
        result = real(*arguments)  # type: ignore[arg-type]
        if not killed:
            killed.append(True)
            own_server.kill()
        return result

    monkeypatch.setattr(study_job, "triage_study", kill_first)
    records = open_records(replace(settings, database_url=own_server.address("postgres")))
    try:
        upload = receive_files(records, [demonstration])
        with working(records, engine):
            wait_for(lambda: bool(killed))
            own_server.start()
            wait_for(lambda: idle(records))
        one_result(records, upload.id)
    finally:
        records.close()


def test_a_server_that_is_not_there_is_told_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(RecordsUnavailable, match="does not answer") as told:
        open_records(
            load_settings(
                {
                    "TRIAGE_DATA_DIR": str(tmp_path),
                    "TRIAGE_DATABASE_URL": "postgresql://triage:secret4711@127.0.0.1:1/triage",
                }
            )
        )
    assert "4711" not in str(told.value)


def test_a_wrong_password_is_told_without_it(postgresql: Server, tmp_path: Path) -> None:
    address = re.sub(r":[^:@]+@", ":secret4711@", postgresql.address("postgres"))
    with pytest.raises(RecordsError, match="refuses us: check name, password") as told:
        open_records(load_settings({"TRIAGE_DATA_DIR": str(tmp_path), "TRIAGE_DATABASE_URL": address}))
    assert "4711" not in str(told.value)
