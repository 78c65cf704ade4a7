"""Levels and other findings in a real browser: names in the pictures, lines that lead to places, a corrected level."""

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from dashboard.ingest import Identity
from dashboard.records import get_study
from dashboard.records.tables import StudyRow
from tests.browser.team import PATIENT, Team, make_link, sign_in
from tests.browser.test_accessibility import violations
from tests.browser.viewer import expect_ink, expect_picture, ink, pane, press
from tests.screens.spines import SLICES, add_spine, findings

pytestmark = [pytest.mark.browser, pytest.mark.slow]

Visitor = Callable[[], Page]
# Closer than this no grey comes to the colours below.
TOLERANCE = 25
CORD, VERTEBRA, DISC, CROSS = (88, 180, 240), (102, 217, 184), (211, 184, 255), (255, 209, 102)


@dataclass(frozen=True)
class Studies:
    """A graded study, an earlier one of the same patient, one whose levels are a guess, and a sagittal one."""

    graded: str
    prior: str
    uncertain: str
    sagittal: str


@pytest.fixture(scope="module")
def studies(team: Team) -> Studies:
    other = Identity(patient_name="Quist^Ida", patient_id="S2", birth_date="19500101", sex="F")
    graded, prior = (add_spine(team.records, "3", person=PATIENT) for _ in range(2))
    with team.records.writing() as session:
        row = session.get_one(StudyRow, prior)
        row.patient_key, row.study_date = get_study(session, graded).patient_key, "20250301"
    guessed = add_spine(team.records, "2", certain=False, person=other)
    return Studies(graded, prior, guessed, add_spine(team.records, None, person=other))


@pytest.fixture
def page(visitor: Visitor, team: Team, studies: Studies) -> Iterator[Page]:
    """An administrator before the graded study."""
    page = visitor()
    page.goto(f"{team.url}/study?study={studies.graded}")
    sign_in(page, "chief-1")
    expect_picture(page)
    yield page


def go(page: Page, team: Team, study: str) -> None:
    page.goto(f"{team.url}/study?study={study}")
    expect_picture(page)


def sagittal(page: Page) -> Locator:
    return page.locator(".pane[data-levels]").first


def lines(page: Page) -> Locator:
    return page.locator(".findings li:not([hidden])")


def correct(page: Page, was: str, now: str) -> None:
    """Through the drawer, as a reader does it."""
    press(page, "l")
    dialog = page.get_by_role("dialog")
    for label, name in (("What is called", was), ("is", now)):
        dialog.get_by_label(label, exact=True).fill(name)
        page.get_by_role("option", name=name, exact=True).click()
    dialog.get_by_role("button", name="Correct all levels").click()
    expect(dialog).to_have_count(0)


def test_names_stand_beside_vertebrae_and_discs_until_they_are_switched_off(page: Page) -> None:
    names = (sagittal(page).get_attribute("data-levels") or "").split()
    assert {"T5", "T8", "T11", "T7/8"} <= set(names)
    assert len(names) == len(set(names))
    page.get_by_role("button", name="Levels", exact=True).click()
    expect(pane(page, 1)).to_have_attribute("data-levels", "")
    page.get_by_role("button", name="Levels", exact=True).click()
    expect(pane(page, 1)).not_to_have_attribute("data-levels", "")


def test_vertebrae_and_discs_are_outlined_once_asked_for(page: Page) -> None:
    picture = pane(page, 1)

    def more(colour: tuple[int, int, int], there: bool) -> None:
        # Where other lines meet, some pixels are of about the same colour.
        for _ in range(100):
            if (ink(picture, colour, TOLERANCE) > few[colour] + 30) is there:
                return
            page.wait_for_timeout(100)
        raise AssertionError(f"outlines of {colour} {'never came' if there else 'stayed'}")

    expect_ink(picture, CORD)
    few = {colour: ink(picture, colour, TOLERANCE) for colour in (VERTEBRA, DISC)}
    for name, colour in (("Vertebrae", VERTEBRA), ("Discs", DISC)):
        page.get_by_role("button", name=name).click()
        more(colour, there=True)
    # All contours off and on again: those that were drawn come back.
    for there in (False, True):
        page.keyboard.press("x")
        for colour in few:
            more(colour, there)


