"""Share links: a person's own, and for administrators everybody's."""

import streamlit as st

from dashboard.screens import desk, desk_team, pages
from dashboard.screens.entry import needs
from dashboard.screens.frame import told, top
from dashboard.screens.share import link_lines
from dashboard.screens.text import counted
from dashboard.sharing import Right, may

PAGE_LINES = 50


@needs(Right.SHARE)
def show() -> None:
    """Draw the screen."""
    top()
    if st.button("Worklist", key="back", icon=":material/arrow_back:", shortcut="Esc"):
        pages.go("worklist")
    _lines()


@st.fragment
@told
@needs(Right.SHARE)
def _lines() -> None:
    whose = "All share links" if may(desk.person(), Right.ADMINISTER) else "My share links"
    st.html(f"<h2 style='font-size:1.1rem;margin:0.4rem 0'>{whose}</h2>")
    active = st.toggle("Only those that open now", value=True, key="only_active")
    found = [line for line in desk_team.links() if not active or line.share.state.value == "active"]
    if not found:
        st.text("There is no link that opens now." if active else "No link has been made yet.")
    link_lines(tuple(found[:PAGE_LINES]), "list", patients=True)
    if len(found) > PAGE_LINES:
        st.caption(f"The newest {PAGE_LINES} of {counted(len(found), 'link')}.")
