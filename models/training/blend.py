"""Training samples from real slices: tumours of known geometry painted into them, and real negatives."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy import ndimage

from models.training.appearance import draw_look, normalise, scan
from models.training.labels import (
    CLIP_HIGH,
    COMPRESSION_PERCENTILES,
    GRADES,
    IGNORE,
    SCENES,
    SEGMENTATION,
    SIZE_PX,
    Tissue,
)
from models.training.lesion import Implant, bone_part, implant
from models.training.samples import GRADE_WEIGHTS, Sample
from models.training.shapes import NoiseBank
from models.training.volumes import RealSlice

_CSF, _CORD, _TUMOUR, _BONE = (SEGMENTATION.index(n) for n in ("csf", "cord", "tumour", "bone"))
_REAL_SCENES = ("gradable", "no_cord", "wrong_geometry", "not_spine")
_REAL_WEIGHTS = (0.77, 0.09, 0.085, 0.055)
# Share of the gradable slices that are given the contrast of a gradient echo: no cervical T2* is trained on.
_RELOOKED = 0.25
_WRONG_SPACING = 0.45


@dataclass(slots=True)
class Backgrounds:
    """Real slices with a cord and without one, and flat negatives (96x96, raw) of other planes and parts."""

    with_cord: list[RealSlice] = field(default_factory=list)
    without_cord: list[RealSlice] = field(default_factory=list)
    longitudinal: list[np.ndarray] = field(default_factory=list)
    elsewhere: list[np.ndarray] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Crop:
    image: np.ndarray
    inside: np.ndarray
    sac: np.ndarray
    cord: np.ndarray
    bone: np.ndarray
    misread: bool = False


def real_sample(rng: np.random.Generator, bank: NoiseBank, backgrounds: Backgrounds) -> Sample:
    """Draw a sample with a real background."""
    name = str(rng.choice(_REAL_SCENES, p=_REAL_WEIGHTS))
    scene = SCENES.index(name)
    flat = backgrounds.elsewhere if name == "not_spine" else backgrounds.longitudinal
    if name == "not_spine" or (name == "wrong_geometry" and rng.random() < 0.5):
        return _flat_negative(rng, bank, flat[rng.integers(len(flat))], scene)
    source = backgrounds.without_cord if name == "no_cord" else backgrounds.with_cord
    real = source[rng.integers(len(source))]
    wrong_geometry = name == "wrong_geometry"
    crop = _misread(rng, real) if wrong_geometry and rng.random() < _WRONG_SPACING else _crop(rng, real)
    if name != "gradable":
        image = _finish(rng, bank, crop.image, (real.low, real.high), crop.inside)
        if wrong_geometry:
            image = image if crop.misread else _turned(rng, image)
            return Sample(image, np.full(image.shape, IGNORE, np.uint8), -1, scene)
        return Sample(image, _masks(crop, crop.sac, crop.cord, None), -1, scene)
    return _graded(rng, bank, real, crop)


def _crop(rng: np.random.Generator, real: RealSlice) -> _Crop:
    """Cut 96 of 128 pixels off centre, mirrored half the time, bent a little."""
    wide = real.image.shape[0]
    free = (wide - SIZE_PX) // 2
    top, left = (free + int(np.clip(rng.normal(0, 4), -free, free)) for _ in range(2))
    window = (slice(top, top + SIZE_PX), slice(left, left + SIZE_PX))
    layers = [real.image, real.inside, real.sac, real.cord, real.bone]
    cut = [layer[window] for layer in layers]
    if rng.random() < 0.5:
        cut = [layer[:, ::-1] for layer in cut]
    if rng.random() < 0.6:
        cut = _bend(rng, cut)
    return _Crop(*(np.ascontiguousarray(layer) for layer in cut))


def _misread(rng: np.random.Generator, real: RealSlice) -> _Crop:
    """The square that is cut when the header gives the pixels 1.45 to 2.2 times too large or too small."""
    zoom = float(np.exp(rng.uniform(np.log(1.45), np.log(2.2))))
    zoom = zoom if rng.random() < 0.5 else 1 / zoom
    middle = (real.image.shape[0] - 1) / 2 + rng.normal(0, 3, 2)
    offset = middle - zoom * (SIZE_PX - 1) / 2
    shape = (SIZE_PX, SIZE_PX)
    matrix = np.full(2, zoom)
    image = ndimage.affine_transform(real.image, matrix, offset, shape, order=1, mode="nearest", prefilter=False)
    inside = ndimage.affine_transform(real.inside.view(np.uint8), matrix, offset, shape, order=0).view(bool)
    empty = np.zeros(shape, bool)
    mirror = slice(None, None, -1 if rng.random() < 0.5 else 1)
    return _Crop(image[:, mirror].copy(), inside[:, mirror].copy(), empty, empty, empty, misread=True)


def _relook(
    rng: np.random.Generator, crop: _Crop, window: tuple[float, float]
) -> tuple[np.ndarray, tuple[float, float]]:
    """The slice as a gradient echo might show it, and the percentiles its series would have.

    A cord nearly as bright as CSF, dark marrow, brighter muscle; texture and coil stay those of the scanner.
    """
    csf = crop.sac & ~ndimage.binary_dilation(crop.cord)
    if csf.sum() < 20 or not crop.cord.any():
        return crop.image, window
    bright = float(np.median(crop.image[csf]))
    cord = max(float(np.median(crop.image[crop.cord])), 1e-3 * bright)
    out = bright * np.clip(crop.image / bright, 0, None) ** np.float32(rng.uniform(0.5, 1.0))
    for region, factor in ((crop.bone, rng.uniform(0.15, 0.8)), (crop.sac, 1.0)):
        soft = ndimage.gaussian_filter(region.astype(np.float32), 0.6, truncate=2.5)
        out = out * (1 - soft) + soft * crop.image * factor
    soft = ndimage.gaussian_filter(crop.cord.astype(np.float32), 0.6, truncate=2.5)
    out = out * (1 - soft) + soft * crop.image * (rng.uniform(0.5, 0.86) * bright / cord)
    inside = crop.inside if crop.inside.any() else np.ones_like(crop.inside)
    before, after = (np.percentile(picture[inside], COMPRESSION_PERCENTILES) for picture in (crop.image, out))
    low, high = (float(w * a / max(b, 1e-3 * bright)) for w, a, b in zip(window, after, before, strict=True))
    return out.astype(np.float32), (min(low, 0.5 * high), high)


def _bend(rng: np.random.Generator, layers: list[np.ndarray]) -> list[np.ndarray]:
    """Stretch and turn by a few per cent: other people's proportions."""
    angle, zoom = rng.normal(0, 0.08), np.exp(rng.normal(0, 0.09, 2))
    matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) * zoom
    middle = np.full(2, (SIZE_PX - 1) / 2)
    offset = middle - matrix @ middle
    out = [ndimage.affine_transform(layers[0], matrix, offset, order=1, mode="constant", prefilter=False)]
    out += [
        ndimage.affine_transform(a.view(np.uint8), matrix, offset, order=0, prefilter=False).view(bool)
        for a in layers[1:]
    ]
    return out


