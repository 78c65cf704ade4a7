"""Grey values of sagittal planes: contrasts, coil, blur, noise; and what is done to drawn and real planes alike.

Images are float32 (3, rows, columns): the plane before, the plane itself, the plane after.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from models.training.sagittal.labels import (
    CANAL,
    CLIP_HIGH,
    CORD,
    DISC,
    LOOKS_LIKE,
    LUMBOSACRAL,
    PERCENTILES,
    VERTEBRA,
    Tissue,
)

T = Tissue
# Mean grey value a contrast (T2, T1, STIR), from 0 to 1, and how far it may stray.
_MEANS = {
    T.AIR: (0.02, 0.02, 0.02),
    T.MUSCLE: (0.18, 0.35, 0.22),
    T.FAT: (0.75, 0.95, 0.08),
    T.ORGAN: (0.35, 0.4, 0.4),
    T.VESSEL: (0.08, 0.15, 0.12),
    T.MARROW: (0.42, 0.6, 0.14),
    T.CORTEX: (0.1, 0.12, 0.06),
    T.NUCLEUS: (0.62, 0.38, 0.6),
    T.ANNULUS: (0.14, 0.28, 0.12),
    T.CSF: (0.95, 0.14, 0.95),
    T.CORD: (0.4, 0.42, 0.42),
    T.ROOTS: (0.5, 0.38, 0.5),
    T.EPIDURAL_FAT: (0.75, 0.95, 0.1),
    T.LIGAMENT: (0.1, 0.15, 0.08),
    T.SACRAL_MARROW: (0.45, 0.62, 0.15),
    T.SACRAL_DISC: (0.3, 0.3, 0.3),
    T.BRAIN: (0.42, 0.45, 0.42),
    T.LESION: (0.5, 0.25, 0.7),
    T.TUMOUR: (0.38, 0.32, 0.5),
    T.SKULL: (0.45, 0.6, 0.15),
}
_STRAY = 0.09


def _table(rng: np.random.Generator) -> np.ndarray:
    """One grey value a tissue, under a random contrast; now and then no contrast that exists."""
    table = np.zeros(len(T), np.float32)
    if rng.random() < 0.12:
        values = {tissue: float(rng.random()) for tissue in _MEANS}
    else:
        mix = int(rng.choice(3, p=[0.6, 0.22, 0.18]))
        values = {
            tissue: max(0.0, m[mix] * rng.uniform(0.7, 1.3) + rng.normal(0, _STRAY)) for tissue, m in _MEANS.items()
        }
    for tissue, value in values.items():
        table[tissue] = value
    # What is left of the disc under S1 may look like any other disc.
    if rng.random() < 0.5:
        wet = rng.random()
        table[T.SACRAL_DISC] = wet * table[T.NUCLEUS] + (1 - wet) * table[T.ANNULUS]
    for tissue, like in LOOKS_LIKE.items():
        table[tissue] = table[like]
    return table


def render(rng: np.random.Generator, planes: np.ndarray, disc_dark: np.ndarray) -> np.ndarray:
    """Grey values of three tissue maps (3, rows, columns); ``disc_dark`` 0 to 1 (rows, columns) where discs are old."""
    table = _table(rng)
    image = table[planes]
    nucleus = np.isin(planes, (T.NUCLEUS, T.L5S1_NUCLEUS))
    image = np.where(nucleus, image * (1 - disc_dark) + table[T.ANNULUS] * disc_dark, image)
    # Each bone has a shade of its own, and a texture.
    size = planes.shape[-1]
    shade = ndimage.zoom(rng.standard_normal((12, 12)), size / 12, order=1)[:size, :size]
    bone = np.isin(planes, (T.MARROW, T.C2_MARROW, T.SACRAL_MARROW, T.SKULL, T.C1))
    image = np.where(bone, image * (1 + rng.uniform(0, 0.22) * shade), image)
    coarse = rng.uniform(0.6, 3.0)
    texture = ndimage.gaussian_filter(rng.standard_normal(planes.shape).astype(np.float32), (0, coarse, coarse))
    texture /= texture.std() + 1e-6
    image = image * (1 + rng.uniform(0.01, 0.14) * texture)
    wet = np.isin(planes, (T.CSF, T.OUTER_CSF))
    if rng.random() < 0.35:
        image = np.where(wet, image * _streams(rng, planes.shape[1:]), image)
    return _scan(rng, np.clip(image, 0, None).astype(np.float32))


def _scan(rng: np.random.Generator, image: np.ndarray) -> np.ndarray:
    """Slice thickness and in-plane resolution."""
    if rng.random() < 0.7:
        mixed = rng.uniform(0.05, 0.3)
        before, middle, after = image
        image = np.stack(
            [
                (1 - mixed) * before + mixed * middle,
                (1 - mixed) * middle + mixed / 2 * (before + after),
                (1 - mixed) * after + mixed * middle,
            ]
        )
    return np.asarray(ndimage.gaussian_filter(image, (0, rng.uniform(0.3, 0.95), rng.uniform(0.3, 0.95))), np.float32)


def _streams(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """What is left, 0 to 1 (rows, columns), of the signal of CSF that pulsates: dark streams along the canal."""
    stream = ndimage.gaussian_filter(rng.standard_normal(shape), (rng.uniform(4, 25), rng.uniform(0.8, 1.6)))
    stream = np.clip(stream / (stream.std() + 1e-6) - rng.uniform(0.5, 1.8), 0, 1.5)
    return np.asarray(1 - np.clip(rng.uniform(0.2, 0.8) * stream, 0, 0.95), np.float32)


def flowing(rng: np.random.Generator, image: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Real planes (3, rows, columns) with dark streams in the CSF of ``labels``: they are canal, and no tumour."""
    wet = ndimage.gaussian_filter((labels == CANAL).astype(np.float32), 0.5)
    return np.asarray(image * (1 - wet * (1 - _streams(rng, labels.shape))), np.float32)


