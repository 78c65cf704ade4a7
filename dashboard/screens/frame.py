"""What every screen has: the notice, the style, the way back, and how errors are told."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import streamlit as st

from dashboard.errors import TriageError
from dashboard.screens.parts import FOLDER
from dashboard.screens.tiers import NOTICE

Arguments = ParamSpec("Arguments")
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


def told(part: Callable[Arguments, None]) -> Callable[Arguments, None]:
    """A screen, or a part of one, whose expected failures are told in words; a traceback is never shown."""

    @wraps(part)
    def show(*arguments: Arguments.args, **named: Arguments.kwargs) -> None:
        try:
            part(*arguments, **named)
        except TriageError as error:
            st.error("This could not be shown. What the software says:", icon=":material/error:")
            st.text(str(error))

    return show
