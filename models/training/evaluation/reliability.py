"""The calibration plot: stated probability against found frequency, as an SVG that reads on light and on dark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from xml.etree import ElementTree as ET

from models.training.statistics import wilson

Points = Sequence[Mapping[str, float]]

# Key in the reliability table, title, marker: shape differs as well as colour.
PANELS = (("all_1c_or_worse", "P(1c or worse)", "circle"), ("all_2_or_3", "P(2 or 3)", "square"))
SIDE, LEFT, TOP, GAP, FOOT = 340, 62, 40, 84, 94
BINS = 10
TICKS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
# Hues of Okabe and Ito 2008; the ground is drawn, so that text never depends on the page behind it.
STYLE = """
.ground { fill: #ffffff } .ink { fill: #1b2430 } .axis { stroke: #5b6875; fill: none }
.grid { stroke: #dde3e9 } .diagonal { stroke: #5b6875; stroke-dasharray: 5 4 }
.one { fill: #0072b2; stroke: #0072b2 } .two { fill: #b34700; stroke: #b34700 }
text { font: 13px system-ui, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif } .small { font-size: 11px }
.title { font-weight: 600; font-size: 14px }
@media (prefers-color-scheme: dark) {
.ground { fill: #0d1117 } .ink { fill: #e6edf3 } .axis { stroke: #9fb0c0 } .grid { stroke: #242e39 }
.diagonal { stroke: #9fb0c0 } .one { fill: #58b4f0; stroke: #58b4f0 } .two { fill: #ff9f50; stroke: #ff9f50 }
}
.line { fill: none; stroke-width: 1.5 }
"""


def reliability_svg(tables: Mapping[str, Points]) -> str:
    """Both panels as one document.

    Parameters
    ----------
    tables
        By name, points with ``stated`` (mean probability of a bin), ``found`` (frequency in it) and ``n`` (slices); a
        panel without points says so.
    """
    width, height = LEFT + 2 * SIDE + GAP + 24, TOP + SIDE + FOOT
    root = ET.Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "viewBox": f"0 0 {width} {height}",
            "width": str(width),
            "height": str(height),
            "role": "img",
        },
    )
    ET.SubElement(root, "title").text = "Reliability: stated probability against found frequency"
    ET.SubElement(root, "desc").text = _description(tables)
    ET.SubElement(root, "style").text = STYLE
    ET.SubElement(root, "rect", {"class": "ground", "width": str(width), "height": str(height)})
    for number, (key, title, marker) in enumerate(PANELS):
        _panel(root, LEFT + number * (SIDE + GAP), title, tables.get(key, ()), marker, ("one", "two")[number])
    _text(
        root,
        LEFT,
        height - 10,
        "n: slices in a bin; bars: 95 % interval of the frequency (Wilson, by slice); dashed: as it should be",
        "small",
    )
    ET.indent(root)
    return ET.tostring(root, encoding="unicode") + "\n"


def _description(tables: Mapping[str, Points]) -> str:
    """The points in words, for those who cannot see them."""
    parts = []
    for key, title, _ in PANELS:
        listed = "; ".join(
            f"{p['stated']:.2f} stated, {p['found']:.2f} found, n {p['n']:.0f}" for p in tables.get(key, ())
        )
        parts.append(f"{title}: {listed or 'no points'}.")
    return " ".join(parts)


def _panel(root: ET.Element, left: float, title: str, points: Points, marker: str, colour: str) -> None:
    group = ET.SubElement(root, "g", {"transform": f"translate({left} {TOP})"})
    _text(group, 0, -16, title, "title")
    for tick in TICKS:
        at = tick * SIDE
        _line(group, at, 0, at, SIDE, "grid")
        _line(group, 0, SIDE - at, SIDE, SIDE - at, "grid")
        _text(group, at, SIDE + 18, f"{tick:g}", anchor="middle")
        _text(group, -8, SIDE - at + 4, f"{tick:g}", anchor="end")
    ET.SubElement(group, "rect", {"class": "axis", "width": str(SIDE), "height": str(SIDE)})
    _line(group, 0, SIDE, SIDE, 0, "diagonal")
    _text(group, SIDE / 2, SIDE + 56, "stated probability", anchor="middle")
    _text(group, -8, SIDE + 36, "n", "small", "end")
    turned = _text(group, 0, 0, "found frequency", anchor="middle")
    turned.set("transform", f"translate(-42 {SIDE / 2:g}) rotate(-90)")
    if not points:
        _text(group, SIDE / 2, SIDE / 2, "no points", anchor="middle")
        return
    places = [(p["stated"] * SIDE, SIDE - p["found"] * SIDE) for p in points]
    ET.SubElement(
        group, "polyline", {"class": f"{colour} line", "points": " ".join(f"{x:.1f},{y:.1f}" for x, y in places)}
    )
    for point, (x, y) in zip(points, places, strict=True):
        low, high = wilson(point["found"], int(point["n"]))
        _line(group, x, SIDE - low * SIDE, x, SIDE - high * SIDE, colour)
        _mark(group, x, y, marker, colour)
        # In a row of their own, each at the middle of its bin, so that no two numbers meet.
        middle = (min(BINS - 1, int(point["stated"] * BINS)) + 0.5) * SIDE / BINS
        _text(group, middle, SIDE + 36, f"{point['n']:.0f}", "small", "middle")


def _mark(parent: ET.Element, x: float, y: float, marker: str, colour: str) -> None:
    if marker == "circle":
        ET.SubElement(parent, "circle", {"class": colour, "cx": f"{x:.1f}", "cy": f"{y:.1f}", "r": "4"})
    else:
        ET.SubElement(
            parent,
            "rect",
            {"class": colour, "x": f"{x - 4:.1f}", "y": f"{y - 4:.1f}", "width": "8", "height": "8"},
        )


def _line(parent: ET.Element, x1: float, y1: float, x2: float, y2: float, kind: str) -> None:
    ends = {"x1": f"{x1:.1f}", "y1": f"{y1:.1f}", "x2": f"{x2:.1f}", "y2": f"{y2:.1f}"}
    ET.SubElement(parent, "line", {"class": kind, **ends})


def _text(parent: ET.Element, x: float, y: float, words: str, kind: str = "", anchor: str = "start") -> ET.Element:
    made = ET.SubElement(
        parent,
        "text",
        {"class": f"ink {kind}".strip(), "x": f"{x:g}", "y": f"{y:g}", "text-anchor": anchor},
    )
    made.text = words
    return made
