"""The worklist as a table that the keyboard and a screen reader can use. Only the part in sight is sent."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import streamlit as st

from dashboard.screens.parts import nothing, register

# Rows sent at once; more than any screen shows, so that scrolling a little asks for nothing.
PART = 160

_element = register("worklist_table", scripts=("library", "worklist_table"))


@dataclass(frozen=True)
class Clock:
    """A clock that runs down: its name, and when it ends as ISO 8601."""

    label: str
    ends_at: str


@dataclass(frozen=True)
class StudyLine:
    """One study as the table shows it; all of it text, times as ISO 8601 or empty.

    `moved`: clinical flags moved the study up. `waited_until` is empty while nobody has read the study. `spoken` is the
    line for those who cannot see it.
    """

    id: str
    href: str
    tier: str
    tier_words: str
    mark: str
    moved: bool
    grade: str
    band: str
    p_high: str
    where: str
    where_detail: str
    patient: str
    patient_detail: str
    synthetic: bool
    why: str
    why_more: str
    received_at: str
    waited_until: str
    acquired_at: str
    clocks: tuple[Clock, ...]
    status: str
    status_detail: str
    unread: bool
    spoken: str


@dataclass(frozen=True)
class ListPart:
    """Rows of a list of `total` studies from place `first` on; `stamp` changes when the order of the list does."""

    rows: Sequence[StudyLine]
    first: int
    total: int
    stamp: str


@dataclass(frozen=True)
class News:
    """Something to be told once, quietly; `id` is its number."""

    id: str
    text: str


def first_asked(total: int, key: str = "worklist") -> int:
    """Place of the first row that the table asks for, in a list of `total` studies."""
    state: Any = st.session_state.get(key)
    asked = state.get("first") if hasattr(state, "get") else None
    first = int(asked) if isinstance(asked, int | float) else 0
    return max(0, min(first, total - PART))


def worklist_table(part: ListPart, news: News | None, library: str = "", key: str = "worklist") -> str | None:
    """Draw the table; return the id of the study that was just opened.

    `library` is the address of what the next screen draws with; the browser loads it when it has nothing to do.
    """
    data = {"part": asdict(part), "news": asdict(news) if news else None, "library": library}
    result = _element(key=key, data=data, on_open_change=nothing, on_first_change=nothing)
    opened: str | None = result.open
    return opened
