"""Keeps the cluster's workers busy as long as jobs wait in the database.

The database is the truth: which jobs there are, in which order, whose they are. The dispatcher only wakes as many
workers as there is work for. It keeps nothing that could be lost: after any failure, its own included, it looks at the
database and begins anew; two of them, of two replicas of the server, do not disturb each other.
"""

import logging
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import CancelledError
from typing import TYPE_CHECKING, Any

from dashboard.errors import RecordsError, SettingsError
from dashboard.records import Records, job_counts
from dashboard.work.cluster import connected
from dashboard.work.tasks import look_after_others, run_next_job

if TYPE_CHECKING:
    from distributed import Client, Future

POLL_S = 0.1
# While each worker has one to go on with, only the end of a task gives reason to look at the database so soon.
AMPLE_POLL_S = 1.0
# How often somebody is asked to look for jobs whose worker died, while any runs; and otherwise, for housekeeping.
LOOK_S, IDLE_LOOK_S = 3.0, 600.0
COUNT_WORKERS_S, RECOUNT_WORKERS_S = 1.0, 5.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
# After so many tasks in a row that found nothing, though jobs wait and none runs, what waits is for a machine that is
# away, and is looked for less often.
FRUITLESS_TASKS = 8
# A connection that lasted this long did not fail at its start; the next pause is short again.
LASTED_S = 60.0

log = logging.getLogger(__name__)


class Dispatcher:
    """Has jobs done by a cluster until it is stopped.

    Parameters
    ----------
    records
        The site's records; closed by the caller.
    """

    def __init__(self, records: Records) -> None:
        self._records = records
        self._stop, self._wake = threading.Event(), threading.Event()
        self._tasks: set[Future[Any]] = set()
        self._workers, self._counted, self._looked = 0, 0.0, 0.0
        self._refused, self._fruitless = False, 0

    def stop(self) -> None:
        """Have :meth:`run` return; jobs that run now run again at the next start."""
        self._stop.set()
        self._wake.set()

    def run(self) -> None:
        """Dispatch until :meth:`stop` is called; a cluster that is lost is connected to, or started, again.

        Raises
        ------
        SettingsError
            The cluster's address is malformed.
        """
        settings, pause_s = self._records.settings, FIRST_PAUSE_S
        while not self._stop.is_set():
            began = time.monotonic()
            try:
                with connected(settings.scheduler, settings.workers, settings.scratch_dir) as client:
                    log.info("connected to the scheduler")
                    self._serve(client)
            except SettingsError:
                raise
            except Exception as error:  # noqa: BLE001 - whatever breaks in the cluster, the jobs are in the database
                log.error("the scheduler is lost (%s); jobs wait, connecting again", type(error).__name__)
            self._tasks.clear()
            pause_s = FIRST_PAUSE_S if time.monotonic() - began > LASTED_S else min(2 * pause_s, LONGEST_PAUSE_S)
            self._stop.wait(pause_s)

    def _serve(self, client: "Client") -> None:
        self._counted = self._looked = 0.0
        ample = False
        while not self._pause(ample):
            if client.status not in ("running", "newly-created"):
                raise ConnectionError("the connection to the scheduler has ended")
            self._forget_ended()
            self._count_workers(client)
            try:
                with self._records.reading() as session:
                    counts = job_counts(session)
            except RecordsError as error:
                log.error("%s", error)
                self._stop.wait(LOOK_S)
                continue
            ample = self._dispatch(client, counts.waiting, counts.running)

    def _pause(self, ample: bool) -> bool:
        """Wait, the longer while there is nothing to submit; return whether to stop."""
        if ample:
            self._wake.wait(AMPLE_POLL_S)
        self._wake.clear()
        return self._stop.wait(POLL_S)

    def _dispatch(self, client: "Client", waiting: int, running: int) -> bool:
        """Submit as many tasks as find work; one too many finds none and ends at once.

        Returns whether every worker has one to go on with.
        """
        if running or not waiting:
            self._fruitless = 0
        elif self._fruitless >= FRUITLESS_TASKS:
            self._stop.wait(AMPLE_POLL_S)
        pause_s = LOOK_S if running else IDLE_LOOK_S
        if self._workers and time.monotonic() - self._looked > pause_s:
            self._looked = time.monotonic()
            self._submit(client, look_after_others, priority=1)
        queued = max(0, len(self._tasks) - running)
        # One for each worker to go on with, so that none waits for the next look at the database.
        for _ in range(min(waiting, 2 * self._workers) - queued):
            self._submit(client, run_next_job, priority=0)
        return 0 < 2 * self._workers <= len(self._tasks)

    def _submit(self, client: "Client", work: Callable[[], Any], priority: int) -> None:
        key = f"triage-{uuid.uuid4().hex}"
        task = client.submit(work, key=key, priority=priority, pure=False, retries=0)
        task.add_done_callback(lambda _: self._wake.set())
        self._tasks.add(task)

    def _count_workers(self, client: "Client") -> None:
        if time.monotonic() - self._counted > (RECOUNT_WORKERS_S if self._workers else COUNT_WORKERS_S):
            self._counted = time.monotonic()
            self._workers = sum(client.nthreads().values())
            if client.cluster is not None:
                # A worker that dies at its very start is given up by Dask; our own cluster is asked for another.
                client.cluster.scale(self._records.settings.workers)

    def _forget_ended(self) -> None:
        """Let go of tasks that have ended; a cluster that could not load them is not asked again at once."""
        self._refused = False
        self._tasks = {task for task in self._tasks if not self._over(task)}
        if self._refused:
            log.error("the cluster cannot load this software (README, 'Jobs'); jobs wait, trying again")
            self._stop.wait(LOOK_S)

    def _over(self, task: "Future[Any]") -> bool:
        """Whether a task has ended. One whose worker died is over, too: its job is taken back by the next look."""
        if not task.done():
            return False
        if task.status == "finished":
            self._fruitless = self._fruitless + 1 if self._found_nothing(task) else 0
        elif task.status == "error":
            try:
                task.result(timeout=1)
            except CancelledError:
                log.warning("a task was cancelled")
            except RuntimeError:
                # What Dask says when its scheduler or a worker has another environment than ours.
                self._refused = True
            except Exception as error:  # noqa: BLE001 - the worker that failed has noted its job's failure itself
                log.error("a task ended with %s; its job runs again", type(error).__name__)
        return True

    @staticmethod
    def _found_nothing(task: "Future[Any]") -> bool:
        """Whether a task came for a job and found none; one whose answer does not arrive counts as one that did."""
        try:
            return task.result(timeout=1) is False
        except Exception as error:  # noqa: BLE001 - a scheduler that is lost is noticed by what comes next
            log.warning("what a task found is not known (%s)", type(error).__name__)
            return False
