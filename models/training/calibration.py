"""From logits to probabilities that mean what they say, fitted on people and seeds apart from training."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from scipy import optimize, special

from dashboard.grading.beside import evidence_of, with_evidence
from dashboard.grading.profile import log_odds
from dashboard.inference import Models
from models.training.appearance import normalise
from models.training.backgrounds import sagittal_tiles
from models.training.cases import TUNING_CORDS, SeriesCase, cord_case, spider_case
from models.training.evaluation.implants import run_series
from models.training.labels import COMPRESSION_PERCENTILES, GRADES, SCENES, SIZE_PX
from models.training.run import run_onnx
from models.training.samples import synthetic
from models.training.shapes import NoiseBank
from models.training.volumes import WIDE_PX, spider_slices, spider_split

STEPS = len(GRADES) - 1
# Share of healthy slices that the cuts for 1a, 1c and 2 may cost: a false 1a is looked at in vain, a false 2 moves
# somebody up.
_FALSE_HEALTHY = {"1a": 0.03, "1c": 0.005, "2": 0.002}
# The cut between 1c and 2 finds all that this specificity allows: who is missed there is seen too late.
_SPARED = 0.97
# Few slices of a series are compressed, so a calibrated P(>= 2) is small where one should already look.
_GRID, _LOW_GRID = np.arange(0.2, 0.851, 0.025), np.arange(0.05, 0.851, 0.025)
# Of narrowing, a cord that has lost a fifth of its area then adds 4 to the log odds: more would be the area deciding
# alone. Half of it for P(>= 1a), as discs narrow cords too: a healthy slice's is 0.08 (median), 0.4 with as much
# narrowing as counts. Of change: compression, grades 2 and 3, is a change of the cord; 1c and milder are none.
_MOST_WEIGHT = np.array([[12.0, 24.0, 24.0, 24.0, 24.0], [0.0, 0.0, 0.0, 12.0, 12.0]])
# At most this share of the real gradable slices may be lost to abstention.
_LOST = 0.015


@dataclass(frozen=True, slots=True)
class Outputs:
    """What the model said about calibration slices, and the truth.

    ``ordinal`` and ``scene`` (N, 5) raw logits, ``ranks`` (-1 none), ``scenes``, ``real`` whether the slice came from a
    real series, ``beside`` (N, 2) narrowing and change of the cord against the slices beside (0 where there are none).
    """

    ordinal: np.ndarray
    scene: np.ndarray
    ranks: np.ndarray
    scenes: np.ndarray
    real: np.ndarray
    beside: np.ndarray

    @classmethod
    def join(cls, parts: list[Outputs]) -> Outputs:
        """All rows of several."""
        return cls(*(np.concatenate([getattr(p, name) for p in parts]) for name in cls.__slots__))


@dataclass(frozen=True, slots=True)
class Calibration:
    """``P(>= k) = sigmoid(scale[k] * logit + offset[k])``; scenes are softened by one temperature.

    ``narrowing_weight`` and ``change_weight`` are those of :mod:`dashboard.grading.beside`.
    """

    scale: list[float]
    offset: list[float]
    scene_temperature: float
    gradable_min: float
    grade_cut: list[float]
    narrowing_weight: list[float] = field(default_factory=lambda: [0.0] * STEPS)
    change_weight: list[float] = field(default_factory=lambda: [0.0] * STEPS)


def drawn_outputs(content: bytes, folder: Path | None, seed: int, count: int) -> Outputs:
    """Synthetic slices of a fresh seed; with a folder also ungradable slices of the calibration people."""
    rng = np.random.default_rng(seed + 50_000)
    bank = NoiseBank(seed + 50_000)
    made = [synthetic(rng, bank) for _ in range(count)]
    images, ranks, scenes = [s.image for s in made], [s.rank for s in made], [s.scene for s in made]
    for image, scene in _negatives(rng, folder) if folder is not None else []:
        images.append(image)
        ranks.append(-1)
        scenes.append(scene)
    _, ordinal, scene_logits = run_onnx(content, np.stack(images)[:, None].astype(np.float32))
    none = np.zeros(len(images), bool)
    return Outputs(ordinal, scene_logits, np.array(ranks), np.array(scenes), none, np.zeros((len(images), 2)))


def series_outputs(folder: Path, models: Models, seed: int, rounds: int) -> Outputs:
    """Slices graded in whole series of the calibration people with implants, through the dashboard's own inference.

    ``models`` must carry an identity calibration, so that probabilities turn back into logits.
    """
    rng = np.random.default_rng(seed + 60_000)
    real: list[SeriesCase | None] = [spider_case(folder, p) for p in spider_split(folder)["calibration"]]
    real += [cord_case(folder, name) for name in TUNING_CORDS]
    made = [c for one in real if one is not None for _ in range(rounds) for c in run_series(models, one, rng)]
    # What the dashboard refuses gets no grade that could be right or wrong. Untrained weights are refused throughout.
    cases = [c for c in made if c.verdict.graded] or made
    measured = [c.verdict.measures for c in cases]
    return Outputs(
        ordinal=special.logit(np.clip([c.verdict.head for c in cases], 1e-7, 1 - 1e-7)),
        scene=np.log(np.clip([c.verdict.scene for c in cases], 1e-9, 1)),
        ranks=np.array([c.truth for c in cases]),
        scenes=np.zeros(len(cases), int),
        real=np.ones(len(cases), bool),
        beside=np.array([evidence_of(m.cord_area_ratio, m.cord_change_mm) for m in measured]),
    )


def _negatives(rng: np.random.Generator, folder: Path) -> list[tuple[np.ndarray, int]]:
    """Cauda equina, turned slices and sagittal planes of the calibration people."""
    free = (WIDE_PX - SIZE_PX) // 2
    inner = (slice(free, free + SIZE_PX), slice(free, free + SIZE_PX))
    out = []
    for person in spider_split(folder)["calibration"]:
        for real in spider_slices(folder, person, 3.0):
            if real.has_cord is None:
                continue
            image = normalise(real.image[inner], real.low, real.high, real.inside[inner])
            if real.has_cord:
                out.append((np.ascontiguousarray(image[::-1]), SCENES.index("wrong_geometry")))
            elif rng.random() < 0.5:
                out.append((image, SCENES.index("no_cord")))
        for tile in sagittal_tiles(rng, folder / "spider" / f"{person}_t2.nii.gz", 8):
            low, high = np.percentile(tile, COMPRESSION_PERCENTILES)
            out.append((normalise(tile, low, max(high, low + 1e-3), None), SCENES.index("wrong_geometry")))
    return out


def fit_calibration(found: Outputs) -> Calibration:
    """Platt scaling of each cut, one temperature for the scenes, operating points."""
    known = found.ranks >= 0
    ranks, real = found.ranks[known], found.real[known]
    logits = found.ordinal[known].astype(np.float64)
    weight = slice_weights(ranks, real)
    pairs = [platt(logits[:, k], ranks > k, weight) for k in range(STEPS)]
    scale, offset = [round(a, 4) for a, _ in pairs], [round(b, 4) for _, b in pairs]
    temperature = temperature_of(found.scene.astype(np.float64), found.scenes, scene_weights(found.real))
    # Drawn slices with the worst noise are beyond anyone: the real ones decide what abstention may cost.
    sample = (found.scenes == 0) & (found.real if found.real.any() else True)
    gradable = special.softmax(found.scene / temperature, axis=1)[sample, 0]
    least = float(np.clip(np.quantile(gradable, _LOST), 0.15, 0.5)) if len(gradable) else 0.5
    head = np.minimum.accumulate(special.expit(logits * scale + offset), axis=1)
    beside = found.beside[known]
    weights = fit_beside(head, beside, ranks, real)
    head = np.array([with_evidence(h, e, weights) for h, e in zip(head, beside, strict=True)])
    judged = real if real.any() else np.ones(len(ranks), bool)
    cuts = _operating_points(head[judged], ranks[judged])
    return Calibration(scale, offset, round(temperature, 4), round(least, 3), cuts, *weights)


def fit_beside(head: np.ndarray, beside: np.ndarray, ranks: np.ndarray, real: np.ndarray) -> list[list[float]]:
    """Weights (2, 5) by which the head's P(>= k), (N, 5), take in narrowing and change (N, 2), of slices in series."""
    weight = slice_weights(ranks[real], real[real]) if real.any() else np.zeros(0)
    odds, shown = log_odds(head[real]), beside[real]

    def cost(w: np.ndarray, k: int) -> float:
        z, target = odds[:, k] + shown @ w, ranks[real] > k
        held = 1e-3 * np.sum((w / _MOST_WEIGHT.max(axis=1)) ** 2)
        return float(np.sum(weight * (np.logaddexp(0, z) - target * z)) + held)

    found = [
        optimize.minimize(cost, np.zeros(2), args=(k,), method="L-BFGS-B", bounds=[(0.0, m) for m in most]).x
        for k, most in enumerate(_MOST_WEIGHT.T)
    ]
    return [[round(float(w), 2) for w in weights] for weights in np.transpose(found)]


