"""One person's day with the page, in a real browser against the real server, worker and models."""

import re
import signal
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import HOSTILE, Server
from tests.browser.viewer import expect_picture, expect_slice, pane, slice_of

pytestmark = [pytest.mark.browser, pytest.mark.slow]

GRADED = re.compile("immediate|urgent|soon|routine")


def drop(page: Page, path: Path) -> None:
    """Drag a file or folder of this machine onto the page, away from the zone, and let go."""
    browser = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(path)], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        browser.send("Input.dispatchDragEvent", {"type": kind, "x": 600, "y": 600, "data": data})


def row(page: Page, patient: str) -> Locator:
    """Line of the worklist that names a patient."""
    return page.locator("tbody tr[data-id]").filter(has_text=patient)


def test_the_demonstration_study_is_one_click_away(page: Page, server: Server) -> None:
    page.goto(server.url)
    page.get_by_role("button", name="Open the demonstration study").click()
    expect(page.locator(".triage-head .synthetic")).to_be_visible()
    expect(page.locator(".triage-head")).to_contain_text("suspected grade")
    expect_picture(page)
    page.get_by_role("button", name="Worklist").click()
    expect(page.locator("tbody tr[data-id]")).to_have_attribute("data-tier", GRADED)


def test_a_zip_goes_through_the_file_chooser(page: Page, server: Server, study_zip: Path) -> None:
    page.goto(server.url)
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose files or ZIPs").click()
    chooser.value.set_files(study_zip)
    expect(row(page, "OKAFOR, NGOZI")).to_have_attribute("data-tier", GRADED)
    page.get_by_role("button", name="Files not used").first.click()
    expect(page.locator("h2")).to_contain_text("1 file of this upload not used")


def test_a_dropped_folder_full_of_markup_is_harmless(page: Page, server: Server, hostile_folder: Path) -> None:
    page.goto(server.url)
    expect(page.get_by_role("button", name="Choose folder")).to_be_visible()
    drop(page, hostile_folder)
    line = row(page, "<img src")
    expect(line).to_have_attribute("data-tier", GRADED)
    line.click()
    expect(page.locator(".triage-head")).to_contain_text("<img src")
    expect_picture(page)
    assert page.evaluate("window.pwned") is None
    assert page.locator("img[src='x']").count() == 0
    assert HOSTILE[:4] not in page.url
    assert page.title() == "Spine Triage"


def test_keyboard_alone_opens_a_study_and_moves_through_it(page: Page, server: Server) -> None:
    page.goto(server.url)
    first = page.locator("tbody tr[data-id]").first
    first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    # The list that had the focus may still be in the document: the first key must reach the study all the same.
    shown = slice_of(page)
    page.keyboard.press("ArrowDown")
    expect_slice(page, shown + 1)
    page.keyboard.press("w")
    expect_slice(page, shown)
    page.keyboard.press("ArrowDown")
    expect_slice(page, shown + 1)
    page.keyboard.press("Escape")
    expect(page.locator("tbody tr[data-id]").first).to_be_visible()


def test_a_click_on_the_profile_jumps_and_a_reload_stays(page: Page, server: Server) -> None:
    page.goto(server.url)
    page.locator("tbody tr[data-id]").first.click()
    expect(page.locator(".st-key-profile .scatterlayer").first).to_be_visible()
    before = slice_of(page)
    page.locator(".st-key-profile").scroll_into_view_if_needed()
    plot = page.locator(".st-key-profile .nsewdrag").nth(1).bounding_box()
    assert plot is not None
    page.mouse.move(plot["x"] + plot["width"] * 0.2, plot["y"] + plot["height"] / 2, steps=5)
    expect(page.locator(".st-key-profile .hoverlayer .hovertext").first).to_be_visible()
    page.mouse.click(plot["x"] + plot["width"] * 0.2, plot["y"] + plot["height"] / 2)
    expect(pane(page)).not_to_have_attribute("data-plane", str(before))
    jumped = slice_of(page)
    # The address follows once the slice rests.
    expect(page).to_have_url(re.compile(rf"view=[0-9a-z]+-1\*0-\d+\.{jumped}\."))
    page.reload()
    expect_slice(page, jumped)


def test_arrival_order_is_one_click_away(page: Page, server: Server) -> None:
    page.goto(server.url)
    expect(page.locator("tbody tr[data-id]").first).to_be_visible()
    count = page.locator("tbody tr[data-id]").count()
    page.get_by_role("radio", name="Latest arrival first").click()
    expect(page.locator("tbody tr[data-id]")).to_have_count(count)
    expect(page.locator("tbody tr[data-id]").first).to_contain_text("<img src")


def test_a_killed_server_loses_nothing(page: Page, server: Server) -> None:
    page.goto(server.url)
    expect(page.locator("tbody tr[data-id]").first).to_be_visible()
    before = page.locator("tbody tr[data-id]").all_inner_texts()
    server.stop(signal.SIGKILL)
    server.start()
    page.goto(server.url)
    expect(page.locator("tbody tr[data-id]")).to_have_count(len(before))


def test_nothing_is_fetched_from_elsewhere_and_no_name_is_logged(page: Page, server: Server) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(server.url)
    page.locator("tbody tr[data-id]").first.click()
    expect(page.locator(".js-plotly-plot").first).to_be_visible()
    assert all(url.startswith((server.url, f"ws://127.0.0.1:{server.port}", "data:", "blob:")) for url in asked)
    written = server.log.read_text(errors="replace")
    assert "OKAFOR" not in written
    assert HOSTILE[:4] not in written
