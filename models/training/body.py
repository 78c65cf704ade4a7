"""Scenes for the localiser: body cross sections at 2 mm, with the canal's centre as a heatmap."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from scipy import ndimage

from models.training.appearance import Look, draw_look
from models.training.labels import CANAL_PERCENTILES, CANAL_PIXEL_MM, CLIP_HIGH, HEATMAP_SIGMA_PX, SIZE_PX, Tissue
from models.training.shapes import NoiseBank, capsule, ellipse, grid, rotate, wobble
from models.training.volumes import load, spider_split

# Drawn at 1 mm and halved, so that a cord of five pixels keeps its partial volumes.
_FINE_PX, _FINE_MM = 2 * SIZE_PX, CANAL_PIXEL_MM / 2


@dataclass(slots=True)
class BodyData:
    """Real material at 2 mm: (image normalised, canal centre in pixels or None)."""

    fields: list[tuple[np.ndarray, tuple[float, float] | None]] = field(default_factory=list)


def heatmap(centre: tuple[float, float] | None) -> np.ndarray:
    """Gaussian about (row, column); zeros where there is no canal."""
    if centre is None:
        return np.zeros((SIZE_PX, SIZE_PX), np.float32)
    axis = np.arange(SIZE_PX, dtype=np.float32)
    rows = np.exp(-((axis - centre[0]) ** 2) / (2 * HEATMAP_SIGMA_PX**2))
    columns = np.exp(-((axis - centre[1]) ** 2) / (2 * HEATMAP_SIGMA_PX**2))
    return np.outer(rows, columns).astype(np.float32)


def body_sample(rng: np.random.Generator, bank: NoiseBank, data: BodyData) -> tuple[np.ndarray, np.ndarray]:
    """One 192 mm field and its heatmap."""
    if data.fields and rng.random() < 0.25:
        return _real(rng, data.fields[rng.integers(len(data.fields))])
    kind = rng.random()
    if kind < 0.12:
        tissue, centre = _no_canal(rng), None
    else:
        tissue, centre = _trunk(rng, neck=kind < 0.5)
    contrast = str(rng.choice(["t2", "t2star", "t1"], p=[0.55, 0.25, 0.2]))
    image = _scan(rng, bank, draw_look(rng, contrast), tissue)
    image, centre = _crop_field(rng, image, centre)
    if rng.random() < 0.5:
        image = image[:, ::-1]
        centre = (centre[0], SIZE_PX - 1 - centre[1]) if centre else None
    return _normalise(rng, np.ascontiguousarray(image)), heatmap(centre)


def _trunk(rng: np.random.Generator, *, neck: bool) -> tuple[np.ndarray, tuple[float, float] | None]:
    """A neck or trunk cross section on the 1 mm grid; the canal may lie anywhere in the field."""
    x, y = grid(_FINE_PX, _FINE_MM)
    centre = np.clip(rng.normal((0, 5), (28, 28)), -85, 85) if rng.random() < 0.8 else rng.uniform(-85, 85, 2)
    x, y = x - np.float32(centre[0]), y - np.float32(centre[1])
    x, y = rotate(x, y, rng.normal(0, 0.1))
    scale = rng.uniform(0.85, 1.2)
    x, y = wobble(rng, x / np.float32(scale), y / np.float32(scale), rng.uniform(0, 3), (40, 120))
    tissue = _body(rng, x, y, neck=neck)
    sac = _spine(rng, x, y, tissue, neck=neck)
    if sac.sum() < 20:
        return tissue, None
    # The waves move the canal by a few mm: measure where it came to lie.
    row, column = ndimage.center_of_mass(sac)
    return tissue, ((row - 0.5) / 2, (column - 0.5) / 2)


def _body(rng: np.random.Generator, x: np.ndarray, y: np.ndarray, *, neck: bool) -> np.ndarray:
    """Air, skin fat, muscle wall and organs around a spine at the origin."""
    u = rng.uniform
    half_w, half_d = (u(45, 75), u(50, 80)) if neck else (u(130, 210), u(85, 140))
    back = u(30, 65) if neck else u(35, 90)
    outline = ellipse(x, y, 0, back - half_d, half_w, half_d, u(2.0, 2.8))
    tissue = np.full(x.shape, int(Tissue.AIR), np.uint8)
    tissue[outline < 0] = Tissue.FAT
    skin = u(2, 12) if neck else u(5, 35)
    tissue[outline < -skin] = Tissue.MUSCLE
    for _ in range(int(rng.integers(3, 10))):
        start = rng.uniform(-70, 70, 2)
        end = start + rng.normal(0, 30, 2)
        band = capsule(x, y, tuple(start), tuple(end), u(0.5, 3))
        tissue[(band < 0) & (outline < -skin)] = Tissue.FAT
    inner = ellipse(x, y, 0, back - half_d - 10, half_w - skin - u(8, 20), max(20, half_d - skin - u(25, 45)))
    cavity = (inner < 0) & (y < u(-12, 0))
    if neck:
        airway = ellipse(x, y, rng.normal(0, 4), -u(25, 50), u(6, 22), u(5, 14))
        tissue[airway < 0] = Tissue.AIR
        for sign in (-1, 1):
            for _ in range(int(rng.integers(1, 4))):
                r = u(2.5, 7)
                tissue[ellipse(x, y, sign * u(18, 40), -u(5, 40), r, r * u(0.7, 1.3)) < 0] = Tissue.VESSEL
        if rng.random() < 0.4:
            jaw = ellipse(x, y, 0, -u(45, 60), u(30, 50), u(25, 40))
            tissue[np.abs(jaw) < u(3, 8)] = Tissue.MARROW
        if rng.random() < 0.15:
            tissue[ellipse(x, y, u(-30, 30), u(10, 40), u(15, 40), u(15, 30)) < 0] = Tissue.CORD
        return tissue
    filling = rng.choice([Tissue.AIR, Tissue.FAT, Tissue.ORGAN])
    tissue[cavity] = filling
    for _ in range(int(rng.integers(4, 16))):
        r = u(5, 45)
        organ = ellipse(x, y, u(-130, 130), -u(10, 140), r, r * u(0.5, 1.5))
        tissue[(organ < 0) & cavity] = rng.choice(
            [Tissue.ORGAN, Tissue.CSF, Tissue.AIR, Tissue.VESSEL, Tissue.MUSCLE, Tissue.FAT]
        )
    for _ in range(int(rng.integers(1, 3))):
        r = u(6, 15)
        tissue[ellipse(x, y, u(-35, 35), -u(30, 60), r, r) < 0] = Tissue.VESSEL
    return tissue


def _spine(rng: np.random.Generator, x: np.ndarray, y: np.ndarray, tissue: np.ndarray, *, neck: bool) -> np.ndarray:
    """Vertebra, canal, sac and cord at the origin; returns the sac's mask."""
    u = rng.uniform
    half_rl, half_ap = u(8, 13), u(6, 10)
    width, depth = (u(9, 14), u(12, 19)) if neck else (u(13, 28), u(20, 38))
    body = ellipse(x, y, 0, -half_ap - depth / 2, width, depth / 2, u(2, 3))
    disc = rng.random() < 0.25
    tissue[body < 0] = Tissue.DISC if disc else Tissue.CORTEX
    if not disc:
        tissue[body < -u(0.8, 2)] = Tissue.MARROW
    apex = half_ap + u(2, 7)
    parts = []
    for sign in (-1, 1):
        parts.append(capsule(x, y, (sign * (half_rl + u(1, 5)), u(-6, 3)), (0, apex + 2), u(1.5, 4)))
        parts.append(ellipse(x, y, sign * (half_rl + u(2, 8)), u(-4, 6), u(3, 9), u(3, 8)))
        parts.append(capsule(x, y, (sign * (half_rl + 4), u(-4, 6)), (sign * u(20, 40), u(-5, 16)), u(1.5, 4)))
    parts.append(capsule(x, y, (0, apex + 1), (0, apex + u(6, 35)), u(1.3, 3.5)))
    keep = [p for p in parts if rng.random() < 0.85] or parts[:1]
    posterior = np.minimum.reduce(keep)
    tissue[posterior < 0] = Tissue.CORTEX
    tissue[posterior < -u(0.6, 1.5)] = Tissue.MARROW
    canal = ellipse(x, y, 0, 0.5, half_rl, half_ap, u(2, 2.8))
    tissue[canal < 0] = rng.choice([Tissue.EPIDURAL, Tissue.LIGAMENT])
    sac = ellipse(x, y, 0, 0, half_rl - u(0.2, 3), half_ap - u(0.0, 1.5))
    tissue[sac < 0] = Tissue.CSF
    if rng.random() < 0.75:
        rl, ap = min(half_rl - 1, u(3.2, 7.5)), min(half_ap - 0.5, u(2.6, 4.5))
        tissue[(ellipse(x, y, rng.normal(0, 1), rng.normal(0, 1.5), rl, ap) < 0) & (sac < 0)] = Tissue.CORD
    else:
        roots = rng.random(x.shape) < u(0.05, 0.5)
        tissue[roots & (sac < 0) & (y > rng.uniform(-6, 3))] = Tissue.ROOT
    if rng.random() < 0.25:
        mass = ellipse(x, y, u(-9, 9), u(-9, 9), u(3, 14), u(3, 14))
        spared = tissue == Tissue.CORD
        tissue[(mass < 0) & ~spared] = Tissue.TUMOUR
    return sac < 0


