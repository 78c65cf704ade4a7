"""The row below a study's head: what persons said of it, and the keys by which one says it."""

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from dashboard.records import Reading, Said, Verdict
from dashboard.screens import desk_reading, pages
from dashboard.screens.desk_reading import Beside
from dashboard.screens.flag_drawer import flags_button
from dashboard.screens.frame import attempt, told
from dashboard.screens.parts.ticker import ticker
from dashboard.screens.reading_drawer import change_button, level_button
from dashboard.screens.reading_words import flag_words, history, levels_words, reading_words
from dashboard.screens.share import share_button
from dashboard.screens.text import counted, markup

# What colleagues say meanwhile appears by itself; nothing else on the screen moves.
REFRESH_S = 10.0
NONE_LEFT = "Every other study has been read."


def reading_bar(study_id: str, finding_id: str | None, document: Mapping[str, Any], look: Callable[[], Beside]) -> None:
    """Reading, flags, share and next, for those who may; the others see what was said.

    Parameters
    ----------
    finding_id
        Of the finding on screen: what one says is said of that one. None while there is none.
    """
    said = look()
    if desk_reading.marks_hidden():
        document = {}
    suggested = document.get("grade")
    with st.container(horizontal=True, wrap=False, vertical_alignment="center", gap="xsmall", key="reading_bar"):
        if said.adds:
            _reading_buttons(study_id, finding_id, suggested, said)
        _words(look, document, _correction(said))
        if said.adds:
            flags_button(study_id)
        share_button(study_id)
        if said.adds:
            _next_button(study_id)


def shared_bar(document: Mapping[str, Any], look: Callable[[], Beside]) -> None:
    """What the team said, for the holder of a share link."""
    with st.container(key="reading_bar"):
        _words(look, document, _correction(look()))


def _correction(said: Beside) -> str:
    return said.levels.reading.id if said.levels else ""


def what_was_said(said: Beside, suggested: str | None, shared: bool) -> None:
    """Everything persons said of the study, newest first."""
    lines = history(said, suggested)
    if not lines:
        return
    columns: dict[str, list[str]] = {"When (UTC)": [f"{at:%Y-%m-%d %H:%M}" for at, *_ in lines]}
    if not shared:
        columns["Who"] = [who for _, who, *_ in lines]
    columns["What"] = [what for _, _, what, *_ in lines]
    for place, name in ((3, "Reason"), (4, "Comment")):
        if any(line[place] for line in lines):
            columns[name] = [str(line[place]) for line in lines]
    with st.expander(f"Said by people: {counted(len(lines), 'entry', 'entries')}"):
        # The table draws its texts on a canvas: nothing in them can become markup.
        st.dataframe(columns, hide_index=True, key="what_was_said")


def _reading_buttons(study_id: str, finding_id: str | None, suggested: str | None, said: Beside) -> None:
    own, last = said.own, said.own_last
    st.button(
        "Agree",
        key="agree",
        shortcut="a",
        disabled=finding_id is None or suggested is None or (own is not None and own.verdict is Verdict.AGREED),
        on_click=attempt(desk_reading.give),
        args=(study_id, finding_id, Said(Verdict.AGREED)),
        help=_agree_words(suggested),
    )
    change_button(study_id, finding_id, suggested, own)
    level_button(study_id, finding_id, suggested, own)
    st.button(
        "Undo",
        key="undo",
        shortcut="u",
        disabled=last is None,
        on_click=attempt(desk_reading.withdraw),
        args=(last.id if last else "",),
        help=f"Withdraw your latest {_what(last)}; what was said stays on record",
    )


def _what(last: Reading | None) -> str:
    return "correction of levels" if last is not None and last.verdict is Verdict.RELEVELLED else "reading"


def _agree_words(suggested: str | None) -> str:
    if desk_reading.marks_hidden():
        return "The suggested grade is hidden: give your own with Grade"
    return "The suggested grade is yours, too" if suggested else "No grade was suggested: give one with Grade"


@st.fragment
@told
def _words(look: Callable[[], Beside], document: Mapping[str, Any], drawn_with: str) -> None:
    """What was said, kept up to date; `drawn_with` is the correction of levels that the rest of the screen shows."""
    ticker(REFRESH_S, "reading_ticker")
    said = look()
    if _correction(said) != drawn_with:
        # Every name of a level on the screen follows.
        st.rerun(scope="app")
    tier = (document.get("urgency") or {}).get("tier")
    words = " · ".join(filter(None, (reading_words(said, document.get("grade")), levels_words(said))))
    reading, flags = markup(words, 400), markup(flag_words(said, tier), 400)
    st.html(
        f'<div class="said" dir="auto"><span title="{reading}">{reading}</span>'
        f'<span class="quiet" title="{flags}">{flags}</span></div>'
    )


def _next_button(study_id: str) -> None:
    asked = st.button("Next", key="next", shortcut="n", help="The most urgent study that nobody has read yet")
    if not asked:
        return
    following = desk_reading.next_unread(study_id)
    if following is None:
        st.toast(NONE_LEFT)
    else:
        pages.go("study", study=following)
