"""Training samples from real slices: tumours of known geometry painted into them, and real negatives."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy import ndimage

from models.training.appearance import draw_look, normalise, scan
from models.training.crops import Crop, csf_level, cut, misread
from models.training.labels import (
    CLIP_HIGH,
    COMPRESSION_PIXEL_MM,
    GRADES,
    IGNORE,
    SCENES,
    SEGMENTATION,
    SIZE_PX,
    Tissue,
)
from models.training.lesion import Implant, bone_part, implant
from models.training.measure import taught
from models.training.recolour import as_t1, as_t2star
from models.training.samples import GRADE_WEIGHTS, Sample
from models.training.shapes import NoiseBank, ellipse, grid
from models.training.volumes import RealSlice

_CSF, _CORD, _TUMOUR, _BONE = (SEGMENTATION.index(n) for n in ("csf", "cord", "tumour", "bone"))
_REAL_WEIGHTS = (0.72, 0.045, 0.08, 0.1, 0.055)
# Share of the gradable slices that are given the contrast of a gradient echo: no cervical T2* is trained on.
_RELOOKED = 0.35
_WRONG_SPACING = 0.6


@dataclass(slots=True)
class Backgrounds:
    """Real slices with a cord and without one, and flat negatives (96x96, raw) of other planes and parts."""

    with_cord: list[RealSlice] = field(default_factory=list)
    without_cord: list[RealSlice] = field(default_factory=list)
    longitudinal: list[np.ndarray] = field(default_factory=list)
    elsewhere: list[np.ndarray] = field(default_factory=list)


def real_sample(rng: np.random.Generator, bank: NoiseBank, backgrounds: Backgrounds) -> Sample:
    """Draw a sample with a real background."""
    name = str(rng.choice(SCENES, p=_REAL_WEIGHTS))
    scene = SCENES.index(name)
    flat = backgrounds.elsewhere if name == "not_spine" else backgrounds.longitudinal
    if name == "not_spine" or (name == "wrong_geometry" and rng.random() < 0.4):
        return _flat_negative(rng, bank, flat[rng.integers(len(flat))], scene)
    source = backgrounds.without_cord if name == "no_cord" else backgrounds.with_cord
    real = source[rng.integers(len(source))]
    wrong_geometry = name == "wrong_geometry"
    crop = misread(rng, real) if wrong_geometry and rng.random() < _WRONG_SPACING else cut(rng, real)
    if name != "gradable":
        picture, window = crop.image, (real.low, real.high)
        if name == "wrong_contrast":
            picture, window = as_t1(rng, crop, window)
        image = _finish(rng, bank, picture, window, crop.inside)
        if wrong_geometry:
            image = image if crop.misread else _turned(rng, image)
            return Sample(image, np.full(image.shape, IGNORE, np.uint8), -1, scene)
        return Sample(image, _masks(crop, crop.sac, crop.cord, None), -1, scene)
    return _graded(rng, bank, real, crop)


def _graded(rng: np.random.Generator, bank: NoiseBank, real: RealSlice, crop: Crop) -> Sample:
    away = ndimage.distance_transform_edt(~crop.sac) * COMPRESSION_PIXEL_MM
    canal = away <= rng.uniform(0.8, 3.0)
    bone = (away <= rng.uniform(6, 20)) & ~canal & crop.inside
    rank = int(rng.choice(len(GRADES), p=GRADE_WEIGHTS))
    done: Implant | None = None
    while rank > 0 and done is None:
        done = implant(rng, crop.sac, crop.cord, canal, bone, GRADES[rank])
        rank -= done is None
    contrast, image, window = "t2", crop.image, (real.low, real.high)
    if rng.random() < _RELOOKED:
        contrast = "t2star"
        image, window = as_t2star(rng, crop, window)
    tumour = None
    sac, cord = crop.sac, crop.cord
    if rng.random() < (0.3 if done is None else 0.08):
        image = _veins(rng, bank, image, crop, away)
    if done is not None:
        ratio = float(draw_look(rng, contrast).mean[Tissue.TUMOUR])
        image = paint_implant(rng, bank, image, (crop.sac, crop.cord), done, ratio)
        sac, cord, tumour = done.masks.sac, done.masks.cord, done.masks.tumour
    else:
        if rng.random() < 0.35:
            part = bone_part(rng, np.zeros_like(bone), canal, bone)
            image = _fill(rng, bank, image, part, _tumour_level(rng, crop, contrast))
        if rng.random() < 0.15:
            image, sac = _bulge(rng, bank, image, crop)
    segmentation = _masks(crop, sac, cord, tumour)
    measured = taught(done.measures if done is not None else None)
    return Sample(_finish(rng, bank, image, window, crop.inside), segmentation, rank, 0, measured)


def _veins(rng: np.random.Generator, bank: NoiseBank, image: np.ndarray, crop: Crop, away: np.ndarray) -> np.ndarray:
    """The plexus behind the vertebral body: thin crescents in front of the sac, most often one a side."""
    rows, columns = np.indices(crop.sac.shape)
    middle = ndimage.center_of_mass(crop.sac)
    near = rng.uniform(0.3, 0.8)
    part = (away > near) & (away < near + rng.uniform(0.7, 1.9)) & (rows < middle[0] - rng.uniform(-2, 8))
    if rng.random() < 0.75:
        part &= np.abs(columns - middle[1]) * COMPRESSION_PIXEL_MM > rng.uniform(0.5, 3.0)
    level = csf_level(crop) * (rng.uniform(0.5, 1.1) if rng.random() < 0.6 else rng.uniform(0.25, 0.5))
    return _fill(rng, bank, image, part, level)


def _bulge(rng: np.random.Generator, bank: NoiseBank, image: np.ndarray, crop: Crop) -> tuple[np.ndarray, np.ndarray]:
    """A dark disc or osteophyte that dents the sac from the front, short of the cord; returns (image, sac)."""
    rows, columns = np.nonzero(crop.sac)
    x, y = grid(SIZE_PX, COMPRESSION_PIXEL_MM)
    place = float(x[0, int(columns.mean())]) + rng.normal(0, 3), float(y[rows.min(), 0]) - 3 + rng.uniform(0.3, 2.4)
    shape = ellipse(x, y, *place, rng.uniform(3, 11), 3.0)
    part = (shape < 0) & ~ndimage.binary_dilation(crop.cord) & crop.inside
    dent = part & crop.sac
    return _fill(rng, bank, image, part, csf_level(crop) * rng.uniform(0.03, 0.3)), crop.sac & ~dent


def _masks(crop: Crop, sac: np.ndarray, cord: np.ndarray, tumour: np.ndarray | None) -> np.ndarray:
    out = np.where(crop.bone, _BONE, 0).astype(np.uint8)
    out[sac] = _CSF
    out[cord] = _CORD
    if tumour is not None:
        out[tumour] = _TUMOUR
    out[~crop.inside] = 0
    return out


def _tumour_level(rng: np.random.Generator, crop: Crop, contrast: str) -> float:
    return csf_level(crop) * float(draw_look(rng, contrast).mean[Tissue.TUMOUR])


def _fill(rng: np.random.Generator, bank: NoiseBank, image: np.ndarray, part: np.ndarray, level: float) -> np.ndarray:
    """Paint a region with tumour texture behind a soft edge."""
    texture = rng.uniform(0.01, 0.25) * (
        bank.draw(rng, int(rng.integers(0, 3)), image.shape[0]) + 0.5 * bank.draw(rng, 3, image.shape[0])
    )
    alpha = ndimage.gaussian_filter(part.astype(np.float32), rng.uniform(0.5, 1.0), truncate=2.5)
    return image * (1 - alpha) + alpha * level * (1 + texture)


def paint_implant(
    rng: np.random.Generator,
    bank: NoiseBank,
    image: np.ndarray,
    healthy: tuple[np.ndarray, np.ndarray],
    done: Implant,
    ratio: float,
) -> np.ndarray:
    """Repaint a real slice: cord moved with its own texture, CSF where it was, tumour on top.

    ``healthy`` are the masks of sac and cord before; ``ratio`` is the tumour's brightness against CSF.
    """
    sac, cord = healthy
    out = image.copy()
    csf = ndimage.binary_erosion(sac & ~ndimage.binary_dilation(cord))
    bright = float(np.median(image[csf])) if csf.sum() > 20 else float(np.percentile(image[sac], 85))
    blur = rng.uniform(0.5, 0.9)
    moved_cord = done.masks.cord.sum() != cord.sum() or any(done.cord_shift_px)
    if moved_cord:
        ring = ndimage.gaussian_filter((ndimage.binary_dilation(cord, iterations=2) & sac).astype(np.float32), 0.7)
        out = out * (1 - ring) + ring * bright * (1 + 0.05 * bank.draw(rng, 1, image.shape[0]))
        moved = ndimage.shift(image, done.cord_shift_px, order=1, mode="nearest", prefilter=False)
        level = float(np.median(image[cord]))
        core = (
            ndimage.shift(ndimage.binary_erosion(cord).astype(np.float32), done.cord_shift_px, order=1, prefilter=False)
            > 0.5
        )
        texture = np.where(core, moved, level)
        alpha = ndimage.gaussian_filter(done.masks.cord.astype(np.float32), blur, truncate=2.5)
        out = out * (1 - alpha) + alpha * texture
    vacated = sac & ~done.masks.sac & ~done.masks.tumour
    if vacated.any():
        out = _fill(rng, bank, out, vacated, bright * rng.uniform(0.05, 0.35))
    # Whole tumour in one piece, then its canal part again, so that the bone part may differ a little.
    out = _fill(rng, bank, out, done.bone_part, bright * ratio * rng.uniform(0.8, 1.2))
    out = _fill(rng, bank, out, done.masks.tumour, bright * ratio)
    if rng.random() < 0.35:
        edge = ndimage.binary_dilation(done.masks.tumour) & done.masks.sac & ~done.masks.cord
        out = np.where(edge, out * rng.uniform(0.4, 0.9), out)
    return out.astype(np.float32)


def _finish(
    rng: np.random.Generator, bank: NoiseBank, image: np.ndarray, window: tuple[float, float], inside: np.ndarray
) -> np.ndarray:
    """Series normalisation give or take, a milder scanner on top of the real one, narrower fields."""
    span = window[1] - window[0]
    low = window[0] + span * rng.normal(0, 0.03)
    high = window[0] + span * np.exp(rng.normal(0, 0.12))
    if rng.random() < 0.7:
        image = scan(rng, bank, image / window[1], strength=0.6) * window[1]
    if rng.random() < 0.4:
        image = high * np.clip(image / high, 0, None) ** np.float32(rng.uniform(0.7, 1.4))
    return normalise(image, low, high, inside)


def _turned(rng: np.random.Generator, image: np.ndarray) -> np.ndarray:
    """Front to back, or by quarter turns."""
    turned = image[::-1] if rng.random() < 0.5 else np.rot90(image, int(rng.integers(1, 4)))
    return np.ascontiguousarray(turned)


def _flat_negative(rng: np.random.Generator, bank: NoiseBank, image: np.ndarray, scene: int) -> Sample:
    image = np.rot90(image, int(rng.integers(0, 4)))
    if rng.random() < 0.5:
        image = image[:, ::-1]
    image = np.ascontiguousarray(image, np.float32)
    if rng.random() < 0.6:
        zoom = float(np.exp(rng.uniform(-0.5, 0.2)))
        offset = rng.uniform(0, 1, 2) * (1 - zoom) * (SIZE_PX - 1)
        image = ndimage.affine_transform(image, np.full(2, zoom), offset, order=1, mode="nearest", prefilter=False)
    if rng.random() < 0.1:
        image = image.max() - image
    low, high = np.percentile(image, (2, 98))
    if rng.random() < 0.6:
        image = scan(rng, bank, image / max(high, 1e-6), strength=0.6) * high
    high = max(high * np.exp(rng.normal(0, 0.25)), low + 1e-3)
    out = np.clip((image - low) / (high - low), 0, CLIP_HIGH).astype(np.float32)
    return Sample(out, np.full(out.shape, IGNORE, np.uint8), -1, scene)
