"""A team's server with sign-in, its people, and what they do on several tests' pages."""

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from playwright.sync_api import Locator, Page, Response, expect

from dashboard.ingest import Identity
from dashboard.records import Records, audit_entries
from tests.browser.server import Server, serving
from tests.browser.viewer import press
from tests.screens.site import add_result, open_site

PATIENT = Identity(patient_name="Okafor^Ngozi", patient_id="RXH4471093", birth_date="19610203", sex="F")
OTHER = Identity(patient_name="Lindqvist^Bo", patient_id="KLM5502817", birth_date="19480709", sex="M")
# What must be nowhere but on the screen of those who may see it.
IDENTIFYING = ("okafor", "ngozi", "rxh4471093", "19610203", "1961-02-03", "lindqvist", "klm5502817", "19480709")
TEAM = ("ada@example.org", "rosa@example.org", "rosa reader", "ada chief", "chief-1", "reader-1")


class Team:
    """A server with sign-in, two studies on it, and everything that browsers asked of it."""

    def __init__(self, server: Server, records: Records, study: str, other: str) -> None:
        self.server, self.records, self.study, self.other = server, records, study, other
        self.asked: list[str] = []
        self.tokens: list[str] = []

    @property
    def url(self) -> str:
        return self.server.url

    def audit(self) -> list[tuple[str, str, str]]:
        """(actor, action, subject) of every entry, oldest first."""
        with self.records.reading() as session:
            found = audit_entries(session, limit=1000)
        return [(entry.actor, entry.action, entry.subject_id) for entry in reversed(found)]


def sign_in(page: Page, subject: str) -> None:
    """From a page that asks for it, through the provider, and back."""
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name=subject, exact=True).first.click()


def give_role(page: Page, email: str, role: str) -> None:
    """As an administrator on the users' screen."""
    chosen = user_line(page, email).get_by_role("combobox")
    chosen.click()
    page.get_by_role("option", name=re.compile(role)).click()
    expect(chosen).to_have_value(re.compile(role))
    # The choice has reached the server once the page is at rest.
    expect(page.locator('.stApp[data-test-script-state="notRunning"]')).to_be_visible()


def user_line(page: Page, email: str) -> Locator:
    return page.locator('[class*="st-key-user_"]').filter(has_text=email)


def make_link(page: Page, team: Team, *, team_only: bool = False) -> str:
    """As a reader on the study's screen; the link that was made."""
    press(page, "s")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    if team_only:
        dialog.get_by_text("Team only").click()
    dialog.get_by_role("button", name="Create link").click()
    link = dialog.locator(".link input")
    expect(link).to_have_value(re.compile(f"^{re.escape(team.url)}/shared([?]view=[a-z0-9_.*-]+)?#.{{40,}}$"))
    team.tokens.append(link.input_value().split("#")[1])
    return link.input_value()


def one_study(repository: Path, data_dir: Path) -> Iterator[Server]:
    """A server without sign-in and with one study, of grade 2."""
    with closing(open_site(data_dir)) as records:
        add_result(records, "2", PATIENT)
    with serving(repository, data_dir) as server:
        yield server


class Overheard:
    """Everything that comes to a page: answers to what it asks, and what arrives over the web socket."""

    def __init__(self, page: Page) -> None:
        self._answers: list[Response] = []
        self.frames: list[bytes] = []
        page.on("response", lambda answer: self._answers.append(answer))
        page.on("websocket", lambda socket: socket.on("framereceived", self._hear))

    def _hear(self, frame: str | bytes) -> None:
        self.frames.append(frame if isinstance(frame, bytes) else frame.encode())

    def everything(self) -> str:
        """Addresses, headers and bodies but for the page's programs, and all frames; in lower case."""
        heard = list(self.frames)
        for answer in self._answers:
            heard.append(f"{answer.url} {answer.all_headers()}".encode())
            if answer.ok and "/static/" not in answer.url:
                heard.append(answer.body())
        return b"\n".join(heard).decode("utf-8", "replace").lower()
