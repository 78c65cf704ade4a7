"""How far findings and readings agree: the table of both, and coefficients with their uncertainty.

Quadratic weights suit an ordinal scale: a miss by two grades counts four times a miss by one (Cohen 1968). Kappa
falls where nearly all grades are 0; Gwet's AC2 does not (Gwet 2008), so both are given.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dashboard.study import GRADES

# Fewer pairs than this give a coefficient that means nothing.
FEWEST = 5
RESAMPLES = 1000


@dataclass(frozen=True)
class Coefficient:
    """A coefficient of agreement and its 95 % interval (percentile bootstrap over studies, fixed seed)."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Agreement:
    """Pairs of suggested and read grades.

    Attributes
    ----------
    table
        int (6, 6), rows suggested, columns read, both 0 to 3 in the order of `GRADES`.
    kappa, ac2
        None with fewer than :data:`FEWEST` pairs, or where they are not defined (one grade only).
    """

    table: np.ndarray
    kappa: Coefficient | None
    ac2: Coefficient | None

    @property
    def count(self) -> int:
        """Number of pairs."""
        return int(self.table.sum())

    @property
    def exact(self) -> int:
        """Pairs of the same grade."""
        return int(np.trace(self.table))


def agreement(pairs: Sequence[tuple[str, str]]) -> Agreement:
    """Agreement of (suggested, read) grades.

    Raises
    ------
    ValueError
        A grade is not one of `GRADES`.
    """
    ranks = np.array([(GRADES.index(one), GRADES.index(other)) for one, other in pairs], int).reshape(-1, 2)
    cells = ranks @ (len(GRADES), 1)
    table = _table(cells)
    if len(pairs) < FEWEST:
        return Agreement(table, None, None)
    rng = np.random.default_rng(0)
    draws = [_table(cells[rng.integers(0, len(cells), len(cells))]) for _ in range(RESAMPLES)]
    return Agreement(
        table,
        _with_interval(weighted_kappa(table), [weighted_kappa(draw) for draw in draws]),
        _with_interval(gwet_ac2(table), [gwet_ac2(draw) for draw in draws]),
    )


def weighted_kappa(table: np.ndarray) -> float | None:
    """Cohen's kappa with quadratic weights of a square table of counts; None where chance agreement is complete."""
    total, loss = table.sum(), _losses(len(table))
    by_chance = float((loss * np.outer(table.sum(1), table.sum(0))).sum() / total) if total else 0.0
    return 1 - float((loss * table).sum()) / by_chance if by_chance > 0 else None


def gwet_ac2(table: np.ndarray) -> float | None:
    """Gwet's AC2 with quadratic weights of a square table of counts; None where it is empty."""
    total, size = table.sum(), len(table)
    if not total:
        return None
    weights = 1 - _losses(size)
    share = (table.sum(0) + table.sum(1)) / (2 * total)
    by_chance = float(weights.sum() / (size * (size - 1)) * (share * (1 - share)).sum())
    observed = float((weights * table).sum() / total)
    return (observed - by_chance) / (1 - by_chance)


def _losses(size: int) -> np.ndarray:
    """Quadratic disagreement, 0 on the diagonal to 1 in the corners."""
    losses: np.ndarray = np.subtract.outer(np.arange(size), np.arange(size)) ** 2 / (size - 1) ** 2
    return losses


def _table(cells: np.ndarray) -> np.ndarray:
    size = len(GRADES)
    return np.bincount(cells, minlength=size * size).reshape(size, size)


def _with_interval(value: float | None, draws: Sequence[float | None]) -> Coefficient | None:
    known = [draw for draw in draws if draw is not None]
    if value is None or not known:
        return None
    low, high = np.percentile(known, (2.5, 97.5))
    return Coefficient(value, float(low), float(high))
