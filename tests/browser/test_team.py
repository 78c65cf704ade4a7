"""A team's day: signing in with a real provider, roles that change meanwhile, and a link for somebody outside."""

import re
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from dashboard.records import CANNOT_BE_OPENED
from tests.browser.team import IDENTIFYING, TEAM, Team, give_role, make_link, sign_in, user_line
from tests.browser.viewer import expect_picture, expect_slice, slice_of

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SIGN_IN = "This page is for the team"
NO_ACCESS = "You have no access to this site yet"


def test_a_stranger_sees_nothing_on_any_screen(visitor: Callable[[], Page], team: Team) -> None:
    page = visitor()
    for path in ("/", "/worklist", f"/study?study={team.study}", "/upload", "/links", "/users", "/audit"):
        page.goto(f"{team.url}{path}")
        expect(page.get_by_text(SIGN_IN)).to_be_visible()
        assert not any(word in page.content().lower() for word in IDENTIFYING)
        assert page.locator("tbody tr").count() == 0
    page.goto(f"{team.url}/shared")
    expect(page.get_by_text(CANNOT_BE_OPENED)).to_be_visible()


def test_who_signs_in_first_has_no_access(visitor: Callable[[], Page], team: Team) -> None:
    page = visitor()
    page.goto(team.url)
    sign_in(page, "reader-1")
    expect(page.get_by_text(NO_ACCESS)).to_be_visible()
    expect(page.get_by_text("Rosa Reader")).to_be_visible()
    page.goto(f"{team.url}/study?study={team.study}")
    expect(page.get_by_text(NO_ACCESS)).to_be_visible()
    assert not any(word in page.content().lower() for word in IDENTIFYING)


def test_a_deep_link_survives_the_sign_in(visitor: Callable[[], Page], team: Team) -> None:
    page = visitor()
    page.goto(f"{team.url}/study?study={team.study}&view=1-1*0-1.3.zf")
    expect(page.get_by_text(SIGN_IN)).to_be_visible()
    sign_in(page, "chief-1")
    expect(page.locator(".triage-head")).to_contain_text("Okafor, Ngozi")
    expect_slice(page, 3)
    assert page.url == f"{team.url}/study?study={team.study}&view=1-1*0-1.3.zf"


def test_a_role_counts_from_the_next_click_and_a_disabled_user_is_thrown_out(
    visitor: Callable[[], Page], team: Team
) -> None:
    admin, other = visitor(), visitor()
    other.goto(team.url)
    sign_in(other, "viewer-1")
    expect(other.get_by_text(NO_ACCESS)).to_be_visible()
    admin.goto(f"{team.url}/users")
    sign_in(admin, "chief-1")
    give_role(admin, "victor@example.org", "viewer")
    other.goto(team.url)
    expect(other.locator("tbody tr[data-id]")).to_have_count(2)
    assert not any(word in other.content().lower() for word in IDENTIFYING)
    assert other.get_by_role("button", name="Choose files or ZIPs").count() == 0
    other.goto(f"{team.url}/audit")
    expect(other.get_by_text("You may not see the audit log")).to_be_visible()
    give_role(admin, "victor@example.org", "reader")
    other.goto(team.url)
    expect(other.locator("tbody")).to_contain_text("Okafor, Ngozi")
    expect(other.get_by_role("button", name="Choose files or ZIPs")).to_be_visible()
    # The list refreshes itself: whoever sits before it need not even click.
    user_line(admin, "victor@example.org").get_by_role("button", name="End access").click()
    expect(other.get_by_text("Your access to this site has been ended")).to_be_visible()
    expect(other.locator("tbody tr[data-id]")).to_have_count(0)
    user_line(admin, "victor@example.org").get_by_role("button", name="Give access back").click()
    expect(user_line(admin, "victor@example.org").get_by_role("button", name="End access")).to_be_visible()
    give_role(admin, "rosa@example.org", "reader")


def test_routes_read_the_same_cookie_as_screens(visitor: Callable[[], Page], team: Team) -> None:
    page = visitor()
    start = "async () => (await fetch('/api/uploads', {method: 'POST', body: '{}'})).status"
    page.goto(team.url)
    expect(page.get_by_text(SIGN_IN)).to_be_visible()
    assert page.evaluate(start) == 401
    sign_in(page, "reader-1")
    expect(page.locator("tbody tr[data-id]")).to_have_count(2)
    assert page.evaluate(start) == 201
    (cookie,) = [one for one in page.context.cookies() if one["name"] == "_streamlit_user"]
    forged = cookie["value"][:-4] + ("AAAA" if cookie["value"][-4:] != "AAAA" else "BBBB")
    page.context.add_cookies([{**cookie, "value": forged}])  # type: ignore[typeddict-item, list-item]
    assert page.evaluate(start) == 401


def test_signing_out_leaves_nothing(visitor: Callable[[], Page], team: Team) -> None:
    page = visitor()
    page.goto(team.url)
    sign_in(page, "reader-1")
    expect(page.locator("tbody tr[data-id]")).to_have_count(2)
    page.get_by_role("button", name="Account").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(re.compile("localhost"))
    page.goto(team.url)
    expect(page.get_by_text(SIGN_IN)).to_be_visible()
    assert page.locator("tbody tr").count() == 0


