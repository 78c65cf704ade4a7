"""The audit log: who did what, when, to which study. For administrators."""

import re
from collections.abc import Mapping

import streamlit as st

from dashboard.records import AuditEntry
from dashboard.screens import desk_team, pages
from dashboard.screens.entry import needs
from dashboard.screens.frame import told, top
from dashboard.screens.text import counted, plain
from dashboard.sharing import Right

ACTIONS = {
    "": "every action",
    "view_study": "study opened",
    "open_share": "share link opened",
    "read_study": "reading given",
    "withdraw_reading": "reading withdrawn",
    "correct_levels": "levels corrected",
    "share": "share link made",
    "revoke_share": "share link revoked",
    "export": "export",
    "delete_study": "study deleted",
    "sign_in": "sign-in",
    "sign_out": "sign-out",
    "refuse": "refused",
    "set_role": "role changed",
    "disable_user": "access ended",
    "enable_user": "access given back",
    "set_flag": "clinical flag",
    "upload": "upload",
}
EXPORT = "audit_export"
LINK = "share:"
SHORT_ID = 8


@needs(Right.SEE_AUDIT)
def show() -> None:
    """Draw the screen."""
    top()
    if st.button("Worklist", key="back", icon=":material/arrow_back:", shortcut="Esc"):
        pages.go("worklist")
    st.html("<h2 style='font-size:1.1rem;margin:0.4rem 0'>Audit log</h2>")
    _log()


@st.fragment
@told
@needs(Right.SEE_AUDIT)
def _log() -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        action = st.selectbox("Action", list(ACTIONS), format_func=ACTIONS.__getitem__, key="action", width=240)
        study = st.text_input("Study (its id, as in the address)", key="audit_study", width=320).strip()
        checked = st.button("Check that nothing was altered", key="check_audit")
        if st.button("Prepare export", key="prepare_export"):
            st.session_state[EXPORT] = desk_team.audit_export()
        if EXPORT in st.session_state:
            data = st.session_state.pop(EXPORT)
            st.download_button("Save", data, "audit.jsonl", "application/jsonl", key="save_export", on_click="ignore")
    if checked:
        _say_whether_it_holds()
    found = desk_team.audit(action or "", study)
    names = desk_team.people_by_id()
    st.dataframe(
        {
            "Number": [entry.number for entry in found],
            "When (UTC)": [f"{entry.at:%Y-%m-%d %H:%M:%S}" for entry in found],
            "Who": [_who(entry.actor, names) for entry in found],
            "What": [ACTIONS.get(entry.action, entry.action) for entry in found],
            "Study or user": [plain(names.get(entry.subject_id, entry.subject_id), 60) for entry in found],
            "Details": [_details(entry, names) for entry in found],
        },
        hide_index=True,
        height=520,
        key="audit_lines",
    )
    st.caption(f"The last {counted(len(found), 'entry', 'entries')} that fit.")


def _say_whether_it_holds() -> None:
    fault = desk_team.audit_fault()
    if fault is None:
        st.success("Every entry is as it was written, and none is missing.", icon=":material/verified:")
    else:
        st.error(f"Entry {fault.number}: {fault.words}.", icon=":material/error:")


def _who(actor: str, names: Mapping[str, str]) -> str:
    if actor.startswith(LINK):
        return f"holder of link {actor.removeprefix(LINK)[:SHORT_ID]}"
    return plain(names.get(actor, actor), 60)


def _details(entry: AuditEntry, names: Mapping[str, str]) -> str:
    return plain(", ".join(f"{_words(key)}: {_value(value, names)}" for key, value in entry.details.items()), 200)


def _words(key: str) -> str:
    return key.replace("_", " ")


def _value(value: str | int | bool | None, names: Mapping[str, str]) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "none"}[value]
    text = names.get(str(value), str(value))
    # Enough to tell ids apart; the export has them whole.
    return text[:SHORT_ID] if re.fullmatch("[0-9a-f]{32}", text) else text
