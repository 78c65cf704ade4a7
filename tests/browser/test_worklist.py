"""The list in a real browser: choices in the address, words that are not, news, flags, a long list, waiting times."""

import re
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.benchmarks.worklist import fill
from tests.browser.server import Server, serving
from tests.screens.site import add_result, open_site

pytestmark = [pytest.mark.browser, pytest.mark.slow]

STUDIES = 700
ROWS = "tbody tr[data-id]"


@pytest.fixture(scope="module")
def server(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A site with more studies than are ever sent at once."""
    data_dir = tmp_path_factory.mktemp("site") / "data"
    with closing(open_site(data_dir)) as records:
        fill(records, STUDIES, datetime.now(UTC))
    with serving(repository, data_dir) as running:
        yield running


def choose(page: Page, name: str, *choices: str) -> None:
    # What opens while the page is still being drawn is shut again by the drawing.
    expect(page.locator('.stApp[data-test-script-state="notRunning"]')).to_be_visible()
    page.get_by_role("button", name=re.compile(f"^{name}")).click()
    for choice in choices:
        page.get_by_role("button", name=choice, exact=True).click()
        expect(page.get_by_role("button", name=re.compile(f"^{name}: "))).to_be_visible()
    page.keyboard.press("Escape")


def test_the_most_urgent_studies_come_first_and_only_some_are_sent(page: Page, server: Server) -> None:
    page.goto(server.url)
    expect(page.locator(ROWS).first).to_have_attribute("data-tier", "immediate")
    assert page.locator(ROWS).count() < STUDIES
    expect(page.locator("table")).to_have_attribute("aria-rowcount", str(STUDIES + 1))


def test_choices_live_in_the_address_and_come_back_with_it(page: Page, server: Server) -> None:
    page.goto(server.url)
    choose(page, "Tier", "soon")
    page.wait_for_url(re.compile(r"tier=soon"))
    expect(page.locator(f"{ROWS}:not([data-tier='soon'])")).to_have_count(0)
    page.goto(f"{server.url}/?tier=urgent&tier=immediate&order=arrival&status=nonsense")
    expect(page.get_by_role("button", name="Tier: 2")).to_be_visible()
    expect(page.get_by_role("radio", name="Latest arrival first")).to_be_checked()
    for tier in ("urgent", "immediate"):
        expect(page.locator(f"{ROWS}[data-tier='{tier}']").first).to_be_visible()
    # Of other tiers there are only those that are read with urgent ones.
    others = page.locator(f"{ROWS}:not([data-tier='urgent']):not([data-tier='immediate'])")
    expect(others.filter(has_not_text="moved up")).to_have_count(0)
    expect(others.first).to_contain_text("read with urgent")
    page.get_by_role("button", name="Show all").click()
    expect(page.locator("table")).to_have_attribute("aria-rowcount", str(STUDIES + 1))


def test_a_name_is_found_and_is_in_no_address_and_no_log(page: Page, server: Server) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(server.url)
    page.get_by_placeholder("Name, number, level").fill("family00042")
    page.keyboard.press("Enter")
    expect(page.locator(ROWS)).to_have_count(1)
    expect(page.locator(ROWS)).to_contain_text("Family00042")
    assert not [url for url in [*asked, page.url] if "family" in url.lower()]
    assert "family" not in server.log.read_text(errors="replace").lower()


def test_the_end_key_reaches_the_last_study_and_home_the_first(page: Page, server: Server) -> None:
    page.goto(server.url)
    first = page.locator(ROWS).first
    expect(first).to_be_visible()
    begin = first.get_attribute("data-id")
    first.focus()
    page.keyboard.press("End")
    expect(page.locator(f"{ROWS}:focus")).to_have_attribute("aria-rowindex", str(STUDIES + 1))
    page.keyboard.press("Home")
    expect(page.locator(f"{ROWS}:focus")).to_have_attribute("data-id", str(begin))


def test_a_new_urgent_study_is_told_once(page: Page, server: Server) -> None:
    page.goto(server.url)
    expect(page.locator(ROWS).first).to_be_visible()
    expect(page.locator(".news span")).to_have_text("")
    with closing(open_site(server.data_dir)) as records:
        add_result(records, "3")
    expect(page.locator(".news span")).to_contain_text("1 new urgent study: IMMEDIATE, grade 3")
    page.reload()
    expect(page.locator(ROWS).first).to_be_visible()
    time.sleep(3)
    assert page.locator(".news span").inner_text() == ""


def test_waiting_times_and_agreement_are_drawn(page: Page, server: Server) -> None:
    page.goto(server.url)
    page.get_by_role("button", name="Waiting times").click()
    expect(page.locator(".st-key-plot_waits .scatterlayer").first).to_be_visible()
    expect(page.locator(".st-key-plot_agreement .heatmaplayer").first).to_be_visible()
    expect(page.get_by_text("Weighted kappa")).to_be_visible()


def test_the_rule_and_the_clocks_are_one_click_away(page: Page, server: Server) -> None:
    page.goto(server.url)
    page.get_by_role("button", name="Order and clocks").click()
    expect(page.get_by_text("never change a grade")).to_be_visible()
    expect(page.get_by_text("source to be confirmed").first).to_be_visible()


def test_the_reason_keeps_its_place_on_a_narrow_screen(page: Page, server: Server) -> None:
    page.set_viewport_size({"width": 1024, "height": 768})
    page.goto(server.url)
    reason = page.locator(f"{ROWS} td.why").first
    expect(reason).to_contain_text(re.compile(r"\w"))
    box = reason.bounding_box()
    assert box is not None
    assert box["width"] > 100
