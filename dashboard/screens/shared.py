"""What the holder of a share link sees: one study, read-only, without the patient, and nothing else."""

import streamlit as st

from dashboard.errors import NotAllowed
from dashboard.records import CANNOT_BE_OPENED
from dashboard.screens import desk, desk_reading, desk_team, entry
from dashboard.screens.frame import top
from dashboard.screens.parts.link_token import link_token
from dashboard.screens.study import Looking, draw
from dashboard.settings import load_settings
from dashboard.sharing import STRANGER, make_pass

OPENED = "opened_link"
REFUSED = "refused_link"


def show() -> None:
    """Draw the study of the link; for an unknown, expired or revoked link, and without one, always the same."""
    top("shared, read-only")
    token = link_token(ask=OPENED not in st.session_state and REFUSED not in st.session_state)
    if token is not None:
        _open(token)
    share_id = st.session_state.get(OPENED)
    if share_id is None:
        if REFUSED in st.session_state:
            _cannot_be_opened()
        return
    try:
        visitor = desk_team.check_guest(share_id)
    except NotAllowed:
        _cannot_be_opened()
        return
    study_id = visitor.study_id or ""
    draw(
        Looking(
            lambda: desk.look_at(desk_team.check_guest(share_id), study_id),
            lambda: desk_reading.beside(desk_team.check_guest(share_id), study_id),
            lambda: _check(share_id),
            make_pass(desk.records().keys, share_id),
        )
    )


def _check(share_id: str) -> None:
    desk_team.check_guest(share_id)


def _open(token: str) -> None:
    st.session_state.pop(OPENED, None)
    try:
        visitor = desk_team.open_token(token)
    except NotAllowed:
        desk.note_refusal(desk.person(), "shared")
        st.session_state[REFUSED] = True
        return
    st.session_state.pop(REFUSED, None)
    st.session_state[OPENED] = visitor.id.removeprefix("share:")


def _cannot_be_opened() -> None:
    st.html(
        f'<section class="panel" role="status" style="margin-top:2rem"><h2>{CANNOT_BE_OPENED}</h2>'
        "<p>It may have ended. Ask whoever sent it for a new one.</p></section>"
    )
    if load_settings().sign_in is not None and desk.person() == STRANGER:
        st.caption("Some links open for the team only: sign in, and it is tried again.")
        entry.sign_in_button()
