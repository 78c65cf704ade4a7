"""A real server on a free port, and Debian's Chromium to look at it."""

import io
import os
import shutil
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pydicom
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from dashboard.exchange.demonstration import write_demonstration
from tests.browser.provider import Provider
from tests.browser.server import Server, serving
from tests.browser.team import OTHER, PATIENT, Team
from tests.screens.site import add_result, open_site

__all__ = ["Server"]
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
expect.set_options(timeout=60_000)
HOSTILE = '<img src=x onerror="window.pwned=1">'


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
    with serving(repository, tmp_path_factory.mktemp("site") / "data") as running:
        yield running


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


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    running = Provider()
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def team(repository: Path, tmp_path_factory: pytest.TempPathFactory, provider: Provider) -> Iterator[Team]:
    """The server as a team would run it."""
    folder = tmp_path_factory.mktemp("team") / "data"
    records = open_site(folder)
    study, other = add_result(records, "3", PATIENT), add_result(records, "2", OTHER)
    server = Server(repository, folder)
    server.settings = {
        "TRIAGE_OIDC_METADATA_URL": provider.metadata_url,
        "TRIAGE_OIDC_CLIENT_ID": "spine-triage",
        "TRIAGE_OIDC_CLIENT_SECRET": "secret of the tests",
        "TRIAGE_PUBLIC_URL": server.url,
        "TRIAGE_ADMINS": "ADA@example.org",
    }
    server.start()
    yield Team(server, records, study, other)
    server.stop()
    records.close()


@pytest.fixture
def visitor(browser: Browser, team: Team) -> Iterator[Callable[[], Page]]:
    """Somebody with a browser of their own; a page that reports an error fails the test."""
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    def come() -> Page:
        context = browser.new_context(viewport={"width": 1366, "height": 768})
        context.set_default_timeout(60_000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("request", lambda request: team.asked.append(request.url))
        return page

    yield come
    for context in contexts:
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