def slice_weights(ranks: np.ndarray, real: np.ndarray) -> np.ndarray:
    """Real slices count most, and slices without epidural tumour for six in ten, as in a series with disease in it."""
    weight = np.where(real, 1.0, 0.25 if real.any() else 1.0)
    for group, share in ((ranks == 0, 0.6), (ranks > 0, 0.4)):
        if group.any():
            weight[group] *= share / weight[group].sum()
    return weight / weight.sum()


def platt(logit: np.ndarray, truth: np.ndarray, weight: np.ndarray, ridge: float = 1e-3) -> tuple[float, float]:
    """Scale and offset of one cut, held to (1, 0) by ``ridge``; (1, 0) where all are on one side of the cut."""
    target = truth.astype(float)
    if target.min() == target.max():
        return 1.0, 0.0

    def cost(p: np.ndarray) -> float:
        z = p[0] * logit + p[1]
        return float(np.sum(weight * (np.logaddexp(0, z) - target * z)) + ridge * ((p[0] - 1) ** 2 + p[1] ** 2))

    found = optimize.minimize(cost, np.array([1.0, 0.0]), method="L-BFGS-B", bounds=[(0.05, 10), (-10, 10)])
    return float(found.x[0]), float(found.x[1])


def scene_weights(real: np.ndarray) -> np.ndarray:
    """Slices of real series, all of which can be graded, count for no more than all the others together."""
    others = np.count_nonzero(~real)
    return np.where(real, min(1.0, others / max(1, np.count_nonzero(real))) if others else 1.0, 1.0)


