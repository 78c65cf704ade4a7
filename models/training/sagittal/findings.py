"""Fit the small models behind findings: ``python -m models.training.sagittal.findings --data FOLDER [--out FILE]``.

Weights come from the training people, calibration from those people left out one at a time and from the calibration
people; the test people are never read. What is measured are the model's own outlines, or with ``--masks truth`` the
public masks: those draw the discs of four people up to the bone and of the others not, so that fits on them did worse
on people left out (Pfirrmann's kappa 0.80, on the model's own 0.83).
Canal models are fitted on known pinches of the same people's masks, on their unaltered canals and on healthy necks.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import optimize, special

from dashboard.study.finding_models import FEATURES
from models.training.sagittal.logistic import Fit, fit
from models.training.sagittal.model_source import MASKS, source_of
from models.training.sagittal.tables import (
    CanalRow,
    DiscRow,
    Source,
    matrix,
    read_necks,
    read_people,
)
from models.training.volumes import spider_split

SEED = 7
PINCHES = 10
RIDGE = 3.0
# There are hundreds of pinches and thousands of stations.
CANAL_RIDGE = 1.0
# Which way each feature may speak: 1 for the finding, -1 against it.
SIGNS = {
    "log_nucleus_to_csf": -1,
    "log_nucleus_to_marrow": -1,
    "log_slenderness": -1,
    "bulge_mm": 1,
    "overhang_mm": 1,
    "canal_narrowing": 1,
    "shift_percent": 1,
    "endplate_brightest": 1,
    "cord_narrowing": 1,
    "csf_share": -1,
}
DISC_FINDINGS = ("pfirrmann", "narrowing", "herniation", "bulge", "listhesis", "modic")
CANAL_FINDINGS = ("canal_cord", "canal_cauda")
# Graded I throughout although their discs are black in the picture: grade I is the brightest disc there is. They teach
# every other finding.
PFIRRMANN_CONTRADICTED = ("35", "234")
# A panel that flags more of the discs without a finding than this leaves over is not read.
LEAST_SPECIFICITY = 0.85
# "Suspected" beside a probability below this is read as noise, whatever the sensitivity it buys.
LEAST_CUT = 0.1
# Three to one: a canal a third narrower than its neighbours is no compression yet.
LEAST_CANAL_CUT = 0.75
# At most this share of unaltered people may have an alarm of the canal.
FALSE_ALARMS = 0.05


@dataclass(frozen=True)
class Fitted:
    """One model, and what it said of people it had not seen: (n, steps) odds and (n) ranks."""

    name: str
    model: Fit
    scale: float
    shift: float
    cut: float
    odds: np.ndarray
    ranks: np.ndarray
    people: np.ndarray

    @property
    def at_least(self) -> np.ndarray:
        """(n, steps) calibrated probabilities of the people left out."""
        return special.expit(self.scale * self.odds + self.shift)


def usable(rows: Sequence[DiscRow], name: str) -> list[DiscRow]:
    """Rows that may teach a finding."""
    return [row for row in rows if name != "pfirrmann" or row.person not in PFIRRMANN_CONTRADICTED]


def rank_of(row: DiscRow, name: str) -> int:
    """0 and 1, or Pfirrmann's I and II as 0 to V as 3."""
    graded = row.graded[name]
    return max(0, graded - 2) if name == "pfirrmann" else graded


def fit_disc_finding(rows: Sequence[DiscRow], name: str, calibration: Sequence[str]) -> Fitted:
    """Fit one finding of discs."""
    kept = usable(rows, name)
    ranks = np.array([rank_of(row, name) for row in kept])
    people = np.array([row.person for row in kept])
    balance = 0.5 if name == "pfirrmann" else 0.0
    model, odds = _fitted(matrix(kept, name), ranks, people, name, np.isin(people, calibration), balance)
    scale, shift = calibrated(odds, ranks)
    fitted = Fitted(name, model, scale, shift, 0.5, odds, ranks, people)
    if name == "pfirrmann":
        return fitted
    return _with_cut(fitted, _best_cut(fitted.at_least[:, 0], ranks))


def fit_canal_findings(rows: Sequence[CanalRow], calibration: Sequence[str]) -> dict[str, Fitted]:
    """Fit both models of the canal; one cut for both keeps the people with a false alarm within bounds.

    Balanced, since every pinch would otherwise stand against a hundred stations of nothing: the probability is that of
    a place as likely to be pinched as not.
    """
    fitted, most = {}, dict[str, float]()
    for name in CANAL_FINDINGS:
        kept = [row for row in rows if row.has_cord == (name == "canal_cord") and row.rank is not None]
        ranks = np.array([row.rank for row in kept])
        people = np.array([row.person for row in kept])
        held = np.isin(people, calibration)
        model, odds = _fitted(matrix(kept, name), ranks, people, name, held, balance=1.0, ridge=CANAL_RIDGE)
        fitted[name] = Fitted(name, model, 1.0, 0.0, 0.5, odds, ranks, people)
        for row, p in zip(kept, fitted[name].at_least[:, 0], strict=True):
            if row.kind == "unaltered":
                most[row.person] = max(most.get(row.person, 0.0), float(p))
    allowed = int(FALSE_ALARMS * len(most))
    cut = max(LEAST_CANAL_CUT, sorted(most.values(), reverse=True)[allowed] + 0.01)
    return {name: _with_cut(one, cut) for name, one in fitted.items()}


