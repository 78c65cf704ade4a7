"""The course of one series along the spine: grade, cord area, AP/RL ratio and P(high), one point a slice.

All rows share the way along the spine, head on the left. A click anywhere over a slice selects its points; their
`customdata` is the index of the slice in the list that was given.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dashboard.study import GRADES
from dashboard.viewing import theme

# More slices than this on the width of a page get smaller marks and fewer letters.
CROWDED = 45
ROW_HEIGHTS = (0.17, 0.29, 0.27, 0.27)


@dataclass(frozen=True)
class ProfilePoint:
    """One slice on the profile.

    Attributes
    ----------
    along_mm
        Way along the spine from the first slice, head to foot, mm.
    where
        Level or position in words.
    grade
        None where the slice was not analysed.
    """

    along_mm: float
    where: str
    grade: str | None
    cord_area_mm2: float | None
    ap_over_rl: float | None
    probability_high: float | None


def profile_figure(points: Sequence[ProfilePoint], current: int) -> go.Figure:
    """Figure of the profile; `current` is the index of the slice that is shown beside it."""
    figure = make_subplots(rows=4, cols=1, shared_xaxes=True, vertical_spacing=0.035, row_heights=list(ROW_HEIGHTS))
    _grade_row(figure, points, current)
    _curve(figure, points, 2, "cord area", "mm²", lambda point: point.cord_area_mm2, ".0f")
    _curve(figure, points, 3, "AP / RL", "", lambda point: point.ap_over_rl, ".2f")
    _curve(figure, points, 4, "P(high)", "", lambda point: point.probability_high, ".2f")
    if 0 <= current < len(points):
        for row in (2, 3, 4):
            line = {"color": theme.TEXT, "width": 1.5, "dash": "dot"}
            figure.add_vline(x=points[current].along_mm, line=line, row=row, col=1)
    figure.update_layout(
        margin={"l": 78, "r": 8, "t": 4, "b": 40},
        showlegend=False,
        hovermode="x",
        clickmode="event+select",
        dragmode=False,
        paper_bgcolor=theme.BACKGROUND,
        plot_bgcolor=theme.PANEL,
        font={"color": theme.TEXT, "size": 12},
        hoverlabel={"bgcolor": theme.PANEL, "font": {"size": 12}},
        uirevision="profile",
    )
    figure.update_xaxes(gridcolor=theme.GRID, zeroline=False, fixedrange=True, range=_reach(points))
    figure.update_xaxes(title_text="way along the spine, head to foot (mm)", title_standoff=4, row=4, col=1)
    figure.update_yaxes(gridcolor=theme.GRID, zeroline=False, fixedrange=True, nticks=4, title_font_size=12)
    figure.update_yaxes(title_text="grade", showticklabels=False, showgrid=False, range=[-1, 1], row=1, col=1)
    figure.update_yaxes(title_text="cord<br>mm²", rangemode="tozero", row=2, col=1)
    figure.update_yaxes(title_text="AP / RL", rangemode="tozero", row=3, col=1)
    figure.update_yaxes(title_text="P(high)", range=[-0.06, 1.06], tickvals=[0, 0.5, 1], row=4, col=1)
    return figure


def _grade_row(figure: go.Figure, points: Sequence[ProfilePoint], current: int) -> None:
    size = 9 if len(points) <= CROWDED else 6
    marks = [theme.GRADE_MARKS.get(point.grade or "", theme.NOT_ANALYSED_MARK) for point in points]
    figure.add_trace(
        go.Scatter(
            x=[point.along_mm for point in points],
            y=[0.45] * len(points),
            mode="markers+text",
            text=_letters(points),
            textposition="bottom center",
            customdata=list(range(len(points))),
            hovertext=[f"{point.where}: {point.grade or 'not analysed'}" for point in points],
            hovertemplate="%{hovertext}<extra></extra>",
            marker={
                "symbol": [symbol for symbol, _ in marks],
                "color": [colour for _, colour in marks],
                "size": [14 if index == current else size for index in range(len(points))],
                "line": {"width": 1.5, "color": [colour for _, colour in marks]},
            },
            selected={"marker": {"opacity": 1}},
            unselected={"marker": {"opacity": 1}, "textfont": {"color": theme.TEXT}},
        ),
        row=1,
        col=1,
    )


def _letters(points: Sequence[ProfilePoint]) -> list[str]:
    """Grades in letters, thinned where many slices share the width; the worst are never left out."""
    step = max(1, math.ceil(len(points) / CROWDED))
    worst = max((GRADES.index(point.grade) for point in points if point.grade), default=0)
    return [
        (point.grade or "") if index % step == 0 or (point.grade and GRADES.index(point.grade) == worst > 0) else ""
        for index, point in enumerate(points)
    ]


def _curve(
    figure: go.Figure,
    points: Sequence[ProfilePoint],
    row: int,
    name: str,
    unit: str,
    value: Callable[[ProfilePoint], float | None],
    number: str,
) -> None:
    figure.add_trace(
        go.Scatter(
            x=[point.along_mm for point in points],
            y=[value(point) for point in points],
            mode="lines+markers",
            name=name,
            customdata=list(range(len(points))),
            hovertemplate=f"{name} %{{y:{number}}} {unit}<extra></extra>",
            line={"color": theme.ACCENT, "width": 1.6},
            marker={"size": 5, "color": theme.ACCENT},
            connectgaps=False,
            selected={"marker": {"opacity": 1}},
            unselected={"marker": {"opacity": 1}},
        ),
        row=row,
        col=1,
    )


def _reach(points: Sequence[ProfilePoint]) -> list[float]:
    along = [point.along_mm for point in points] or [0.0]
    space = max(2.0, (max(along) - min(along)) * 0.015)
    return [min(along) - space, max(along) + space]
