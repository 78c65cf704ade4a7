"""evaluation.json and the printed table."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dashboard.inference import Models

NOTE = (
    "No real case of metastatic epidural compression with a Bilsky grade was seen by anyone: grades are those of "
    "tumours of known geometry implanted into real healthy slices. Nothing here measures clinical accuracy."
)
SPLITS = (
    "tuning: looked at while the recipe was tuned, and calibrated on; test: people never trained on. Two "
    "grading rules (no grade above 0 without P(>= 1a) at its cut; one ill-looking slice makes no study urgent)"
    " and the shortest run of slices were settled with the figures of the test people in sight."
)
# Published by others on other data; here to be read beside our figures, not to be beaten by them.
PUBLISHED = [
    {
        "source": "Hallinan 2022, doi 10.3389/fonc.2022.849447",
        "test": "internal",
        "sensitivity": 0.976,
        "specificity": 0.936,
    },
    {
        "source": "Hallinan 2022, doi 10.3389/fonc.2022.849447",
        "test": "external",
        "sensitivity": 0.899,
        "specificity": 0.981,
    },
]


def write(path: Path, name: str, content: dict[str, Any], models: Models, seed: int) -> None:
    """Write one model's figures."""
    info = next(i for i in models.describe() if i.name == name)
    document = {
        "model": {"name": info.name, "version": info.version, "sha256": info.sha256},
        "date": datetime.now(UTC).date().isoformat(),
        "command": f"python -m models.training.evaluate --data FOLDER --seed {seed} --rounds 6",
        "note": NOTE,
        "intervals": "95 %, bootstrap by person (by slice where there is one person: ci_unit); null under 3 units",
        "splits": SPLITS,
        **({"published_1c_or_worse": PUBLISHED} if name == "compression" else {}),
        **content,
    }
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def print_table(figures: dict[str, Any]) -> None:
    """One line a figure."""
    for model, content in figures.items():
        sys.stdout.write(f"\n{model}\n")
        for e in content["metrics"]:
            about = ", ".join(str(e[k]) for k in ("volume", "where", "contrast", "by") if k in e)
            low, high = e["ci95"]
            interval = f"[{low:.3f}, {high:.3f}]" if low is not None and high is not None else ""
            value = "-" if e["value"] is None else f"{e['value']:.3f}"
            count = f"n={e['n']:<5d} people={e['people']:<3d}"
            sys.stdout.write(f"  {e['name']:38s} {value:>8s} {interval:18s} {count} {e['split']:7s} {about}\n")
