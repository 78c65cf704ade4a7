"""What Streamlit runs for every visit: page set-up, then the screen that was asked for, for those who may see it."""

from collections.abc import Callable
from importlib import import_module

import streamlit as st

from dashboard.screens import entry, pages
from dashboard.screens.frame import style, told
from dashboard.screens.parts import FOLDER

# Streamlit fetches its own icons from the internet; a page full of names asks nobody.
ICON = FOLDER / "icon.svg"


def screen(name: str) -> Callable[[], None]:
    """A screen that is imported when it is first shown: the list does not wait for what draws the plots."""

    def show() -> None:
        if entry.let_in(name):
            import_module(f"dashboard.screens.{name}").show()

    return told(show)


st.set_page_config(page_title="Spine Triage", page_icon=str(ICON), layout="wide")
style()
pages.declare({name: screen(name) for name in pages.SCREENS}).run()
