"""The course of one series along the spine, one point a slice: the grades, and a row for each measure that was chosen.

All rows share the way along the spine, head on the left. A click anywhere over a slice selects its points; their
`customdata` is the index of the slice in the list that was given. Where norms are known, a row shows the mean of
healthy persons with one and two standard deviations about it, as steps from level to level.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from textwrap import wrap
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dashboard.study import GRADES, level_words
from dashboard.viewing import theme

# More slices than this on the width of a page get smaller marks and fewer letters.
CROWDED = 45
# Shapes and marks of the slice that is shown, by which the page finds them.
CURRENT = "current"
NOTE = "note"
# Below the lowest row: room for the scale and the axis' words, where those begin, and what each line of the note takes.
BELOW_PX, AXIS_PX, LINE_PX = 36, 17, 15
# So many characters stand beside the page's panel on a screen of 1,280 px.
NOTE_CHARACTERS = 110
NO_NORMS: Mapping[str, Sequence[tuple[float, float] | None]] = {}


@dataclass(frozen=True)
class Row:
    """One row of the profile: `factor` takes a value of the result document to what is printed with `unit`."""

    label: str
    title: str
    unit: str
    digits: int
    factor: float = 1.0
    weight: float = 1.0


GRADE, CHANCE = "grade", "probability_high"
ROWS: Mapping[str, Row] = {
    GRADE: Row("Grade", "grade", "", 0, weight=0.62),
    "cord_area_mm2": Row("Cord area", "cord<br>mm²", "mm²", 1),
    "cord_diameter_AP_mm": Row("Cord AP", "AP<br>mm", "mm", 1),
    "compression_ratio": Row("AP / RL", "AP / RL", "", 2),
    "csf_fraction": Row("CSF share", "CSF<br>%", "%", 0, factor=100.0),
    CHANCE: Row("P(high)", "P(high)", "", 2),
}
USUAL = (GRADE, "cord_area_mm2", "csf_fraction", CHANCE)


@dataclass(frozen=True)
class ProfilePoint:
    """One slice on the profile.

    Attributes
    ----------
    along_mm
        Way along the spine from the first slice, head to foot, mm.
    number
        Counted from 1 at the head.
    level
        None where it is not known.
    level_certain
        False where it was guessed: such a level has no norm.
    grade
        None where the slice was not analysed.
    measures
        As in the result document.
    """

    along_mm: float
    number: int
    level: str | None
    grade: str | None
    probability_high: float | None = None
    measures: Mapping[str, float | None] = field(default_factory=dict)
    level_certain: bool = True

    @property
    def where(self) -> str:
        """Slice and level in words."""
        return ", ".join(filter(None, (f"slice {self.number}", level_words(self.level, self.level_certain))))

    @property
    def norm_level(self) -> str | None:
        """The level whose norm applies: none for a guessed one, which may be that of a neighbour."""
        return self.level if self.level_certain else None

    def value(self, row: str) -> float | None:
        """What a row of :data:`ROWS` shows at this slice, in its unit."""
        found = self.probability_high if row == CHANCE else self.measures.get(row)
        return None if found is None else found * ROWS[row].factor


def profile_figure(
    points: Sequence[ProfilePoint],
    current: int,
    rows: Sequence[str] = USUAL,
    norms: Mapping[str, Sequence[tuple[float, float] | None]] = NO_NORMS,
    note: str = "",
) -> go.Figure:
    """Figure of the profile.

    Parameters
    ----------
    current
        Index of the slice that is shown beside it.
    rows
        Names from :data:`ROWS`, drawn in the order of that table.
    norms
        Row -> (mean, SD) at each point in the unit of the result document, None where there is no norm.
    note
        Words about the norms, written into the figure.
    """
    drawn = [name for name in ROWS if name in rows] or [GRADE]
    figure = make_subplots(
        rows=len(drawn),
        cols=1,
        shared_xaxes=True,
        vertical_spacing=0.035,
        row_heights=[ROWS[name].weight for name in drawn],
    )
    _dress(figure, points)
    for place, name in enumerate(drawn, start=1):
        if name == GRADE:
            _grade_row(figure, points, place)
        else:
            ranges = norms.get(name) or [None] * len(points)
            _band(figure, points, ranges, name, place)
            _curve(figure, points, ranges, name, place)
        _mark_current(figure, points, current, name, place)
    _write(figure, "way along the spine, head to foot (mm)", "axis", theme.TEXT, AXIS_PX)
    lines = wrap(note, NOTE_CHARACTERS)
    if lines:
        _write(figure, "<br>".join(lines), NOTE, theme.MUTED, AXIS_PX + LINE_PX)
    figure.update_layout(margin_b=BELOW_PX + LINE_PX * len(lines))
    return figure


def _dress(figure: go.Figure, points: Sequence[ProfilePoint]) -> None:
    figure.update_layout(
        margin={"l": 62, "r": 8, "t": 4},
        showlegend=False,
        hovermode="x",
        clickmode="event+select",
        dragmode=False,
        paper_bgcolor=theme.BACKGROUND,
        plot_bgcolor=theme.PANEL,
        font={"color": theme.TEXT, "size": 12},
        hoverlabel={"bgcolor": theme.PANEL, "font": {"size": 12, "color": theme.TEXT}},
        uirevision="profile",
    )
    figure.update_xaxes(gridcolor=theme.GRID, zeroline=False, fixedrange=True, range=_reach(points))
    figure.update_yaxes(gridcolor=theme.GRID, zeroline=False, fixedrange=True, nticks=4, title_font_size=12)


def _grade_row(figure: go.Figure, points: Sequence[ProfilePoint], place: int) -> None:
    marks = [theme.GRADE_MARKS.get(point.grade or "", theme.NOT_ANALYSED_MARK) for point in points]
    figure.add_trace(
        go.Scatter(
            x=[point.along_mm for point in points],
            y=[0.45] * len(points),
            mode="markers+text",
            name=ROWS[GRADE].label,
            text=_letters(points),
            textposition="bottom center",
            customdata=list(range(len(points))),
            hovertext=[f"{point.where}: {_grade_words(point)}" for point in points],
            hovertemplate="%{hovertext}<extra></extra>",
            marker={
                "symbol": [symbol for symbol, _ in marks],
                "color": [colour for _, colour in marks],
                "size": 9 if len(points) <= CROWDED else 6,
                "line": {"width": 1.5, "color": [colour for _, colour in marks]},
            },
            selected={"marker": {"opacity": 1}},
            unselected={"marker": {"opacity": 1}, "textfont": {"color": theme.TEXT}},
        ),
        row=place,
        col=1,
    )
    figure.update_yaxes(
        title_text=ROWS[GRADE].title, showticklabels=False, showgrid=False, range=[-1.1, 1.1], row=place, col=1
    )


def _grade_words(point: ProfilePoint) -> str:
    return f"suspected grade {point.grade}" if point.grade else "not analysed"


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
    ranges: Sequence[tuple[float, float] | None],
    name: str,
    place: int,
) -> None:
    row = ROWS[name]
    figure.add_trace(
        go.Scatter(
            x=[point.along_mm for point in points],
            y=[point.value(name) for point in points],
            mode="lines+markers",
            name=row.label,
            customdata=list(range(len(points))),
            hovertext=[_hover(point, one, name) for point, one in zip(points, ranges, strict=True)],
            hovertemplate="%{hovertext}<extra></extra>",
            line={"color": theme.ACCENT, "width": 1.6},
            marker={"size": 5, "color": theme.ACCENT},
            connectgaps=False,
            selected={"marker": {"opacity": 1}},
            unselected={"marker": {"opacity": 1}},
        ),
        row=place,
        col=1,
    )
    # Beside a norm the scale may leave nought out; without one, noise about a level course would fill the row.
    scale: dict[str, Any] = {"rangemode": "normal" if any(ranges) else "tozero"}
    if name == CHANCE:
        scale = {"range": [-0.06, 1.06], "tickvals": [0, 0.5, 1]}
    figure.update_yaxes(title_text=row.title, row=place, col=1, **scale)


def _hover(point: ProfilePoint, norm: tuple[float, float] | None, name: str) -> str:
    row, value = ROWS[name], point.value(name)
    if value is None:
        return f"{point.where}: {row.label} not measured"
    said = f"{point.where}: {row.label} {_number(name, value)} {row.unit}".rstrip()
    if norm is None:
        return said
    mean, sd = (part * row.factor for part in norm)
    digits = max(1, row.digits)
    return f"{said}<br>norm {mean:.{digits}f} ± {sd:.{digits}f}, z {(value - mean) / sd:+.1f}"


def _number(name: str, value: float) -> str:
    # A probability never claims 0 or 1.
    if name == CHANCE and not 0.01 <= value <= 0.99:
        return "&lt; 0.01" if value < 0.01 else "&gt; 0.99"
    return f"{value:.{ROWS[name].digits}f}"


def _band(
    figure: go.Figure,
    points: Sequence[ProfilePoint],
    ranges: Sequence[tuple[float, float] | None],
    name: str,
    place: int,
) -> None:
    """The norm as steps: two fills and a broken line, drawn first so that the curve lies over them."""
    steps = _steps(points, ranges)
    if not steps:
        return
    factor = ROWS[name].factor
    for reach, colour in ((2.0, theme.NORM_FAR), (1.0, theme.NORM_NEAR)):
        across: list[float | None] = []
        up: list[float | None] = []
        for start, end, mean, sd in steps:
            low, high = max(0.0, mean - reach * sd) * factor, (mean + reach * sd) * factor
            across += [start, end, end, start, start, None]
            up += [low, low, high, high, low, None]
        fill = {"fill": "toself", "fillcolor": colour, "line": {"width": 0}}
        _add_quietly(figure, across, up, f"norm ± {reach:.0f} SD", place, fill)
    means = [(part, mean * factor) for start, end, mean, _ in steps for part in (start, end)]
    pairs = [value for at in range(0, len(means), 2) for value in (*means[at : at + 2], (None, None))]
    line = {"line": {"color": theme.MUTED, "width": 1, "dash": "dash"}}
    _add_quietly(figure, [x for x, _ in pairs], [y for _, y in pairs], "norm mean", place, line)


def _add_quietly(
    figure: go.Figure,
    across: Sequence[float | None],
    up: Sequence[float | None],
    name: str,
    place: int,
    look: Mapping[str, Any],
) -> None:
    trace = go.Scatter(x=across, y=up, mode="lines", name=name, hoverinfo="skip", **look)
    figure.add_trace(trace, row=place, col=1)


def _steps(
    points: Sequence[ProfilePoint], ranges: Sequence[tuple[float, float] | None]
) -> list[tuple[float, float, float, float]]:
    """(start, end, mean, SD) of each run of neighbours with one norm; runs meet half way between slices."""
    along = [point.along_mm for point in points]
    found: list[tuple[float, float, float, float]] = []
    for index, one in enumerate(ranges):
        if one is None:
            continue
        gap = along[1] - along[0] if len(along) > 1 else 2.0
        start = (along[index - 1] + along[index]) / 2 if index else along[0] - gap / 2
        end = (along[index] + along[index + 1]) / 2 if index + 1 < len(along) else along[-1] + gap / 2
        if found and index and ranges[index - 1] == one:
            found[-1] = (found[-1][0], end, *one)
        else:
            found.append((start, end, *one))
    return found


def _mark_current(figure: go.Figure, points: Sequence[ProfilePoint], current: int, name: str, place: int) -> None:
    """A line through a curve's row; round a grade a frame, since a line would run through its letter."""
    if not 0 <= current < len(points):
        return
    along = points[current].along_mm
    if name == GRADE:
        frame = {"type": "rect", "xsizemode": "pixel", "xanchor": along, "x0": -10, "x1": 10, "y0": -1.05, "y1": 1.05}
        figure.add_shape(**frame, line={"color": theme.TEXT, "width": 1.5}, name=CURRENT, row=place, col=1)
    else:
        line = {"color": theme.TEXT, "width": 1.5, "dash": "dot"}
        figure.add_vline(x=along, line=line, name=CURRENT, row=place, col=1)


def _write(figure: go.Figure, words: str, name: str, colour: str, below_px: int) -> None:
    """Words below the lowest row, from its left edge."""
    figure.add_annotation(
        text=words,
        name=name,
        x=0,
        y=0,
        xref="paper",
        yref="paper",
        xanchor="left",
        yanchor="top",
        align="left",
        yshift=-below_px,
        showarrow=False,
        font={"size": 12, "color": colour},
    )


def _reach(points: Sequence[ProfilePoint]) -> list[float]:
    along = [point.along_mm for point in points] or [0.0]
    space = max(2.0, (max(along) - min(along)) * 0.015)
    return [min(along) - space, max(along) + space]
