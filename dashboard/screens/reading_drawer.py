"""The drawer in which a reading is given in full: grade, level, reason, comment. The pictures stay in sight."""

from dataclasses import dataclass

import streamlit as st

from dashboard.errors import NotAllowed, TriageError
from dashboard.records import Reading, Verdict
from dashboard.screens import desk_reading
from dashboard.screens.entry import needs
from dashboard.screens.frame import told
from dashboard.screens.level_drawer import levels_form
from dashboard.screens.reading_words import CANNOT, NO_GRADE, said_of
from dashboard.screens.study_view import slice_in_sight
from dashboard.screens.tiers import GRADE_WORDS
from dashboard.sharing import Right
from dashboard.study import GRADES, LEVELS, SlicePlace

WIDTH = 420
LONGEST = 1000
SLICE_HELP = "The reading then names this slice. A site that adapts the model to its readings needs it for every grade \
that was changed to 1a or worse."
NOBODY_ELSE = "Reason and comment are stored encrypted and shown to the team only, never by a share link."


@dataclass(frozen=True)
class Asked:
    """What a reading is asked for.

    `suggested` is the grade that may be shown, `own` the reader's reading so far, `in_sight` the slice on screen.
    """

    study_id: str
    finding_id: str
    suggested: str | None
    own: Reading | None
    in_sight: SlicePlace | None


def change_button(study_id: str, finding_id: str | None, suggested: str | None, own: Reading | None) -> None:
    """Opens the drawer to give another grade."""
    pressed = st.button(
        "Change" if suggested else "Grade",
        key="change",
        shortcut="g",
        disabled=finding_id is None,
        help="Another grade than the suggested one, or none" if suggested else "Give a grade, or say that none can be",
    )
    if pressed and finding_id is not None:
        drawer(Asked(study_id, finding_id, suggested, own, slice_in_sight(finding_id)), level_first=False)


def level_button(study_id: str, finding_id: str | None, suggested: str | None, own: Reading | None) -> None:
    """Opens the drawer to name the level."""
    pressed = st.button(
        "Level", key="level", shortcut="l", disabled=finding_id is None, help="Name the level, or correct all levels"
    )
    if pressed and finding_id is not None:
        drawer(Asked(study_id, finding_id, suggested, own, slice_in_sight(finding_id)), level_first=True)


@st.dialog("Your reading", width=WIDTH, position="right")
@told
@needs(Right.READ)
def drawer(asked: Asked, level_first: bool) -> None:
    """Grade, level, slice, reason and comment; it closes when the reading is kept."""
    with st.container(key="drawer"):
        if level_first:
            levels_form(asked.study_id, asked.finding_id)
        _reading_form(asked, level_first)


def _reading_form(asked: Asked, level_first: bool) -> None:
    suggested, own = asked.suggested, asked.own
    with st.form("reading_form", border=False):
        if level_first:
            level, grade = _level(own), _grade(suggested, own)
        else:
            grade, level = _grade(suggested, own), _level(own)
        at = _slice(asked.in_sight)
        needed = f" (needed unless the grade is {suggested})" if suggested else ""
        reason = st.text_area(f"Reason{needed}", key="reading_reason", height=68, max_chars=LONGEST)
        comment = st.text_area("Comment, if any", key="reading_comment", height=68, max_chars=LONGEST)
        st.caption(NOBODY_ELSE)
        saved = st.form_submit_button("Save reading", key="save_reading", type="primary")
    if saved:
        try:
            desk_reading.give(asked.study_id, asked.finding_id, said_of(grade, level, reason, comment, suggested, at))
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


def _slice(in_sight: SlicePlace | None) -> SlicePlace | None:
    """The slice on screen, where the person says that it shows the grade."""
    if in_sight is None:
        return None
    words = f"Slice {in_sight.number}, now on screen, shows it"
    return in_sight if st.checkbox(words, key="reading_slice", help=SLICE_HELP) else None


def _level(own: Reading | None) -> str:
    chosen = LEVELS.index(own.level) if own and own.level else None
    level = st.selectbox("Level", LEVELS, index=chosen, placeholder="not named", key="reading_level")
    return level or ""
