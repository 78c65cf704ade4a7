"""Deleting a study by hand, for administrators: nothing brings it back, so one word has to be typed."""

import streamlit as st

from dashboard.errors import NotAllowed, TriageError
from dashboard.screens import desk, desk_reading, pages
from dashboard.screens.entry import needs
from dashboard.screens.frame import tell_next, told
from dashboard.sharing import Right, may

WORD = "delete"
WHAT_GOES = (
    "Images, results, readings, flags, share links and the patient's name are deleted for good, with their files. "
    "One line of the audit log stays. Nothing in the archive or at the scanner is touched."
)
GONE = "The study is deleted, with its files."


def delete_button(study_id: str, which: str) -> None:
    """The button, for those who may delete; `which` says in words of what study it is."""
    if not may(desk.person(), Right.DELETE):
        return
    if st.button("Delete this study", key="delete_study", type="tertiary", icon=":material/delete:"):
        dialog(study_id, which)


@st.dialog("Delete this study?")
@told
@needs(Right.DELETE)
def dialog(study_id: str, which: str) -> None:
    """Says what goes, and deletes once the word is typed."""
    st.text(which)
    st.text(WHAT_GOES)
    with st.form("delete_form", border=False):
        typed = st.text_input(f"Type {WORD} to confirm", key="delete_word", autocomplete="off")
        sure = st.form_submit_button("Delete for good", key="delete_for_good", type="primary")
    if not sure:
        return
    if typed.strip().casefold() != WORD:
        st.error(f"Nothing was deleted: the word to type is {WORD}.", icon=":material/error:")
        return
    try:
        desk_reading.delete(study_id)
    except NotAllowed:
        raise
    except TriageError as error:
        st.error(str(error), icon=":material/error:")
        return
    tell_next(GONE)
    pages.go("worklist")