def _no_canal(rng: np.random.Generator) -> np.ndarray:
    """A head, a limb, a phantom, a trunk without its spine, or nothing."""
    x, y = grid(_FINE_PX, _FINE_MM)
    x, y = x + np.float32(rng.normal(0, 20)), y + np.float32(rng.normal(0, 20))
    u = rng.uniform
    kind = rng.choice(["head", "limb", "belly", "plain"], p=[0.4, 0.2, 0.3, 0.1])
    if kind == "belly":
        return _body(rng, *wobble(rng, x, y + np.float32(u(40, 90)), 2, (40, 120)), neck=False)
    tissue = np.full(x.shape, int(Tissue.AIR), np.uint8)
    if kind == "plain":
        tissue[:] = rng.choice([Tissue.AIR, Tissue.CSF, Tissue.MUSCLE])
        return tissue
    x, y = wobble(rng, x, y, u(1, 5), (20, 80))
    outline = ellipse(x, y, 0, 0, u(55, 80), u(65, 95)) if kind == "head" else ellipse(x, y, 0, 0, u(40, 90), u(40, 90))
    tissue[outline < 0] = Tissue.FAT
    if kind == "limb":
        tissue[outline < -u(3, 20)] = Tissue.MUSCLE
        for _ in range(int(rng.integers(1, 4))):
            r = u(6, 28)
            bone = ellipse(x, y, u(-30, 30), u(-30, 30), r, r * u(0.7, 1.3))
            tissue[bone < 0] = Tissue.CORTEX
            tissue[bone < -u(1, 4)] = Tissue.MARROW
        return tissue
    tissue[outline < -u(3, 6)] = Tissue.CORTEX
    tissue[outline < -u(7, 10)] = Tissue.CSF
    brain = outline < -u(10, 14)
    k = u(0.25, 0.6)
    folds = np.sin(k * x + 2 * np.sin(0.3 * k * y)) + np.sin(k * y + 2 * np.sin(0.35 * k * x))
    tissue[brain] = Tissue.CORD
    tissue[brain & (folds > u(0, 0.8))] = Tissue.GREY
    tissue[brain & (folds > u(1.2, 1.9))] = Tissue.CSF
    for sign in (-1, 1):
        horn = capsule(x, y, (sign * u(3, 8), -u(10, 30)), (sign * u(5, 18), u(0, 30)), u(1, 7))
        tissue[(horn < 0) & brain] = Tissue.CSF
    return tissue


