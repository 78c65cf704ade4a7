"""Figures say where, how much and in which unit, and stay small."""

import numpy as np
import plotly.graph_objects as go
import pytest

from dashboard.viewing import Window, plane_picture
from dashboard.viewing.slice_figure import SliceView, slice_figure
from dashboard.viewing.theme import GRADE_MARKS, OUTLINES

SIDE = 512
SQUARE = np.array([[-5.0, -5.0, 0.0], [5.0, -5.0, 0.0], [5.0, 5.0, 0.0], [-5.0, -5.0, 0.0]])


def figure(side_mm: float | None = 48.0, shown: tuple[str, ...] = tuple(OUTLINES), **changes: object) -> go.Figure:
    """Figure of a noisy 512 x 512 slice of 0.4 mm pixels."""
    affine = np.eye(4)
    affine[:3, 1:3] = [[0, 0.4], [0.4, 0], [0, 0]]
    affine[:3, 3] = (-102.2, -102.2, 0.0)
    pixels = np.random.default_rng(1).integers(0, 2000, (SIDE, SIDE)).astype(np.uint16)
    view = SliceView(Window(0.0, 2000.0), (0.0, 0.0), side_mm, shown, **changes)  # type: ignore[arg-type]
    return slice_figure(plane_picture(pixels, affine), {"cord": (SQUARE,), "tumour": (SQUARE * 2,)}, view, "one")


def test_hover_says_millimetres_and_intensity() -> None:
    template = figure().data[0].hovertemplate
    assert template.count("mm") == 2
    assert "intensity" in template


def test_only_the_chosen_outlines_are_drawn() -> None:
    names = [trace.name for trace in figure(shown=("cord",)).data]
    assert OUTLINES["cord"].label in names
    assert OUTLINES["tumour"].label not in names


def test_the_line_of_contact_lies_over_the_lines_it_follows() -> None:
    affine = np.eye(4)[:, [2, 1, 0, 3]]
    view = SliceView(Window(0.0, 1.0), (0.0, 0.0), 48.0, tuple(OUTLINES))
    lines = {"contact": (SQUARE[:2],), "cord": (SQUARE,), "tumour": (SQUARE,)}
    drawn = slice_figure(plane_picture(np.ones((8, 8)), affine), lines, view, "one")
    names = [trace.name for trace in drawn.data]
    assert names[-1] == OUTLINES["contact"].label
    assert drawn.data[-1].x == (-5.0, 5.0, None)


def test_outlines_differ_by_more_than_colour() -> None:
    assert len({style.dash for style in OUTLINES.values()}) == len(OUTLINES)
    assert len({style.width for style in OUTLINES.values()}) == len(OUTLINES)
    assert len({(symbol, grade) for grade, (symbol, _) in GRADE_MARKS.items()}) == len(GRADE_MARKS)


def test_the_crop_shows_48_mm_and_the_full_view_everything() -> None:
    low, high = figure().layout.xaxis.range
    assert high - low == pytest.approx(48.0)
    low, high = figure(side_mm=None).layout.xaxis.range
    assert high - low == pytest.approx(SIDE * 0.4)


def test_down_is_down_and_pixels_are_square() -> None:
    layout = figure().layout
    assert layout.yaxis.range[0] > layout.yaxis.range[1]
    assert layout.yaxis.scaleanchor == "x"


def test_letters_and_a_scale_bar_are_there() -> None:
    texts = [annotation.text for annotation in figure().layout.annotations]
    assert [f"<b>{letter}</b>" for letter in "RALP"] == texts[-4:]
    assert "10 mm" in texts


def test_a_full_slice_costs_the_browser_less_than_a_heatmap_of_it_would() -> None:
    assert len(figure(side_mm=None).to_json()) < 0.75 * SIDE * SIDE * 2 * 4 / 3
    assert len(figure().to_json()) < 150_000
