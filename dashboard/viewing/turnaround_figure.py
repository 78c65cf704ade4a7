"""How long studies waited, by tier and over time, and how far findings and readings agreed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

import numpy as np
import plotly.graph_objects as go

from dashboard.study import GRADES
from dashboard.viewing import theme

TIERS = tuple(theme.TIER_COLOURS)
# Sign of each tier, so that colour is never the only one.
SYMBOLS = dict(zip(TIERS, ("diamond", "triangle-up", "x", "square", "circle"), strict=True))
DASHES = dict(zip(TIERS, ("solid", "dash", "dot", "dashdot", "longdash"), strict=True))
# Waiting is drawn on a logarithmic axis; less than this counts as this.
LEAST_MINUTES = 0.1
TICKS = {0.1: "6 s", 1: "1 min", 10: "10 min", 60: "1 h", 360: "6 h", 1440: "1 d", 10080: "1 week"}
# Room beyond the first and the last named time, log10 of min.
AXIS_MARGIN = 0.05
# More points than this are drawn paler.
CROWDED = 300


@dataclass(frozen=True)
class Wait:
    """How long a study of a tier waited, from `received_at` until it was opened, min."""

    tier: str
    received_at: datetime
    minutes: float


@dataclass(frozen=True)
class WaitSummary:
    """Waiting of the studies of one tier that were opened: their number, quartiles and longest, min."""

    count: int
    lower: float
    median: float
    upper: float
    longest: float


def summarise(waits: Sequence[Wait]) -> Mapping[str, WaitSummary]:
    """Summary of each tier that has any, most urgent first."""
    found = {}
    for tier in TIERS:
        minutes = [wait.minutes for wait in waits if wait.tier == tier]
        if minutes:
            lower, middle, upper = (float(value) for value in np.percentile(minutes, (25, 50, 75)))
            found[tier] = WaitSummary(len(minutes), lower, middle, upper, max(minutes))
    return found


def waiting_figure(waits: Sequence[Wait]) -> go.Figure:
    """One point a study over the time it was received, and the median of each day as a line, one colour a tier."""
    figure = go.Figure()
    by_tier = {tier: own for tier in TIERS if (own := [wait for wait in waits if wait.tier == tier])}
    for tier, own in by_tier.items():
        mark = {"symbol": SYMBOLS[tier], "color": theme.TIER_COLOURS[tier], "size": 7}
        figure.add_trace(
            go.Scatter(
                x=[wait.received_at for wait in own],
                y=[max(LEAST_MINUTES, wait.minutes) for wait in own],
                mode="markers",
                name=tier,
                legendgroup=tier,
                marker={**mark, "opacity": 0.8 if len(waits) <= CROWDED else 0.25},
                hovertemplate=f"{tier}: waited %{{y:.3g}} min<br>received %{{x|%Y-%m-%d %H:%M}} UTC<extra></extra>",
            )
        )
    # Above all points, or they would be hidden by those of the tiers that follow.
    for tier, own in by_tier.items():
        days = daily_medians(own)
        figure.add_trace(
            go.Scatter(
                x=list(days),
                y=[max(LEAST_MINUTES, minutes) for minutes in days.values()],
                mode="lines",
                name=f"{tier}, median of a day",
                legendgroup=tier,
                showlegend=False,
                line={"color": theme.TIER_COLOURS[tier], "width": 2, "dash": DASHES[tier]},
                hovertemplate=f"{tier}: median %{{y:.3g}} min on %{{x|%Y-%m-%d}}<extra></extra>",
            )
        )
    _dress(figure)
    figure.update_xaxes(title_text="received (UTC)", type="date")
    ticks = {"tickvals": list(TICKS), "ticktext": list(TICKS.values())}
    figure.update_yaxes(title_text="waited until opened", type="log", range=_range(waits), **ticks)
    return figure


def _range(waits: Sequence[Wait]) -> list[float]:
    """Ends of the axis, log10 of min: named times, for waits that are alike lie between two of them."""
    minutes = [max(LEAST_MINUTES, wait.minutes) for wait in waits] or [1.0]
    below = max(tick for tick in TICKS if tick <= min(minutes))
    above = min((tick for tick in TICKS if tick >= max(minutes)), default=max(minutes))
    return [float(np.log10(below)) - AXIS_MARGIN, float(np.log10(above)) + AXIS_MARGIN]


def daily_medians(waits: Sequence[Wait]) -> dict[datetime, float]:
    """Median wait by day of arrival, UTC, in order of time."""
    days: dict[datetime, list[float]] = {}
    for wait in sorted(waits, key=lambda wait: wait.received_at):
        day = wait.received_at.replace(hour=12, minute=0, second=0, microsecond=0)
        days.setdefault(day, []).append(wait.minutes)
    return {day: median(minutes) for day, minutes in days.items()}


def agreement_figure(table: np.ndarray) -> go.Figure:
    """Counts of (suggested, read) grades; `table` is int (6, 6), rows suggested, columns read."""
    figure = go.Figure(
        go.Heatmap(
            z=table,
            x=list(GRADES),
            y=list(GRADES),
            text=[[str(count) if count else "" for count in row] for row in table.tolist()],
            texttemplate="%{text}",
            colorscale=[[0, theme.PANEL], [1, theme.ACCENT]],
            showscale=False,
            xgap=2,
            ygap=2,
            hovertemplate="suggested %{y}, read %{x}: %{z} studies<extra></extra>",
        )
    )
    _dress(figure)
    figure.update_xaxes(title_text="read by a person", type="category", side="bottom")
    figure.update_yaxes(title_text="suggested", type="category", autorange="reversed")
    return figure


def course_figure(points: Sequence[tuple[datetime, float, int]]) -> go.Figure:
    """Weighted kappa of each month; a point is (month, kappa, readings)."""
    figure = go.Figure(
        go.Scatter(
            x=[month for month, _, _ in points],
            y=[kappa for _, kappa, _ in points],
            customdata=[count for _, _, count in points],
            mode="lines+markers",
            line={"color": theme.ACCENT},
            hovertemplate="%{x|%Y-%m}: kappa %{y:.2f}, %{customdata} readings<extra></extra>",
        )
    )
    _dress(figure)
    figure.update_xaxes(title_text="month of reading", type="date", dtick="M1", tickformat="%Y-%m")
    figure.update_yaxes(title_text="quadratic kappa", range=[-0.05, 1.05])
    return figure


def _dress(figure: go.Figure) -> None:
    figure.update_layout(
        margin={"l": 60, "r": 10, "t": 10, "b": 45},
        paper_bgcolor=theme.BACKGROUND,
        plot_bgcolor=theme.PANEL,
        font={"color": theme.TEXT, "size": 12},
        legend={"orientation": "h", "y": 1.1, "x": 0},
        hoverlabel={"bgcolor": theme.PANEL},
    )
    figure.update_xaxes(gridcolor=theme.GRID, zeroline=False)
    figure.update_yaxes(gridcolor=theme.GRID, zeroline=False)
