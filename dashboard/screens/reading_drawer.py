"""The drawer in which a reading is given in full: grade, level, reason, comment. The pictures stay in sight."""

import streamlit as st

from dashboard.errors import NotAllowed, TriageError
from dashboard.records import Reading, Verdict
from dashboard.screens import desk_reading
from dashboard.screens.entry import needs
from dashboard.screens.frame import told
from dashboard.screens.level_drawer import levels_form
from dashboard.screens.reading_words import CANNOT, NO_GRADE, said_of
from dashboard.screens.tiers import GRADE_WORDS
from dashboard.sharing import Right
from dashboard.study import GRADES, LEVELS

WIDTH = 420
LONGEST = 1000
NOBODY_ELSE = "Reason and comment are stored encrypted and shown to the team only, never by a share link."


def change_button(study_id: str, finding_id: str | None, suggested: str | None, own: Reading | None) -> None:
    """Opens the drawer to give another grade."""
    asked = st.button(
        "Change" if suggested else "Grade",
        key="change",
        shortcut="g",
        disabled=finding_id is None,
        help="Another grade than the suggested one, or none" if suggested else "Give a grade, or say that none can be",
    )
    if asked and finding_id is not None:
        drawer(study_id, finding_id, suggested, own, level_first=False)


def level_button(study_id: str, finding_id: str | None, suggested: str | None, own: Reading | None) -> None:
    """Opens the drawer to name the level."""
    asked = st.button(
        "Level", key="level", shortcut="l", disabled=finding_id is None, help="Name the level, or correct all levels"
    )
    if asked and finding_id is not None:
        drawer(study_id, finding_id, suggested, own, level_first=True)


@st.dialog("Your reading", width=WIDTH, position="right")
@told
@needs(Right.READ)
def drawer(study_id: str, finding_id: str, suggested: str | None, own: Reading | None, level_first: bool) -> None:
    """Grade, level, reason and comment; it closes when the reading is kept."""
    with st.container(key="drawer"):
        if level_first:
            levels_form(study_id, finding_id)
        _reading_form(study_id, finding_id, suggested, own, level_first)


def _reading_form(
    study_id: str, finding_id: str, suggested: str | None, own: Reading | None, level_first: bool
) -> None:
    with st.form("reading_form", border=False):
        if level_first:
            level, grade = _level(own), _grade(suggested, own)
        else:
            grade, level = _grade(suggested, own), _level(own)
        needed = f" (needed unless the grade is {suggested})" if suggested else ""
        reason = st.text_area(f"Reason{needed}", key="reading_reason", height=68, max_chars=LONGEST)
        comment = st.text_area("Comment, if any", key="reading_comment", height=68, max_chars=LONGEST)
        st.caption(NOBODY_ELSE)
        saved = st.form_submit_button("Save reading", key="save_reading", type="primary")
    if saved:
        try:
            desk_reading.give(study_id, finding_id, said_of(grade, level, reason, comment, suggested))
        except NotAllowed:
            raise
        except TriageError as error:
            st.error(str(error), icon=":material/error:")
            return
        st.rerun()


def _grade(suggested: str | None, own: Reading | None) -> str | None:
    chosen = suggested if own is None else NO_GRADE if own.verdict is Verdict.NOT_GRADABLE else own.grade
    unknown = "the suggested one is hidden" if desk_reading.marks_hidden() else "none was suggested"
    words = f"Grade (suggested: {suggested})" if suggested else f"Grade ({unknown})"
    grade = st.segmented_control(words, [*GRADES, NO_GRADE], default=chosen, key="reading_grade")
    meanings = {**GRADE_WORDS, NO_GRADE: CANNOT}
    rows = "".join(f"<tr><td><b>{name}</b></td><td>{meaning}</td></tr>" for name, meaning in meanings.items())
    st.html(f'<table class="small quiet">{rows}</table>')
    return grade


def _level(own: Reading | None) -> str:
    chosen = LEVELS.index(own.level) if own and own.level else None
    level = st.selectbox("Level", LEVELS, index=chosen, placeholder="not named", key="reading_level")
    return level or ""
