"""On the flagged slice every measure is drawn where it was taken and carries its number and unit."""

from dataclasses import replace

import numpy as np
import plotly.graph_objects as go

from dashboard.viewing import Window, plane_picture
from dashboard.viewing.flagged_figure import flagged_figure
from dashboard.viewing.slice_figure import SliceView
from dashboard.viewing.theme import OUTLINES

SQUARE = np.array([[-5.0, -5.0, 0.0], [5.0, -5.0, 0.0], [5.0, 5.0, 0.0], [-5.0, -5.0, 0.0]])
LINES = {
    "ap": np.array([[0.0, -3.0, 0.0], [0.0, 3.0, 0.0]]),
    "rl": np.array([[-4.0, 0.0, 0.0], [4.0, 0.0, 0.0]]),
    "gap": np.array([[0.0, 3.0, 0.0], [0.0, 4.2, 0.0]]),
}
MEASURES = {
    "cord_area_mm2": 37.3,
    "cord_diameter_AP_mm": 6.04,
    "cord_diameter_RL_mm": 8.16,
    "cord_gap_mm": 1.2,
    "contact_fraction": 0.613,
}
VIEW = SliceView(Window(0.0, 1.0), (0.0, 0.0), 48.0, tuple(OUTLINES))


def drawn(view: SliceView = VIEW, measures: dict[str, float] = MEASURES) -> go.Figure:
    """A square cord that tumour touches along one side."""
    affine = np.eye(4)[:, [2, 1, 0, 3]]
    affine[:3, 3] = (-32, -32, 0)
    outlines = {"cord": (SQUARE,), "tumour": (SQUARE * 2,), "contact": (SQUARE[1:3],)}
    return flagged_figure(plane_picture(np.ones((64, 64)), affine), outlines, view, "one", LINES, measures)


def words(figure: go.Figure) -> str:
    return " | ".join(one.text for one in figure.layout.annotations)


def test_every_measure_carries_its_number_and_unit() -> None:
    said = words(drawn())
    for part in ("AP 6.0 mm", "RL 8.2 mm", "gap 1.2 mm", "contact 61 %", "Cord 37 mm²"):
        assert part in said


def test_lines_lie_where_they_were_measured() -> None:
    traces = {trace.name: trace for trace in drawn().data}
    assert list(traces["ap"].y) == [-3.0, 3.0]
    assert list(traces["rl"].x) == [-4.0, 4.0]


def test_a_measure_that_is_not_known_is_named_without_a_number() -> None:
    said = words(drawn(measures={}))
    assert "AP" in said
    assert "mm²" not in said
    assert "%" not in said


def test_outlines_that_were_switched_off_are_not_named() -> None:
    said = words(drawn(replace(VIEW, shown=("cord",))))
    assert OUTLINES["cord"].label in said
    assert OUTLINES["tumour"].label not in said
    assert "contact" not in said
