"""Figures and bars as tables, for a terminal and for a model card. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from models.training.evaluation.bars import summary

Line = Mapping[str, Any]

BAR_HEADINGS = ("bar", "on", "value", "95 % interval", "n", "people", "required", "verdict", "published")
FIGURE_HEADINGS = ("figure", "on", "value", "95 % interval", "n", "people", "split")
# The head by itself is nearly what is graded: its lines stay in evaluation.json.
REPEATED = "head"


def bars_card(rows: Sequence[Line]) -> str:
    """The bars as Markdown."""
    return f"**{summary(rows)}.**\n\n{_markdown(BAR_HEADINGS, [_bar_cells(row) for row in rows])}"


def figures_card(metrics: Sequence[Line]) -> str:
    """All figures a person wants to read, as Markdown."""
    return _markdown(FIGURE_HEADINGS, [_figure_cells(line) for line in readable(metrics)])


def bars_text(rows: Sequence[Line]) -> str:
    """The bars for a terminal."""
    return f"{_aligned(BAR_HEADINGS, [_bar_cells(row) for row in rows])}\n{summary(rows)}\n"


def figures_text(metrics: Sequence[Line]) -> str:
    """The figures for a terminal."""
    return _aligned(FIGURE_HEADINGS, [_figure_cells(line) for line in readable(metrics)])


def readable(metrics: Sequence[Line]) -> list[Line]:
    """The lines without those of the head by itself."""
    return [line for line in metrics if line.get("by") != REPEATED]


def _bar_cells(row: Line) -> tuple[str, ...]:
    return (
        row["bar"],
        row["on"],
        _number(row["value"]),
        _interval(row["ci95"]),
        str(row["n"] or "-"),
        str(row["people"] or "-"),
        row["required"],
        row["verdict"],
        row["published"],
    )


def _figure_cells(line: Line) -> tuple[str, ...]:
    about = ", ".join(str(line[key]) for key in ("volume", "where", "contrast", "region", "by") if line.get(key))
    return (
        line["name"].replace("_", " "),
        about,
        _number(line["value"]),
        _interval(line["ci95"]),
        str(line["n"]),
        str(line["people"]),
        line["split"],
    )


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return str(value) if isinstance(value, int) else f"{value:.3f}"


def _interval(ci: Sequence[float | None]) -> str:
    low, high = ci
    return "-" if low is None or high is None else f"{low:.3f} to {high:.3f}"


def _markdown(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(headings)} |", f"|{'---|' * len(headings)}"]
    # An asterisk alone would open emphasis, a bar would end the cell.
    lines += [f"| {' | '.join(cell.replace('*', chr(92) + '*').replace('|', '/') for cell in row)} |" for row in rows]
    return "\n".join(lines)


def _aligned(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[at]) for row in (headings, *rows)) for at in range(len(headings))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in (headings, *rows)]
    return "\n".join(line.rstrip() for line in lines)