def test_a_click_on_a_line_leads_to_its_place(page: Page) -> None:
    axial = pane(page)
    expect(axial).to_have_attribute("data-plane", "8")
    expect(lines(page)).to_have_count(3)
    lines(page).filter(has_text="T7/8").locator(".go").click()
    # The axial slice at that height, and the sagittal plane through the middle.
    expect(axial).to_have_attribute("data-plane", "8")
    expect(pane(page, 1)).to_have_attribute("data-plane", str(SLICES // 2 + 1))
    expect_ink(pane(page, 1), CROSS)
    page.locator(".findings .go[aria-current]").press("ArrowUp")
    page.keyboard.press("Enter")
    expect(page.locator(".findings .go[aria-current] .level")).to_have_text("T6")
    # T6 lies above the first axial slice.
    expect(axial).to_have_attribute("data-plane", "1")


def test_a_line_brings_the_sagittal_series_where_it_is_not_on_screen(page: Page) -> None:
    page.get_by_role("button", name="1", exact=True).click()
    expect(page.locator(".pane")).to_have_count(1)
    lines(page).first.locator(".go").click()
    expect(pane(page)).to_have_attribute("data-view", "2")
    expect(pane(page).locator("select")).to_have_value("0-2")


def test_the_filter_and_the_scale_are_a_click_away(page: Page) -> None:
    expect(lines(page)).to_have_count(3)
    expect(page.locator(".findings .counts")).to_contain_text("3 suspected · 2 measured · 1 not flagged")
    page.get_by_role("button", name="All", exact=True).last.click()
    expect(lines(page)).to_have_count(len(findings()))
    expect(lines(page).last).to_contain_text("not analysed, because the field of view cuts this vertebra")
    line = lines(page).filter(has_text="T7/8")
    expect(line.locator("details p")).not_to_be_visible()
    line.locator("summary").press("Enter")
    expect(line.locator("details p")).to_contain_text("Source to be confirmed.")


def test_the_findings_are_saved_by_one_click_and_noted(page: Page, team: Team) -> None:
    before = len([one for one in team.audit() if one[1] == "export"])
    with page.expect_download() as download:
        page.locator(".st-key-findings_list_csv button").first.click()
    assert download.value.suggested_filename.startswith("spine-triage-findings-")
    rows = list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text())))
    assert [row["level"] for row in rows] == [one["level"] for one in findings()]
    assert len([one for one in team.audit() if one[1] == "export"]) == before + 1


def test_hidden_marks_hide_names_outlines_and_findings(page: Page) -> None:
    expect(page.locator(".findings")).to_have_count(1)
    press(page, "h")
    expect(page.locator(".findings")).to_have_count(0)
    expect(page.locator(".pane[data-levels]")).to_have_count(0)
    expect(page.get_by_role("button", name="Levels", exact=True)).to_have_count(0)


def test_a_corrected_level_is_followed_by_everything_and_stays(
    page: Page, visitor: Visitor, team: Team, studies: Studies
) -> None:
    guest, colleague = visitor(), visitor()
    guest.goto(make_link(page, team))
    page.keyboard.press("Escape")
    expect_picture(guest)
    colleague.goto(f"{team.url}/study?study={studies.graded}")
    sign_in(colleague, "chief-1")
    expect_picture(colleague)
    before = sagittal(page).get_attribute("data-levels") or ""
    correct(page, "T8", "T9")
    head = page.locator(".triage-head")
    expect(head).to_contain_text("T9 · levels corrected, T9 was T8")
    expect(page.locator(".said span").first).to_contain_text("levels corrected: T9 (was T8) by Ada Chief")
    expect(pane(page).locator(".where")).to_contain_text("T9 · 8 / 12")
    expect(page.locator(".panel h2", has_text="T9: suspected grade 3")).to_be_visible()
    expect(lines(page).locator(".level").nth(1)).to_have_text("T8/9")
    expect(sagittal(page)).not_to_have_attribute("data-levels", before)
    assert "T12/L1" in (sagittal(page).get_attribute("data-levels") or "").split()
    # Whoever looks at the same moment sees it follow, a guest without a name.
    for other, who in ((colleague, "Ada Chief"), (guest, "the team")):
        expect(other.locator(".said span").first).to_contain_text(f"levels corrected: T9 (was T8) by {who}")
        expect(other.locator(".triage-head")).to_contain_text("T9")
        expect(pane(other).locator(".where")).to_contain_text("T9 · ")
    page.reload()
    expect_picture(page)
    expect(head).to_contain_text("levels corrected, T9 was T8")
    page.goto(team.url)
    row = page.locator(f"tbody tr[data-id='{studies.graded}']")
    expect(row.locator("td.where")).to_have_text("T9")
    go(page, team, studies.graded)
    press(page, "u")
    expect(head).not_to_contain_text("levels corrected")
    expect(pane(page).locator(".where")).to_contain_text("T8 · 8 / 12")
    page.get_by_text("Said by people").click()
    assert ("correct_levels", studies.graded) in {(action, study) for _, action, study in team.audit()}


