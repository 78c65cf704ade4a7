"""Ridge-regularised logistic and ordinal (proportional odds) regression, small enough to read: scipy only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import optimize, special


@dataclass(frozen=True)
class Fit:
    """``P(rank > k) = sigmoid(weights @ (x - centre) / spread + offsets[k])``, offsets falling.

    `x` are the features as they come; a missing one (NaN) counts as its `centre`.
    """

    centre: np.ndarray
    spread: np.ndarray
    weights: np.ndarray
    offsets: np.ndarray

    def odds(self, features: np.ndarray) -> np.ndarray:
        """(n, steps) log odds of each P(rank > k)."""
        scaled = np.nan_to_num((features - self.centre) / self.spread)
        return np.clip(scaled, -4, 4) @ self.weights[:, None] + self.offsets[None, :]

    def at_least(self, features: np.ndarray) -> np.ndarray:
        """(n, steps) P(rank > 0), P(rank > 1), ..."""
        return special.expit(self.odds(features))


def fit(features: np.ndarray, ranks: np.ndarray, signs: Sequence[int], ridge: float = 1.0, balance: float = 0.0) -> Fit:
    """Maximum penalised likelihood.

    Parameters
    ----------
    features
        (n, k), NaN where missing.
    ranks
        (n) 0 to steps.
    signs
        (k) which way each feature may speak: 1 only for, -1 only against, 0 either way. A weight that a handful of
        cases would turn against what the feature means is held at zero.
    ridge
        Weight of the penalty, in units of cases.
    balance
        0 counts every case once, 1 gives every rank the same weight in all.
    """
    centre = np.nanmedian(features, axis=0)
    spread = np.nanstd(features, axis=0)
    scaled = np.clip(np.nan_to_num((features - centre) / spread), -4, 4)
    steps = int(ranks.max())
    share = np.bincount(ranks, minlength=steps + 1) / len(ranks)
    each = (1 / (share[ranks] * (steps + 1))) ** balance
    start = np.concatenate([np.zeros(features.shape[1]), _starting(share)])
    bounds: list[tuple[float | None, float | None]] = [
        (0.0 if sign > 0 else None, 0.0 if sign < 0 else None) for sign in signs
    ]
    # Offsets are one free number and falling steps.
    bounds += [(None, None)] + [(0.05, None)] * (steps - 1)
    found = optimize.minimize(_loss, start, (scaled, ranks, each, ridge), method="L-BFGS-B", bounds=bounds)
    k = features.shape[1]
    return Fit(centre, spread, found.x[:k], _offsets(found.x[k:]))


def _starting(share: np.ndarray) -> np.ndarray:
    above = np.clip(1 - np.cumsum(share)[:-1], 1e-3, 1 - 1e-3)
    odds = special.logit(above)
    return np.concatenate([odds[:1], np.maximum(0.05, -np.diff(odds))])


def _offsets(free: np.ndarray) -> np.ndarray:
    return free[0] - np.concatenate([[0.0], np.cumsum(free[1:])])


def _loss(x: np.ndarray, scaled: np.ndarray, ranks: np.ndarray, each: np.ndarray, ridge: float) -> float:
    k = scaled.shape[1]
    above = special.expit(scaled @ x[:k, None] + _offsets(x[k:])[None, :])
    edges = np.concatenate([np.ones((len(ranks), 1)), above, np.zeros((len(ranks), 1))], axis=1)
    likelihood = edges[np.arange(len(ranks)), ranks] - edges[np.arange(len(ranks)), ranks + 1]
    return float(-(each * np.log(np.maximum(likelihood, 1e-9))).sum() + ridge * (x[:k] ** 2).sum() / 2)
