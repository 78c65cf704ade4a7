"""Colours, dashes and symbols of everything drawn. Colour is never the only sign: each has a shape or a word too.

Hues follow Okabe M, Ito K 2008 (safe for the common kinds of colour blindness), lightened on the dark reading-room
background and darkened on the light one, so that text keeps a contrast of at least 4.5 : 1 and marks one of 3 : 1.
Figures are made in the dark theme's colours. The page, which alone knows the theme, puts those of the light one in
their place as it draws (:func:`light_colours`); pictures lie on black in both themes and stay as they are.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Palette:
    """Colours of the plots of one theme.

    Attributes
    ----------
    grades, not_analysed
        Marker symbol (plotly) and colour; the letters are drawn beside them.
    tiers
        Most urgent first, as the worklist orders and colours them.
    near, far
        Fill of the norm band within 1 and 2 SD.
    """

    background: str
    panel: str
    text: str
    muted: str
    grid: str
    accent: str
    near: str
    far: str
    grades: Mapping[str, tuple[str, str]]
    tiers: Mapping[str, str]
    not_analysed: tuple[str, str]


DARK = Palette(
    background="#0d1117",
    panel="#161c24",
    text="#e6edf3",
    muted="#9fb0c0",
    grid="#2b3642",
    accent="#58b4f0",
    near="rgba(143,163,181,0.34)",
    far="rgba(143,163,181,0.16)",
    grades={
        "0": ("circle-open", "#8fa3b5"),
        "1a": ("circle", "#8fc7ea"),
        "1b": ("circle", "#58b4f0"),
        "1c": ("square", "#f0e442"),
        "2": ("triangle-up", "#ff9f50"),
        "3": ("diamond", "#ff6f61"),
    },
    tiers={
        "immediate": "#ff8a7e",
        "urgent": "#ffb070",
        "not analysed": "#d3b8ff",
        "soon": "#f0e442",
        "routine": "#b3c4d3",
    },
    not_analysed=("x-thin-open", "#c9a6ff"),
)
LIGHT = Palette(
    background="#ffffff",
    panel="#f4f6f8",
    text="#1b2733",
    muted="#4c5a68",
    grid="#d3dbe2",
    accent="#0b67a8",
    near="rgba(76,90,104,0.30)",
    far="rgba(76,90,104,0.14)",
    grades={
        "0": ("circle-open", "#5b6b7a"),
        "1a": ("circle", "#3a86bb"),
        "1b": ("circle", "#0b67a8"),
        "1c": ("square", "#6f5900"),
        "2": ("triangle-up", "#b04a00"),
        "3": ("diamond", "#bb271a"),
    },
    tiers={
        "immediate": "#b3261e",
        "urgent": "#a04600",
        "not analysed": "#6a3fb5",
        "soon": "#6f5900",
        "routine": "#4a5a69",
    },
    not_analysed=("x-thin-open", "#6a3fb5"),
)
BACKGROUND, PANEL, TEXT, MUTED, GRID, ACCENT = (
    DARK.background,
    DARK.panel,
    DARK.text,
    DARK.muted,
    DARK.grid,
    DARK.accent,
)
NORM_NEAR, NORM_FAR = DARK.near, DARK.far
GRADE_MARKS, TIER_COLOURS, NOT_ANALYSED_MARK = DARK.grades, DARK.tiers, DARK.not_analysed


def light_colours() -> Mapping[str, str]:
    """Colour of the dark theme -> the one that stands in its place in the light theme."""
    return dict(zip(_colours(DARK), _colours(LIGHT), strict=True))


def _colours(palette: Palette) -> list[str]:
    plain = [palette.background, palette.panel, palette.text, palette.muted, palette.grid, palette.accent]
    marks = [colour for _, colour in (*palette.grades.values(), palette.not_analysed)]
    return [*plain, palette.near, palette.far, *marks, *palette.tiers.values()]


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
    # Of sagittal pictures. The canal is the sac's counterpart there, the cord is drawn as on axial ones.
    "canal": LineStyle("Canal", "#e6c700", "10px,3px", 1.5),
    "vertebra": LineStyle("Vertebrae", "#66d9b8", "16px,2px", 1.4),
    "disc": LineStyle("Discs", "#d3b8ff", "3px,2px", 1.3),
}
# Drawn only once somebody asks for them: on every vertebra they would hide the marrow's edge that one looks for.
AT_FIRST_OFF = ("vertebra", "disc")
# The same shapes as characters, for text beside a grade.
GRADE_SIGNS = {"0": "○", "1a": "●", "1b": "●", "1c": "■", "2": "▲", "3": "◆"}
# Dash patterns of plotly's names, px.
DASHES = {"solid": (), "dash": (7, 4), "dot": (2, 3)}


def dash_lengths(style: LineStyle) -> tuple[int, ...]:
    """Lengths of line and gap in turn, px; empty for a solid line."""
    named = DASHES.get(style.dash)
    return named if named is not None else tuple(int(part.removesuffix("px")) for part in style.dash.split(","))
