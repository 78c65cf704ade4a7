"""Measures the sagittal model as it runs: ``python -m models.training.sagittal.evaluate --data FOLDER``.

Whole volumes of people kept out of training go through ``dashboard.inference`` and ``dashboard.grading``; what comes
back is held against the published masks and gradings. Writes ``models/sagittal/evaluation.json`` with the bars, and
fills the tables of the model card.
"""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path
from typing import Any

import numpy as np

from dashboard.grading.spine.evidence import row_of
from dashboard.grading.spine.naming import name_spine
from dashboard.inference import Models, load_models
from models.training.evaluation.card import fill
from models.training.evaluation.report import save
from models.training.evaluation.tables import bars_text, figures_text
from models.training.sagittal.bars import bars
from models.training.sagittal.cases import Case, cases, necks
from models.training.sagittal.evaluate_findings import evaluate_test
from models.training.sagittal.figures import dice_figures, level_figures, neck_figures
from models.training.sagittal.filled import filled_figures

log = logging.getLogger(__name__)

NOTE = (
    "Truth for vertebrae, discs and canal: the published masks of SPIDER. Sagittal lumbar T2 of ten people. Of real "
    "necks the cord alone was measured, in two volumes of 5 and 8 cm; nothing on the chest or STIR of real people, "
    "for want of public masks. No real case of metastatic compression was seen by anyone."
)


def measure(folder: Path, models: Models, seed: int) -> list[dict[str, Any]]:
    """Every figure, one line each."""
    rng = np.random.default_rng(seed)
    found: list[Case] = []
    for case in cases(folder, models):
        log.info("%s", case.person)
        found.append(case)
    if models.findings is None:
        raise ValueError(models.sagittal_failure)
    seen = {case.person: (row_of(case.prediction).prediction, name_spine(case.prediction)) for case in found}
    findings = evaluate_test(folder, lambda person: seen[person], models.findings.models)
    cords = neck_figures(necks(folder, models))
    filled = filled_figures(found, models, models.findings.models, np.random.default_rng(seed))
    return [*dice_figures(found, rng), *cords, *level_figures(found, rng), *findings, *filled]


def main(argv: list[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m models.training.sagittal.evaluate", description=__doc__)
    parser.add_argument(
        "--data", type=Path, required=True, help="folder of public volumes, see models/training/README.md"
    )
    parser.add_argument("--models", type=Path, default=Path("models"))
    parser.add_argument("--seed", type=int, default=7)
    args = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
    models = load_models(args.models, threads=2)
    metrics = measure(args.data, models, args.seed)
    rows = bars(metrics)
    folder = args.models / "sagittal"
    info = next(one for one in models.describe() if one.name == "sagittal")
    save(
        folder / "evaluation.json",
        {
            "model": {"name": info.name, "version": info.version, "sha256": info.sha256},
            "command": f"python -m models.training.sagittal.evaluate --data FOLDER --seed {args.seed}",
            "note": NOTE,
            "intervals": "95 %, bootstrap by person",
            "bars": rows,
            "metrics": metrics,
        },
    )
    fill(folder)
    sys.stdout.write(f"{figures_text(metrics)}\n\nbars\n{bars_text(rows)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
