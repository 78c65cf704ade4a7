"""Public volumes: reading, axial reformats of the lumbar ones, and who is kept for what.

A folder given with ``--data`` is laid out as README.md says. Volumes come as (slice, row, column) arrays with a spacing
in mm; slices of every kind leave here with rows running anterior to posterior and columns from patient right to left.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import ndimage

from models.training.labels import COMPRESSION_PERCENTILES, COMPRESSION_PIXEL_MM, SIZE_PX

CANAL_VALUE, VERTEBRA_VALUE, DISC_VALUE = 3, 2, 1
# Wider than the crop, so that training can move the centre.
WIDE_PX = 128
# Volumes begin at T10 or T11: a cord that seems to end within these limits (mm from the top) ends at a conus.
_SURE_MM = (20.0, 130.0)
TEST_SPIDER = ("5", "11", "34", "50", "65", "81", "110", "142", "177", "239")
CALIBRATION_SPIDER = ("35", "57", "200")
# A signal void lies over the upper canal: nobody could say what these slices show, so they teach and test nothing.
UNREADABLE_SPIDER = ("129",)


@dataclass(frozen=True, slots=True)
class RealSlice:
    """One real axial slice, 128x128 at 0.5 mm about the canal's centre.

    ``image`` float32 raw; boolean masks ``inside`` (of the field), ``sac``, ``cord``, ``bone``; ``low`` and ``high``
    are the series' percentiles; ``has_cord`` None in the transition at the conus.
    """

    image: np.ndarray
    inside: np.ndarray
    sac: np.ndarray
    cord: np.ndarray
    bone: np.ndarray
    low: float
    high: float
    has_cord: bool | None
    person: str
    position_mm: float


def load(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return (array, affine RAS) of a NIfTI file."""
    import nibabel

    image = nibabel.load(path)
    return np.asarray(image.dataobj, np.float32), image.affine


def spider_people(folder: Path) -> list[str]:
    """Identifiers of the lumbar volumes, in numeric order."""
    names = [p.name.removesuffix("_t2.nii.gz") for p in (folder / "spider").glob("*_t2.nii.gz")]
    return sorted(names, key=int)


def spider_split(folder: Path) -> dict[str, list[str]]:
    """People for training, calibration and test; the same person is never in two of them."""
    people = spider_people(folder)
    return {
        "test": [p for p in people if p in TEST_SPIDER],
        "calibration": [p for p in people if p in CALIBRATION_SPIDER],
        "training": [p for p in people if p not in TEST_SPIDER + CALIBRATION_SPIDER + UNREADABLE_SPIDER],
    }