def _graded(rng: np.random.Generator, bank: NoiseBank, real: RealSlice, crop: _Crop) -> Sample:
    canal = ndimage.distance_transform_edt(~crop.sac) * 0.5 <= rng.uniform(0.8, 3.0)
    bone = (ndimage.distance_transform_edt(~crop.sac) * 0.5 <= rng.uniform(6, 20)) & ~canal & crop.inside
    rank = int(rng.choice(len(GRADES), p=GRADE_WEIGHTS))
    done: Implant | None = None
    while rank > 0 and done is None:
        done = implant(rng, crop.sac, crop.cord, canal, bone, GRADES[rank])
        rank -= done is None
    contrast, image, window = "t2", crop.image, (real.low, real.high)
    if rng.random() < _RELOOKED:
        contrast = "t2star"
        image, window = _relook(rng, crop, window)
    tumour = None
    sac, cord = crop.sac, crop.cord
    if done is not None:
        ratio = float(draw_look(rng, contrast).mean[Tissue.TUMOUR])
        image = paint_implant(rng, bank, image, (crop.sac, crop.cord), done, ratio)
        sac, cord, tumour = done.masks.sac, done.masks.cord, done.masks.tumour
    elif rng.random() < 0.35:
        part = bone_part(rng, np.zeros_like(bone), canal, bone)
        image = _fill(rng, bank, image, part, _tumour_level(rng, crop, contrast))
    segmentation = _masks(crop, sac, cord, tumour)
    return Sample(_finish(rng, bank, image, window, crop.inside), segmentation, rank, 0)


def _masks(crop: _Crop, sac: np.ndarray, cord: np.ndarray, tumour: np.ndarray | None) -> np.ndarray:
    out = np.where(crop.bone, _BONE, 0).astype(np.uint8)
    out[sac] = _CSF
    out[cord] = _CORD
    if tumour is not None:
        out[tumour] = _TUMOUR
    out[~crop.inside] = 0
    return out


def _tumour_level(rng: np.random.Generator, crop: _Crop, contrast: str) -> float:
    csf = crop.sac & ~crop.cord
    bright = float(np.percentile(crop.image[csf], 70)) if csf.any() else float(crop.image.max())
    return bright * float(draw_look(rng, contrast).mean[Tissue.TUMOUR])


def _fill(rng: np.random.Generator, bank: NoiseBank, image: np.ndarray, part: np.ndarray, level: float) -> np.ndarray:
    """Paint a region with tumour texture behind a soft edge."""
    texture = rng.uniform(0.03, 0.25) * (
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
    low, high = np.percentile(image, (2, 98))
    if rng.random() < 0.6:
        image = scan(rng, bank, image / max(high, 1e-6), strength=0.6) * high
    high = max(high * np.exp(rng.normal(0, 0.25)), low + 1e-3)
    out = np.clip((image - low) / (high - low), 0, CLIP_HIGH).astype(np.float32)
    return Sample(out, np.full(out.shape, IGNORE, np.uint8), -1, scene)
