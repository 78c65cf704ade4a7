"""The embedded worker: a child process that the application starts, replaces when it dies, and takes along at its end.

A process, not a thread: decoding holds Python's global lock, and a damaged file that kills a decoder must not take
the pages with it. The child notices the end of its parent, however sudden, by the end of its standard input.
"""

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping

from dashboard.settings import REPOSITORY

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
# A worker that lived this long did not die of its start; the next pause is short again.
LIVED_S = 60.0
GRACE_S = 3.0

log = logging.getLogger(__name__)


class WorkerProcess:
    """Keeps one worker running between :meth:`start` and :meth:`stop`.

    Parameters
    ----------
    environment
        Settings of the worker as environment variables; those of this process when None.
    """

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._environment = dict(os.environ if environment is None else environment)
        self._stop = threading.Event()
        self._child: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._keep_running, name="worker-process", daemon=True)

    def start(self) -> None:
        """Start the worker and watch over it."""
        self._child = self._spawn()
        self._thread.start()

    def stop(self) -> None:
        """End the worker; a job it was at runs again at the next start."""
        self._stop.set()
        if self._child is not None:
            _end(self._child)
        if self._thread.is_alive():
            self._thread.join()

    @property
    def pid(self) -> int | None:
        """Process id of the present worker."""
        return None if self._child is None else self._child.pid

    @property
    def alive(self) -> bool:
        """Whether the worker runs now; between a death and the next start it does not."""
        return self._child is not None and self._child.poll() is None

    def _spawn(self) -> subprocess.Popen[bytes]:
        search_path = os.pathsep.join(filter(None, [str(REPOSITORY), self._environment.get("PYTHONPATH", "")]))
        # A session of its own: Ctrl-C in the terminal is for the server, which then ends its worker.
        return subprocess.Popen(
            [sys.executable, "-m", "dashboard", "worker", "--child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            env={**self._environment, "PYTHONPATH": search_path},
            start_new_session=True,
        )

    def _keep_running(self) -> None:
        pause_s = FIRST_PAUSE_S
        while self._child is not None:
            began = time.monotonic()
            status = self._child.wait()
            if self._child.stdin is not None:
                self._child.stdin.close()
            if self._stop.is_set():
                return
            if time.monotonic() - began > LIVED_S:
                pause_s = FIRST_PAUSE_S
            log.warning("the worker ended with status %d; another starts in %.1f s", status, pause_s)
            if self._stop.wait(pause_s):
                return
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
            self._child = self._spawn_again(pause_s)
            if self._child is not None and self._stop.is_set():
                _end(self._child)

    def _spawn_again(self, pause_s: float) -> "subprocess.Popen[bytes] | None":
        """A new worker, as soon as the machine has room for one; None when that is no longer wanted."""
        while not self._stop.is_set():
            try:
                return self._spawn()
            except OSError as error:
                # Out of memory or processes, most likely for as long as what killed the last one lasts.
                log.error("the worker could not be started (%s); tried again in %.1f s", error.strerror, pause_s)
                self._stop.wait(pause_s)
        return None


def _end(child: subprocess.Popen[bytes]) -> None:
    """End a child: gently, then not."""
    child.terminate()
    try:
        child.wait(GRACE_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    if child.stdin is not None:
        child.stdin.close()
