"""Users: who has signed in, what each may do, and ending somebody's access. For administrators."""

import streamlit as st

from dashboard.records import Role, User
from dashboard.screens import desk, desk_team, pages
from dashboard.screens.entry import needs
from dashboard.screens.frame import attempt, told, top
from dashboard.screens.text import counted, plain
from dashboard.settings import load_settings
from dashboard.sharing import Right

ROLES = {
    Role.NONE: "no access",
    Role.VIEWER: "viewer: studies without names",
    Role.READER: "reader: reads, adds, shares",
    Role.ADMIN: "administrator",
}
PAGE_LINES = 50
NOBODY_SIGNS_IN = "No sign-in is configured, so there are no users: whoever uses this machine may do everything."


@needs(Right.ADMINISTER)
def show() -> None:
    """Draw the screen."""
    top()
    if st.button("Worklist", key="back", icon=":material/arrow_back:", shortcut="Esc"):
        pages.go("worklist")
    st.html("<h2 style='font-size:1.1rem;margin:0.4rem 0'>Users</h2>")
    if load_settings().sign_in is None:
        st.text(NOBODY_SIGNS_IN)
        return
    _lines()


@st.fragment
@told
@needs(Right.ADMINISTER)
def _lines() -> None:
    wanted = st.text_input("Find by name or e-mail", key="find_user", width=320).casefold()
    found = [user for user in desk_team.users() if wanted in f"{user.name}\n{user.email}".casefold()]
    st.caption(
        f"{counted(len(found), 'user')}. A change counts from the user's next click on. People appear here once they "
        "have signed in."
    )
    own = desk.person().id
    for user in found[:PAGE_LINES]:
        _line(user, user.id == own)
    if len(found) > PAGE_LINES:
        st.caption(f"The first {PAGE_LINES} are shown: find the others by name.")


def _line(user: User, own: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key=f"user_{user.id}"):
        st.text(plain(user.name, 60) or "no name given", width=230)
        st.text(plain(user.email, 60) or "no e-mail given", width=260)
        st.text(f"last sign-in {user.seen_at:%Y-%m-%d %H:%M} UTC", width=260)
        if own:
            st.text(f"{ROLES[user.role]} (you)")
            return
        st.selectbox(
            f"Role of {plain(user.name, 60)}",
            list(ROLES),
            index=list(ROLES).index(user.role),
            format_func=ROLES.__getitem__,
            key=f"role_{user.id}",
            label_visibility="collapsed",
            width=270,
            on_change=_change_role,
            args=(user.id,),
            disabled=user.disabled_at is not None,
        )
        shut_out = user.disabled_at is not None
        words = "Give access back" if shut_out else "End access"
        st.button(words, key=f"access_{user.id}", on_click=attempt(desk_team.set_user_access), args=(user.id, shut_out))


@attempt
def _change_role(user_id: str) -> None:
    desk_team.set_user_role(user_id, st.session_state[f"role_{user_id}"])
