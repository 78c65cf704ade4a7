"""The small fitted models behind findings: the form in which a model folder hands their numbers to grading."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

# Features of each model, in order: few, each with a meaning that a clinician would grant it.
FEATURES: Mapping[str, tuple[str, ...]] = {
    # Pfirrmann reads signal, height and border; how far a disc overhangs its neighbours stands for its last steps.
    "pfirrmann": ("log_nucleus_to_csf", "log_nucleus_to_marrow", "log_slenderness", "bulge_mm", "overhang_mm"),
    "narrowing": ("log_slenderness", "log_nucleus_to_marrow", "bulge_mm"),
    "herniation": ("bulge_mm",),
    "bulge": ("bulge_mm", "overhang_mm"),
    "listhesis": ("shift_percent",),
    "modic": ("endplate_brightest", "log_nucleus_to_marrow"),
    "canal_cord": ("cord_narrowing", "canal_narrowing", "csf_share"),
    "canal_cauda": ("canal_narrowing",),
}
# Steps of each model's scale: Pfirrmann's II to V; grade I is not told from II.
STEPS_OF: Mapping[str, int] = {name: 3 if name == "pfirrmann" else 1 for name in FEATURES}
# Features beyond this many spreads from their centre say no more than this many.
MOST_SPREADS = 4.0


@dataclass(frozen=True)
class FindingModel:
    """``P(rank > k) = sigmoid(scale * (weights @ (x - centre) / spread + offsets[k]) + shift)``.

    Attributes
    ----------
    features
        Names of the features, in the order of the weights.
    centre, spread, weights
        One number a feature. A feature that could not be measured counts as its centre.
    offsets
        One a step, falling: one of a finding that is there or not, three between Pfirrmann's II, III, IV and V.
    scale, shift
        Calibration, fitted on people whose features the weights never saw.
    cut
        Probability from which the finding is called suspected.
    """

    features: tuple[str, ...]
    centre: tuple[float, ...]
    spread: tuple[float, ...]
    weights: tuple[float, ...]
    offsets: tuple[float, ...]
    scale: float = 1.0
    shift: float = 0.0
    cut: float = 0.5

    def at_least(self, features: Mapping[str, float | None]) -> tuple[float, ...]:
        """P(rank > 0), P(rank > 1), ...; not rising."""
        total = 0.0
        for name, centre, spread, weight in zip(self.features, self.centre, self.spread, self.weights, strict=True):
            value = features.get(name)
            if value is not None and np.isfinite(value):
                total += weight * float(np.clip((value - centre) / spread, -MOST_SPREADS, MOST_SPREADS))
        return tuple(_sigmoid(self.scale * (total + offset) + self.shift) for offset in self.offsets)

    def probability(self, features: Mapping[str, float | None]) -> float:
        """P(rank > 0)."""
        return self.at_least(features)[0]


@dataclass(frozen=True)
class SpineModels:
    """Every fitted model that findings use; `canal_cord` where there is a cord, `canal_cauda` below it."""

    pfirrmann: FindingModel
    narrowing: FindingModel
    herniation: FindingModel
    bulge: FindingModel
    listhesis: FindingModel
    modic: FindingModel
    canal_cord: FindingModel
    canal_cauda: FindingModel


def steps(at_least: Sequence[float], cut: float = 0.5) -> int:
    """Rank named by cumulative probabilities."""
    return sum(p >= cut for p in at_least)


def _sigmoid(odds: float) -> float:
    return float(1 / (1 + np.exp(-np.clip(odds, -30, 30))))
