"""The embedded worker as the page sees it, and the demonstration study."""

import logging
import tempfile
import threading
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Literal

import streamlit as st

from dashboard.errors import RecordsError
from dashboard.exchange.demonstration import write_demonstration
from dashboard.records import nobody_works, overtaken_uploads
from dashboard.screens import desk, desk_list
from dashboard.sharing import Right, require
from dashboard.work import WorkerProcess, receive_files

STOPPED = (
    "The part that reads and grades studies has stopped and is being started again. "
    "What was received is safe; until it runs, nothing new is graded: read waiting studies yourself."
)
NOBODY_FOR = timedelta(minutes=2)
NOBODY_WORKS = (
    f"For {NOBODY_FOR.seconds // 60} minutes nobody has worked on studies that wait to be read or graded. "
    "What was received is safe; until it goes on, nothing new is graded: read waiting studies yourself, and tell "
    "whoever runs this server."
)
ELSEWHERE = (
    f"{{uploads}} received more than {NOBODY_FOR.seconds // 60} minutes ago can be read only by the machine that took "
    "the files in, and nobody works there: read these studies yourself or drop the files again, and tell whoever runs "
    "this server."
)
UNTIL_THEN = (
    "Until then no study is received, and grading may stop: read waiting studies yourself, and tell whoever runs this "
    "server. The work goes on by itself."
)
AWAITED = "demonstration_awaited"
# The application's worker: one a server, none where a screen is shown without a server, as in tests.
_embedded: list[WorkerProcess] = []

log = logging.getLogger(__name__)


def start() -> None:
    """Start the embedded worker; beside it, read the list and load what the first study opened will need."""
    _embedded.append(WorkerProcess())
    _embedded[-1].start()
    threading.Thread(target=_warm_up, name="warm-up", daemon=True).start()


def _warm_up() -> None:
    try:
        desk_list.read_ahead()
    except RecordsError as error:
        log.warning("%s", error)
    import_module("dashboard.viewing.stack")


def stop() -> None:
    """End the embedded worker."""
    while _embedded:
        _embedded.pop().stop()


def trouble_words() -> tuple[str, ...]:
    """What to tell when nobody works on what was received, or nothing can be received; empty when all is well."""
    storage = desk.records().inbox.trouble()
    words = [f"{storage} {UNTIL_THEN}"] if storage else []
    if _embedded and not _embedded[-1].alive:
        return (STOPPED, *words)
    return tuple(words) if storage else _left_waiting()


def _left_waiting() -> tuple[str, ...]:
    """What to tell when the workers, which a cluster's may be, cannot be reached: all of them or those of a machine."""
    with desk.records().reading() as session:
        if overtaken := overtaken_uploads(session, desk.now(), NOBODY_FOR):
            return (ELSEWHERE.format(uploads="An upload" if overtaken == 1 else f"{overtaken} uploads"),)
        return (NOBODY_WORKS,) if nobody_works(session, desk.now(), NOBODY_FOR) else ()


def demonstration_button(kind: Literal["primary", "tertiary"]) -> None:
    """The button that makes the demonstration study, which opens as soon as it is in the list.

    Over a list, where room is short, it is the tertiary one with fewer words.
    """
    asked = st.button(
        "Open the demonstration study" if kind == "primary" else "Demonstration study",
        key="demonstration",
        type=kind,
        help="A made-up spine with one tumour, from this project's own generator. Labelled synthetic everywhere.",
    )
    if asked:
        require(desk.person(), Right.UPLOAD)
        with st.spinner("Making a synthetic study"), tempfile.TemporaryDirectory() as folder:
            write_demonstration(Path(folder) / "demonstration")
            receive_files(desk.records(), [Path(folder) / "demonstration"], synthetic=True)
        st.session_state[AWAITED] = True
        st.rerun(scope="fragment")


def demonstration_awaited() -> bool:
    """Whether this visitor has asked for the demonstration study and not seen it yet."""
    return bool(st.session_state.get(AWAITED))


def demonstration_shown() -> None:
    """The demonstration study is being opened."""
    st.session_state.pop(AWAITED, None)