def temperature_of(logits: np.ndarray, truth: np.ndarray, weight: np.ndarray) -> float:
    """Divisor of scene logits (N, 5) that makes the true scenes (N) likeliest, each with its weight (N)."""

    def cost(t: float) -> float:
        likely = special.log_softmax(logits / t, axis=1)[np.arange(len(truth)), truth]
        return float(-np.average(likely, weights=weight))

    return float(optimize.minimize_scalar(cost, bounds=(0.3, 5.0), method="bounded").x)


def _operating_points(head: np.ndarray, ranks: np.ndarray) -> list[float]:
    """Cuts on P(>= k), (N, 5), for slices of known rank (N)."""
    healthy = ranks == 0
    first = _cut(head[:, 0], ranks > 0, healthy, _FALSE_HEALTHY["1a"])
    # Nothing is named without P(>= 1a) at its own cut.
    named = np.where(head[:, :1] >= first, head, 0.0)
    return [
        first,
        _even_cut(named[:, 1], ranks > 1),
        _cut(named[:, 2], ranks > 2, healthy, _FALSE_HEALTHY["1c"]),
        _sparing_cut(named[:, 3], ranks > 3, healthy, _FALSE_HEALTHY["2"]),
        _even_cut(named[:, 4], ranks > 4),
    ]


def _even_cut(probability: np.ndarray, truth: np.ndarray) -> float:
    """Cut that calls as many a grade as are of it, for 1b and 3, which change little on a list beside 1a and 2.

    Nothing is lost by being right as often as can be, and a list on which half of the 2s stand as 3s says less.
    """
    if not truth.any() or truth.all():
        return 0.5
    excess = [abs(int((probability >= cut).sum()) - int(truth.sum())) for cut in _GRID]
    return round(float(_GRID[int(np.argmin(excess))]), 3)


def _sparing_cut(probability: np.ndarray, truth: np.ndarray, healthy: np.ndarray, allowed: float) -> float:
    """Lowest cut that passes over 97 of 100 of the others, and takes no more than ``allowed`` of the healthy."""
    if not truth.any() or truth.all():
        return 0.5
    for cut in _LOW_GRID:
        said = probability >= cut
        if (~said[~truth]).mean() >= _SPARED and (not healthy.any() or said[healthy].mean() <= allowed):
            return round(float(cut), 3)
    return round(float(_LOW_GRID[-1]), 3)


def _cut(probability: np.ndarray, truth: np.ndarray, healthy: np.ndarray, allowed: float) -> float:
    """Cut with the largest sum of sensitivity and specificity; no more than ``allowed`` of the healthy."""
    if not truth.any() or truth.all():
        return 0.5
    best, chosen = -1.0, 0.5
    for cut in _GRID:
        said = probability >= cut
        score = float(said[truth].mean()) + float((~said[~truth]).mean())
        if healthy.any():
            score -= 10 * max(0.0, float(said[healthy].mean()) - allowed)
        if score > best + 1e-3:
            best, chosen = score, float(cut)
    return round(chosen, 3)
