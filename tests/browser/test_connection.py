"""A page whose server is gone says so, since when, and goes on by itself."""

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.server import Server
from tests.browser.team import one_study
from tests.browser.viewer import expect_picture

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ROWS = "tbody tr[data-id]"
# Not any alert: Streamlit shows one in place of each part whose script it could not load any more.
TOLD = "#triage-connection[role=alert]"
WORDS = re.compile(r"^No connection to the server since \d\d:\d\d:\d\d\. This page is as it was then: .*\.$")
# As uploading.js and viewer/frames.js have it.
SILENT_UPLOAD_MS, SILENT_PICTURE_MS = 60_000, 30_000
WATCH = """
  window.dialogFrames = 0;
  const look = () => {
    if ([...document.querySelectorAll(".stDialog")].some((one) => one.checkVisibility())) dialogFrames += 1;
    requestAnimationFrame(look);
  };
  look();
"""


@pytest.fixture
def server(repository: Path, tmp_path: Path) -> Iterator[Server]:
    """A server with one study."""
    yield from one_study(repository, tmp_path / "data")


def test_a_killed_server_is_told_over_the_old_list_and_the_page_goes_on_when_it_is_back(
    page: Page, server: Server
) -> None:
    page.goto(server.url)
    expect(page.locator(ROWS)).to_have_count(1)
    page.evaluate(WATCH)
    page.locator(ROWS).focus()
    # Time for the scripts of the page's parts to be loaded.
    page.wait_for_timeout(1000)
    server.stop(signal.SIGKILL)
    told = page.locator(TOLD)
    expect(told).to_have_text(WORDS)
    # The list stays readable under it: no dialog about the internet, and the focus is where it was.
    page.wait_for_timeout(4000)
    assert page.evaluate("dialogFrames") == 0
    assert page.locator("#root").get_attribute("inert") is None
    expect(page.locator(ROWS)).to_be_focused()
    server.start()
    expect(told).to_have_count(0)
    # A server that was started anew does not know the page: loaded anew, it answers clicks.
    expect(page.locator(ROWS)).to_have_count(1)
    assert page.evaluate("window.dialogFrames") is None
    page.locator(ROWS).click()
    expect(page).to_have_url(re.compile("/study"))


def test_a_server_that_hangs_with_its_connections_open_is_told_too(page: Page, server: Server) -> None:
    page.goto(server.url)
    expect(page.locator(ROWS)).to_have_count(1)
    page.evaluate("window.kept = true")
    os.kill(server.pid, signal.SIGSTOP)
    try:
        expect(page.locator(TOLD)).to_have_text(WORDS)
    finally:
        os.kill(server.pid, signal.SIGCONT)
    expect(page.locator(TOLD)).to_have_count(0)
    # What somebody was typing is still there.
    assert page.evaluate("window.kept") is True
    page.locator(ROWS).click()
    expect(page).to_have_url(re.compile("/study"))


class Hanging:
    """Answers the first requests of an address never, and has the others go through."""

    def __init__(self, page: Page, address: re.Pattern[str], first: int) -> None:
        self.asked, self._page, self._first = 0, page, first
        page.route(address, self._answer)

    def expect_first(self) -> None:
        """Wait until all that hang have been asked."""
        while self.asked < self._first:
            self._page.wait_for_timeout(100)

    def _answer(self, route: Route) -> None:
        self.asked += 1
        if self.asked > self._first:
            route.continue_()


def test_an_upload_whose_line_is_dead_is_sent_again(page: Page, server: Server, study_zip: Path) -> None:
    page.clock.install()
    page.goto(server.url)
    expect(page.locator(ROWS)).to_have_count(1)
    hanging = Hanging(page, re.compile("/api/uploads/.+/(files|batch)"), 1)
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose files or ZIPs").click()
    chooser.value.set_files(study_zip)
    hanging.expect_first()
    page.clock.fast_forward(SILENT_UPLOAD_MS - 10_000)
    page.wait_for_timeout(500)
    assert hanging.asked == 1
    page.clock.fast_forward(20_000)
    expect(page.locator(ROWS)).to_have_count(2)
    assert hanging.asked == 2


def test_a_picture_that_never_comes_is_asked_for_again(page: Page, server: Server) -> None:
    page.clock.install()
    page.goto(server.url)
    # As many as are asked for at once.
    hanging = Hanging(page, re.compile("/api/pictures/.+/lossless"), 4)
    page.locator(ROWS).click()
    expect(page.locator(".pane").first).to_be_visible()
    hanging.expect_first()
    page.clock.fast_forward(SILENT_PICTURE_MS - 10_000)
    page.wait_for_timeout(500)
    assert hanging.asked == 4
    page.clock.fast_forward(20_000)
    expect_picture(page)


def test_nothing_is_said_while_the_server_answers(page: Page, server: Server) -> None:
    page.add_init_script("""
      window.told = 0;
      new MutationObserver(() => { if (document.querySelector("#triage-connection")) told += 1; })
        .observe(document, { childList: true, subtree: true });
    """)
    page.goto(server.url)
    expect(page.locator(ROWS)).to_have_count(1)
    page.wait_for_timeout(12_000)
    assert page.evaluate("told") == 0
