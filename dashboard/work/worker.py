"""A worker: does jobs of the database's queue one at a time, with the models kept warm. Dask says when.

A worker holds the lock of ``workers/<name>.lock`` as long as it lives; the system lets go of it however it dies, so
another worker on this machine knows at once. Workers elsewhere are known by their heartbeat.
"""

import fcntl
import logging
import os
import threading
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from dashboard.errors import RecordsError, RecordsUnavailable, TriageError
from dashboard.records import (
    MAX_ATTEMPTS,
    Job,
    JobKind,
    Records,
    beat,
    claim_job,
    end_job,
    has_waiting_job,
    mark_failed,
    new_id,
    release_job,
    release_jobs,
    running_workers,
    settle_upload,
)
from dashboard.records.files import FOR_NOW, PRIVATE_FILE, make_private_dir, plain_os_errors
from dashboard.work.engine import Engine
from dashboard.work.housekeeping import tidy
from dashboard.work.study_job import give_up_on_study, triage_stored_study
from dashboard.work.triage import STOPPED, without_words
from dashboard.work.upload_job import read_upload

BEAT_S = 2.0
TIDY_EVERY = timedelta(hours=1)
SILENT_FOR = timedelta(seconds=60)
GAVE_UP_READING = f"Reading these files stopped unexpectedly {MAX_ATTEMPTS} times; send them again in smaller parts."

log = logging.getLogger(__name__)


class Worker:
    """One worker of one process.

    Parameters
    ----------
    records
        The site's records; closed by the caller.
    engine
        Models, loaded.
    """

    def __init__(self, records: Records, engine: Engine) -> None:
        self._records, self._engine = records, engine
        self._stop, self._busy = threading.Event(), threading.Event()
        self._heart = threading.Thread(target=self._beat, name="heartbeat", daemon=True)
        self._settling = ThreadPoolExecutor(1, thread_name_prefix="settle")
        self._tidied = datetime.min.replace(tzinfo=UTC)
        self.name = new_id()

    def open(self) -> None:
        """Begin: hold the lock that tells the living from the dead, and let the heart beat."""
        self._lock = hold_lock(self._locks_dir() / f"{self.name}.lock")
        self._heart.start()

    def close(self) -> None:
        """End, after the present job."""
        self._stop.set()
        self._heart.join()
        self._settling.shutdown()
        (self._locks_dir() / f"{self.name}.lock").unlink(missing_ok=True)
        os.close(self._lock)

    def turn(self) -> bool:
        """Do one job; False when there was none, or the records cannot be reached for now."""
        try:
            job = self._claim()
        except RecordsError as error:
            log.error("%s", error)
            self._stop.wait(BEAT_S)
            return False
        if job is not None:
            self._do(job)
        return job is not None

    def look_after_others(self) -> None:
        """Take back jobs of workers that died, and clear what they left."""
        try:
            self._look_after_others()
        except RecordsError as error:
            log.error("%s", error)
            self._stop.wait(BEAT_S)

    def _claim(self) -> Job | None:
        here = self._records.uploads_here()
        with self._records.reading() as session:
            if not has_waiting_job(session, here):
                return None
        with self._records.writing() as session:
            return claim_job(session, self.name, datetime.now(UTC), here)

    def _do(self, job: Job) -> None:
        self._busy.set()
        try:
            if job.kind is JobKind.READ_UPLOAD:
                read_upload(self._records, job, self._engine)
                self._afterwards(settle_upload, self._records, job.subject_id)
            else:
                triage_stored_study(self._records, job, self._engine)
        except Exception as error:  # noqa: BLE001 - whatever a foreign decoder throws must not end the worker
            self._failed(job, error)
        finally:
            self._busy.clear()

    def _failed(self, job: Job, error: Exception) -> None:
        """Note a failure without its text, which may quote a header, and let the job be tried again."""
        log.error("%s, attempt %d: %s", job.kind.value, job.attempts, without_words(error))
        try:
            passes = isinstance(error, RecordsUnavailable) or getattr(error, "errno", None) in FOR_NOW
            if job.attempts >= MAX_ATTEMPTS and not passes:
                self._give_up(job)
            else:
                with self._records.writing() as session:
                    release_job(session, job, counts=not passes)
        except TriageError as second:
            # Still ours in the database: the next look after silent workers finds it.
            log.error("%s", second)
        self._stop.wait(BEAT_S if isinstance(error, RecordsError | OSError) else 0)

    def _give_up(self, job: Job) -> None:
        if job.kind is JobKind.TRIAGE_STUDY:
            give_up_on_study(self._records, job, self._engine, STOPPED)
            return
        with self._records.writing() as session:
            if end_job(session, job, datetime.now(UTC)):
                mark_failed(session, job.subject_id, GAVE_UP_READING, datetime.now(UTC))

    def _look_after_others(self) -> None:
        now = datetime.now(UTC)
        with self._records.reading() as session:
            holders = running_workers(session)
        if holders:
            self._take_back(holders, now)
        if now - self._tidied >= TIDY_EVERY:
            self._tidied = now
            self._afterwards(tidy, self._records, now)

    def _take_back(self, holders: Collection[str], now: datetime) -> None:
        # Between two jobs nothing is ours: a job that seems to be could not be let go of when it failed.
        dead = {name for name in holders if name == self.name or is_dead(self._locks_dir() / f"{name}.lock")}
        with self._records.writing() as session:
            released, poisoned = release_jobs(session, now, SILENT_FOR, dead)
        if released or poisoned:
            log.warning("%d jobs of failed workers taken back, %d given up", len(released), len(poisoned))
        for job in poisoned:
            self._give_up(job)

    def _afterwards(self, function: Callable[..., None], *arguments: object) -> None:
        """Run something beside the jobs; what goes wrong there is logged."""

        def run() -> None:
            try:
                function(*arguments)
            except Exception as error:  # noqa: BLE001 - nobody waits for this, so that nobody else would hear of it
                log.error("%s: %s", function.__name__, without_words(error))

        self._settling.submit(run)

    def _beat(self) -> None:
        while not self._stop.wait(BEAT_S):
            if not self._busy.is_set():
                continue
            try:
                with self._records.writing() as session:
                    beat(session, self.name, datetime.now(UTC))
            except RecordsError as error:
                log.error("%s", error)

    def _locks_dir(self) -> Path:
        folder = self._records.settings.data_dir / "workers"
        make_private_dir(folder)
        return folder


def hold_lock(path: Path) -> int:
    """Open and lock a file; the handle returned must stay open."""
    with plain_os_errors("The data folder"):
        handle = os.open(path, os.O_RDWR | os.O_CREAT, PRIVATE_FILE)
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    # For whoever wants to know which process holds a job; on a full disk the lock alone must do.
    with suppress(OSError):
        os.write(handle, f"{os.getpid()}\n".encode())
    return handle


def is_dead(path: Path) -> bool:
    """Whether the worker that held this lock is gone. A lock that is not here may belong to another machine."""
    with suppress(FileNotFoundError), path.open("rb+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        path.unlink(missing_ok=True)
        return True
    return False
