"""Slices as a page of HTML: picture, outlines of truth and of the model, probabilities, measures. Pure."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np

from dashboard.study import GRADES, SCENES
from dashboard.viewing import Window, mask_outlines, png
from dashboard.viewing.outlines import contact_arcs, slice_outlines
from dashboard.viewing.theme import OUTLINES
from models.training.labels import COMPRESSION_PIXEL_MM

if TYPE_CHECKING:
    from models.training.evaluation.failures import Shown

STYLE = """
body { background: #0d1117; color: #e6edf3; font: 14px system-ui, 'DejaVu Sans', sans-serif; margin: 1rem }
article { display: flex; gap: 1rem; margin: 0 0 1.5rem; align-items: flex-start }
svg { width: 420px; height: 420px; background: #000; flex: none } image { image-rendering: pixelated }
table { border-collapse: collapse } td { padding: 0.1rem 0.8rem 0.1rem 0; border-bottom: 1px solid #1f2933 }
.quiet { color: #9fb0c0 } h3 { margin: 0 0 0.4rem }
"""
# The network's normalised image: 1 is the series' own high percentile.
WINDOW = Window(0.0, 1.2)

Points = np.ndarray


def page(chosen: Sequence[tuple[str, int, int, Sequence[Shown]]]) -> str:
    """All kinds of failure: title, how many failed, of how many, and those to show."""
    parts = [
        f"<h2>{html.escape(title)}: {failed} of {among}</h2>{''.join(_article(one) for one in shown) or '<p>none</p>'}"
        for title, failed, among, shown in chosen
    ]
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Failures, to be looked at one by one</title>'
        f"<style>{STYLE}</style><h1>Failures, to be looked at one by one</h1>"
        '<p class="quiet">Left: the picture. Right: outlines, of the model in full lines, of truth dashed; colours as '
        "on the page of a study.</p>"
        f"{''.join(parts)}</html>\n"
    )


def _article(one: Shown) -> str:
    picture = _picture(one)
    return (
        f"<article>{_svg(picture, '')}{_svg(picture, _lines(one))}<div><h3>{html.escape(_heading(one))}</h3>"
        f"{_table(_rows(one))}</div></article>"
    )


def _heading(one: Shown) -> str:
    truth = "bone only" if one.bone_only else f"true {GRADES[one.rank]}" if one.implanted else "healthy"
    found = f"called {GRADES[one.verdict.rank]}" if one.verdict.graded else "refused"
    return f"{truth}, {found}: {one.person} ({one.region}), slice {one.number}"


def _rows(one: Shown) -> Iterable[tuple[str, str]]:
    verdict = one.verdict
    if verdict.obstacles:
        yield "why refused", "; ".join(obstacle.value for obstacle in verdict.obstacles)
    for name, values in (("graded", verdict.at_least), ("head", verdict.head), ("measurements", verdict.rules)):
        listed = ", ".join(f"{grade} {value:.2f}" for grade, value in zip(GRADES[1:], values, strict=True))
        yield f"P(at least), {name}", listed
    yield "scene", ", ".join(f"{name} {p:.2f}" for name, p in zip(SCENES, verdict.scene, strict=True))
    for name, value in asdict(one.verdict.measures).items():
        yield name.replace("_", " "), "-" if value is None else f"{value:.2f}"


def _table(rows: Iterable[tuple[str, str]]) -> str:
    cells = "".join(f"<tr><td>{html.escape(name)}</td><td>{html.escape(value)}</td></tr>" for name, value in rows)
    return f"<table>{cells}</table>"


def _picture(one: Shown) -> str:
    return base64.b64encode(png(np.asarray(one.prediction.image), WINDOW)).decode("ascii")


def _svg(picture: str, lines: str) -> str:
    return (
        '<svg viewBox="-0.5 -0.5 96 96"><image x="-0.5" y="-0.5" width="96" height="96" '
        f'href="data:image/png;base64,{picture}"/>{lines}</svg>'
    )


def _lines(one: Shown) -> str:
    prediction = one.prediction
    back = np.linalg.inv(prediction.affine)
    found = slice_outlines(prediction.labels, prediction.affine)
    drawn = [
        _line(_in_crop(loop, back), OUTLINES[name].colour, 0.6, "") for name, loops in found.items() for loop in loops
    ]
    arcs = contact_arcs(prediction.labels, prediction.affine, prediction.pixel_mm)
    drawn += [_line(_in_crop(arc, back), OUTLINES["contact"].colour, 1.2, "") for arc in arcs]
    for name, mask in one.truth.items():
        for loop in mask_outlines(mask):
            points = _in_crop(_in_patient(loop, one), back)
            drawn.append(_line(points, OUTLINES[name].colour, 0.5, "1.4 1"))
    return "".join(drawn)


def _in_patient(loop: Points, one: Shown) -> Points:
    """(row, column) of the truth's square as LPS mm: the series' rows run along y, its columns along x."""
    rows, columns = ((loop + one.corner) * COMPRESSION_PIXEL_MM).T
    return np.stack([columns, rows, np.full(len(loop), one.prediction.affine[2, 3])], axis=1)


def _in_crop(points: Points, back: np.ndarray) -> Points:
    """LPS mm as (column, row) of the crop."""
    grid = np.column_stack([points, np.ones(len(points))]) @ back.T
    return grid[:, [2, 1]]


def _line(points: Points, colour: str, width: float, dash: str) -> str:
    listed = " ".join(f"{x:.2f},{y:.2f}" for x, y in points)
    return (
        f'<polyline points="{listed}" fill="none" stroke="{colour}" stroke-width="{width}" stroke-dasharray="{dash}"/>'
    )
