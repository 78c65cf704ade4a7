"""Sharing a study: one button, a small dialog, a link to copy, and the links there are."""

from collections.abc import Mapping
from datetime import datetime

import streamlit as st

from dashboard.screens import desk, desk_team
from dashboard.screens.desk_team import LinkLine
from dashboard.screens.entry import needs
from dashboard.screens.frame import attempt, told
from dashboard.screens.lines import patient_words
from dashboard.screens.parts.copy_link import copy_link
from dashboard.screens.reading_words import moment
from dashboard.screens.text import counted, plain
from dashboard.settings import load_settings
from dashboard.sharing import LinkKind, Right, may

KINDS: Mapping[str, str] = {LinkKind.INSTANT: "15 minutes", LinkKind.PUBLICATION: "7 days"}
MADE = "link_made"
STATES = {"active": ":green[active]", "expired": ":gray[expired]", "revoked": ":red[revoked]"}
WHAT_IT_SHOWS = (
    "Whoever opens the link sees this study as it is on screen, without name, number and birth date, and nothing else."
)
HERE_ONLY = "No sign-in is configured, so this server answers this machine only: the link opens here and nowhere else."


def share_button(study_id: str) -> None:
    """The button, for those who may share."""
    if not may(desk.person(), Right.SHARE):
        return
    if st.button("Share", key="share", icon=":material/link:", shortcut="s", help="Make a read-only link"):
        _put_away()
        _dialog(study_id)


def _put_away() -> None:
    """A link that was made is of the choices it was made with: it must not stand beside others."""
    st.session_state.pop(MADE, None)


@st.dialog("Share this study", width="large")
@told
@needs(Right.SHARE)
def _dialog(study_id: str) -> None:
    st.caption(WHAT_IT_SHOWS)
    public = load_settings().sign_in
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = st.segmented_control(
            "Opens for",
            list(LinkKind),
            format_func=KINDS.__getitem__,
            default=LinkKind.INSTANT,
            required=True,
            key="kind",
            on_change=_put_away,
        )
        team_only = st.toggle(
            "Team only", key="team_only", help="Whoever opens it must sign in and have a role here", on_change=_put_away
        )
        if st.button("Create link", key="create_link", type="primary"):
            st.session_state[MADE] = desk_team.add_link(study_id, kind or LinkKind.INSTANT, team_only)
    if MADE in st.session_state:
        copy_link("/shared", st.session_state[MADE], public.public_url if public else "", key="new_link")
        st.caption("The link is shown only now. It can be revoked below at any time.")
    if public is None:
        st.caption(HERE_ONLY)
    link_lines(desk_team.links(study_id), "dialog")


def link_lines(lines: tuple[LinkLine, ...], place: str, patients: bool = False) -> None:
    """The links, newest first, each with its state and, while it opens, a button that closes it."""
    for line in lines:
        share = line.share
        with st.container(horizontal=True, wrap=False, vertical_alignment="center", key=f"link_{place}_{share.id}"):
            st.markdown(STATES[share.state.value], width=70)
            if patients:
                st.text(_patient(line), width=220)
            st.text(link_words(line, desk.now()), width="stretch")
            if share.state.value == "active":
                act = attempt(desk_team.revoke)
                st.button("Revoke", key=f"revoke_{place}_{share.id}", on_click=act, args=(share.id,))


def _patient(line: LinkLine) -> str:
    return plain(patient_words(line.person)[0], 40)


def link_words(line: LinkLine, now: datetime) -> str:
    """What a link is, by whom and when it was made, until when it opens, and how often it did."""
    share = line.share
    opened = f"opened {counted(share.opened_count, 'time')}" if share.opened_count else "not opened yet"
    parts = [
        KINDS.get(share.kind, share.kind) + (", team only" if share.team_only else ""),
        f"made {moment(share.created_at)} by {plain(line.author, 40)}",
        _until(line, now),
        opened,
    ]
    return " · ".join(parts)


def _until(line: LinkLine, now: datetime) -> str:
    share = line.share
    if share.revoked_at is not None:
        return f"revoked {moment(share.revoked_at)}"
    if share.expires_at <= now:
        return f"expired {moment(share.expires_at)}"
    return f"until {moment(share.expires_at)}"
