"""Copies the figures that a reader wants first from evaluation.json into the model card, so that they cannot differ."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_START, _END = "<!-- figures -->", "<!-- /figures -->"


def fill(folder: Path) -> None:
    """Rewrite the table between the card's markers."""
    document = json.loads((folder / "evaluation.json").read_text(encoding="utf-8"))
    card = folder / "MODEL_CARD.md"
    text = card.read_text(encoding="utf-8")
    head, rest = text.split(_START, 1)
    _, tail = rest.split(_END, 1)
    lines = ["| figure | on | value | 95 % interval | n | people | split |", "|---|---|---|---|---|---|---|"]
    lines += [_line(e) for e in document["metrics"]]
    card.write_text(f"{head}{_START}\n{chr(10).join(lines)}\n{_END}{tail}", encoding="utf-8")


def _line(e: dict[str, Any]) -> str:
    about = ", ".join(str(e[k]) for k in ("volume", "where", "contrast", "by") if k in e)
    low, high = e["ci95"]
    interval = f"{low:.3f} to {high:.3f}" if low is not None and high is not None else "-"
    value = "-" if e["value"] is None else f"{e['value']:.3f}"
    name = e["name"].replace("_", " ")
    return f"| {name} | {about} | {value} | {interval} | {e['n']} | {e['people']} | {e['split']} |"
