"""Colours, dashes and symbols of everything drawn. Colour is never the only sign: each has a shape or a word too.

Hues follow Okabe M, Ito K 2008 (safe for the common kinds of colour blindness), lightened where needed so that text
keeps a contrast of at least 4.5 : 1 on the dark reading-room background.
"""

from dataclasses import dataclass

BACKGROUND = "#0d1117"
PANEL = "#161c24"
TEXT = "#e6edf3"
MUTED = "#9fb0c0"
GRID = "#2b3642"
ACCENT = "#58b4f0"


@dataclass(frozen=True)
class LineStyle:
    """How one outline is drawn and what it is called."""

    label: str
    colour: str
    dash: str
    width: float


OUTLINES = {
    "cord": LineStyle("Cord", "#58b4f0", "solid", 2.0),
    "sac": LineStyle("Thecal sac", "#f0e442", "dash", 1.6),
    "tumour": LineStyle("Suspected tumour", "#ff8c42", "dot", 2.6),
    # Wide and hatched: it lies over the lines of cord, sac and tumour, which run close together there.
    "contact": LineStyle("Contact", "#f29bd4", "8px,2px", 6.0),
}

# Marker symbol (plotly) and colour of each grade; the letters are drawn beside them.
GRADE_MARKS = {
    "0": ("circle-open", "#8fa3b5"),
    "1a": ("circle", "#8fc7ea"),
    "1b": ("circle", "#58b4f0"),
    "1c": ("square", "#f0e442"),
    "2": ("triangle-up", "#ff9f50"),
    "3": ("diamond", "#ff6f61"),
}
# Most urgent first, as the worklist orders and colours them.
TIER_COLOURS = {
    "immediate": "#ff8a7e",
    "urgent": "#ffb070",
    "not analysed": "#d3b8ff",
    "soon": "#f0e442",
    "routine": "#b3c4d3",
}
NOT_ANALYSED_MARK = ("x-thin-open", "#c9a6ff")
# The same shapes as characters, for text beside a grade.
GRADE_SIGNS = {"0": "○", "1a": "●", "1b": "●", "1c": "■", "2": "▲", "3": "◆"}
# Dash patterns of plotly's names, px.
DASHES = {"solid": (), "dash": (7, 4), "dot": (2, 3)}


def dash_lengths(style: LineStyle) -> tuple[int, ...]:
    """Lengths of line and gap in turn, px; empty for a solid line."""
    named = DASHES.get(style.dash)
    return named if named is not None else tuple(int(part.removesuffix("px")) for part in style.dash.split(","))
