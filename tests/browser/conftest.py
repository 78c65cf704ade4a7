"""A real server on a free port, and Debian's Chromium to look at it."""

import io
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pydicom
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from dashboard.exchange.demonstration import write_demonstration
from tests.browser.provider import free_port

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
START_S = 60
expect.set_options(timeout=60_000)
HOSTILE = '<img src=x onerror="window.pwned=1">'


class Server:
    """The application as its README starts it, on a data folder of its own."""

    def __init__(self, repository: Path, data_dir: Path, settings: Mapping[str, str] | None = None) -> None:
        self._repository, self._data_dir = repository, data_dir
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
        environment = os.environ | {"TRIAGE_DATA_DIR": str(self._data_dir)} | self.settings
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

    def stop(self, number: int = signal.SIGTERM) -> None:
        """End the server by a signal and wait for it."""
        self._process.send_signal(number)
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Headless Chromium; absent, the test is skipped, or fails where CI is set.

    Ends with the module: while it lives, playwright keeps an event loop running in this thread, and no other test
    could start one.
    """
    if not Path(CHROMIUM).exists():
        message = "Chromium is not installed: apt-get install chromium"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def server(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with an empty site, for all tests of a module."""
    running = Server(repository, tmp_path_factory.mktemp("site") / "data")
    running.start()
    yield running
    running.stop()


@pytest.fixture
def page(browser: Browser, server: Server) -> Iterator[Page]:
    """A fresh visitor; anything the page itself reports as an error fails the test."""
    context = browser.new_context(viewport={"width": 1366, "height": 768})
    context.set_default_timeout(60_000)
    visitor = context.new_page()
    errors: list[str] = []
    visitor.on("pageerror", lambda error: errors.append(str(error)))
    yield visitor
    context.close()
    assert errors == []


@pytest.fixture(scope="session")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a synthetic study with a tumour."""
    folder = tmp_path_factory.mktemp("made") / "study"
    write_demonstration(folder)
    return folder


@pytest.fixture(scope="session")
def study_zip(demonstration: Path) -> Path:
    """That study as somebody else's, in one ZIP, beside a file that is no image."""
    return _zip(demonstration, "OKAFOR^NGOZI", "RXH-1", "AX T2")


@pytest.fixture(scope="session")
def hostile_folder(demonstration: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """That study with markup in every text a person types at a scanner, two folders down."""
    folder = tmp_path_factory.mktemp("dropped")
    inner = folder / "DICOM" / "S0001"
    inner.mkdir(parents=True)
    _zip(demonstration, HOSTILE, f"**x** {HOSTILE}", HOSTILE).rename(inner / "images.zip")
    return folder


def _zip(folder: Path, name: str, number: str, description: str) -> Path:
    path = folder.parent / f"{len(list(folder.parent.iterdir()))}.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("study/notes.txt", "not an image")
        for file in sorted(folder.iterdir()):
            dataset = pydicom.dcmread(file)
            written = io.BytesIO()
            with warnings.catch_warnings():
                # A hostile name breaks the rules of its kind, which is the point.
                warnings.simplefilter("ignore")
                dataset.PatientName, dataset.PatientID = name, number
                dataset.StudyInstanceUID = f"{dataset.StudyInstanceUID[:50]}.{len(number)}"
                dataset.StudyDescription = description
                dataset.save_as(written)
            archive.writestr(f"study/{file.name}", written.getvalue())
    return path
