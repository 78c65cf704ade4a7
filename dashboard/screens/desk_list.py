"""What the worklist's screen asks of the records: the list in memory, narrowed, and only the part in sight in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import streamlit as st

from dashboard.records import Records, StudyRecord, Turnaround, WorklistEntry, WorklistMirror, turnarounds
from dashboard.screens import desk, desk_team
from dashboard.screens.lines import study_line
from dashboard.screens.list_filter import Wanted, narrowed
from dashboard.screens.parts.worklist_table import PART, ListPart, News, StudyLine
from dashboard.screens.text import counted
from dashboard.sharing import Right, may, require

URGENT = ("immediate", "urgent")
# Urgent studies that this visitor's session knows of, and how often it was told of new ones.
KNOWN, TOLD = "known_urgent_studies", "told_of_urgent_studies"


@dataclass(frozen=True)
class Listed:
    """The list as one visitor sees it.

    Attributes
    ----------
    shown
        The studies that are wanted, in order.
    total
        How many there are in all.
    unopened
        How many urgent ones nobody has opened.
    busy
        Whether a study is on its way.
    demonstration
        Id of the first synthetic study, or None.
    """

    shown: Sequence[WorklistEntry]
    total: int
    unopened: int
    busy: bool
    demonstration: str | None
    stamp: str


def read_ahead() -> None:
    """Read the list into memory before anybody asks for it."""
    _mirror(desk.records()).look()


def look(by_urgency: bool, wanted: Wanted) -> Listed:
    """The list as it is now, for those who may see it."""
    visitor = desk.person()
    require(visitor, Right.SEE_LIST)
    state = _mirror(desk.records()).look()
    entries = state.by_urgency if by_urgency else state.by_arrival
    shown = narrowed(entries, wanted, may(visitor, Right.SEE_IDENTITY))
    studies = [entry.study for entry in entries]
    return Listed(
        shown,
        len(entries),
        sum(study.tier in URGENT and study.opened_at is None for study in studies),
        any(study.tier is None for study in studies),
        next((study.id for study in studies if study.synthetic), None),
        str(hash(tuple(entry.study.id for entry in shown))),
    )


def in_order() -> list[StudyRecord]:
    """All studies in the order of reading, for those who may see the list."""
    require(desk.person(), Right.SEE_LIST)
    return [entry.study for entry in _mirror(desk.records()).look().by_urgency]


def part(listed: Listed, first: int) -> ListPart:
    """Rows from place `first` on, in words."""
    names = may(desk.person(), Right.SEE_IDENTITY)
    rows = listed.shown[first : first + PART]
    seen_by = any(entry.study.opened_by or entry.study.read_by for entry in rows)
    people = desk_team.people_by_id() if seen_by else {}
    return ListPart([_line(entry, names, people) for entry in rows], first, len(listed.shown), listed.stamp)


def news(listed: Listed) -> News | None:
    """Urgent studies that have come since the visitor first looked; each is told once a session."""
    visitor = desk.person()
    require(visitor, Right.SEE_LIST)
    urgent = [entry for entry in _mirror(desk.records()).look().by_urgency if entry.study.tier in URGENT]
    now = frozenset(entry.study.id for entry in urgent)
    known: frozenset[str] | None = st.session_state.get(KNOWN)
    st.session_state[KNOWN] = now | (known or frozenset())
    fresh = [entry for entry in urgent if known is not None and entry.study.id not in known]
    if fresh:
        first = _line(fresh[0], may(visitor, Right.SEE_IDENTITY), {})
        words = f"{counted(len(fresh), 'new urgent study', 'new urgent studies')}: {first.spoken}"
        told = st.session_state.get(TOLD)
        st.session_state[TOLD] = News(str(int(told.id) + 1 if told else 1), words)
    latest: News | None = st.session_state.get(TOLD)
    return latest


def turnaround() -> tuple[Turnaround, ...]:
    """Times and grades of all studies, for those who may see the list."""
    require(desk.person(), Right.SEE_LIST)
    with desk.records().reading() as session:
        return turnarounds(session)


def _line(entry: WorklistEntry, names: bool, people: Mapping[str, str]) -> StudyLine:
    return study_line(entry.study, entry.person if names else None, desk.now(), people=people)


@lru_cache(maxsize=4)
def _mirror(site: Records) -> WorklistMirror:
    return WorklistMirror(site)
