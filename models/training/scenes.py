"""Slices that must not be graded: planes fed as axial by mistake, other body parts, phantoms, noise."""

from __future__ import annotations

import numpy as np

from models.training.labels import COMPRESSION_PIXEL_MM, SIZE_PX, Tissue
from models.training.shapes import capsule, ellipse, grid, rotate, wobble


def draw_longitudinal(rng: np.random.Generator) -> np.ndarray:
    """A sagittal or coronal plane: a long canal with a cord in it, vertebrae and discs beside it, any way up."""
    x, y = grid(SIZE_PX, COMPRESSION_PIXEL_MM)
    x, y = rotate(x, y, rng.choice([0, np.pi / 2, np.pi, -np.pi / 2]) + rng.normal(0, 0.2))
    x, y = wobble(rng, x, y, rng.uniform(0.5, 3.0), (30, 120))
    x = x - np.float32(rng.normal(0, 5))
    tissue = np.full(x.shape, int(Tissue.MUSCLE), np.uint8)
    pitch = rng.uniform(14, 38)
    phase = np.mod(y + np.float32(rng.uniform(0, pitch)), np.float32(pitch))
    disc = phase < rng.uniform(2, 8)
    half = rng.uniform(5, 10)
    depth = rng.uniform(14, 30)
    coronal = rng.random() < 0.25
    sides = (np.abs(x) > half) & (np.abs(x) < half + depth) if coronal else (x < -half) & (x > -half - depth)
    tissue[sides] = Tissue.MARROW
    tissue[sides & disc] = Tissue.DISC
    if not coronal:
        back = (x > half + rng.uniform(0, 4)) & (x < half + rng.uniform(10, 25))
        tissue[back & (phase < pitch * rng.uniform(0.3, 0.7))] = Tissue.MARROW
        tissue[x > half + rng.uniform(20, 40)] = Tissue.FAT
    tissue[np.abs(x) < half] = Tissue.CSF
    tissue[np.abs(np.abs(x) - half) < 0.5] = Tissue.LIGAMENT
    if rng.random() < 0.75:
        off = rng.normal(0, 1)
        tissue[np.abs(x - np.float32(off)) < half * rng.uniform(0.35, 0.75)] = Tissue.CORD
    else:
        for _ in range(6):
            tissue[np.abs(x - np.float32(rng.uniform(-half, half))) < 0.5] = Tissue.ROOT
    return tissue


def draw_elsewhere(rng: np.random.Generator) -> np.ndarray:
    """Anything without a spinal canal in it: brain, joint, belly, muscle, phantom, nothing."""
    kind = rng.choice(["brain", "joint", "belly", "muscle", "phantom", "plain"], p=[0.3, 0.15, 0.2, 0.15, 0.12, 0.08])
    x, y = grid(SIZE_PX, COMPRESSION_PIXEL_MM)
    x, y = rotate(x, y, rng.uniform(0, 6.283))
    x, y = wobble(
        rng, x + np.float32(rng.normal(0, 10)), y + np.float32(rng.normal(0, 10)), rng.uniform(0, 4), (10, 50)
    )
    return {"brain": _brain, "joint": _joint, "belly": _belly, "muscle": _muscle, "phantom": _phantom, "plain": _plain}[
        str(kind)
    ](rng, x, y)