def calibrated(odds: np.ndarray, ranks: np.ndarray) -> tuple[float, float]:
    """Scale and shift of log odds, drawn a little towards leaving them as they are: there are few cases."""
    steps = odds.shape[1]
    truth = ranks[:, None] > np.arange(steps)

    def loss(x: np.ndarray) -> float:
        p = special.expit(x[0] * odds + x[1])
        likelihood = np.log(np.maximum(np.where(truth, p, 1 - p), 1e-9)).sum()
        return float(-likelihood + 2 * (np.log(x[0]) ** 2) + 0.5 * x[1] ** 2)

    found = optimize.minimize(loss, np.array([1.0, 0.0]), method="L-BFGS-B", bounds=[(0.2, 3.0), (-3, 3)])
    return float(found.x[0]), float(found.x[1])


def fit_all(
    folder: Path, source: Source, pinches: int = PINCHES
) -> tuple[dict[str, Fitted], list[DiscRow], list[CanalRow]]:
    """All models, and the rows they were fitted on."""
    split = spider_split(folder)
    discs, canals = read_people(folder, split["training"] + split["calibration"], source, pinches, SEED)
    canals += read_necks(folder, pinches, SEED)
    fitted = {name: fit_disc_finding(discs, name, split["calibration"]) for name in DISC_FINDINGS}
    fitted |= fit_canal_findings(canals, split["calibration"])
    return fitted, discs, canals


def document(fitted: dict[str, Fitted], masks: str) -> str:
    """findings.toml, fitted on the masks of the model or on the public ones."""
    lines = [
        "# The small models behind findings, fitted by models/training/sagittal/findings.py.",
        "# P(rank > k) = sigmoid(scale * (weights @ (feature - centre) / spread + offsets[k]) + shift).",
        "contract = 1",
        "",
        "[provenance]",
        'command = "python -m models.training.sagittal.findings --data FOLDER"',
        f"seed = {SEED}",
        'data = "SPIDER (van der Graaf et al. 2024, doi 10.1038/s41597-024-03090-w, CC BY 4.0), people for training '
        'and calibration; spine-generic cord and CSF labels (MIT)"',
        f'masks = "{"outlined by the model beside this file" if masks == "model" else "the public ones"}"',
        'canal = "No real compression was to be had: both canal models are calibrated on known pinches of the masks of '
        'these people, and on the same people unaltered."',
        'pfirrmann = "Grade I is not told from II. Two people graded I throughout with black discs taught no grade."',
    ]
    for name, one in fitted.items():
        lines += ["", f"[findings.{name}]", f"features = {_texts(FEATURES[name])}"]
        lines += [f"{key} = {_numbers(getattr(one.model, key))}" for key in ("centre", "spread", "weights", "offsets")]
        lines += [f"scale = {one.scale:.4f}", f"shift = {one.shift:.4f}", f"cut = {one.cut:.4f}"]
        lines += [f"cases = {len(one.ranks)}", f"with_finding = {int((one.ranks > 0).sum())}"]
    return "\n".join(lines) + "\n"


def _fitted(
    features: np.ndarray,
    ranks: np.ndarray,
    people: np.ndarray,
    name: str,
    held: np.ndarray,
    balance: float,
    ridge: float = RIDGE,
) -> tuple[Fit, np.ndarray]:
    """The model of the training people, and the odds of everyone from a model that never saw them."""
    signs = [SIGNS[key] for key in FEATURES[name]]
    model = fit(features[~held], ranks[~held], signs, ridge, balance)
    odds = np.zeros((len(ranks), int(ranks.max())))
    odds[held] = model.odds(features[held])
    for person in np.unique(people[~held]):
        own = people == person
        odds[own] = fit(features[~held & ~own], ranks[~held & ~own], signs, ridge, balance).odds(features[own])
    return model, odds


def _best_cut(probability: np.ndarray, ranks: np.ndarray) -> float:
    """The cut with the largest sum of sensitivity and specificity, specific enough; of several, the most specific."""
    levels = np.unique(probability)
    cuts = (levels[1:] + levels[:-1]) / 2
    specificity = np.array([np.mean(probability[ranks == 0] < cut) for cut in cuts])
    sensitivity = np.array([np.mean(probability[ranks > 0] >= cut) for cut in cuts])
    found = np.where(specificity >= LEAST_SPECIFICITY, specificity + sensitivity, 0.0)
    return float(cuts[np.flatnonzero(found >= found.max() - 1e-9)[-1]])


def _with_cut(fitted: Fitted, cut: float) -> Fitted:
    kept = float(np.clip(np.ceil(cut * 1e4) / 1e4, LEAST_CUT, 0.98))
    return Fitted(**{**fitted.__dict__, "cut": kept})


def _numbers(values: np.ndarray) -> str:
    return "[" + ", ".join(f"{float(v):.5f}" for v in values) + "]"


def _texts(values: Sequence[str]) -> str:
    return "[" + ", ".join(f'"{v}"' for v in values) + "]"


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Fit the small models behind findings.")
    parser.add_argument("--data", type=Path, required=True, help="folder of public volumes")
    parser.add_argument("--out", type=Path, default=Path("models/sagittal/findings.toml"))
    parser.add_argument("--models", type=Path, default=Path("models"), help="folder with sagittal/model.onnx")
    parser.add_argument("--masks", choices=MASKS, default="model", help="whose masks are measured")
    arguments = parser.parse_args()
    fitted, _, _ = fit_all(arguments.data, source_of(arguments.masks, arguments.data, arguments.models))
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(document(fitted, arguments.masks), encoding="utf-8")
    for one in fitted.values():
        print(one.name, len(one.ranks), int((one.ranks > 0).sum()), f"cut {one.cut:.3f}", one.model.weights.round(2))


if __name__ == "__main__":
    main()
