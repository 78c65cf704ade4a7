"""What every screen has: the notice, the style, the way back, and how errors are told."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from dashboard.errors import NotAllowed, RecordsUnavailable, TriageError
from dashboard.screens.parts import FOLDER
from dashboard.screens.parts.theme_switch import theme_switch
from dashboard.screens.parts.ticker import ticker
from dashboard.screens.tiers import NOTICE

Arguments = ParamSpec("Arguments")
FAILED = "failed"
RETRY_S = 3.0
MEANWHILE = "Until this is mended, read studies yourself, and tell whoever runs this server."
DONE = "done"
STYLE = f"<style>{(FOLDER / 'page.css').read_text(encoding='utf-8')}</style>"


def top(words: str = "") -> None:
    """Name of the application, the notice, and `words` (already fit for HTML) on the right."""
    st.html(
        f'<div class="triage-top"><h1>Spine Triage</h1><span class="notice">{NOTICE}</span>'
        f'<span class="count">{words}</span></div>'
    )
    with st.container(key="theme"):
        theme_switch()


def style() -> None:
    """Style of all screens."""
    st.html(STYLE)


def told(part: Callable[Arguments, None]) -> Callable[Arguments, None]:
    """A screen, or a part of one, whose expected failures are told in words; a traceback is never shown.

    What is away for now, a disk or a database, is tried again until it is back.
    """

    @wraps(part)
    def show(*arguments: Arguments.args, **named: Arguments.kwargs) -> None:
        if FAILED in st.session_state:
            st.error(st.session_state.pop(FAILED), icon=":material/error:")
        if DONE in st.session_state:
            st.toast(st.session_state.pop(DONE), icon=":material/check:")
        try:
            part(*arguments, **named)
        except NotAllowed as error:
            if _part_alone():
                # Whoever has lost their access meanwhile must not keep what is drawn around this part.
                st.rerun(scope="app")
            st.error(str(error), icon=":material/lock:")
        except TriageError as error:
            tell_failure(error)
            if isinstance(error, RecordsUnavailable):
                ticker(RETRY_S, f"retry_{part.__module__}.{part.__name__}")

    return show


def tell_failure(error: TriageError) -> None:
    """Tell, in the place of what it kept from being shown, what failed and what to do about it."""
    st.error("This could not be shown. What the software says:", icon=":material/error:")
    st.text(str(error))
    if isinstance(error, RecordsUnavailable):
        st.text(MEANWHILE)


def tell_next(words: str) -> None:
    """Have the next screen say, in passing, what was done on this one."""
    st.session_state[DONE] = words


def attempt(action: Callable[Arguments, None]) -> Callable[Arguments, None]:
    """What a button does, done before the screen is drawn: an expected failure is told on the screen."""

    @wraps(action)
    def act(*arguments: Arguments.args, **named: Arguments.kwargs) -> None:
        try:
            action(*arguments, **named)
        except TriageError as error:
            st.session_state[FAILED] = f"Not done. {error}"

    return act


def _part_alone() -> bool:
    """Whether only a part of the screen is being drawn anew."""
    context = get_script_run_ctx()
    return bool(context and context.fragment_ids_this_run)
