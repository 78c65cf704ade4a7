"""The screens by name, and going from one to another. Only opaque ids travel in an address."""

from collections.abc import Callable, Mapping
from typing import NoReturn

import streamlit as st
from streamlit.navigation.page import Page

KEY = "pages"


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
