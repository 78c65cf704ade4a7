"""Figures with their uncertainty: agreement, sensitivity, calibration error, bootstrap by patient."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Table = dict[str, np.ndarray]


def quadratic_kappa(truth: np.ndarray, guess: np.ndarray, classes: int = 6) -> float:
    """Cohen's kappa with quadratic weights over ranks 0 to classes - 1; nan where one class only."""
    counts = np.zeros((classes, classes))
    np.add.at(counts, (truth.astype(int), guess.astype(int)), 1)
    weight = np.subtract.outer(np.arange(classes), np.arange(classes)) ** 2
    expected = np.outer(counts.sum(1), counts.sum(0)) / max(counts.sum(), 1)
    bottom = float((weight * expected).sum())
    return 1 - float((weight * counts).sum()) / bottom if bottom > 0 else float("nan")


def rate(hit: np.ndarray) -> float:
    """Share of True; nan where empty."""
    return float(np.mean(hit)) if len(hit) else float("nan")


def wilson(share: float, count: int, z: float = 1.96) -> tuple[float, float]:
    """95 % interval of a share found in `count` independent cases (Wilson 1927)."""
    if count <= 0:
        return 0.0, 1.0
    spread = z * np.sqrt(share * (1 - share) / count + z**2 / (4 * count**2))
    middle, bottom = share + z**2 / (2 * count), 1 + z**2 / count
    return max(0.0, float((middle - spread) / bottom)), min(1.0, float((middle + spread) / bottom))


def dice(a: np.ndarray, b: np.ndarray) -> float:
    """Overlap of two masks; 1 where both are empty."""
    total = a.sum() + b.sum()
    return float(2 * (a & b).sum() / total) if total else 1.0


def expected_calibration_error(probability: np.ndarray, truth: np.ndarray, bins: int = 10) -> float:
    """Mean distance of stated and found frequency over equal-width bins, weighted by count."""
    if not len(probability):
        return float("nan")
    place = np.clip((probability * bins).astype(int), 0, bins - 1)
    error = 0.0
    for k in range(bins):
        here = place == k
        if here.any():
            error += here.mean() * abs(float(probability[here].mean()) - float(truth[here].mean()))
    return error


def reliability(probability: np.ndarray, truth: np.ndarray, bins: int = 10) -> list[dict[str, float]]:
    """Points of a reliability plot."""
    place = np.clip((probability * bins).astype(int), 0, bins - 1)
    return [
        {
            "stated": round(float(probability[place == k].mean()), 4),
            "found": round(float(truth[place == k].mean()), 4),
            "n": int((place == k).sum()),
        }
        for k in range(bins)
        if (place == k).any()
    ]


def bootstrap(
    table: Table, person: np.ndarray, figure: Callable[[Table], float], rng: np.random.Generator, rounds: int = 400
) -> tuple[float, list[float | None]]:
    """Figure and its 95 % interval from resampling people, not slices; [None, None] for fewer than three people."""
    value = figure(table)
    people = np.unique(person)
    if len(people) < 3:
        return value, [None, None]
    rows = {p: np.flatnonzero(person == p) for p in people}
    found = []
    for _ in range(rounds):
        picks = np.concatenate([rows[p] for p in rng.choice(people, len(people))])
        found.append(figure({k: v[picks] for k, v in table.items()}))
    kept = np.asarray(found)[np.isfinite(found)]
    if not len(kept):
        return value, [None, None]
    low, high = np.percentile(kept, (2.5, 97.5))
    return value, [round(float(low), 4), round(float(high), 4)]


def entry(
    name: str, split: str, n: int, people: int, value: float, ci: Sequence[float | None], **extra: Any
) -> dict[str, Any]:
    """One line of evaluation.json."""
    shown = round(float(value), 4) if np.isfinite(value) else None
    return {"name": name, "split": split, "n": int(n), "people": int(people), "value": shown, "ci95": list(ci), **extra}
