"""Crops of real slices as training cuts them: off centre, mirrored, bent, at a slab's edge, or with pixels misread."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from models.training.labels import COMPRESSION_PIXEL_MM, SIZE_PX
from models.training.shapes import grid, rotate, wobble
from models.training.volumes import RealSlice

# Share of the slices whose field ends beside the canal, as at the edge of a slab.
_NARROWED = 0.2


@dataclass(frozen=True, slots=True)
class Crop:
    """96x96 pixels of a real slice with its masks; ``misread`` where the pixels are not of the size they should be."""

    image: np.ndarray
    inside: np.ndarray
    sac: np.ndarray
    cord: np.ndarray
    bone: np.ndarray
    misread: bool = False


def cut(rng: np.random.Generator, real: RealSlice) -> Crop:
    """Cut 96 of 128 pixels off centre, mirrored half the time, bent a little."""
    wide = real.image.shape[0]
    free = (wide - SIZE_PX) // 2
    top, left = (free + int(np.clip(rng.normal(0, 4), -free, free)) for _ in range(2))
    window = (slice(top, top + SIZE_PX), slice(left, left + SIZE_PX))
    layers = [layer[window] for layer in (real.image, real.inside, real.sac, real.cord, real.bone)]
    if rng.random() < 0.5:
        layers = [layer[:, ::-1] for layer in layers]
    if rng.random() < 0.7:
        layers = _bend(rng, layers)
    image, inside, sac, cord, bone = (np.ascontiguousarray(layer) for layer in layers)
    if rng.random() < _NARROWED:
        inside = inside & _slab(rng, sac)
    return Crop(image, inside, sac, cord, bone)


def _slab(rng: np.random.Generator, sac: np.ndarray) -> np.ndarray:
    """A field that ends 5.5 to 12 mm beside the canal's middle, on one side or both."""
    columns = np.arange(SIZE_PX)
    middle = float(np.nonzero(sac)[1].mean()) if sac.any() else SIZE_PX / 2
    left, right = rng.uniform(5.5, 12, 2) / COMPRESSION_PIXEL_MM
    side = rng.random()
    kept = np.ones(SIZE_PX, bool)
    if side < 0.6:
        kept &= columns > middle - left
    if side > 0.4:
        kept &= columns < middle + right
    return np.broadcast_to(kept, sac.shape)


def misread(rng: np.random.Generator, real: RealSlice) -> Crop:
    """The square that is cut when the header gives the pixels 1.4 to 2 times too large or too small."""
    zoom = float(np.exp(rng.uniform(np.log(1.4), np.log(2.0))))
    zoom = zoom if rng.random() < 0.5 else 1 / zoom
    middle = (real.image.shape[0] - 1) / 2 + rng.normal(0, 3, 2)
    offset = middle - zoom * (SIZE_PX - 1) / 2
    shape = (SIZE_PX, SIZE_PX)
    matrix = np.full(2, zoom)
    image = ndimage.affine_transform(real.image, matrix, offset, shape, order=1, mode="nearest", prefilter=False)
    inside = ndimage.affine_transform(real.inside.view(np.uint8), matrix, offset, shape, order=0).view(bool)
    empty = np.zeros(shape, bool)
    mirror = slice(None, None, -1 if rng.random() < 0.5 else 1)
    return Crop(image[:, mirror].copy(), inside[:, mirror].copy(), empty, empty, empty, misread=True)


def _bend(rng: np.random.Generator, layers: list[np.ndarray]) -> list[np.ndarray]:
    """Stretch, turn and bend by a few per cent: other people's proportions."""
    x, y = grid(SIZE_PX, COMPRESSION_PIXEL_MM)
    zoom = np.exp(rng.normal(0, 0.07) + rng.normal(0, 0.07, 2)).astype(np.float32)
    x, y = rotate(x, y, rng.normal(0, 0.08))
    x, y = wobble(rng, x * zoom[0], y * zoom[1], rng.uniform(0, 0.9), (16, 45))
    middle = (SIZE_PX - 1) / 2
    rows, columns = (v / np.float32(COMPRESSION_PIXEL_MM) + np.float32(middle) for v in (y, x))
    image = ndimage.map_coordinates(layers[0], [rows, columns], order=1, mode="constant", prefilter=False)
    near = [np.rint(v).astype(np.intp) for v in (rows, columns)]
    valid = (near[0] >= 0) & (near[0] < SIZE_PX) & (near[1] >= 0) & (near[1] < SIZE_PX)
    place = tuple(np.clip(v, 0, SIZE_PX - 1) for v in near)
    return [image, *(layer[place] & valid for layer in layers[1:])]


def csf_level(crop: Crop) -> float:
    """Brightness of the CSF; of the brightest pixel where none is seen."""
    csf = crop.sac & ~crop.cord
    return float(np.percentile(crop.image[csf], 70)) if csf.any() else float(crop.image.max())