def _scan(rng: np.random.Generator, bank: NoiseBank, look: Look, tissue: np.ndarray) -> np.ndarray:
    """Texture, shading towards a surface coil, blur to 2 mm, noise."""
    size = tissue.shape[0]
    image = look.mean[tissue] * (1 + look.texture[tissue] * bank.draw(rng, int(rng.integers(0, 4)), size))
    ramp = np.linspace(-1, 1, size, dtype=np.float32)
    if rng.random() < 0.7:
        tilt_r, tilt_c = rng.normal(0.2, 0.6), rng.normal(0, 0.3)
        image = image * np.exp(tilt_r * ramp[:, None] + tilt_c * ramp[None, :] + 0.3 * bank.draw(rng, 4, size))
    if rng.random() < 0.3:
        # A saturation band or the reach of the coil: the front of the body is dark.
        edge = rng.uniform(-0.6, 0.2)
        image = image * (0.03 + 0.97 / (1 + np.exp(-(ramp[:, None] - edge) / rng.uniform(0.02, 0.15))))
    image = ndimage.gaussian_filter(image, rng.uniform(0.3, 1.1), truncate=2.5)
    image = image.reshape(SIZE_PX, 2, SIZE_PX, 2).mean((1, 3))
    level = rng.uniform(0, 0.06)
    return np.hypot(image + level * bank.draw(rng, 0, SIZE_PX), level * bank.draw(rng, 0, SIZE_PX)).astype(np.float32)


