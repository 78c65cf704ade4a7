"""Who may see a screen: asked here for every screen, and once more in each screen itself."""

from collections.abc import Callable
from functools import wraps
from typing import Literal, ParamSpec

import streamlit as st

from dashboard.records import Role
from dashboard.screens import desk, pages
from dashboard.screens.frame import top
from dashboard.screens.text import markup
from dashboard.settings import load_settings
from dashboard.sharing import CONSOLE, STRANGER, Person, Right, may, require

Arguments = ParamSpec("Arguments")
NO_ACCESS = "You have no access to this site yet. Ask an administrator of Spine Triage for a role."
ENDED = "Your access to this site has been ended. Ask an administrator of Spine Triage."
SIGN_IN = "This page is for the team. Sign in to see it."


def needs(right: Right) -> Callable[[Callable[Arguments, None]], Callable[Arguments, None]]:
    """A screen, or a part that is drawn anew by itself, for those who have a right.

    What it wraps raises :class:`NotAllowed` for everybody else, at every run: a role may have changed meanwhile.
    """

    def wrap(part: Callable[Arguments, None]) -> Callable[Arguments, None]:
        @wraps(part)
        def show(*arguments: Arguments.args, **named: Arguments.kwargs) -> None:
            require(desk.person(), right)
            part(*arguments, **named)

        return show

    return wrap


def let_in(screen: str) -> bool:
    """Whether the visitor may see a screen; if not, they are told what to do. A screen without a right is nobody's."""
    if pages.SCREENS.get(screen, pages.NOBODY) is pages.EVERYBODY:
        return True
    person = desk.person()
    right = pages.SCREENS.get(screen)
    if isinstance(right, Right) and may(person, right):
        _account(person)
        return True
    top()
    if person == STRANGER:
        _ask_to_sign_in()
    else:
        _explain(person, screen)
    return False


def sign_in_button() -> None:
    """Leads to the identity provider and back to this page."""
    if st.button("Sign in", key="sign_in", type="primary"):
        st.login()


def _ask_to_sign_in() -> None:
    st.html(f'<section class="panel" style="margin-top:2rem"><h2>{SIGN_IN}</h2></section>')
    if load_settings().sign_in is not None:
        sign_in_button()


def _explain(person: Person, screen: str) -> None:
    desk.note_refusal(person, screen)
    st.html(
        f'<section class="panel" style="margin-top:2rem"><h2>{_why_not(person, screen)}</h2>'
        f'<p>Signed in as <b dir="auto">{markup(person.name)}</b>.</p></section>'
    )
    with st.container(horizontal=True):
        if may(person, Right.SEE_LIST) and st.button("Worklist", key="back", icon=":material/arrow_back:"):
            pages.go("worklist")
        _sign_out_button("content")


def _why_not(person: Person, screen: str) -> str:
    if person.disabled:
        return ENDED
    right = pages.SCREENS.get(screen)
    if person.role is Role.NONE or not isinstance(right, Right):
        return NO_ACCESS
    return f"You may not {right.value}."


def _account(person: Person) -> None:
    """Who is signed in, and the screens that are not part of the day's work, in the upper right corner."""
    with st.container(key="account"), st.popover(_short(person), type="tertiary"):
        st.html(f'<p class="quiet" dir="auto">{_long(person)}</p>')
        for name, words in (("links", "Share links"), ("users", "Users"), ("audit", "Audit log")):
            right = pages.SCREENS[name]
            if isinstance(right, Right) and may(person, right) and st.button(words, key=f"go_{name}", width="stretch"):
                pages.go(name)
        if person != CONSOLE:
            _sign_out_button("stretch")


def _short(person: Person) -> str:
    # A label is Markdown, and a name is data: it stands inside, as text.
    return "This machine" if person == CONSOLE else "Account"


def _long(person: Person) -> str:
    if person == CONSOLE:
        return "No sign-in is configured:<br>whoever uses this machine may do everything."
    return f"<b>{markup(person.name)}</b><br>{person.role.value}"


def _sign_out_button(width: Literal["content", "stretch"]) -> None:
    if st.button("Sign out", key="sign_out", width=width):
        st.logout()
