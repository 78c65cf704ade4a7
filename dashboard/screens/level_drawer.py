"""In the drawer of a reading: one vertebra or disc is named by a person, and all levels of the study follow."""

import streamlit as st

from dashboard.errors import NotAllowed, TriageError
from dashboard.grading import LevelCorrection
from dashboard.screens import desk_reading
from dashboard.screens.frame import tell_next
from dashboard.study import DISCS, VERTEBRAE

WHAT_FOR = (
    "Name one vertebra or disc: all names, all results that cite a level and the worklist follow. Undo takes it back."
)
CONFIRMED = "Levels kept as they are, and no longer uncertain."


def levels_form(study_id: str, finding_id: str) -> None:
    """Two choices and a button; nothing where no level was counted."""
    found = desk_reading.segments(finding_id)
    if not found:
        return
    with st.form("levels_form", border=True):
        st.markdown("**Levels of the whole spine**")
        st.caption(WHAT_FOR)
        with st.container(horizontal=True, vertical_alignment="bottom"):
            chosen = st.selectbox(
                "What is called",
                range(len(found)),
                format_func=lambda place: found[place].now,
                index=None,
                placeholder="choose",
                key="levels_was",
            )
            now = st.selectbox("is", (*VERTEBRAE[1:], *DISCS), index=None, placeholder="choose", key="levels_now")
        saved = st.form_submit_button("Correct all levels", key="save_levels")
    if saved:
        _save(study_id, finding_id, found[chosen] if chosen is not None else None, now)
    st.markdown("**The level of your reading**")


def _save(study_id: str, finding_id: str, chosen: LevelCorrection | None, now: str | None) -> None:
    if chosen is None or now is None:
        st.error("Choose what it is called now, and what it is.", icon=":material/error:")
        return
    try:
        desk_reading.correct(study_id, finding_id, chosen, now)
    except NotAllowed:
        raise
    except TriageError as error:
        st.error(str(error), icon=":material/error:")
        return
    tell_next(CONFIRMED if chosen.now == now else f"{chosen.now} is now {now}; all levels follow.")
    st.rerun()