def _crop_field(
    rng: np.random.Generator, image: np.ndarray, centre: tuple[float, float] | None
) -> tuple[np.ndarray, tuple[float, float] | None]:
    """Now and then keep only a strip or a small field about the canal, moved to the image's middle."""
    if rng.random() < 0.6:
        return image, centre
    strip = rng.random() < 0.55
    half_c = rng.uniform(10, 22) / CANAL_PIXEL_MM if strip else rng.uniform(20, 60) / CANAL_PIXEL_MM
    half_r = rng.uniform(40, 96) / CANAL_PIXEL_MM if strip else half_c * rng.uniform(0.7, 1.3)
    about = centre or tuple(rng.uniform(25, 70, 2))
    reach = 0.5 if strip else 0.55
    middle_r = about[0] + rng.uniform(-reach, reach) * half_r
    middle_c = about[1] + rng.uniform(-reach, reach) * half_c
    # The scanned area is centred in the model's field: pad with zeros about it.
    moved = ndimage.shift(image, ((SIZE_PX - 1) / 2 - middle_r, (SIZE_PX - 1) / 2 - middle_c), order=1, prefilter=False)
    axis = np.abs(np.arange(SIZE_PX) - (SIZE_PX - 1) / 2)
    moved[axis > half_r] = 0
    moved[:, axis > half_c] = 0
    if centre is None:
        return moved, None
    return moved, (about[0] + (SIZE_PX - 1) / 2 - middle_r, about[1] + (SIZE_PX - 1) / 2 - middle_c)


def _normalise(rng: np.random.Generator, image: np.ndarray) -> np.ndarray:
    """The series' percentiles over nonzero pixels, give or take."""
    values = image[image > 0]
    if values.size < 50:
        return image
    low, high = np.percentile(values, CANAL_PERCENTILES)
    high = high * np.exp(rng.normal(0, 0.2))
    return np.clip((image - low * rng.uniform(0.5, 1.2)) / (high - low + 1e-6), 0, CLIP_HIGH).astype(np.float32)


