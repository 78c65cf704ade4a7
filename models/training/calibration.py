"""From logits to probabilities that mean what they say, fitted on people and seeds apart from training."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import optimize, special

from dashboard.grading.bilsky import combine, grade_from, rules_at_least
from dashboard.grading.masks import slice_masks
from dashboard.grading.morphometry import measure
from dashboard.inference.segmentation import clean
from models.training.appearance import normalise
from models.training.backgrounds import sagittal_tiles
from models.training.cases import TUNING_CORDS, SeriesCase, cord_case, spider_case
from models.training.implanter import TestSlice, paint_test_case
from models.training.labels import COMPRESSION_PERCENTILES, COMPRESSION_PIXEL_MM, GRADES, SCENES, SIZE_PX
from models.training.samples import synthetic
from models.training.shapes import NoiseBank
from models.training.statistics import quadratic_kappa
from models.training.volumes import WIDE_PX, spider_slices, spider_split

STEPS = len(GRADES) - 1
_SHARES = (0.25, 0.4, 0.5, 0.6, 0.75)
_FALSE_1A = 0.04
# At most this share of the real gradable slices may be lost to abstention.
_LOST = 0.015


@dataclass(frozen=True, slots=True)
class Rows:
    """Calibration slices: images (N, 1, 96, 96) float32, ranks (-1 none), scenes, whether the background is real."""

    images: np.ndarray
    ranks: np.ndarray
    scenes: np.ndarray
    real: np.ndarray


@dataclass(frozen=True, slots=True)
class Calibration:
    """``P(>= k) = sigmoid(scale[k] * logit + offset[k])``; scenes are softened by one temperature."""

    scale: list[float]
    offset: list[float]
    scene_temperature: float
    gradable_min: float
    grade_cut: list[float]
    rules_weight: float


def collect(folder: Path | None, seed: int, *, synthetic_count: int = 3000, rounds: int = 6) -> Rows:
    """Synthetic slices of a fresh seed; with a folder also implants into the calibration people's slices."""
    rng = np.random.default_rng(seed + 50_000)
    bank = NoiseBank(seed + 50_000)
    made = [synthetic(rng, bank) for _ in range(synthetic_count)]
    images, ranks, scenes = [s.image for s in made], [s.rank for s in made], [s.scene for s in made]
    if folder is not None:
        real: list[SeriesCase | None] = [spider_case(folder, p) for p in spider_split(folder)["calibration"]]
        real += [cord_case(folder, name) for name in TUNING_CORDS]
        for case in real:
            for image, rank in _implants(rng, case, rounds) if case is not None else []:
                images.append(image)
                ranks.append(rank)
                scenes.append(SCENES.index("gradable"))
        for image, scene in _negatives(rng, folder):
            images.append(image)
            ranks.append(-1)
            scenes.append(scene)
    real_rows = np.arange(len(images)) >= len(made)
    return Rows(np.stack(images)[:, None].astype(np.float32), np.array(ranks), np.array(scenes), real_rows)


def series_percentiles(case: SeriesCase) -> tuple[float, float]:
    """Percentiles over the 48 mm crops of a series."""
    free = (WIDE_PX - SIZE_PX) // 2
    inner = slice(free, free + SIZE_PX)
    pooled = []
    for index in range(len(case.images)):
        one = case.slice(index)
        pooled.append(one.image[inner, inner][one.inside[inner, inner]])
    low, high = np.percentile(np.concatenate(pooled), COMPRESSION_PERCENTILES)
    return float(low), float(high)


def _implants(rng: np.random.Generator, case: SeriesCase, rounds: int) -> list[tuple[np.ndarray, int]]:
    """Each slice healthy once and implanted ``rounds`` times, as the model will see it."""
    low, high = series_percentiles(case)
    out = []
    for index in range(len(case.images)):
        one = case.slice(index)
        out.append((_view(rng, one, low, high), 0))
        for _ in range(rounds):
            painted = paint_test_case(rng, one, str(rng.choice(["bone", *GRADES[1:]])), tries=4)
            if painted is not None:
                moved = TestSlice(painted.image, one.inside, one.sac, one.cord)
                out.append((_view(rng, moved, low, high), GRADES.index(painted.grade)))
    return out


def _view(rng: np.random.Generator, one: TestSlice, low: float, high: float) -> np.ndarray:
    free = (WIDE_PX - SIZE_PX) // 2
    r, c = (free + int(np.clip(rng.normal(0, 2.5), -free, free)) for _ in range(2))
    square = (slice(r, r + SIZE_PX), slice(c, c + SIZE_PX))
    return normalise(one.image[square], low, high, one.inside[square])


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


