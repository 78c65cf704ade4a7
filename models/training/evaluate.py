"""Measures what runs: every figure goes through ``dashboard.inference`` and ``dashboard.grading``, whole series in.

``python -m models.training.evaluate --data FOLDER`` writes both ``evaluation.json``, the tables and the plot of the
model cards, and prints every figure and, last, every bar beside what was published. ``--render`` in place of ``--data``
makes bars, tables and plot anew from the figures that are there, without measuring.
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
from models.training.evaluation.report import judge_bars, print_figures, write
from models.training.evaluation.studies import studies

NAMES = ("canal", "compression")

log = logging.getLogger(__name__)
# A round of a series gives twenty slices and one study: 98 of 100 cannot be told from 96 by fewer than some hundreds.
STUDIES_A_ROUND = 5


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
    placed = studies(folder, models, rng, STUDIES_A_ROUND * rounds)
    return {
        "canal": {"metrics": canal},
        "compression": {"metrics": cord + negatives + graded["metrics"] + placed["metrics"], **graded["tables"]},
    }


def main(argv: list[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m models.training.evaluate", description=__doc__)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--data", type=Path, help="folder of public volumes, see models/training/README.md")
    source.add_argument("--render", action="store_true", help="measure nothing: make tables and plot anew")
    parser.add_argument("--models", type=Path, default=Path("models"))
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--rounds", type=int, default=6, help="implanted copies of each test series")
    args = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
    if not args.render:
        models = load_models(args.models, threads=2)
        for name, content in measure_all(args.data, models, args.seed, args.rounds).items():
            write(args.models / name, name, content, models, args.seed, args.rounds)
    rows = judge_bars(args.models)
    for name in NAMES:
        fill(args.models / name)
    print_figures(args.models, NAMES, rows)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