def test_a_link_shows_one_study_without_the_patient_until_it_is_revoked(
    visitor: Callable[[], Page], team: Team
) -> None:
    owner, guest = visitor(), visitor()
    owner.goto(f"{team.url}/study?study={team.study}")
    sign_in(owner, "reader-1")
    expect_picture(owner)
    link = make_link(owner, team)

    guest.goto(link)
    expect(guest.locator(".triage-head")).to_contain_text("suspected grade 3")
    expect_picture(guest)
    assert guest.url.partition("?")[0] == f"{team.url}/shared"
    assert not any(word in guest.content().lower() for word in (*IDENTIFYING, "disc1", "notes.pdf", *TEAM))
    for name in ("Worklist", "Share", "Account", "Sign in", "PNG", "CSV"):
        assert guest.get_by_role("button", name=re.compile(f"^{name}")).count() == 0
    shown = slice_of(guest)
    guest.keyboard.press("ArrowDown")
    expect_slice(guest, shown + 1)
    guest.reload()
    expect_picture(guest)

    # Other ids and routes: the same as for anybody who knows nothing.
    for path in ("/", f"/study?study={team.study}", f"/study?study={team.other}", "/upload", "/links"):
        guest.goto(f"{team.url}{path}")
        expect(guest.get_by_text(SIGN_IN)).to_be_visible()
    guest.goto(f"{team.url}/shared?study={team.other}")
    expect(guest.locator(".triage-head")).to_contain_text("suspected grade 3")

    dialog = owner.get_by_role("dialog")
    dialog.get_by_role("button", name="Revoke").first.click()
    expect(dialog).to_contain_text("revoked")
    guest.keyboard.press("ArrowDown")
    # The pictures, and the part of the page that they stand in, may say so a moment before the whole page does.
    expect(guest.get_by_role("heading", name=CANNOT_BE_OPENED)).to_be_visible()
    expect(guest.locator(".pane, .js-plotly-plot")).to_have_count(0)
    later = visitor()
    later.goto(link)
    expect(later.get_by_text(CANNOT_BE_OPENED)).to_be_visible()


def test_a_team_link_asks_a_stranger_to_sign_in_and_then_opens(visitor: Callable[[], Page], team: Team) -> None:
    owner, colleague = visitor(), visitor()
    owner.goto(f"{team.url}/study?study={team.study}")
    sign_in(owner, "chief-1")
    expect_picture(owner)
    link = make_link(owner, team, team_only=True)
    colleague.goto(link)
    expect(colleague.get_by_text(CANNOT_BE_OPENED)).to_be_visible()
    sign_in(colleague, "viewer-1")
    expect(colleague.locator(".triage-head")).to_contain_text("suspected grade 3")
    assert colleague.url.partition("?")[0] == f"{team.url}/shared"


def test_an_unknown_link_says_what_a_revoked_one_says(visitor: Callable[[], Page], team: Team) -> None:
    said = []
    for token in ("a" * 43, "short", team.tokens[0]):
        page = visitor()
        page.goto(f"{team.url}/shared#{token}")
        expect(page.get_by_text(CANNOT_BE_OPENED)).to_be_visible()
        expect(page.get_by_role("button", name="Sign in")).to_be_visible()
        said.append(page.locator(".stMain").inner_text())
    assert len(set(said)) == 1


def test_administrators_see_links_and_the_log(visitor: Callable[[], Page], team: Team) -> None:
    page = visitor()
    page.goto(f"{team.url}/links")
    sign_in(page, "chief-1")
    expect(page.get_by_text("All share links")).to_be_visible()
    page.get_by_text("Only those that open now").click()
    expect(page.get_by_text(re.compile("made .* by Rosa Reader"))).to_be_visible()
    page.goto(f"{team.url}/audit")
    page.get_by_role("button", name="Check that nothing was altered").click()
    expect(page.get_by_text("Every entry is as it was written")).to_be_visible()
    page.get_by_role("button", name="Prepare export").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save").click()
    lines = Path(download.value.path()).read_text().splitlines()
    assert len(lines) > 10
    assert not any(word in line.lower() for line in lines for word in (*IDENTIFYING, *TEAM))


def test_everything_was_noted_and_views_once(team: Team) -> None:
    audit = team.audit()
    actions = {action for _, action, _ in audit}
    assert {"sign_in", "sign_out", "set_role", "disable_user", "enable_user", "refuse", "view_study"} <= actions
    assert {"share", "open_share", "revoke_share", "export"} <= actions
    guest = next(actor for actor, action, _ in audit if action == "open_share")
    # One line a session: the visitor loaded the page anew, but no step from slice to slice is a view.
    views = [line for line in audit if line[:2] == (guest, "view_study")]
    assert 1 <= len(views) <= 4
    assert {subject for _, _, subject in views} == {team.study}


def test_nothing_identifying_and_no_token_left_the_screen(team: Team) -> None:
    written = team.server.log.read_text(errors="replace").lower()
    asked = "\n".join(team.asked).lower()
    tokens = [token.lower() for token in team.tokens]
    assert len(tokens) == 2
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(f"{team.url}/_stcore/metrics", timeout=30)
    for word in (*IDENTIFYING, *tokens, *TEAM):
        assert word not in written
    own = "\n".join(url for url in team.asked if url.startswith(team.url)).lower()
    assert own
    for word in (*IDENTIFYING, *TEAM):
        assert word not in own
    for word in (*IDENTIFYING, *tokens):
        assert word not in re.sub(r"/shared#\S+", "", asked)