def fit_calibration(segmentation: np.ndarray, ordinal: np.ndarray, scene: np.ndarray, rows: Rows) -> Calibration:
    """Platt scaling of each cut, one temperature for the scenes, operating points of head and rules together.

    Parameters
    ----------
    segmentation, ordinal, scene : the model's raw outputs for ``rows.images``, (N, 5, 96, 96), (N, 5), (N, 5).
    """
    known = rows.ranks >= 0
    ranks, weight = rows.ranks[known], _weights(rows.ranks[known], rows.real[known])
    logits = ordinal[known].astype(np.float64)
    pairs = [_platt(logits[:, k], ranks > k, weight) for k in range(STEPS)]
    scale, offset = [round(a, 4) for a, _ in pairs], [round(b, 4) for _, b in pairs]
    temperature = _temperature(scene.astype(np.float64), rows.scenes)
    # Drawn slices with the worst noise are beyond anyone: the real ones decide what abstention may cost.
    sample = (rows.scenes == 0) & (rows.real if rows.real.any() else True)
    gradable = special.softmax(scene / temperature, axis=1)[sample, 0]
    least = float(np.clip(np.quantile(gradable, _LOST), 0.15, 0.5)) if len(gradable) else 0.5
    head = np.minimum.accumulate(special.expit(logits * scale + offset), axis=1)
    judged = rows.real[known] if rows.real.any() else np.ones(len(ranks), bool)
    rules = np.stack([rules_of(s) for s in segmentation[known][judged]])
    cuts, share = _operating_points(head[judged], rules, ranks[judged])
    return Calibration(scale, offset, round(temperature, 4), round(least, 3), cuts, share)


def rules_of(segmentation: np.ndarray) -> np.ndarray:
    """What the dashboard's measurements support, (5), from class probabilities (5, 96, 96)."""
    labels = clean(segmentation, COMPRESSION_PIXEL_MM).argmax(axis=0).astype(np.uint8)
    return np.asarray(rules_at_least(measure(slice_masks(labels, COMPRESSION_PIXEL_MM))))


def _weights(ranks: np.ndarray, real: np.ndarray) -> np.ndarray:
    """Real slices count most, and slices without epidural tumour for six in ten, as in a series with disease in it."""
    weight = np.where(real, 1.0, 0.25 if real.any() else 1.0)
    for group, share in ((ranks == 0, 0.6), (ranks > 0, 0.4)):
        if group.any():
            weight[group] *= share / weight[group].sum()
    return weight / weight.sum()


def _platt(logit: np.ndarray, truth: np.ndarray, weight: np.ndarray) -> tuple[float, float]:
    target = truth.astype(float)
    if target.min() == target.max():
        return 1.0, 0.0

    def cost(p: np.ndarray) -> float:
        z = p[0] * logit + p[1]
        return float(np.sum(weight * (np.logaddexp(0, z) - target * z)) + 1e-3 * ((p[0] - 1) ** 2 + p[1] ** 2))

    found = optimize.minimize(cost, np.array([1.0, 0.0]), method="L-BFGS-B", bounds=[(0.05, 10), (-10, 10)])
    return float(found.x[0]), float(found.x[1])


def _temperature(logits: np.ndarray, truth: np.ndarray) -> float:
    def cost(t: float) -> float:
        return float(-np.mean(special.log_softmax(logits / t, axis=1)[np.arange(len(truth)), truth]))

    return float(optimize.minimize_scalar(cost, bounds=(0.3, 5.0), method="bounded").x)


def _operating_points(head: np.ndarray, rules: np.ndarray, ranks: np.ndarray) -> tuple[list[float], float]:
    """Cuts and the share of the rules that agree best (quadratic kappa) on the calibration people."""
    best: tuple[float, list[float], float] = (-2.0, [0.5] * STEPS, 0.5)
    first = _cut(head[:, 0], ranks > 0, ranks == 0)
    for share in _SHARES:
        both = np.stack([combine(h, r, share, first) for h, r in zip(head, rules, strict=True)])
        cuts = [first] + [_cut(both[:, k], ranks > k, None) for k in range(1, STEPS)]
        found = np.array([GRADES.index(grade_from(p, cuts)) for p in both])
        kappa = quadratic_kappa(ranks, found)
        if kappa > best[0] + 0.002:
            best = (kappa, cuts, share)
    return best[1], best[2]


def _cut(probability: np.ndarray, truth: np.ndarray, healthy: np.ndarray | None) -> float:
    """Cut with the largest sum of sensitivity and specificity; healthy slices may cost no more than ``_FALSE_1A``."""
    if not truth.any() or truth.all():
        return 0.5
    best, chosen = -1.0, 0.5
    for cut in np.arange(0.2, 0.851, 0.025):
        said = probability >= cut
        score = float(said[truth].mean() + (~said[~truth]).mean())
        if healthy is not None and healthy.any():
            score -= 10 * max(0.0, float(said[healthy].mean()) - _FALSE_1A)
        if score > best + 1e-3:
            best, chosen = score, float(cut)
    return round(chosen, 3)
