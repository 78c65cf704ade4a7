"""Implicit shapes on a pixel grid: all functions take and return (rows, columns) float32 arrays in mm.

Coordinates: ``x`` grows to the patient's left (columns), ``y`` grows backwards, anterior to posterior (rows). A shape
is a function that is negative inside and roughly a distance in mm, so that one threshold moves its border.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy import ndimage


@lru_cache(maxsize=8)
def _axis(size_px: int, pixel_mm: float) -> np.ndarray:
    return ((np.arange(size_px) - (size_px - 1) / 2) * pixel_mm).astype(np.float32)


def grid(size_px: int, pixel_mm: float) -> tuple[np.ndarray, np.ndarray]:
    """Return ``(x, y)`` in mm of each pixel centre, the origin in the middle of the image."""
    axis = _axis(size_px, pixel_mm)
    x, y = np.meshgrid(axis, axis)
    return x, y


def rotate(x: np.ndarray, y: np.ndarray, angle: float) -> tuple[np.ndarray, np.ndarray]:
    """Turn coordinates by ``angle`` radians."""
    c, s = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    return c * x + s * y, c * y - s * x


def wobble(
    rng: np.random.Generator, x: np.ndarray, y: np.ndarray, amplitude_mm: float, wavelength_mm: tuple[float, float]
) -> tuple[np.ndarray, np.ndarray]:
    """Bend coordinates by three smooth waves, so that no two outlines are alike."""
    dx, dy = np.zeros_like(x), np.zeros_like(y)
    for _ in range(3):
        k = 2 * np.pi / rng.uniform(*wavelength_mm)
        angle, phase = rng.uniform(0, 2 * np.pi, 2)
        wave = np.sin(np.float32(k * np.cos(angle)) * x + np.float32(k * np.sin(angle)) * y + np.float32(phase))
        ax, ay = rng.normal(0, amplitude_mm / 2, 2).astype(np.float32)
        dx += ax * wave
        dy += ay * wave
    return x + dx, y + dy


def ellipse(x: np.ndarray, y: np.ndarray, cx: float, cy: float, rx: float, ry: float, power: float = 2.0) -> np.ndarray:
    """Superellipse with half axes ``rx``, ``ry`` in mm; the value is a distance near the border only."""
    u, v = np.abs((x - np.float32(cx)) / np.float32(rx)), np.abs((y - np.float32(cy)) / np.float32(ry))
    rho = np.sqrt(u * u + v * v) if power == 2.0 else (u**power + v**power) ** np.float32(1 / power)
    return (rho - 1) * np.float32(min(rx, ry))


def capsule(x: np.ndarray, y: np.ndarray, start: tuple[float, float], end: tuple[float, float], r: float) -> np.ndarray:
    """Band of half width ``r`` mm along a segment."""
    px, py = x - np.float32(start[0]), y - np.float32(start[1])
    dx, dy = end[0] - start[0], end[1] - start[1]
    t = np.clip((px * np.float32(dx) + py * np.float32(dy)) / np.float32(dx * dx + dy * dy + 1e-6), 0, 1)
    return np.hypot(px - t * np.float32(dx), py - t * np.float32(dy)) - np.float32(r)


def lobed(
    rng: np.random.Generator, x: np.ndarray, y: np.ndarray, rx: float, ry: float, wave: float, orders: tuple[int, ...]
) -> np.ndarray:
    """Ellipse about the origin whose radius carries cosine waves of the given orders and relative height ``wave``."""
    phi = np.arctan2(y / np.float32(ry), x / np.float32(rx))
    radius = np.ones_like(x)
    for k in orders:
        radius += np.float32(rng.normal(0, wave / k)) * np.cos(np.float32(k) * phi + np.float32(rng.uniform(0, 6.283)))
    rho = np.hypot(x / np.float32(rx), y / np.float32(ry))
    return (rho - radius) * np.float32(min(rx, ry))


def dilate(mask: np.ndarray, radius_mm: float, pixel_mm: float) -> np.ndarray:
    """Grow a mask by a distance."""
    return ndimage.distance_transform_edt(~mask) * pixel_mm <= radius_mm


def shift_mask(mask: np.ndarray, rows: float, columns: float) -> np.ndarray:
    """Move a mask by a fraction of pixels."""
    moved = ndimage.shift(mask.astype(np.float32), (rows, columns), order=1, prefilter=False)
    return moved > 0.5


class NoiseBank:
    """Smooth noise fields made once; a draw is a crop, so that texture costs microseconds.

    Parameters
    ----------
    seed : int
    sizes_px : correlation lengths in pixels, one family of fields each.
    """

    def __init__(self, seed: int, sizes_px: tuple[float, ...] = (0.7, 1.5, 3.0, 8.0, 24.0), side: int = 320) -> None:
        rng = np.random.default_rng(seed)
        self.fields: list[np.ndarray] = []
        for size in sizes_px:
            field = ndimage.gaussian_filter(rng.standard_normal((4, side, side)), (0, size, size), mode="wrap")
            field -= field.mean(axis=(1, 2), keepdims=True)
            self.fields.append((field / field.std(axis=(1, 2), keepdims=True)).astype(np.float32))

    def draw(self, rng: np.random.Generator, scale: int, size_px: int) -> np.ndarray:
        """Return a (size_px, size_px) field of mean 0 and deviation 1."""
        field = self.fields[scale][rng.integers(4)]
        r, c = rng.integers(0, field.shape[0] - size_px, 2)
        crop = field[r : r + size_px, c : c + size_px]
        if rng.random() < 0.5:
            crop = crop[::-1]
        return crop.T if rng.random() < 0.5 else crop
