"""What every screen has: the notice, the style, the way back, and how errors are told."""

from collections.abc import Callable
from functools import wraps

import streamlit as st

from dashboard.errors import TriageError
from dashboard.screens.parts import FOLDER
from dashboard.screens.tiers import NOTICE

STYLE = f"<style>{(FOLDER / 'page.css').read_text(encoding='utf-8')}</style>"


def top(words: str = "") -> None:
    """Name of the application, the notice, and `words` (already fit for HTML) on the right."""
    st.html(
        f'<div class="triage-top"><h1>Spine Triage</h1><span class="notice">{NOTICE}</span>'
        f'<span class="count">{words}</span></div>'
    )


def style() -> None:
    """Style of all screens."""
    st.html(STYLE)


def told(screen: Callable[[], None]) -> Callable[[], None]:
    """A screen whose expected failures are told in words; a traceback is never shown."""

    @wraps(screen)
    def show() -> None:
        try:
            screen()
        except TriageError as error:
            st.error("This could not be shown. What the software says:", icon=":material/error:")
            st.text(str(error))

    return show
