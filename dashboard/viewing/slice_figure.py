"""The plotly picture of one slice: pan, zoom, hover in mm and intensity, outlines, scale bar, orientation letters.

The picture is a lossless 8-bit PNG under the axes. Hovering reads a second, invisible layer that holds stored
values, thinned to :data:`HOVER_SIDE` pixels a side so that one slice costs the browser about 100 KiB, not 700.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from dashboard.viewing import theme
from dashboard.viewing.picture import Picture
from dashboard.viewing.windowing import Window, png

Array = npt.NDArray[np.float64]
Outlines = Mapping[str, tuple[Array, ...]]

HOVER_SIDE = 144
# Picture around the visible square, so that a pan does not reach its edge at once.
MARGIN = 1.8
LETTER_PLACES = (
    (0.0, 0.5, "left", "middle"),
    (0.5, 1.0, "center", "top"),
    (1.0, 0.5, "right", "middle"),
    (0.5, 0.0, "center", "bottom"),
)


@dataclass(frozen=True)
class SliceView:
    """What part of a slice is shown and how.

    Attributes
    ----------
    window
        Black and white of the picture.
    centre_mm
        Screen position (right, down) in mm in the middle of the view.
    side_mm
        Side of the visible square, mm; None shows the whole slice.
    shown
        Names of the outlines to draw.
    """

    window: Window
    centre_mm: tuple[float, float]
    side_mm: float | None
    shown: tuple[str, ...]


def slice_figure(picture: Picture, outlines: Outlines, view: SliceView, identity: str) -> go.Figure:
    """Figure of one slice.

    Parameters
    ----------
    outlines
        Lines in LPS mm by structure, see :mod:`dashboard.viewing.outlines`; drawn in the order of the theme.
    identity
        Any string; zoom and pan are kept while it stays the same.
    """
    part = picture if view.side_mm is None else picture.around(view.centre_mm, view.side_mm * MARGIN)
    figure = go.Figure()
    figure.add_layout_image(_under_axes(part, view.window))
    figure.add_trace(_hover_layer(part.thinned(HOVER_SIDE), picture.letters))
    for name in theme.OUTLINES:
        if name in outlines and name in view.shown:
            figure.add_trace(_outline(name, [picture.project(loop) for loop in outlines[name]]))
    horizontal, vertical = _ranges(part, view)
    _scale_bar(figure, horizontal, vertical)
    for letter, (x, y, anchor_x, anchor_y) in zip(picture.letters, LETTER_PLACES, strict=True):
        figure.add_annotation(
            text=f"<b>{letter}</b>",
            x=x,
            y=y,
            xref="paper",
            yref="paper",
            xanchor=anchor_x,
            yanchor=anchor_y,
            showarrow=False,
            font={"size": 15, "color": theme.TEXT},
            bgcolor="rgba(13,17,23,0.55)",
        )
    hidden = {"showgrid": False, "zeroline": False, "showticklabels": False, "ticks": ""}
    figure.update_layout(
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        dragmode="pan",
        showlegend=False,
        paper_bgcolor="#000000",
        plot_bgcolor="#000000",
        uirevision=identity,
        font={"color": theme.TEXT, "size": 12},
        hoverlabel={"bgcolor": theme.PANEL, "font": {"size": 13}},
        xaxis={**hidden, "range": horizontal, "constrain": "range"},
        yaxis={**hidden, "range": vertical, "scaleanchor": "x", "constrain": "range"},
    )
    return figure


def _under_axes(part: Picture, window: Window) -> dict[str, object]:
    source = "data:image/png;base64," + base64.b64encode(png(part.pixels, window)).decode("ascii")
    across, down = _step(part.across_mm), _step(part.down_mm)
    return {
        "source": source,
        "xref": "x",
        "yref": "y",
        "layer": "below",
        "sizing": "stretch",
        "x": part.across_mm[0] - across / 2,
        "y": part.down_mm[0] - down / 2,
        "xanchor": "left",
        "yanchor": "top",
        "sizex": part.across_mm.size * across,
        "sizey": part.down_mm.size * down,
    }


def _hover_layer(part: Picture, letters: tuple[str, str, str, str]) -> go.Heatmap:
    values = np.nan_to_num(part.pixels.astype(np.float32))
    whole = bool(np.all(values == np.round(values))) and float(np.abs(values).max(initial=0)) < 2**15
    left, top, right, bottom = letters
    digits = ".0f" if whole or float(np.ptp(values)) > 100 else ".4~g"
    return go.Heatmap(
        z=values.astype(np.int16) if whole else values,
        x0=float(part.across_mm[0]),
        dx=_step(part.across_mm),
        y0=float(part.down_mm[0]),
        dy=_step(part.down_mm),
        opacity=0,
        showscale=False,
        name="",
        hovertemplate=f"{left}→{right} %{{x:+.1f}} mm<br>{top}→{bottom} %{{y:+.1f}} mm<br>intensity %{{z:{digits}}}"
        "<extra></extra>",
    )


def _outline(name: str, loops: list[Array]) -> go.Scatter:
    style = theme.OUTLINES[name]
    # None lifts the pen between loops.
    across: list[float | None] = []
    down: list[float | None] = []
    for loop in loops:
        across += [*np.round(loop[:, 0], 2).tolist(), None]
        down += [*np.round(loop[:, 1], 2).tolist(), None]
    return go.Scatter(
        x=across,
        y=down,
        mode="lines",
        name=style.label,
        hoverinfo="skip",
        line={"color": style.colour, "width": style.width, "dash": style.dash},
    )


def _ranges(part: Picture, view: SliceView) -> tuple[list[float], list[float]]:
    """Axis ranges; the vertical one runs downwards."""
    if view.side_mm is not None:
        half = view.side_mm / 2
        (x, y) = view.centre_mm
        return [x - half, x + half], [y + half, y - half]
    across, down = _step(part.across_mm) / 2, _step(part.down_mm) / 2
    return (
        [float(part.across_mm[0]) - across, float(part.across_mm[-1]) + across],
        [float(part.down_mm[-1]) + down, float(part.down_mm[0]) - down],
    )


def _scale_bar(figure: go.Figure, horizontal: list[float], vertical: list[float]) -> None:
    width = horizontal[1] - horizontal[0]
    length = next((mm for mm in (100.0, 50.0, 20.0, 10.0) if mm < width / 3), 5.0)
    x = horizontal[0] + 0.04 * width
    y = vertical[0] - 0.05 * (vertical[0] - vertical[1])
    figure.add_shape(type="line", x0=x, x1=x + length, y0=y, y1=y, line={"color": theme.TEXT, "width": 3})
    figure.add_annotation(
        text=f"{length:.0f} mm",
        x=x,
        y=y,
        xanchor="left",
        yanchor="bottom",
        showarrow=False,
        font={"size": 12, "color": theme.TEXT},
    )


def _step(coordinates: Array) -> float:
    return float(coordinates[1] - coordinates[0]) if coordinates.size > 1 else 1.0
