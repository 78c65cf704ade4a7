"""What Streamlit runs for every visit: page set-up, then the screen that was asked for, for those who may see it."""

from collections.abc import Callable
from importlib import import_module

import streamlit as st

from dashboard.errors import RecordsError
from dashboard.screens import entry, pages
from dashboard.screens.frame import RETRY_S, style, tell_failure, told
from dashboard.screens.parts import FOLDER
from dashboard.screens.parts.ticker import ticker

# Streamlit fetches its own icons from the internet; a page full of names asks nobody.
ICON = FOLDER / "icon.svg"


def screen(name: str) -> Callable[[], None]:
    """A screen that is imported when it is first shown: the list does not wait for what draws the plots."""

    def show() -> None:
        try:
            if entry.let_in(name):
                import_module(f"dashboard.screens.{name}").show()
        except RecordsError as error:
            _tell_and_try_again(error, name)

    return told(show)


def _tell_and_try_again(error: RecordsError, name: str) -> None:
    """The disk may get room again, a database its backup: the screen comes back by itself, and so does one's way."""
    tell_failure(error)
    first = next(iter(pages.SCREENS))
    if name != first and st.button("Worklist", key="back_from_failure", icon=":material/arrow_back:"):
        pages.go(first)
    ticker(RETRY_S, "retry_ticker")


st.set_page_config(page_title="Spine Triage", page_icon=str(ICON), layout="wide")
style()
pages.declare({name: screen(name) for name in pages.SCREENS}).run()
