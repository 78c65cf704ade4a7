"""The screens by name, and going from one to another. Only opaque ids travel in an address."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import NoReturn

import streamlit as st
from streamlit.navigation.page import Page

from dashboard.sharing import Right

KEY = "pages"


class Public(StrEnum):
    """Screens that ask for no role: they check for themselves, or are nobody's."""

    EVERYBODY = "everybody"
    NOBODY = "nobody"


EVERYBODY, NOBODY = Public.EVERYBODY, Public.NOBODY
# Screen -> what one must be allowed to do to see it. The first is where one starts.
SCREENS: Mapping[str, Right | Public] = {
    "worklist": Right.SEE_LIST,
    "study": Right.SEE_STUDY,
    "upload": Right.UPLOAD,
    "turnaround": Right.SEE_LIST,
    "links": Right.SHARE,
    "users": Right.ADMINISTER,
    "audit": Right.SEE_AUDIT,
    # Opens by the token of a link, and shows nothing without one.
    "shared": EVERYBODY,
}


def declare(screens: Mapping[str, Callable[[], None]]) -> Page:
    """Make the navigation; the first screen is where one starts. Returns the screen that was asked for."""
    found = {
        name: st.Page(screen, title="Spine Triage", url_path=name, default=place == 0)
        for place, (name, screen) in enumerate(screens.items())
    }
    st.session_state[KEY] = found
    return st.navigation(list(found.values()), position="hidden")


def go(name: str, **ids: str) -> NoReturn:
    """Open another screen."""
    st.switch_page(st.session_state[KEY][name], query_params=ids)
