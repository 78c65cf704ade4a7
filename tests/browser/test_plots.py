"""Plots in a real browser: rows by keyboard, files made by the page alone, and the two themes."""

import io
import re
import urllib.request
from collections.abc import Callable, Iterator
from email.utils import formatdate
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.browser.team import IDENTIFYING, Team, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CURVES = ".st-key-profile .scatterlayer .trace"


@pytest.fixture
def page(visitor: Callable[[], Page], team: Team) -> Iterator[Page]:
    """An administrator before a graded study."""
    page = visitor()
    page.goto(f"{team.url}/study?study={team.study}")
    sign_in(page, "chief-1")
    expect(page.locator(CURVES).first).to_be_visible()
    yield page


def press(page: Page, key: str) -> Path:
    """Click a button that saves, and return what was saved."""
    with page.expect_download() as download:
        page.locator(f".st-key-{key} button").first.click()
    name = download.value.suggested_filename
    assert re.fullmatch(r"spine-triage-(profile|slice)-[0-9a-f]{8}\.(png|csv)", name)
    path = Path(download.value.path())
    assert not any(word in path.read_text(errors="replace").lower() for word in IDENTIFYING)
    return path


def test_rows_are_switched_by_keyboard(page: Page, team: Team) -> None:
    before = page.locator(CURVES).count()
    row = page.get_by_role("button", name="AP / RL")
    row.focus()
    page.keyboard.press("Space")
    expect(page.locator(CURVES)).to_have_count(before + 1)
    page.keyboard.press("Space")
    expect(page.locator(CURVES)).to_have_count(before)


def test_the_profile_is_saved_by_one_click(page: Page, team: Team) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    with Image.open(io.BytesIO(press(page, "profile_png").read_bytes())) as picture:
        assert picture.format == "PNG"
        assert picture.width > 1200
    assert press(page, "profile_csv").read_text().startswith("slice,level,position L [mm]")
    # Pictures are still being fetched ahead.
    assert [url for url in asked if not url.startswith(("data:", "blob:")) and "/api/pictures/" not in url] == []
    exports = [subject for _, action, subject in team.audit() if action == "export"]
    assert exports == [team.study, team.study]


def test_the_flagged_slice_is_saved_by_one_click(page: Page) -> None:
    page.get_by_text(re.compile("^Flagged slice")).click()
    expect(page.locator(".st-key-plot_flagged .scatterlayer")).to_be_visible()
    with Image.open(io.BytesIO(press(page, "plot_flagged_png").read_bytes())) as picture:
        assert picture.width > 1200


def test_a_viewer_beside_the_profile_moves_its_mark(page: Page) -> None:
    where = "document.querySelector('.st-key-profile .triage-plot').layout.shapes.map((one) => one.xanchor ?? one.x0)"
    assert set(page.evaluate(where)) == {28}
    page.evaluate("window.dispatchEvent(new CustomEvent('spine-triage-slice', {detail: 2}))")
    assert set(page.evaluate(where)) == {8}


WATCH = """
  window.watched = { schemes: new Set(), clicks: 0 };
  const look = () => {
    const app = document.querySelector(".stApp");
    if (app) watched.schemes.add(getComputedStyle(app).colorScheme);
    requestAnimationFrame(look);
  };
  look();
  document.addEventListener("click", () => { watched.clicks += 1; }, true);
"""


def test_the_theme_is_the_person_s_and_stays(page: Page, team: Team) -> None:
    background = "getComputedStyle(document.querySelector('.st-key-profile .main-svg')).backgroundColor"
    assert page.evaluate(background) == "rgb(13, 17, 23)"
    page.get_by_role("button", name="Switch to the light theme").click()
    expect(page.locator(".stApp")).to_have_css("color-scheme", "light")
    page.wait_for_function(f"{background} === 'rgb(255, 255, 255)'")
    # Pictures stay on black, and Streamlit's menu is shut again.
    expect(page.locator(".pane").first).to_have_css("background-color", "rgb(0, 0, 0)")
    expect(page.locator("[data-testid=stMainMenuPopover]")).to_have_count(0)
    page.goto(f"{team.url}/turnaround")
    expect(page.get_by_role("heading", name="Waiting times")).to_be_visible()
    expect(page.locator(".stApp")).to_have_css("color-scheme", "light")
    page.get_by_role("button", name="Switch to the dark theme").click()
    expect(page.locator(".stApp")).to_have_css("color-scheme", "dark")


def test_a_light_system_starts_dark_all_the_same(browser: Browser, team: Team) -> None:
    context = browser.new_context(color_scheme="light")
    page = context.new_page()
    page.add_init_script(WATCH)
    page.goto(team.url)
    expect(page.get_by_role("button", name="Switch to the light theme")).to_be_visible()
    page.wait_for_timeout(1000)
    # Nothing was light for a moment, and no button was pressed for the person, which shuts what they have opened.
    assert page.evaluate("[...watched.schemes]") == ["dark"]
    assert page.evaluate("watched.clicks") == 0
    context.close()


def test_a_browser_does_not_keep_a_page_without_its_first_script(team: Team) -> None:
    asked = {"If-Modified-Since": formatdate(usegmt=True), "Accept-Encoding": "gzip"}
    for path in ("", "/", "/study?study=1"):
        request = urllib.request.Request(f"{team.url}{path}", headers=asked)
        with urllib.request.urlopen(request, timeout=30) as answer:
            page = answer.read().decode()
            assert int(answer.headers["Content-Length"]) == len(page.encode())
            assert not {"ETag", "Last-Modified"} & set(answer.headers)
        assert page.index("localStorage") < page.index('type="module"')