def _brain(rng: np.random.Generator, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """White and grey matter (cord and grey intensities), sulci, ventricles, sometimes the skull's edge."""
    tissue = np.full(x.shape, int(Tissue.CORD), np.uint8)
    k = rng.uniform(0.3, 1.0)
    folds = np.sin(k * x + 2 * np.sin(0.35 * k * y + rng.uniform(0, 6))) + np.sin(k * y + 2 * np.sin(0.4 * k * x))
    tissue[folds > rng.uniform(0.0, 1.0)] = Tissue.GREY
    tissue[folds > rng.uniform(1.0, 1.9)] = Tissue.CSF
    if rng.random() < 0.5:
        for sign in (-1, 1):
            horn = capsule(
                x, y, (sign * 3, -rng.uniform(5, 12)), (sign * rng.uniform(2, 9), rng.uniform(2, 12)), rng.uniform(1, 4)
            )
            tissue[horn < 0] = Tissue.CSF
    if rng.random() < 0.4:
        edge = rng.uniform(4, 20)
        for start, kind in ((0.0, Tissue.CSF), (2.0, Tissue.CORTEX), (6.0, Tissue.FAT), (11.0, Tissue.AIR)):
            tissue[y > edge + start] = kind
    if rng.random() < 0.2:
        tissue[ellipse(x, y, rng.uniform(-15, 15), rng.uniform(-15, 15), rng.uniform(2, 9), rng.uniform(2, 9)) < 0] = (
            Tissue.TUMOUR
        )
    return tissue


def _joint(rng: np.random.Generator, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    tissue = np.full(x.shape, int(rng.choice([Tissue.MUSCLE, Tissue.FAT])), np.uint8)
    for sign in (-1, 1):
        distance = ellipse(
            x, y, rng.uniform(-8, 8), sign * rng.uniform(12, 22), rng.uniform(10, 24), rng.uniform(9, 18), 2.6
        )
        tissue[distance < 0] = Tissue.CORTEX
        tissue[distance < -1] = Tissue.MARROW
    gap = np.abs(y - np.float32(rng.normal(0, 2))) < rng.uniform(0.5, 3)
    tissue[gap & (np.abs(x) < 22)] = rng.choice([Tissue.CSF, Tissue.LIGAMENT, Tissue.DISC])
    if rng.random() < 0.5:
        tissue[capsule(x, y, tuple(rng.uniform(-20, 20, 2)), tuple(rng.uniform(-20, 20, 2)), 2.5) < 0] = Tissue.LIGAMENT
    return tissue


def _belly(rng: np.random.Generator, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    tissue = np.full(x.shape, int(rng.choice([Tissue.FAT, Tissue.ORGAN, Tissue.AIR])), np.uint8)
    choices = [Tissue.ORGAN, Tissue.MUSCLE, Tissue.CSF, Tissue.VESSEL, Tissue.AIR, Tissue.FAT]
    for _ in range(int(rng.integers(3, 14))):
        radius = rng.uniform(2, 18)
        place = ellipse(x, y, rng.uniform(-26, 26), rng.uniform(-26, 26), radius, radius * rng.uniform(0.5, 1.5))
        tissue[place < 0] = rng.choice([Tissue.CORTEX, Tissue.MUSCLE, Tissue.FAT])
        tissue[place < -rng.uniform(0.5, 2)] = rng.choice(choices)
    return tissue


def _muscle(rng: np.random.Generator, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    tissue = np.full(x.shape, int(Tissue.MUSCLE), np.uint8)
    for _ in range(int(rng.integers(3, 12))):
        band = capsule(x, y, tuple(rng.uniform(-30, 30, 2)), tuple(rng.uniform(-30, 30, 2)), rng.uniform(0.3, 4))
        tissue[band < 0] = rng.choice([Tissue.FAT, Tissue.LIGAMENT, Tissue.VESSEL, Tissue.MARROW])
    return tissue


def _phantom(rng: np.random.Generator, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    tissue = np.full(x.shape, int(rng.choice([Tissue.CSF, Tissue.ORGAN, Tissue.AIR])), np.uint8)
    if rng.random() < 0.5:
        pitch = rng.uniform(4, 12)
        tissue[(np.mod(x, pitch) < 1.5) | (np.mod(y, pitch) < 1.5)] = Tissue.AIR
    for _ in range(int(rng.integers(0, 6))):
        place = ellipse(x, y, rng.uniform(-24, 24), rng.uniform(-24, 24), rng.uniform(1, 12), rng.uniform(1, 12))
        tissue[place < 0] = rng.choice([Tissue.CSF, Tissue.AIR, Tissue.ORGAN, Tissue.CORD])
    return tissue


def _plain(rng: np.random.Generator, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.full(x.shape, int(rng.choice([Tissue.AIR, Tissue.MUSCLE, Tissue.FAT, Tissue.CSF])), np.uint8)
