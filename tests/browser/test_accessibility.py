"""Every screen in both themes, looked over by axe: no violation of WCAG 2.1 A or AA, shadow roots included."""

import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.team import Team, make_link, sign_in
from tests.screens.site import add_result

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LEVELS = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]},
    "resultTypes": ["violations"],
}
# What stands in Streamlit's own markup and cannot be mended from here: (rule, selector) -> why. Nothing broader.
THEIRS: dict[tuple[str, str], str] = {}


def at_rest(page: Page) -> None:
    """Wait until everything that was asked for is drawn."""
    expect(page.locator('.stApp[data-test-script-state="notRunning"]')).to_be_visible()


def violations(page: Page) -> list[str]:
    """What axe finds, but for :data:`THEIRS`, one line each."""
    at_rest(page)
    # What is still moving has colours half way between.
    page.wait_for_function("document.getAnimations().every((one) => one.playState !== 'running')")
    found = []
    for rule in Axe().run(page, options=LEVELS).response["violations"]:
        for node in rule["nodes"]:
            target = str(node["target"])
            if not any(rule["id"] == name and selector in target for name, selector in THEIRS):
                found.append(f"{rule['id']}: {target}: {node.get('failureSummary', '')}")
    return found


def stranger(browser: Browser, team: Team, theme: str) -> Page:
    """Somebody with a browser of their own whose system is light, and who has chosen a theme on the first screen."""
    page = browser.new_context(viewport={"width": 1366, "height": 768}, color_scheme="light").new_page()
    page.set_default_timeout(60_000)
    page.goto(team.url)
    app = page.locator(".stApp")
    expect(app).to_have_css("color-scheme", "dark")
    if theme == "light":
        page.get_by_role("button", name="Switch to the light theme").click()
        expect(app).to_have_css("color-scheme", "light")
        expect(page.get_by_role("button", name="Switch to the dark theme")).to_be_visible()
    return page


@pytest.fixture(scope="module", params=["dark", "light"])
def theme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def unanalysed(team: Team) -> str:
    """A study without a grade."""
    return add_result(team.records, None, reasons=("not analysed: no axial T2",))


@pytest.fixture(scope="module")
def page(browser: Browser, team: Team, theme: str, unanalysed: str) -> Iterator[Page]:
    """An administrator at the worklist, for all screens in one theme."""
    signed_in = stranger(browser, team, theme)
    errors: list[str] = []
    signed_in.on("pageerror", lambda error: errors.append(str(error)))
    assert violations(signed_in) == []
    sign_in(signed_in, "chief-1")
    expect(signed_in.locator("tbody tr[data-id]")).to_have_count(3)
    yield signed_in
    signed_in.context.close()
    assert errors == []


def open_study(page: Page, team: Team) -> None:
    page.goto(f"{team.url}/study?study={team.study}")
    expect(page.locator(".st-key-profile .scatterlayer").first).to_be_visible()
    at_rest(page)


def test_the_worklist(page: Page, team: Team) -> None:
    page.goto(team.url)
    expect(page.locator("tbody tr[data-id]")).to_have_count(3)
    assert violations(page) == []
    page.get_by_role("button", name="Account").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    assert violations(page) == []


def test_a_theme_is_there_from_the_first_moment(page: Page, team: Team, theme: str) -> None:
    page.goto(f"{team.url}/audit", wait_until="commit")
    page.wait_for_selector(".stApp")
    seen = set()
    for _ in range(20):
        seen.add(page.locator(".stApp").evaluate("(app) => getComputedStyle(app).colorScheme"))
        page.wait_for_timeout(50)
    assert seen == {theme}


def test_a_graded_study(page: Page, team: Team, theme: str) -> None:
    open_study(page, team)
    assert violations(page) == []
    page.get_by_text(re.compile("^Flagged slice")).click()
    expect(page.locator(".st-key-plot_flagged .scatterlayer")).to_be_visible()
    page.get_by_role("button", name="Norms").click()
    expect(page.get_by_text("The norm band")).to_be_visible()
    assert violations(page) == []
    paper = page.locator(".st-key-profile .main-svg").first.evaluate("(svg) => getComputedStyle(svg).background")
    assert ("rgb(255, 255, 255)" in paper) == (theme == "light")


@pytest.mark.parametrize("name", ["Change", "Level", "Flags", "Share"])
def test_what_opens_beside_a_study(page: Page, team: Team, name: str) -> None:
    open_study(page, team)
    page.get_by_role("button", name=re.compile(f"^{name}")).click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert violations(page) == []


def test_a_study_that_was_not_analysed(page: Page, team: Team, unanalysed: str) -> None:
    page.goto(f"{team.url}/study?study={unanalysed}")
    expect(page.get_by_text("Not analysed, because")).to_be_visible()
    assert violations(page) == []


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("upload", "Latest uploads"),
        ("turnaround", "Waiting times"),
        ("users", "Users"),
        ("audit", "Audit log"),
    ],
)
def test_the_other_screens(page: Page, team: Team, path: str, words: str) -> None:
    page.goto(f"{team.url}/{path}")
    expect(page.get_by_role("heading", name=words)).to_be_visible()
    assert violations(page) == []


def test_links_and_what_a_guest_sees(page: Page, browser: Browser, team: Team, theme: str) -> None:
    open_study(page, team)
    link = make_link(page, team)
    page.goto(f"{team.url}/links")
    expect(page.get_by_text("All share links")).to_be_visible()
    assert violations(page) == []
    guest = stranger(browser, team, theme)
    guest.goto(f"{team.url}/shared")
    expect(guest.get_by_text("This link cannot be opened.")).to_be_visible()
    assert violations(guest) == []
    guest.goto("about:blank")
    guest.goto(link)
    expect(guest.locator(".st-key-profile .scatterlayer").first).to_be_visible()
    assert violations(guest) == []
    guest.context.close()
