"""The worklist: drop zone on top, studies below, the most urgent first."""

import streamlit as st

from dashboard.grading import RULE
from dashboard.screens import desk, desk_list, pages
from dashboard.screens.desk_list import Listed
from dashboard.screens.entry import needs
from dashboard.screens.frame import told, top
from dashboard.screens.lines import CLOCK_WORDS, upload_line
from dashboard.screens.list_filter import CHOICES, Wanted
from dashboard.screens.parts.drop_zone import DropEvent, UploadLine, drop_zone
from dashboard.screens.parts.plot import LIBRARY
from dashboard.screens.parts.ticker import ticker
from dashboard.screens.parts.worklist_table import first_asked, worklist_table
from dashboard.screens.text import counted
from dashboard.screens.worker import (
    demonstration_awaited,
    demonstration_button,
    demonstration_shown,
    trouble_words,
)
from dashboard.sharing import Right, may

REFRESH_S = 2.0
# While a study is on its way, its grade is waited for.
BUSY_REFRESH_S = 0.5
BUSY = "studies_on_their_way"
ORDERS = {"urgency": "Most urgent first", "arrival": "Latest arrival first"}
# More finished uploads than this would push the list down the page; the others are a click away.
FINISHED_LINES = 2
# A site with more studies than this knows what the software does.
FEW = 5
DISMISSED = "dismissed_uploads"
WORDS = "search_words"


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
    _follow_address()
    listed = desk_list.look(st.session_state["order"] != "arrival", _wanted())
    if listed.demonstration and demonstration_awaited():
        demonstration_shown()
        pages.go("study", study=listed.demonstration)
    st.session_state[BUSY] = listed.busy
    waiting = listed.unopened
    top(f"{counted(waiting, 'urgent study', 'urgent studies')} not opened yet" if waiting else "")
    for trouble in trouble_words():
        st.warning(trouble, icon=":material/warning:")
    adds = may(desk.person(), Right.UPLOAD)
    if adds:
        uploads = _upload_lines()
        shown = [upload for place, upload in enumerate(uploads) if not upload.finished or place < FINISHED_LINES]
        _follow(drop_zone(shown, large=not listed.total, earlier=len(uploads) - len(shown)))
    if not listed.total:
        _empty(adds)
        return
    _toolbar(listed, offer_demonstration=adds and listed.demonstration is None and listed.total <= FEW)
    part = desk_list.part(listed, first_asked(len(listed.shown)))
    opened = worklist_table(part, desk_list.news(listed), library=LIBRARY)
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


def _follow_address() -> None:
    """Take the choices from the address at the first visit, and keep the address to them from then on.

    Streamlit's own binding leaves the address of the last screen standing when one comes back to this one.
    """
    # The browser's way back brings the address of the study along.
    for name in frozenset(st.query_params) - frozenset(CHOICES) - {"order"}:
        del st.query_params[name]
    for name, choices in CHOICES.items():
        if name not in st.session_state:
            st.session_state[name] = [one for one in st.query_params.get_all(name) if one in choices]
        if st.query_params.get_all(name) != st.session_state[name]:
            st.query_params[name] = st.session_state[name]
    if "order" not in st.session_state:
        st.session_state["order"] = "arrival" if st.query_params.get("order") == "arrival" else "urgency"
    asked = {"order": "arrival"} if st.session_state["order"] == "arrival" else {}
    if st.query_params.get("order") != asked.get("order"):
        st.query_params.pop("order", None)
        st.query_params.update(asked)


def _wanted() -> Wanted:
    chosen = {name: frozenset(st.session_state[name]) for name in CHOICES}
    return Wanted(**chosen, words=st.session_state.get(WORDS) or "")


def _toolbar(listed: Listed, offer_demonstration: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="toolbar"):
        st.segmented_control(
            "Order",
            list(ORDERS),
            format_func=ORDERS.__getitem__,
            key="order",
            required=True,
            label_visibility="collapsed",
            persist_state="session",
        )
        for name in CHOICES:
            _filter(name)
        st.text_input(
            "Search",
            key=WORDS,
            type="search",
            placeholder="Name, number, level",
            label_visibility="collapsed",
            max_chars=200,
            width=180,
            persist_state="session",
        )
        _count(listed)
        if offer_demonstration:
            demonstration_button("tertiary")
        if st.button("Waiting times", key="go_turnaround", type="tertiary", help="Waiting times and agreement"):
            pages.go("turnaround")
        with st.popover("Order and clocks", type="tertiary"):
            st.caption(RULE)
            st.caption(CLOCK_WORDS)


def _filter(name: str) -> None:
    chosen = st.session_state[name]
    label = name.capitalize() + (f": {len(chosen)}" if chosen else "")
    with st.popover(label, type="primary" if chosen else "secondary", key=f"{name}_choices"):
        if name == "region":
            st.caption("As the descriptions of the study and its series say; they may be wrong.")
        st.pills(
            f"Show only ({name})",
            list(CHOICES[name]),
            selection_mode="multi",
            key=name,
            persist_state="session",
        )


def _count(listed: Listed) -> None:
    shown, total = len(listed.shown), listed.total
    words = counted(total, "study", "studies") if shown == total else f"{shown:,} of {total:,} studies"
    st.html(f'<span class="quiet">{words}</span>', width="content")
    if _wanted().narrows:
        st.button("Show all", key="show_all", type="tertiary", on_click=_show_all)


def _show_all() -> None:
    for name in CHOICES:
        st.session_state[name] = []
    st.session_state[WORDS] = ""


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
