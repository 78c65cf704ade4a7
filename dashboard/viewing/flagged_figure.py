"""The flagged slice with everything drawn and named that speaks for its grade: outlines, contact, diameters, gap.

Numbers are those of the result document; the lines run where they were measured. A name stands beside the cord with a
thin line to what it names, on the side away from the others.
"""

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go

from dashboard.viewing import theme
from dashboard.viewing.measure_lines import AP, GAP, RL
from dashboard.viewing.picture import Picture
from dashboard.viewing.slice_figure import Array, Outlines, SliceView, slice_figure

Measures = Mapping[str, float | None]
# How far from its place a name stands, px, and the outline or line that it names.
OFFSET_PX = 74
INK = "rgba(0,0,0,0.75)"


def flagged_figure(
    picture: Picture,
    outlines: Outlines,
    view: SliceView,
    identity: str,
    lines: Mapping[str, Array],
    measures: Measures,
) -> go.Figure:
    """Figure of one analysed slice.

    Parameters
    ----------
    outlines, view, identity
        As for :func:`dashboard.viewing.slice_figure.slice_figure`.
    lines
        See :func:`dashboard.viewing.measure_lines.measure_lines`.
    measures
        Of the slice, as in the result document.
    """
    figure = slice_figure(picture, outlines, view, identity)
    ends = {name: picture.project(one) for name, one in lines.items()}
    for name, points in ends.items():
        # White would be lost on bright CSF without an edge.
        figure.add_trace(_line(f"{name}, edge", points, "#000000", 4.5))
        figure.add_trace(_line(name, points, theme.TEXT, 1.6))
    middle = ends[AP].mean(axis=0) if AP in ends else np.array(view.centre_mm)
    shown = [name for name in theme.OUTLINES if name in outlines and name in view.shown]
    towards = _away(ends[GAP].mean(axis=0), middle) if GAP in ends else (0.0, -1.0)
    if "contact" in shown:
        longest = picture.project(max(outlines["contact"], key=len))
        at = longest[len(longest) // 2]
        towards = _away(at, middle)
        words = _words("contact", measures.get("contact_fraction"), "%")
        _name(figure, at, towards, words, theme.OUTLINES["contact"].colour)
    _name_lines(figure, ends, towards, measures)
    _legend(figure, shown, measures)
    return figure


def _name_lines(figure: go.Figure, ends: Mapping[str, Array], tumour: tuple[float, float], measures: Measures) -> None:
    """Names of the diameters, at their ends away from the tumour, and of the gap, beside it on the right or above."""
    right, down = tumour
    if AP in ends:
        below = down <= 0
        words = _words("AP", measures.get("cord_diameter_AP_mm"), "mm")
        _name(figure, ends[AP][int(below)], (0.7, 1.0 if below else -1.0), words, theme.TEXT)
    if RL in ends:
        beyond = right < 0
        words = _words("RL", measures.get("cord_diameter_RL_mm"), "mm")
        _name(figure, ends[RL][int(beyond)], (1.1 if beyond else -1.1, 0.3), words, theme.TEXT)
    if GAP in ends:
        aside = max(((-down, right), (down, -right)), key=lambda side: side[0] - side[1])
        words = _words("gap", measures.get("cord_gap_mm"), "mm")
        _name(figure, ends[GAP].mean(axis=0), aside, words, theme.TEXT)


def _line(name: str, points: Array, colour: str, width: float) -> go.Scatter:
    line = {"color": colour, "width": width}
    return go.Scatter(x=points[:, 0], y=points[:, 1], mode="lines", name=name, hoverinfo="skip", line=line)


def _name(figure: go.Figure, at: Array, towards: tuple[float, float], words: str, colour: str) -> None:
    """A name with a thin line to its place; `towards` points right and down on the screen."""
    figure.add_annotation(
        text=words,
        x=float(at[0]),
        y=float(at[1]),
        ax=towards[0] * OFFSET_PX,
        ay=towards[1] * OFFSET_PX,
        showarrow=True,
        arrowhead=0,
        arrowwidth=1,
        arrowcolor=colour,
        font={"size": 14, "color": colour},
        bgcolor=INK,
    )


def _away(at: Array, middle: Array) -> tuple[float, float]:
    """Unit direction on screen from `middle` to `at` and on, turned towards the right where they meet."""
    step = at - middle
    length = float(np.linalg.norm(step))
    return (1.0, 0.5) if length < 1e-6 else (float(step[0]) / length, float(step[1]) / length)


def _legend(figure: go.Figure, drawn: list[str], measures: Measures) -> None:
    """Names of the outlines with their areas, in the lower right corner."""
    areas = {"cord": "cord_area_mm2", "sac": "canal_area_mm2", "tumour": "tumour_area_mm2"}
    dashes = {"cord": "━━", "sac": "╍╍", "tumour": "┉┉"}
    lines = []
    for name in drawn:
        if name in areas:
            style, area = theme.OUTLINES[name], measures.get(areas[name])
            size = "" if area is None else f" {area:.0f} mm²"
            lines.append(f'<span style="color:{style.colour}">{dashes[name]} {style.label}{size}</span>')
    if lines:
        figure.add_annotation(
            text="<br>".join(lines),
            x=0.99,
            y=0.02,
            xref="paper",
            yref="paper",
            xanchor="right",
            yanchor="bottom",
            align="left",
            showarrow=False,
            font={"size": 13},
            bgcolor=INK,
        )


def _words(name: str, value: float | None, unit: str) -> str:
    if value is None:
        return name
    return f"{name} {value * 100:.0f} %" if unit == "%" else f"{name} {value:.1f} {unit}"
