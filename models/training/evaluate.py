"""Measures what runs: every figure goes through ``dashboard.inference`` and ``dashboard.grading``, whole series in.

``python -m models.training.evaluate --data FOLDER`` writes both ``evaluation.json`` and prints a table.
"""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path
from typing import Any

import numpy as np

from dashboard.inference import Models, load_models
from models.training.evaluation.card import fill
from models.training.evaluation.healthy import healthy_and_negatives
from models.training.evaluation.implants import implants
from models.training.evaluation.masks import cord_figures, localisation_figures
from models.training.evaluation.report import print_table, write
from models.training.evaluation.studies import studies

log = logging.getLogger(__name__)


def measure_all(folder: Path, models: Models, seed: int, rounds: int) -> dict[str, Any]:
    """All figures of both models; keys ``canal`` and ``compression``."""
    rng = np.random.default_rng(seed)
    log.info("cord Dice")
    cord, distances = cord_figures(folder, models)
    log.info("localisation")
    canal = localisation_figures(folder, models, distances, rng)
    log.info("healthy slices and negatives")
    negatives = healthy_and_negatives(folder, models, rng)
    log.info("implants")
    graded = implants(folder, models, rng, rounds)
    log.info("studies")
    placed = studies(folder, models, rng, rounds)
    return {
        "canal": {"metrics": canal},
        "compression": {"metrics": cord + negatives + graded["metrics"] + placed["metrics"], **graded["tables"]},
    }


def main(argv: list[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m models.training.evaluate", description=__doc__)
    parser.add_argument(
        "--data", type=Path, required=True, help="folder of public volumes, see models/training/README.md"
    )
    parser.add_argument("--models", type=Path, default=Path("models"))
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--rounds", type=int, default=6, help="implanted copies of each test series")
    args = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
    models = load_models(args.models, threads=2)
    figures = measure_all(args.data, models, args.seed, args.rounds)
    for name, content in figures.items():
        write(args.models / name / "evaluation.json", name, content, models, args.seed)
        fill(args.models / name)
    print_table(figures)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
