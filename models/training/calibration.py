"""From logits to probabilities that mean what they say, fitted on people and seeds apart from training."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from scipy import optimize, special

from dashboard.grading.bilsky import combine, grade_from, rules_at_least
from dashboard.grading.masks import slice_masks
from dashboard.grading.morphometry import measure
from dashboard.grading.narrowing import narrowing_of, with_narrowing
from dashboard.grading.profile import log_odds
from dashboard.inference import Models
from dashboard.inference.segmentation import clean
from models.training.appearance import normalise
from models.training.backgrounds import sagittal_tiles
from models.training.cases import TUNING_CORDS, SeriesCase, cord_case, spider_case
from models.training.evaluation.implants import run_series
from models.training.labels import COMPRESSION_PERCENTILES, COMPRESSION_PIXEL_MM, GRADES, SCENES, SIZE_PX
from models.training.run import run_onnx
from models.training.samples import synthetic
from models.training.shapes import NoiseBank
from models.training.statistics import quadratic_kappa
from models.training.volumes import WIDE_PX, spider_slices, spider_split

STEPS = len(GRADES) - 1
# The rules' vote at most a tenth: larger shares were taken for a low cut's sake, and cost specificity on other people.
_SHARES = (0.0, 0.05, 0.1)
# Share of healthy slices that each cut may cost: a false 1a is looked at in vain, a false 2 moves somebody up.
_FALSE_HEALTHY = (0.03, 0.02, 0.005, 0.002)
# Share of the compressions (2 or 3) that the cut between 1c and 2 is to find among the calibration people.
_COMPRESSED = GRADES.index("2")
_FOUND = {_COMPRESSED - 1: 0.97}
# Few slices of a series are compressed, so a calibrated P(>= 2) is small where one should already look.
_LOWEST_CUT, _LOWEST_FOUND = 0.2, 0.05
# A cord that has lost a fifth of its area then adds 4 to the log odds: more would be the area deciding alone. Half of
# it for P(>= 1a), as discs narrow cords too: a healthy slice's is 0.08 (median), 0.4 with as much narrowing as counts.
_MOST_WEIGHT = np.array([12.0, 24.0, 24.0, 24.0, 24.0])
# At most this share of the real gradable slices may be lost to abstention.
_LOST = 0.015


@dataclass(frozen=True, slots=True)
class Outputs:
    """What the model said about calibration slices, and the truth.

    ``ordinal`` and ``scene`` (N, 5) raw logits, ``rules`` (N, 5) support of the dashboard's measurements, ``ranks`` (-1
    none), ``scenes``, ``real`` whether the slice came from a real series, ``narrowing`` of the cord against the slices
    beside (0 where there are none).
    """

    ordinal: np.ndarray
    rules: np.ndarray
    scene: np.ndarray
    ranks: np.ndarray
    scenes: np.ndarray
    real: np.ndarray
    narrowing: np.ndarray

    @classmethod
    def join(cls, parts: list[Outputs]) -> Outputs:
        """All rows of several."""
        return cls(*(np.concatenate([getattr(p, name) for p in parts]) for name in cls.__slots__))


@dataclass(frozen=True, slots=True)
class Calibration:
    """``P(>= k) = sigmoid(scale[k] * logit + offset[k])``; scenes are softened by one temperature.

    ``narrowing_weight`` is that of :mod:`dashboard.grading.narrowing`.
    """

    scale: list[float]
    offset: list[float]
    scene_temperature: float
    gradable_min: float
    grade_cut: list[float]
    rules_weight: float
    narrowing_weight: list[float] = field(default_factory=lambda: [0.0] * STEPS)


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
    segmentation, ordinal, scene_logits = run_onnx(content, np.stack(images)[:, None].astype(np.float32))
    known = np.array(ranks) >= 0
    rules = np.zeros((len(images), STEPS))
    rules[known] = [rules_of(s) for s in segmentation[known]]
    none = np.zeros(len(images), bool)
    return Outputs(ordinal, rules, scene_logits, np.array(ranks), np.array(scenes), none, np.zeros(len(images)))


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
    return Outputs(
        ordinal=special.logit(np.clip([c.verdict.head for c in cases], 1e-7, 1 - 1e-7)),
        rules=np.array([c.verdict.rules for c in cases]),
        scene=np.log(np.clip([c.verdict.scene for c in cases], 1e-9, 1)),
        ranks=np.array([c.truth for c in cases]),
        scenes=np.zeros(len(cases), int),
        real=np.ones(len(cases), bool),
        narrowing=np.array([narrowing_of(c.verdict.measures.cord_area_ratio) for c in cases]),
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
    """Platt scaling of each cut, one temperature for the scenes, operating points of head and rules together."""
    known = found.ranks >= 0
    ranks, real, rules = found.ranks[known], found.real[known], found.rules[known]
    logits = found.ordinal[known].astype(np.float64)
    weight = slice_weights(ranks, real)
    pairs = [platt(logits[:, k], ranks > k, weight) for k in range(STEPS)]
    scale, offset = [round(a, 4) for a, _ in pairs], [round(b, 4) for _, b in pairs]
    temperature = temperature_of(found.scene.astype(np.float64), found.scenes)
    # Drawn slices with the worst noise are beyond anyone: the real ones decide what abstention may cost.
    sample = (found.scenes == 0) & (found.real if found.real.any() else True)
    gradable = special.softmax(found.scene / temperature, axis=1)[sample, 0]
    least = float(np.clip(np.quantile(gradable, _LOST), 0.15, 0.5)) if len(gradable) else 0.5
    head = np.minimum.accumulate(special.expit(logits * scale + offset), axis=1)
    narrowing = found.narrowing[known]
    beside = fit_narrowing(head, narrowing, ranks, real)
    head = np.array([with_narrowing(h, n, beside) for h, n in zip(head, narrowing, strict=True)])
    judged = real if real.any() else np.ones(len(ranks), bool)
    cuts, share = _operating_points(head[judged], rules[judged], ranks[judged])
    return Calibration(scale, offset, round(temperature, 4), round(least, 3), cuts, share, beside)


def fit_narrowing(head: np.ndarray, narrowing: np.ndarray, ranks: np.ndarray, real: np.ndarray) -> list[float]:
    """Weights by which the head's P(>= k), (N, 5), take in the cord's narrowing (N), of slices in series alone."""
    weight = slice_weights(ranks[real], real[real]) if real.any() else np.zeros(0)
    odds = log_odds(head[real])

    def cost(w: float, k: int) -> float:
        z, target = odds[:, k] + w * narrowing[real], ranks[real] > k
        return float(np.sum(weight * (np.logaddexp(0, z) - target * z)) + 1e-3 * (w / _MOST_WEIGHT[k]) ** 2)

    found = [
        optimize.minimize_scalar(cost, bounds=(0.0, most), args=(k,), method="bounded").x
        for k, most in enumerate(_MOST_WEIGHT)
    ]
    return [round(float(w), 2) for w in found]


def rules_of(segmentation: np.ndarray) -> np.ndarray:
    """What the dashboard's measurements support, (5), from class probabilities (5, 96, 96)."""
    labels = clean(segmentation, COMPRESSION_PIXEL_MM).argmax(axis=0).astype(np.uint8)
    return np.asarray(rules_at_least(measure(slice_masks(labels, COMPRESSION_PIXEL_MM))))


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


