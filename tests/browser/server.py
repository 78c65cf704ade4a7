"""The application as its README starts it, for tests that drive it from outside."""

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.browser.provider import free_port

START_S = 60


class Server:
    """The application as its README starts it, on a data folder of its own."""

    def __init__(self, repository: Path, data_dir: Path, settings: Mapping[str, str] | None = None) -> None:
        self._repository, self.data_dir = repository, data_dir
        self.port = free_port()
        self.settings = dict(settings or {})
        self.log = data_dir.parent / "server-output.txt"

    @property
    def url(self) -> str:
        """Address of the first screen."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start, and wait until it answers."""
        command = [sys.executable, "-m", "streamlit", "run", "dashboard/app.py", "--server.port", str(self.port)]
        environment = os.environ | {"TRIAGE_DATA_DIR": str(self.data_dir)} | self.settings
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                command, cwd=self._repository, env=environment, stdout=output, stderr=output, start_new_session=True
            )
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=5) as answer:
                    if answer.status == 200:
                        return
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
            if self._process.poll() is not None:
                break
        raise RuntimeError(f"the server did not start: {self.log.read_text(errors='replace')[-2000:]}")

    @property
    def pid(self) -> int:
        """Process of the server."""
        return self._process.pid

    def stop(self, number: int = signal.SIGTERM) -> None:
        """End the server by a signal and wait for it."""
        self._process.send_signal(number)
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@contextmanager
def serving(repository: Path, data_dir: Path) -> Iterator[Server]:
    """A server that runs for the block, on what lies in a data folder."""
    server = Server(repository, data_dir)
    server.start()
    try:
        yield server
    finally:
        server.stop()