def recolour(rng: np.random.Generator, image: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Another contrast for a real T2 plane: each tissue's grey values mapped anew, texture and edges kept.

    Parameters
    ----------
    image
        float32 (3, rows, columns), about 0 to 1.
    labels
        (rows, columns) classes of the middle plane, used for all three.
    """
    kind = rng.random()
    if kind < 0.6:
        return image
    if kind < 0.75:
        # The whole curve bent, as between echo times.
        return np.asarray(np.clip(image, 0, 2) ** rng.uniform(0.5, 1.8), np.float32)
    soft = np.zeros((5, *labels.shape), np.float32)
    soft[0] = 1
    for place, classes in enumerate(((VERTEBRA,), (DISC, LUMBOSACRAL), (CANAL,), (CORD,)), start=1):
        soft[place] = ndimage.gaussian_filter(np.isin(labels, classes).astype(np.float32), 0.7)
    soft[0] = np.clip(1 - soft[1:].sum(0), 0, 1)
    changed = np.zeros_like(image)
    for place in range(5):
        gain, offset = rng.uniform(0.3, 1.5), 0.0
        if rng.random() < 0.45:
            # Turned round: what was bright is dark.
            gain, offset = -rng.uniform(0.3, 1.0), rng.uniform(0.4, 1.1)
        changed += soft[place] * (gain * image + offset)
    return np.asarray(np.clip(changed, 0, None), np.float32)


def disturb(rng: np.random.Generator, image: np.ndarray) -> np.ndarray:
    """Coil shading, noise, ghosts, lost resolution; normalised as inference does by series."""
    size = image.shape[-2:]
    if rng.random() < 0.85:
        low = ndimage.zoom(rng.standard_normal((4, 4)), (size[0] / 4, size[1] / 4), order=1)[: size[0], : size[1]]
        slope = np.linspace(-1, 1, size[1])[None, :] * rng.uniform(-0.1, 1.1) + 0.25 * rng.uniform(0, 1) * low
        image = image * np.exp(slope).astype(np.float32)
    if rng.random() < 0.3:
        image = _coarser(rng, image)
    if rng.random() < 0.12:
        ghost = np.roll(image, int(rng.integers(12, 60)), axis=-1 if rng.random() < 0.5 else -2)
        image = image + rng.uniform(0.03, 0.15) * ghost
    scale = float(np.percentile(image, 98)) + 1e-6
    sigma = rng.uniform(0.0, 0.07) ** 1.0 * scale
    noise = rng.standard_normal((2, *image.shape)).astype(np.float32) * np.float32(sigma)
    image = np.hypot(image + noise[0], noise[1])
    return _normalised(rng, image)


def _coarser(rng: np.random.Generator, image: np.ndarray) -> np.ndarray:
    factor = (1, rng.uniform(0.5, 1), rng.uniform(0.5, 1))
    small = ndimage.zoom(image, factor, order=1)
    back = ndimage.zoom(small, [a / b for a, b in zip(image.shape, small.shape, strict=True)], order=1)
    return np.asarray(back[:, : image.shape[1], : image.shape[2]], np.float32)


def _normalised(rng: np.random.Generator, image: np.ndarray) -> np.ndarray:
    """Percentiles of the patch stand for those of the series, which no patch knows exactly."""
    seen = image[image > 0]
    if seen.size < 100:
        return np.zeros_like(image)
    low, high = np.percentile(seen[::7], PERCENTILES)
    high *= rng.uniform(0.75, 1.3)
    low *= rng.uniform(0.3, 1.1)
    return np.clip((image - low) / max(high - low, 1e-6), 0, CLIP_HIGH).astype(np.float32)