def spider_slices(folder: Path, person: str, step_mm: float = 2.0, lean: float = 0.0) -> list[RealSlice]:
    """Axial reformats from the top of the volume to the sacrum, ``lean`` radians off the canal's perpendicular."""
    image, affine = load(folder / "spider" / f"{person}_t2.nii.gz")
    mask, _ = load(folder / "spider" / f"{person}_mask.nii.gz")
    spacing = np.sqrt((affine[:3, :3] ** 2).sum(0))
    planes = _planes(mask == CANAL_VALUE, spacing, step_mm)
    crops = [_reformat(image, mask, spacing, centre, angle + lean) for centre, angle in planes]
    inner = slice((WIDE_PX - SIZE_PX) // 2, (WIDE_PX + SIZE_PX) // 2)
    pooled = np.concatenate([c.image[inner, inner][c.inside[inner, inner]][::7] for c in crops])
    low, high = (float(v) for v in np.percentile(pooled, COMPRESSION_PERCENTILES))
    cords, last = _cords(crops, step_mm)
    end_mm = last * step_mm
    sure = _SURE_MM[0] < end_mm < _SURE_MM[1]
    if end_mm >= _SURE_MM[1]:
        end_mm = _SURE_MM[1] / 2
    out = []
    for index, (crop, cord) in enumerate(zip(crops, cords, strict=True)):
        position = index * step_mm
        has_cord: bool | None = position <= end_mm - 6
        # Where the cord's end was not seen for certain, only the lowest slices count as cauda equina.
        if not has_cord and position < (max(end_mm + 40, 90) if sure else 160):
            has_cord = None
        here = cord if has_cord else np.zeros_like(cord)
        out.append(RealSlice(crop.image, crop.inside, crop.sac, here, crop.bone, low, high, has_cord, person, position))
    return out


@dataclass(frozen=True, slots=True)
class _Crop:
    image: np.ndarray
    inside: np.ndarray
    sac: np.ndarray
    bone: np.ndarray


def _planes(canal: np.ndarray, spacing: np.ndarray, step_mm: float) -> list[tuple[np.ndarray, float]]:
    """Centres (voxels) and tilts (radians) along the canal's centre line."""
    parts, count = ndimage.label(canal)
    if count > 1:
        canal = parts == 1 + int(np.argmax(np.bincount(parts.ravel())[1:]))
    rows = np.flatnonzero(canal.any(axis=(0, 2)))
    centres = np.array([ndimage.center_of_mass(canal[:, r, :]) for r in rows])
    smooth = ndimage.gaussian_filter1d(centres, 10, axis=0, mode="nearest")
    slope = np.gradient(smooth[:, 1]) * spacing[2] / spacing[1]
    length = np.concatenate([[0], np.cumsum(np.hypot(1, slope[1:]) * spacing[1])])
    marks = np.arange(2.0, length[-1] - 2.0, step_mm)
    picks = np.searchsorted(length, marks)
    return [(np.array([smooth[i, 0], rows[i], smooth[i, 1]]), float(np.arctan(slope[i]))) for i in picks]


def _reformat(image: np.ndarray, mask: np.ndarray, spacing: np.ndarray, centre: np.ndarray, tilt: float) -> _Crop:
    """Sample one oblique axial plane at 0.5 mm."""
    axis = (np.arange(WIDE_PX) - (WIDE_PX - 1) / 2) * COMPRESSION_PIXEL_MM
    back, left = np.meshgrid(axis, axis, indexing="ij")
    coordinates = np.stack(
        [
            centre[0] + left / spacing[0],
            centre[1] - back * np.sin(tilt) / spacing[1],
            centre[2] + back * np.cos(tilt) / spacing[2],
        ]
    )
    limits = np.asarray(image.shape).reshape(3, 1, 1) - 1
    inside = ((coordinates >= -0.5) & (coordinates <= limits + 0.5)).all(0)
    values = ndimage.map_coordinates(image, coordinates, order=1, mode="nearest")
    sac = ndimage.map_coordinates((mask == CANAL_VALUE).astype(np.float32), coordinates, order=1) > 0.5
    bone = ndimage.map_coordinates((mask == VERTEBRA_VALUE).astype(np.float32), coordinates, order=1) > 0.5
    parts, count = ndimage.label(sac)
    if count > 1:
        middle = parts[WIDE_PX // 2 - 8 : WIDE_PX // 2 + 8, WIDE_PX // 2 - 8 : WIDE_PX // 2 + 8]
        sizes = np.bincount(middle.ravel(), minlength=count + 1)[1:]
        sac = parts == 1 + int(np.argmax(sizes))
    return _Crop(
        np.where(inside, values, 0).astype(np.float32), inside, ndimage.binary_fill_holes(sac) & inside, bone & inside
    )


def _cords(crops: list[_Crop], step_mm: float) -> tuple[list[np.ndarray], int]:
    """Cord masks from the top down, and the index of the last slice with a compact cord.

    The cord is the compact dark body within the bright sac; below it roots scatter and no compact body is left.
    """
    guesses, good = [], []
    for crop in crops:
        cord, compact = _dark_body(crop)
        guesses.append(cord)
        good.append(compact)
    last = -1
    misses = 0
    for index, compact in enumerate(good):
        if compact:
            last, misses = index, 0
        else:
            misses += 1
            if misses * step_mm > 8.5:
                break
    stack = ndimage.gaussian_filter1d(np.stack(guesses).astype(np.float32), 1.2, axis=0)
    return [ndimage.binary_opening(ndimage.median_filter(layer, 5) > 0.5, iterations=2) for layer in stack], last


def _dark_body(crop: _Crop) -> tuple[np.ndarray, bool]:
    """Largest dark part of the sac, and whether it looks like a cord."""
    empty = np.zeros_like(crop.sac)
    core = ndimage.binary_erosion(crop.sac, iterations=2)
    if core.sum() < 150:
        return empty, False
    values = crop.image[core]
    threshold = _otsu(values)
    dark = core & (ndimage.gaussian_filter(crop.image, 0.8) < threshold)
    opened = ndimage.binary_opening(dark, iterations=2)
    parts, count = ndimage.label(opened)
    if count == 0:
        return empty, False
    body = parts == 1 + int(np.argmax(np.bincount(parts.ravel())[1:]))
    body = ndimage.binary_fill_holes(ndimage.binary_dilation(body) & dark)
    area = body.sum() * COMPRESSION_PIXEL_MM**2
    rows, columns = np.nonzero(body)
    height, width = (np.ptp(rows) + 1) * COMPRESSION_PIXEL_MM, (np.ptp(columns) + 1) * COMPRESSION_PIXEL_MM
    filled = area / (0.785 * height * width)
    contrast = (
        np.median(crop.image[core & ~dark]) / max(np.median(crop.image[body]), 1.0) if (core & ~dark).any() else 1.0
    )
    share = body.sum() / max(dark.sum(), 1)
    compact = 18 <= area <= 100 and filled > 0.8 and 0.5 < height / width < 1.5 and share > 0.72 and contrast > 1.35
    return body, bool(compact)


def _otsu(values: np.ndarray) -> float:
    counts, edges = np.histogram(values, 64)
    middles = (edges[1:] + edges[:-1]) / 2
    weight = np.cumsum(counts) / counts.sum()
    mean = np.cumsum(counts * middles) / counts.sum()
    between = (mean[-1] * weight - mean) ** 2 / np.maximum(weight * (1 - weight), 1e-6)
    return float(middles[int(np.argmax(between))])
