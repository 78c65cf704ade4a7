"""Real T2 slices given the contrast of another sequence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from models.training.crops import Crop, csf_level
from models.training.labels import COMPRESSION_PERCENTILES

Window = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Levels:
    """Brightness against CSF on T2: what cord, CSF and bone become; ``power`` bends everything else."""

    cord: float
    csf: float
    bone: float
    power: float
    gain: float = 1.0


def as_t2star(rng: np.random.Generator, crop: Crop, window: Window) -> tuple[np.ndarray, Window]:
    """The slice as a gradient echo might show it: a cord nearly as bright as CSF, dark marrow, brighter muscle."""
    u = rng.uniform
    return recolour(crop, window, Levels(u(0.42, 0.9), 1.0, u(0.15, 0.8), u(0.5, 1.0)))


def as_t1(rng: np.random.Generator, crop: Crop, window: Window) -> tuple[np.ndarray, Window]:
    """The slice as T1 might show it: CSF darker than the cord."""
    u = rng.uniform
    cord = u(0.3, 0.85)
    return recolour(crop, window, Levels(cord, cord * u(0.12, 0.85), u(0.6, 2.0), u(0.35, 1.0), u(0.7, 1.3)))


def recolour(crop: Crop, window: Window, levels: Levels) -> tuple[np.ndarray, Window]:
    """Another contrast, and the percentiles its series would have; texture and coil stay those of the scanner."""
    csf = crop.sac & ~ndimage.binary_dilation(crop.cord)
    bright = float(np.median(crop.image[csf])) if csf.sum() > 20 else csf_level(crop)
    cord = max(float(np.median(crop.image[crop.cord])) if crop.cord.any() else 0.0, 1e-3 * bright)
    out = levels.gain * bright * np.clip(crop.image / bright, 0, None) ** np.float32(levels.power)
    regions = ((crop.bone, levels.bone), (crop.sac, levels.csf), (crop.cord, levels.cord * bright / cord))
    for region, factor in regions:
        soft = ndimage.gaussian_filter(region.astype(np.float32), 0.6, truncate=2.5)
        out = out * (1 - soft) + soft * crop.image * factor
    inside = crop.inside if crop.inside.any() else np.ones_like(crop.inside)
    before, after = (np.percentile(picture[inside], COMPRESSION_PERCENTILES) for picture in (crop.image, out))
    low, high = (float(w * a / max(b, 1e-3 * bright)) for w, a, b in zip(window, after, before, strict=True))
    return out.astype(np.float32), (min(low, 0.5 * high), high)
