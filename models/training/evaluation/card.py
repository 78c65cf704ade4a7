"""Copies what a reader wants first from evaluation.json into the model card, so that they cannot differ."""

from __future__ import annotations

import json
from pathlib import Path

from models.training.evaluation.reliability import reliability_svg
from models.training.evaluation.tables import bars_card, figures_card

PLOT = "reliability.svg"


def fill(folder: Path) -> None:
    """Rewrite the tables between the card's markers, and the plot beside it where there are points to plot."""
    document = json.loads((folder / "evaluation.json").read_text(encoding="utf-8"))
    card = folder / "MODEL_CARD.md"
    text = between(card.read_text(encoding="utf-8"), "figures", figures_card(document["metrics"]))
    if "bars" in document:
        text = between(text, "bars", bars_card(document["bars"]))
    card.write_text(text, encoding="utf-8")
    if "reliability" in document:
        (folder / PLOT).write_text(reliability_svg(document["reliability"]), encoding="utf-8")


def between(text: str, name: str, content: str) -> str:
    """`text` with `content` between the markers ``<!-- name -->`` and ``<!-- /name -->``.

    Raises
    ------
    ValueError
        A marker is missing.
    """
    start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    if text.count(start) != 1 or text.count(end) != 1:
        raise ValueError(f"the model card holds {start} and {end} once each")
    head, rest = text.split(start)
    return f"{head}{start}\n{content}\n{end}{rest.split(end)[1]}"
