"""The worklist: drop zone on top, studies below, the most urgent first."""

import streamlit as st

from dashboard.screens import desk, pages
from dashboard.screens.entry import needs
from dashboard.screens.frame import told, top
from dashboard.screens.lines import study_line, upload_line
from dashboard.screens.parts.drop_zone import DropEvent, UploadLine, drop_zone
from dashboard.screens.parts.plot import LIBRARY
from dashboard.screens.parts.ticker import ticker
from dashboard.screens.parts.worklist_table import worklist_table
from dashboard.screens.text import counted
from dashboard.screens.worker import (
    demonstration_awaited,
    demonstration_button,
    demonstration_shown,
    worker_words,
)
from dashboard.sharing import Right, may

REFRESH_S = 2.0
# While a study is on its way, its grade is waited for.
BUSY_REFRESH_S = 0.5
BUSY = "studies_on_their_way"
ORDERS = {"urgency": "Most urgent first", "arrival": "Latest arrival first"}
# More finished uploads than this would push the list down the page; the others are a click away.
FINISHED_LINES = 2
DISMISSED = "dismissed_uploads"


@needs(Right.SEE_LIST)
def show() -> None:
    """Draw the screen. What changes by itself is a fragment of its own, so that nothing else is redrawn."""
    _live()


@st.fragment
@told
@needs(Right.SEE_LIST)
def _live() -> None:
    # First, so that what fails now is tried again.
    ticker(BUSY_REFRESH_S if st.session_state.get(BUSY) else REFRESH_S, "worklist_ticker")
    by_urgency = st.session_state.get("order", "urgency") != "arrival"
    found = desk.studies(by_urgency)
    made_up = next((study.id for study, _, _ in found if study.synthetic), None)
    if made_up and demonstration_awaited():
        demonstration_shown()
        pages.go("study", study=made_up)
    st.session_state[BUSY] = any(study.tier is None for study, _, _ in found)
    now = desk.now()
    waiting = sum(study.tier in ("immediate", "urgent") and study.opened_at is None for study, _, _ in found)
    top(f"{counted(waiting, 'urgent study', 'urgent studies')} not opened yet" if waiting else "")
    trouble = worker_words()
    if trouble:
        st.warning(trouble, icon=":material/warning:")
    adds = may(desk.person(), Right.UPLOAD)
    if adds:
        uploads = _upload_lines()
        shown = [upload for place, upload in enumerate(uploads) if not upload.finished or place < FINISHED_LINES]
        _follow(drop_zone(shown, large=not found, earlier=len(uploads) - len(shown)))
    if not found:
        _empty(adds)
        return
    _toolbar(len(found), offer_demonstration=adds and made_up is None)
    lines = [study_line(study, person, where, now) for study, person, where in found]
    opened = worklist_table(lines, library=LIBRARY)
    if opened:
        pages.go("study", study=opened)


def _upload_lines() -> list[UploadLine]:
    dismissed = st.session_state.get(DISMISSED, frozenset())
    lines = (upload_line(upload, desk.now()) for upload in desk.uploads())
    return [line for line in lines if line is not None and line.id not in dismissed]


def _follow(event: DropEvent) -> None:
    if event.rejected:
        pages.go("upload", upload=event.rejected)
    if event.earlier:
        pages.go("upload")
    if event.dismissed:
        st.session_state[DISMISSED] = st.session_state.get(DISMISSED, frozenset()) | {event.dismissed}
        st.rerun(scope="fragment")


def _toolbar(count: int, offer_demonstration: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.segmented_control(
            "Order",
            list(ORDERS),
            format_func=ORDERS.__getitem__,
            key="order",
            default="urgency",
            required=True,
            label_visibility="collapsed",
            persist_state="session",
        )
        st.html(f'<span style="color:#9fb0c0">{counted(count, "study", "studies")}</span>')
        if offer_demonstration:
            demonstration_button("tertiary")


def _empty(adds: bool) -> None:
    if not adds:
        st.html('<p style="margin:0.8rem 0">No study has been added yet.</p>')
        return
    st.html(
        '<p style="margin:0.8rem 0 0.2rem;max-width:52rem">Drop a spine MRI study above: each is graded for suspected '
        "cord compression in seconds and takes its place in a list, the most urgent first.<br>"
        "Nothing leaves this machine. Names stay encrypted here and are removed from the stored images.</p>"
    )
    demonstration_button("primary")
