"""evaluation.json and the printed table."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dashboard.inference import Models
from models.training.evaluation.bars import PUBLISHED, bars
from models.training.evaluation.tables import bars_text, figures_text

NOTE = (
    "No real case of metastatic epidural compression with a Bilsky grade was seen by anyone: grades are those of "
    "tumours of known geometry implanted into real healthy slices. Nothing here measures clinical accuracy."
)
SPLITS = (
    "tuning: looked at while the recipe was tuned, and calibrated on; test: people never trained on. Two "
    "grading rules (no grade above 0 without P(>= 1a) at its cut; one ill-looking slice makes no study urgent)"
    ", the shortest run of slices, and that a cord's area is compared with that on both sides were settled with the"
    " figures of the test people in sight."
)


def write(folder: Path, name: str, content: dict[str, Any], models: Models, seed: int, rounds: int) -> None:
    """Write one model's figures into its folder."""
    info = next(i for i in models.describe() if i.name == name)
    document = {
        "model": {"name": info.name, "version": info.version, "sha256": info.sha256},
        "date": datetime.now(UTC).date().isoformat(),
        "command": f"python -m models.training.evaluate --data FOLDER --seed {seed} --rounds {rounds}",
        "note": NOTE,
        "intervals": "95 %, bootstrap by person (by slice where there is one person: ci_unit); null under 3 units",
        "splits": SPLITS,
        **({"published_1c_or_worse": list(PUBLISHED)} if name == "compression" else {}),
        **content,
    }
    save(folder / "evaluation.json", document)


def judge_bars(folder: Path) -> list[dict[str, Any]]:
    """Hold the figures of the compression model against the bars; they are stored beside them and returned."""
    path = folder / "compression" / "evaluation.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    sizes = {name: (folder / name / "model.onnx").stat().st_size / 1e6 for name in ("canal", "compression")}
    rows = bars(document["metrics"], sizes)
    stored = {key: value for key, value in document.items() if key != "bars"}
    at = list(stored).index("metrics")
    save(path, dict([*list(stored.items())[:at], ("bars", rows), *list(stored.items())[at:]]))
    return rows


def print_figures(folder: Path, names: Iterable[str], rows: Sequence[dict[str, Any]]) -> None:
    """One line a figure, then the bars."""
    for name in names:
        document = json.loads((folder / name / "evaluation.json").read_text(encoding="utf-8"))
        sys.stdout.write(f"\n{name}\n{figures_text(document['metrics'])}\n")
    sys.stdout.write(f"\nbars\n{bars_text(rows)}")


def save(path: Path, document: dict[str, Any]) -> None:
    """Write a document as it is read by people: one value a line."""
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
