"""Readings, clinical flags and deletion by two people at once, and what the holder of a link gets of it."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from dashboard.records import CANNOT_BE_OPENED, Role, current_reading, list_users, set_role, worklist
from dashboard.study import SlicePlace
from tests.browser.team import IDENTIFYING, TEAM, Overheard, Team, make_link, sign_in
from tests.browser.viewer import expect_picture, pane
from tests.screens.site import AXIAL_UID

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WORDS = "Mrs Okafor fell at Quenby"
Visitor = Callable[[], Page]


def open_study(page: Page, team: Team, study: str, subject: str, role: Role | None = None) -> None:
    """Sign in as somebody and open a study; `role` is given to them first."""
    page.goto(f"{team.url}/study?study={study}")
    sign_in(page, subject)
    if role is not None:
        expect(page.get_by_text("You have no access")).to_be_visible()
        with team.records.writing() as session:
            users = list_users(session, team.records.keys)
            (user,) = [user.id for user in users if user.email.startswith({"reader-1": "rosa"}[subject])]
            set_role(session, user, role, users[0].created_at)
        page.goto(f"{team.url}/study?study={study}")
    expect_picture(page)


def words(page: Page) -> Locator:
    return page.locator(".said span").first


def flags(page: Page) -> Locator:
    return page.locator(".said .quiet")


def press(page: Page, key: str) -> None:
    """A key reaches the page once it is at rest."""
    expect(page.locator('.stApp[data-test-script-state="notRunning"]')).to_be_visible()
    page.keyboard.press(key)


def test_one_reads_and_the_other_and_a_guest_see_it_without_a_click(visitor: Visitor, team: Team) -> None:
    reader, chief, guest = visitor(), visitor(), visitor()
    open_study(reader, team, team.study, "reader-1", Role.READER)
    open_study(chief, team, team.study, "chief-1")
    expect(words(chief)).to_have_text("Not read yet")
    link = make_link(chief, team)
    heard = Overheard(guest)
    guest.goto(link)
    expect(words(guest)).to_have_text("Not read yet")
    before = pane(reader).bounding_box()
    press(reader, "a")
    expect(words(reader)).to_contain_text("Read: grade 3, agreed · Rosa Reader")
    assert pane(reader).bounding_box() == before
    expect(words(guest)).to_have_text(re.compile(r"^Read: grade 3, agreed · \d{4}-\d\d-\d\d \d\d:\d\d UTC$"))
    # The chief's page shows the new link; behind it the reading has appeared.
    expect(words(chief)).to_contain_text("Rosa Reader")
    for word in (*IDENTIFYING, *TEAM, "disc1", "notes.pdf"):
        assert word not in heard.everything()
    assert guest.title() == "Spine Triage"
    assert guest.locator(".st-key-agree, .st-key-flags, .st-key-share, .st-key-next, .st-key-delete_study").count() == 0
    press(reader, "u")
    expect(words(reader)).to_have_text("Not read yet")


def test_another_grade_is_given_with_its_reason_beside_the_pictures(visitor: Visitor, team: Team) -> None:
    page, guest = visitor(), visitor()
    open_study(page, team, team.study, "reader-1")
    press(page, "g")
    drawer = page.get_by_role("dialog")
    drawer.get_by_role("radio", name="1c", exact=True).click()
    drawer.get_by_text("Slice 8, now on screen, shows it").click()
    # Letters typed into the form are text, not keys of the screen.
    drawer.get_by_label("Comment").press_sequentially("agns")
    drawer.get_by_role("button", name="Save reading").click()
    expect(drawer).to_contain_text("A change needs its reason")
    drawer.get_by_label("Reason").fill(f"{WORDS} <b>x</b>")
    drawer.get_by_role("button", name="Save reading").click()
    expect(drawer).to_have_count(0)
    expect(words(page)).to_contain_text("Read: grade 1c instead of 3, seen on slice 8 · Rosa Reader")
    expect(page.locator(".triage-head")).to_contain_text("suspected grade 3")
    with team.records.reading() as session:
        reading = current_reading(session, team.records.keys, team.study)
    assert reading is not None
    assert (reading.grade, reading.reason, reading.comment) == ("1c", f"{WORDS} <b>x</b>", "agns")
    assert reading.at == SlicePlace(AXIAL_UID, 0, 7, 8)
    link = make_link(page, team)
    heard = Overheard(guest)
    guest.goto(link)
    expect(words(guest)).to_contain_text("Read: grade 1c instead of 3")
    guest.get_by_text("Said by people").click()
    expect(guest.get_by_text("Said by people: 2 entries")).to_be_visible()
    expect(guest.locator("details[open] [data-testid=stDataFrame]")).to_be_visible()
    for word in (*IDENTIFYING, *TEAM, "quenby", "agns"):
        assert word not in heard.everything()


def test_flags_are_set_by_one_and_seen_by_all(visitor: Visitor, team: Team) -> None:
    page = visitor()
    open_study(page, team, team.other, "reader-1")
    press(page, "f")
    drawer = page.get_by_role("dialog")
    drawer.get_by_text("New deficit", exact=True).click()
    expect(drawer).to_contain_text("set by Rosa Reader")
    drawer.get_by_text("Sphincter change", exact=True).click()
    expect(drawer.get_by_text(re.compile("^set by Rosa Reader"))).to_have_count(2)
    page.keyboard.press("Escape")
    expect(flags(page)).to_have_text("Clinical flags: new deficit, sphincter change · moved up")
    press(page, "f")
    drawer.get_by_text("Sphincter change", exact=True).click()
    expect(drawer.get_by_text(re.compile("^set by Rosa Reader"))).to_have_count(1)
    page.keyboard.press("Escape")
    expect(flags(page)).to_have_text("Clinical flags: new deficit · moved up")


def test_next_leads_from_study_to_study_until_all_are_read(visitor: Visitor, team: Team) -> None:
    page = visitor()
    open_study(page, team, team.study, "reader-1")
    press(page, "n")
    expect(page).to_have_url(re.compile(f"^{team.url}/study[?]study={team.other}"))
    expect(page.locator(".triage-head")).to_contain_text("suspected grade 2")
    press(page, "a")
    expect(words(page)).to_contain_text("Read: grade 2, agreed")
    press(page, "n")
    expect(page.get_by_text("Every other study has been read.")).to_be_visible()


def test_no_table_offers_a_file_that_nobody_noted(visitor: Visitor, team: Team) -> None:
    page = visitor()
    open_study(page, team, team.study, "reader-1")
    page.get_by_text("Series: 1 of 2 analysed").click()
    table = page.locator("[data-testid=stDataFrame]").first
    table.hover()
    expect(page.get_by_role("button", name="Search").first).to_be_visible()
    expect(page.get_by_role("button", name="Download as CSV").locator("visible=true")).to_have_count(0)


def test_an_administrator_deletes_a_study_and_its_link_ends(visitor: Visitor, team: Team) -> None:
    chief, guest = visitor(), visitor()
    open_study(chief, team, team.other, "chief-1")
    guest.goto(make_link(chief, team))
    expect_picture(guest)
    chief.keyboard.press("Escape")
    chief.get_by_role("button", name="Delete this study").click()
    dialog = chief.get_by_role("dialog")
    expect(dialog).to_contain_text("Lindqvist, Bo")
    dialog.get_by_label("Type delete to confirm").fill("yes")
    dialog.get_by_role("button", name="Delete for good").click()
    expect(dialog).to_contain_text("Nothing was deleted")
    dialog.get_by_label("Type delete to confirm").fill("delete")
    dialog.get_by_role("button", name="Delete for good").click()
    expect(chief.get_by_text("The study is deleted, with its files.")).to_be_visible()
    expect(chief.locator("tbody tr[data-id]")).to_have_count(1)
    expect(guest.get_by_role("heading", name=CANNOT_BE_OPENED)).to_be_visible()
    with team.records.reading() as session:
        assert [study.id for study in worklist(session)] == [team.study]
    assert not team.records.store.instances_dir(team.other).exists()
    assert [action for _, action, subject in team.audit() if subject == team.other][-1] == "delete_study"


def test_everything_said_and_done_is_in_the_log_and_no_word_of_it(team: Team) -> None:
    actions = {action for _, action, _ in team.audit()}
    assert {"read_study", "withdraw_reading", "set_flag", "share", "open_share", "view_study"} <= actions
    written = team.server.log.read_text(errors="replace").lower()
    for word in (*IDENTIFYING, *TEAM, "quenby", *(token.lower() for token in team.tokens)):
        assert word not in written