def test_a_prior_is_matched_by_the_corrected_level(page: Page, team: Team, studies: Studies) -> None:
    correct(page, "T8", "T7")
    expect(pane(page).locator(".where")).to_contain_text("T7 · 8 / 12")
    pane(page, 1).locator("select").select_option("1-1")
    expect(pane(page, 1)).to_have_attribute("data-view", "1")
    pane(page).focus()
    page.keyboard.press("Home")
    page.keyboard.press("End")
    # The last slice here, T8 until it was corrected, and the last that is T7 in the prior.
    expect(pane(page).locator(".where")).to_contain_text("T7 · 12 / 12")
    expect(pane(page, 1).locator(".where")).to_contain_text("T7 · 7 / 12")
    press(page, "u")
    expect(page.locator(".triage-head")).not_to_contain_text("levels corrected")


def test_levels_that_are_a_guess_are_said_to_be_everywhere(page: Page, team: Team, studies: Studies) -> None:
    go(page, team, studies.uncertain)
    expect(page.locator(".triage-head")).to_contain_text("T8 (level uncertain)")
    expect(page.locator(".findings .note")).to_contain_text("Level uncertain: neither C2 nor the sacrum is in view")
    for number in (0, 1):
        expect(pane(page, number).locator(".doubt", has_text="level uncertain")).to_be_visible()
    assert "T8?" in (sagittal(page).get_attribute("data-levels") or "").split()
    pane(page).focus()
    page.keyboard.press("Home")
    expect(pane(page).locator(".doubt", has_text="level unknown")).to_be_visible()
    expect(pane(page).locator(".where")).to_contain_text("H 40.0 mm")


def test_a_sagittal_study_says_that_axial_images_are_needed(page: Page, team: Team, studies: Studies) -> None:
    go(page, team, studies.sagittal)
    expect(page.locator(".triage-head")).to_contain_text("suspected compression at T8, axial images needed · P 0.87")
    expect(page.locator(".triage-head .tier")).to_contain_text("URGENT")
    expect(page.locator(".suspicion")).to_contain_text("Sagittal images carry no Bilsky grade")
    expect(pane(page)).to_have_attribute("data-view", "1")
    page.goto(team.url)
    row = page.locator(f"tbody tr[data-id='{studies.sagittal}']")
    expect(row.locator("td.why")).to_contain_text("axial images needed")
    expect(row.locator("td.where")).to_contain_text("T8")


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_axe_finds_nothing_wrong(page: Page, team: Team, studies: Studies, theme: str) -> None:
    if theme == "light":
        page.get_by_role("button", name="Switch to the light theme").click()
        expect(page.locator(".stApp")).to_have_css("color-scheme", "light")
    for study in (studies.graded, studies.sagittal):
        go(page, team, study)
        page.locator(".findings .filter button").last.click()
        page.locator(".findings summary").first.click()
        page.locator(".findings .go").first.click()
        assert violations(page) == []
    press(page, "l")
    expect(page.get_by_role("dialog").get_by_text("Levels of the whole spine")).to_be_visible()
    assert violations(page) == []
