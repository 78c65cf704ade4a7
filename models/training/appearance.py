"""From tissue numbers to a picture: contrast, texture, coil, blur, noise, and the series' normalisation.

Intensities are relative to a nominal CSF of 1. Ranges are wide on purpose (domain randomisation): the real scanner
should look like one more draw.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from models.training.labels import CLIP_HIGH, COMPRESSION_PERCENTILES, COMPRESSION_PIXEL_MM, Tissue
from models.training.shapes import NoiseBank


@dataclass(frozen=True, slots=True)
class Look:
    """Mean intensity and texture strength of each tissue (arrays indexed by ``Tissue``)."""

    mean: np.ndarray
    texture: np.ndarray
    contrast: str


def draw_look(rng: np.random.Generator, contrast: str) -> Look:
    """Draw a sequence. ``t2`` includes fat-suppressed and STIR-like ones; ``t1`` any with dark or isointense CSF."""
    u = rng.uniform
    mean = {"t2": _t2, "t2star": _t2star, "t1": _t1}[contrast](rng)
    texture = np.full(len(Tissue), u(0.01, 0.08), np.float32)
    for tissue in (Tissue.MUSCLE, Tissue.MARROW, Tissue.FAT, Tissue.ORGAN, Tissue.TUMOUR, Tissue.BONE_TUMOUR):
        texture[tissue] = u(0.03, 0.3)
    for tissue in (Tissue.VESSEL, Tissue.VEIN, Tissue.EPIDURAL, Tissue.DISC):
        texture[tissue] = u(0.05, 0.3)
    return Look(mean, texture, contrast)


def _t2(rng: np.random.Generator) -> np.ndarray:
    u = rng.uniform
    suppressed = rng.random() < 0.2
    fat = u(0.02, 0.3) if suppressed else u(0.35, 1.25)
    marrow = fat * u(0.25, 0.95) if rng.random() < 0.8 else u(0.05, 0.8)
    cord = u(0.24, 0.62)
    m = np.zeros(len(Tissue), np.float32)
    m[Tissue.AIR], m[Tissue.MUSCLE], m[Tissue.FAT] = u(0, 0.03), u(0.06, 0.4), fat
    m[Tissue.MARROW], m[Tissue.CORTEX], m[Tissue.LIGAMENT] = marrow, u(0.01, 0.14), u(0.02, 0.22)
    m[Tissue.DISC], m[Tissue.CSF], m[Tissue.CORD] = u(0.05, 0.9), 1.0, cord
    m[Tissue.EPIDURAL] = fat * u(0.7, 1.15)
    m[Tissue.GREY], m[Tissue.ROOT] = cord * u(0.97, 1.25), u(0.25, 0.65)
    m[Tissue.VESSEL] = rng.choice([u(0.0, 0.15), u(0.2, 1.3)])
    m[Tissue.VEIN] = rng.choice([u(0.05, 0.3), u(0.5, 1.1)])
    m[Tissue.TUMOUR] = _tumour_t2(rng)
    m[Tissue.BONE_TUMOUR] = m[Tissue.TUMOUR] * u(0.8, 1.2)
    m[Tissue.ORGAN], m[Tissue.CORD_LESION] = u(0.1, 0.8), min(0.95, cord * u(1.2, 1.9))
    return m


def _tumour_t2(rng: np.random.Generator) -> float:
    kind = rng.random()
    if kind < 0.62:
        return rng.uniform(0.25, 0.7)
    # Tumour nearly as bright as CSF hides the compression: only the cord's shape and place show it.
    return rng.uniform(0.1, 0.25) if kind < 0.75 else rng.uniform(0.7, 0.94)


def _t2star(rng: np.random.Generator) -> np.ndarray:
    u = rng.uniform
    m = _t2(rng)
    cord = u(0.42, 0.9)
    m[Tissue.CORD], m[Tissue.GREY] = cord, min(1.0, cord * u(1.02, 1.3))
    m[Tissue.MUSCLE], m[Tissue.FAT] = u(0.22, 0.75), u(0.2, 0.9)
    m[Tissue.EPIDURAL] = u(0.1, 0.8)
    # Trabecular bone dephases: marrow is dark on gradient echo.
    m[Tissue.MARROW], m[Tissue.CORTEX], m[Tissue.LIGAMENT] = u(0.02, 0.4), u(0.0, 0.12), u(0.03, 0.35)
    m[Tissue.DISC] = u(0.15, 0.8)
    m[Tissue.VESSEL] = rng.choice([u(0.05, 0.5), u(0.8, 1.6)])
    m[Tissue.VEIN], m[Tissue.ROOT] = rng.choice([u(0.1, 0.4), u(0.6, 1.4)]), u(0.45, 0.85)
    m[Tissue.TUMOUR] = u(0.2, 0.94)
    m[Tissue.BONE_TUMOUR], m[Tissue.CORD_LESION] = m[Tissue.TUMOUR] * u(0.7, 1.1), min(1.0, cord * u(1.1, 1.4))
    return m


def _t1(rng: np.random.Generator) -> np.ndarray:
    u = rng.uniform
    m = np.zeros(len(Tissue), np.float32)
    cord = u(0.35, 0.85)
    fat = u(0.02, 0.3) if rng.random() < 0.25 else u(0.7, 1.4)
    m[Tissue.AIR], m[Tissue.MUSCLE], m[Tissue.FAT] = u(0, 0.03), u(0.25, 0.75), fat
    m[Tissue.MARROW], m[Tissue.CORTEX], m[Tissue.LIGAMENT] = u(0.2, 0.9), u(0.01, 0.15), u(0.03, 0.25)
    m[Tissue.DISC], m[Tissue.CSF], m[Tissue.CORD] = u(0.2, 0.6), cord * u(0.12, 0.9), cord
    m[Tissue.EPIDURAL] = fat * u(0.6, 1.1)
    m[Tissue.GREY], m[Tissue.ROOT] = cord * u(0.85, 1.02), cord * u(0.7, 1.0)
    m[Tissue.VESSEL], m[Tissue.VEIN] = rng.choice([u(0, 0.2), u(0.5, 1.5)]), rng.choice([u(0.1, 0.4), u(0.6, 1.4)])
    m[Tissue.TUMOUR] = u(0.25, 1.2)
    m[Tissue.BONE_TUMOUR], m[Tissue.ORGAN] = m[Tissue.TUMOUR] * u(0.8, 1.1), u(0.2, 0.8)
    m[Tissue.CORD_LESION] = cord * u(0.7, 1.3)
    return m


def paint(rng: np.random.Generator, bank: NoiseBank, look: Look, tissue: np.ndarray) -> np.ndarray:
    """Intensities of a slice before the scanner: means, texture and CSF flow voids."""
    size = tissue.shape[0]
    image = look.mean[tissue]
    noise = bank.draw(rng, int(rng.integers(0, 3)), size) + 0.6 * bank.draw(rng, 3, size)
    image = image * (1 + look.texture[tissue] * noise)
    if look.contrast != "t1" and rng.random() < 0.35:
        voids = np.clip(bank.draw(rng, int(rng.integers(2, 4)), size) - rng.uniform(0.5, 1.8), 0, 1)
        image = np.where(tissue == Tissue.CSF, image * (1 - rng.uniform(0.2, 0.75) * voids), image)
    return image.astype(np.float32)


def scan(rng: np.random.Generator, bank: NoiseBank, image: np.ndarray, *, strength: float = 1.0) -> np.ndarray:
    """Coil shading, through-plane and in-plane blur with Gibbs lines, motion, Rician noise."""
    size = image.shape[0]
    if rng.random() < 0.7:
        tilt = rng.normal(0, 0.18 * strength, 2)
        ramp = np.linspace(-1, 1, size, dtype=np.float32)
        shade = np.exp(tilt[0] * ramp[:, None] + tilt[1] * ramp[None, :] + 0.12 * strength * bank.draw(rng, 4, size))
        image = image * shade.astype(np.float32)
    if rng.random() < 0.3 * strength:
        dr, dc = rng.normal(0, 1.0, 2)
        image = 0.5 * (image + ndimage.shift(image, (dr, dc), order=1, mode="nearest", prefilter=False))
    resolution_mm = rng.uniform(0.45, 1.15) if strength >= 1 else rng.uniform(0.4, 0.9)
    if rng.random() < 0.35:
        image = _truncate(rng, image, resolution_mm)
    else:
        image = ndimage.gaussian_filter(image, 0.42 * resolution_mm / COMPRESSION_PIXEL_MM, truncate=2.5)
    level = rng.choice([rng.uniform(0.0, 0.03), rng.uniform(0.02, 0.1)]) * strength
    if level > 0:
        scale = 1 if resolution_mm > 0.8 else 0
        real = image + level * bank.draw(rng, scale, size)
        image = np.hypot(real, level * bank.draw(rng, scale, size))
    return image.astype(np.float32)


def _truncate(rng: np.random.Generator, image: np.ndarray, resolution_mm: float) -> np.ndarray:
    """Cut k-space to the resolution: the blur and the Gibbs lines of a real acquisition."""
    size = image.shape[0]
    keep = min(1.0, COMPRESSION_PIXEL_MM / resolution_mm)
    edge = 0.5 * keep
    frequency = np.abs(np.fft.fftfreq(size))
    soft = rng.uniform(0.01, 0.25)
    window = np.clip((edge - frequency) / (soft * edge) + 0.5, 0, 1)
    spectrum = np.fft.fft2(image)
    return np.real(np.fft.ifft2(spectrum * window[:, None] * window[None, :])).clip(0).astype(np.float32)


def field_mask(rng: np.random.Generator, size: int) -> np.ndarray | None:
    """Area inside the image: mostly everything, else a narrow strip or a small square (zeros outside)."""
    kind = rng.random()
    if kind < 0.68:
        return None
    mask = np.zeros((size, size), bool)
    middle = size / 2 + rng.normal(0, 3)
    if kind < 0.86:
        half = rng.uniform(9, 18) / COMPRESSION_PIXEL_MM
        mask[:, max(0, int(middle - half)) : int(middle + half)] = True
        if rng.random() < 0.3:
            mask[: int(rng.uniform(0, 14))] = False
        return mask
    top, bottom = (int(v / COMPRESSION_PIXEL_MM) for v in rng.uniform(0, 11, 2))
    left, right = (int(v / COMPRESSION_PIXEL_MM) for v in rng.uniform(0, 11, 2))
    mask[top : size - bottom, left : size - right] = True
    return mask


def series_window(
    rng: np.random.Generator, look: Look, healthy: np.ndarray, inside: np.ndarray | None, jitter: float = 0.12
) -> tuple[float, float]:
    """Percentiles of the series this slice belongs to: those of its healthy neighbours, give or take."""
    values = look.mean[healthy if inside is None else healthy[inside]].ravel()
    low, high = np.percentile(values[::3], COMPRESSION_PERCENTILES)
    high = high * np.exp(rng.normal(0, jitter))
    if rng.random() < 0.2:
        # Far from the coil a slice is several times darker than its series.
        high *= rng.uniform(1.0, 3.0)
    return float(low * rng.uniform(0.6, 1.3)), float(max(high, low + 0.05))


def normalise(image: np.ndarray, low: float, high: float, inside: np.ndarray | None) -> np.ndarray:
    """``clip((x - low) / (high - low), 0, 1.5)``; zero outside the field."""
    out = np.clip((image - low) / (high - low), 0, CLIP_HIGH).astype(np.float32)
    if inside is not None:
        out[~inside] = 0
    return out
