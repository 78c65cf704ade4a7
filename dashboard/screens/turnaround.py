"""Waiting times by tier, and agreement between what the software suggested and what persons read."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import streamlit as st

from dashboard import __version__
from dashboard.grading import TIERS, Agreement, Coefficient, agreement
from dashboard.records import Turnaround
from dashboard.screens import desk, desk_list, pages, saving
from dashboard.screens.entry import needs
from dashboard.screens.frame import top
from dashboard.screens.parts.plot import plot
from dashboard.screens.text import MISSING, counted
from dashboard.sharing import Right
from dashboard.viewing.turnaround_figure import (
    Wait,
    WaitSummary,
    agreement_figure,
    course_figure,
    summarise,
    waiting_figure,
)

if TYPE_CHECKING:
    import plotly.graph_objects as go

NONE_YET = "No study has been opened yet: waiting times appear with the first."
NO_READINGS = "No study with a suggested grade has been read yet."
SOURCES = (
    "Waiting is the time from receipt until a person first opened the study. Ordering a list shortens it for those "
    "at its top; flags alone did not (O'Neill 2021, Radiol Artif Intell, PMC8043365). Kappa: Cohen's, quadratic "
    "weights; AC2: Gwet's, the same weights, which does not fall where nearly all grades are 0. Intervals of 95 % by "
    "bootstrap over studies. Readers who saw the suggestion first agree with it more often. Readings without a grade, "
    "studies without a suggestion and demonstrations are left out."
)


@needs(Right.SEE_LIST)
def show() -> None:
    """Draw the screen."""
    top()
    if st.button("Worklist", key="back", icon=":material/arrow_back:", shortcut="Esc"):
        pages.go("worklist")
    found = desk_list.turnaround()
    st.html("<h2 style='font-size:1.1rem;margin:0.4rem 0'>Waiting times</h2>")
    _waiting(found)
    st.html("<h2 style='font-size:1.1rem;margin:0.8rem 0 0.4rem'>Agreement of suggested and read grades</h2>")
    _agreement(found)
    st.caption(SOURCES)


def waits_of(found: Sequence[Turnaround]) -> list[Wait]:
    """How long each opened study waited; one that was opened before its tier was known counts with the tier it got."""
    return [
        Wait(one.tier, one.received_at, (one.opened_at - one.received_at).total_seconds() / 60)
        for one in found
        if one.opened_at is not None and one.tier is not None
    ]


def pairs_of(found: Sequence[Turnaround]) -> list[tuple[datetime, str, str]]:
    """(read at, suggested, read) of every study that has both grades."""
    return [
        (one.read_at, one.grade, one.read_grade)
        for one in found
        if one.read_at is not None and one.grade is not None and one.read_grade is not None
    ]


def monthly(pairs: Sequence[tuple[datetime, str, str]]) -> list[tuple[datetime, float, int]]:
    """(month, kappa, readings) of the months that have enough readings."""
    months: dict[datetime, list[tuple[str, str]]] = {}
    for at, suggested, read in sorted(pairs):
        months.setdefault(datetime(at.year, at.month, 1, tzinfo=UTC), []).append((suggested, read))
    points = [(month, agreement(own).kappa, len(own)) for month, own in months.items()]
    return [(month, kappa.value, count) for month, kappa, count in points if kappa is not None]


def _waiting(found: Sequence[Turnaround]) -> None:
    waits = waits_of(found)
    if not waits:
        st.html(f"<p>{NONE_YET}</p>")
        return
    unopened = {tier: _longest_unopened(found, tier) for tier in TIERS}
    summary = summarise(waits)
    st.dataframe(
        {
            "Tier": [str(tier) for tier in TIERS],
            "Opened": [summary[tier].count if tier in summary else 0 for tier in TIERS],
            "Median wait": [_minutes(summary.get(tier), "median") for tier in TIERS],
            "Middle half": [_middle(summary.get(tier)) for tier in TIERS],
            "Longest": [_minutes(summary.get(tier), "longest") for tier in TIERS],
            "Not opened yet": [count for count, _ in unopened.values()],
            "Longest of these": [duration(minutes) if minutes else MISSING for _, minutes in unopened.values()],
        },
        hide_index=True,
        key="waits",
    )
    _chart(waiting_figure(waits), "Waiting time of each study until it was opened, by tier", "waits", "waiting times")


def _agreement(found: Sequence[Turnaround]) -> None:
    pairs = pairs_of(found)
    if not pairs:
        st.html(f"<p>{NO_READINGS}</p>")
        return
    both = agreement([(suggested, read) for _, suggested, read in pairs])
    st.html(f"<p>{_agreement_words(both)}</p>")
    left, right = st.columns(2)
    with left:
        _chart(agreement_figure(both.table), "Table of suggested and read grades", "agreement", "table of grades")
    with right:
        points = monthly(pairs)
        if points:
            _chart(course_figure(points), "Weighted kappa of each month", "course", "course of agreement")


def _chart(figure: "go.Figure", label: str, name: str, what: str) -> None:
    key = f"plot_{name}"
    if saving.may_save():
        saving.save_button(key, "png", what)
    plot(figure, "chart", label, key, save=saving.save(saving.asked(key), name, f"version {__version__}"))


def _agreement_words(both: Agreement) -> str:
    words = f"{counted(both.count, 'study', 'studies')} read, {both.exact} with the suggested grade. "
    if both.kappa is None and both.ac2 is None:
        return words + "Too few, or too much alike, for a coefficient."
    return words + f"Weighted kappa {_coefficient(both.kappa)}, AC2 {_coefficient(both.ac2)}."


def _coefficient(found: Coefficient | None) -> str:
    return "not defined" if found is None else f"<b>{found.value:.2f}</b> ({found.low:.2f} to {found.high:.2f})"


def _longest_unopened(found: Sequence[Turnaround], tier: str) -> tuple[int, float]:
    """Number of studies nobody has opened, and the longest wait among them, min."""
    now = desk.now()
    waiting = [
        (now - one.received_at).total_seconds() / 60 for one in found if one.opened_at is None and one.tier == tier
    ]
    return len(waiting), max(waiting, default=0.0)


def _minutes(summary: WaitSummary | None, name: str) -> str:
    return MISSING if summary is None else duration(getattr(summary, name))


def _middle(summary: WaitSummary | None) -> str:
    return MISSING if summary is None else f"{duration(summary.lower)} to {duration(summary.upper)}"


def duration(minutes: float) -> str:
    """Minutes in words: ``40 s``, ``12 min``, ``3 h 05 min``, ``4 d``."""
    if minutes < 1:
        return f"{minutes * 60:.0f} s"
    if minutes < 60:
        return f"{minutes:.0f} min"
    if minutes < 48 * 60:
        return f"{int(minutes // 60)} h {int(minutes % 60):02d} min"
    return f"{minutes / 1440:.0f} d"
