"""The slice viewer: pictures to scroll, measured and compared in the browser, without a question to the server."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import streamlit as st

from dashboard.screens.parts import nothing, register
from dashboard.viewing.frames import THUMBNAIL_SIDE, THUMBNAILS_A_ROW
from dashboard.viewing.theme import AT_FIRST_OFF, GRADE_SIGNS, OUTLINES, dash_lengths

KEY = "slice_viewer"
ADDRESS_KEY = "view"
LONGEST_WORD = 400
# The study's place, the view's id and the plane counted from 1.
ADDRESSED = re.compile(r"([0-9])-([0-9]{1,4}[a-z]?)\.([0-9]{1,5})(?:\.|$)", re.ASCII)
SCRIPTS = ("frames", "geometry", "lines", "levels", "pane", "address", "stage", "viewer", "interact")

_element = register("slice_viewer", scripts=(*(f"viewer/{script}" for script in SCRIPTS), "slice_viewer"))


@dataclass(frozen=True)
class Pictured:
    """A study in the viewer.

    Attributes
    ----------
    address
        Where its pictures are.
    label
        What it is called beside others: "this study", or a prior's age; "" where it is alone.
    guest_pass
        What the holder of a share link shows when pictures are fetched; "" for the team.
    stamp
        Changes when what is said of the pictures does, such as the names of levels; the pictures themselves stay.
    """

    address: str
    label: str = ""
    guest_pass: str = ""
    stamp: str = ""


@dataclass(frozen=True)
class Jump:
    """Where the viewer shall go; a new `turn` makes it go again."""

    view: str
    plane: int
    turn: int


@dataclass(frozen=True)
class Place:
    """Where the viewer came to rest: `study` counts from 0 in the order they were given."""

    study: int
    view: str
    plane: int


def slice_viewer(studies: Sequence[Pictured], marks_hidden: bool, jump: Jump | None) -> None:
    """Draw the viewer; the first of `studies` is the one on screen. :func:`place` tells where it is."""
    data = {
        "studies": [{"address": one.address, "label": one.label, "pass": one.guest_pass} for one in studies],
        "stamp": " ".join(one.stamp for one in studies),
        "hidden": marks_hidden,
        "go": asdict(jump) if jump else None,
        "styles": [
            {
                "name": name,
                "label": style.label,
                "colour": style.colour,
                "width": style.width,
                "dash": dash_lengths(style),
            }
            for name, style in OUTLINES.items()
        ],
        "off": AT_FIRST_OFF,
        "marks": GRADE_SIGNS,
        "thumbnails": {"tile": THUMBNAIL_SIDE, "across": THUMBNAILS_A_ROW},
    }
    _element(key=KEY, data=data, on_place_change=nothing)


def addressed(word: str) -> tuple[Place, ...]:
    """Where the page's address (``viewer/address.js``) asks the viewer's pictures to be, the active one first."""
    head, *panes = word[:LONGEST_WORD].split("*")
    active = head.partition("-")[2]
    chosen = int(active) - 1 if active.isascii() and active.isdigit() else 0
    order = panes[chosen : chosen + 1] + panes if chosen >= 0 else panes
    found = [ADDRESSED.match(pane) for pane in order]
    return tuple(Place(int(one[1]), one[2], int(one[3]) - 1) for one in found if one)


def place(address: str) -> Place | None:
    """Where the viewer of the study at `address` came to rest; None before it has."""
    state: Any = st.session_state.get(KEY)
    told = state.get("place") if hasattr(state, "get") else None
    if not isinstance(told, Mapping) or told.get("of") != address:
        return None
    study, view, plane = told.get("study"), told.get("view"), told.get("plane")
    if isinstance(study, int | float) and isinstance(view, str) and isinstance(plane, int | float):
        return Place(int(study), view, int(plane))
    return None