def _real(
    rng: np.random.Generator, item: tuple[np.ndarray, tuple[float, float] | None]
) -> tuple[np.ndarray, np.ndarray]:
    image, centre = item
    shift = rng.integers(-14, 15, 2)
    image = ndimage.shift(image, shift, order=0, prefilter=False)
    if centre is not None:
        centre = (centre[0] + shift[0], centre[1] + shift[1])
    if rng.random() < 0.5:
        image = image[:, ::-1]
        centre = (centre[0], SIZE_PX - 1 - centre[1]) if centre else None
    gain = np.exp(rng.normal(0, 0.25))
    noise = rng.normal(0, rng.uniform(0, 0.04), image.shape) * (image > 0)
    out = np.clip(image * gain + noise, 0, CLIP_HIGH) ** np.float32(rng.uniform(0.75, 1.3))
    return np.ascontiguousarray(out, np.float32), heatmap(centre)


def gather_bodies(folder: Path, seed: int) -> BodyData:
    """Training people's lumbar axial reformats, sagittal planes and one brain time point, at 2 mm."""
    rng = np.random.default_rng(seed)
    data = BodyData()
    for person in spider_split(folder)["training"]:
        data.fields += _lumbar_fields(folder, person)
        volume, affine = load(folder / "spider" / f"{person}_t2.nii.gz")
        spacing = np.sqrt((affine[:3, :3] ** 2).sum(0))
        for _ in range(4):
            plane = volume[rng.integers(2, volume.shape[0] - 2)]
            data.fields.append((_resample(plane, (spacing[1], spacing[2])), None))
    for path in sorted((folder / "brain_followup").glob("*/study1_*.nii.gz")):
        volume, affine = load(path)
        spacing = np.sqrt((affine[:3, :3] ** 2).sum(0))
        for index in range(volume.shape[2] // 3, volume.shape[2], 2):
            data.fields.append((_resample(volume[:, :, index].T, (spacing[1], spacing[0])), None))
    return data


def _lumbar_fields(folder: Path, person: str) -> list[tuple[np.ndarray, tuple[float, float] | None]]:
    """Plain axial planes of the volume (not tilted), whole field front to back."""
    volume, affine = load(folder / "spider" / f"{person}_t2.nii.gz")
    mask, _ = load(folder / "spider" / f"{person}_mask.nii.gz")
    spacing = np.sqrt((affine[:3, :3] ** 2).sum(0))
    fields: list[tuple[np.ndarray, tuple[float, float] | None]] = []
    rows = np.flatnonzero((mask == 3).sum((0, 2)) > 40)
    for row in rows[::12]:
        canal = mask[:, row, :].T == 3
        r, c = ndimage.center_of_mass(canal)
        plane = volume[:, row, :].T
        centre_r = (r - (plane.shape[0] - 1) / 2) * spacing[2] / CANAL_PIXEL_MM + (SIZE_PX - 1) / 2
        centre_c = (c - (plane.shape[1] - 1) / 2) * spacing[0] / CANAL_PIXEL_MM + (SIZE_PX - 1) / 2
        if 2 < centre_r < SIZE_PX - 3:
            fields.append((_resample(plane, (spacing[2], spacing[0])), (float(centre_r), float(centre_c))))
    return fields


def _resample(plane: np.ndarray, pixel: tuple[float, float]) -> np.ndarray:
    """Whole plane about its middle at 2 mm, smoothed first, normalised by itself."""
    smooth = ndimage.gaussian_filter(plane.astype(np.float32), [0.4 * CANAL_PIXEL_MM / p for p in pixel])
    axis = (np.arange(SIZE_PX) - (SIZE_PX - 1) / 2) * CANAL_PIXEL_MM
    rows, columns = np.meshgrid(
        (plane.shape[0] - 1) / 2 + axis / pixel[0], (plane.shape[1] - 1) / 2 + axis / pixel[1], indexing="ij"
    )
    image = ndimage.map_coordinates(smooth, [rows, columns], order=1)
    values = image[image > 0]
    low, high = np.percentile(values, CANAL_PERCENTILES)
    return np.clip((image - low) / (high - low + 1e-6), 0, CLIP_HIGH).astype(np.float32)