def temperature_of(logits: np.ndarray, truth: np.ndarray) -> float:
    """Divisor of scene logits (N, 5) that makes the true scenes (N) likeliest."""

    def cost(t: float) -> float:
        return float(-np.mean(special.log_softmax(logits / t, axis=1)[np.arange(len(truth)), truth]))

    return float(optimize.minimize_scalar(cost, bounds=(0.3, 5.0), method="bounded").x)


def _operating_points(head: np.ndarray, rules: np.ndarray, ranks: np.ndarray) -> tuple[list[float], float]:
    """Cuts and the share of the rules that do best on the calibration people: kappa, and specificity for 2 or 3.

    Sensitivity for 2 or 3 is about the same for every share: its cut sees to that.
    """
    best: tuple[float, list[float], float] = (-2.0, [0.5] * STEPS, 0.5)
    healthy = ranks == 0
    first = _cut(head[:, 0], ranks > 0, healthy, _FALSE_HEALTHY[0])
    for share in _SHARES:
        both = np.stack([combine(h, r, share, first) for h, r in zip(head, rules, strict=True)])
        cuts = [first]
        # Nothing is named without P(>= 1a) at its own cut.
        named = np.where(head[:, :1] >= first, both, 0.0)
        cuts += [_cut(named[:, k], ranks > k, healthy, _FALSE_HEALTHY[k], _FOUND.get(k)) for k in range(1, STEPS - 1)]
        cuts.append(_even_cut(both[:, -1], ranks == STEPS))
        found = np.array([GRADES.index(grade_from(p, cuts)) for p in both])
        score = quadratic_kappa(ranks, found) + float((found < _COMPRESSED)[ranks < _COMPRESSED].mean())
        if score > best[0] + 0.002:
            best = (score, cuts, share)
    return best[1], best[2]


def _even_cut(probability: np.ndarray, truth: np.ndarray) -> float:
    """Cut that calls as many the worst grade as are of it.

    Below it lies a 2, which is urgent too: nothing is lost by being right as often as can be, and a list on which half
    of the 2s stand as 3s says less.
    """
    if not truth.any() or truth.all():
        return 0.5
    grid = np.arange(_LOWEST_CUT, 0.851, 0.025)
    excess = [abs(int((probability >= cut).sum()) - int(truth.sum())) for cut in grid]
    return round(float(grid[int(np.argmin(excess))]), 3)


def _cut(
    probability: np.ndarray, truth: np.ndarray, healthy: np.ndarray, allowed: float, found: float | None = None
) -> float:
    """Cut with the largest sum of sensitivity and specificity; no more than ``allowed`` of the healthy.

    With ``found`` the highest cut that finds this share, where one does: sensitivity first, then specificity.
    """
    if not truth.any() or truth.all():
        return 0.5
    best, chosen = -1.0, 0.5
    for cut in np.arange(_LOWEST_CUT if found is None else _LOWEST_FOUND, 0.851, 0.025):
        said = probability >= cut
        sensitivity, score = float(said[truth].mean()), float((~said[~truth]).mean())
        score += sensitivity if found is None else 10 * min(sensitivity, found)
        if healthy.any():
            score -= 10 * max(0.0, float(said[healthy].mean()) - allowed)
        if score > best + 1e-3:
            best, chosen = score, float(cut)
    return round(chosen, 3)
