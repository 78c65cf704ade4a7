"""The drawer of clinical flags: what a person knows that the pictures do not show."""

from datetime import date, timedelta

import streamlit as st

from dashboard.grading import FLAG_WORDS, RULE
from dashboard.screens import desk, desk_reading
from dashboard.screens.desk_reading import FlagLine
from dashboard.screens.entry import needs
from dashboard.screens.frame import attempt, told
from dashboard.screens.reading_words import moment
from dashboard.screens.text import plain
from dashboard.sharing import Right

WIDTH = 420
ONSET = "symptom_onset"
HELP = {
    "known_cancer": "A cancer that may have spread to the spine is known",
    "new_deficit": "New weakness, loss of feeling or unsteady gait",
    "sphincter_change": "New trouble with bladder or bowel",
}
WHAT_FOR = "What you set counts at once. Each change is kept with who made it and when."


def flags_button(study_id: str) -> None:
    """Opens the drawer."""
    if st.button("Flags", key="flags", shortcut="f", help="What is known of the patient beyond the pictures"):
        drawer(study_id)


# The head of the screen may show another rank afterwards.
@st.dialog("Clinical flags", width=WIDTH, position="right", on_dismiss="rerun")
@told
@needs(Right.READ)
def drawer(study_id: str) -> None:
    """Each flag with who set it and when; a change counts at once."""
    with st.container(key="drawer"):
        _flags(study_id)


def _flags(study_id: str) -> None:
    st.caption(WHAT_FOR)
    lines = desk_reading.beside(desk.person(), study_id).set_flags
    for name, words in HELP.items():
        key = f"flag_{name}"
        st.toggle(
            FLAG_WORDS[name].capitalize(),
            value=name in lines,
            key=key,
            help=words,
            on_change=_set,
            args=(study_id, name, key),
        )
        _who(lines.get(name))
    onset = lines.get(ONSET)
    st.date_input(
        "Symptom onset (day; empty takes it back)",
        value=date.fromisoformat(onset.change.value) if onset else None,
        # East of Greenwich the day may have begun already.
        max_value=(desk.now() + timedelta(days=1)).date(),
        format="YYYY-MM-DD",
        key=f"flag_{ONSET}",
        on_change=_set,
        args=(study_id, ONSET, f"flag_{ONSET}"),
    )
    _who(onset)
    st.caption(f"How the list is ordered: {RULE}")


def _who(line: FlagLine | None) -> None:
    st.caption(f"set by {plain(line.author, 40)}, {moment(line.change.created_at)}" if line else "not set")


@attempt
def _set(study_id: str, name: str, key: str) -> None:
    chosen = st.session_state[key]
    value = chosen.isoformat() if isinstance(chosen, date) else "yes" if chosen else ""
    desk_reading.set_flag(study_id, name, value)
