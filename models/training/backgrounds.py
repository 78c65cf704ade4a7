"""Gathers what training may see of a folder of public volumes; the test people never pass here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy import ndimage

from models.training.anatomy import Anatomy
from models.training.blend import Backgrounds
from models.training.labels import COMPRESSION_PIXEL_MM, SIZE_PX
from models.training.volumes import load, spider_slices, spider_split

_ELSEWHERE_PER_VOLUME = 400
_TRAINING_BRAIN = "study1"


def gather(folder: Path, seed: int) -> tuple[Backgrounds, list[Anatomy]]:
    """Real slices, negatives and canal shapes for training (13 lumbar volumes, one brain time point, canal labels)."""
    rng = np.random.default_rng(seed)
    found = Backgrounds()
    for person in spider_split(folder)["training"]:
        # Slices are seldom planned exactly across the canal: a second set leans by 6 to 14 degrees.
        for lean in (0.0, float(rng.choice([-1, 1]) * rng.uniform(0.1, 0.25))):
            for real in spider_slices(folder, person, 1.5, lean):
                if real.has_cord:
                    found.with_cord.append(real)
                elif real.has_cord is False and rng.random() < 0.3:
                    found.without_cord.append(real)
        found.longitudinal += sagittal_tiles(rng, folder / "spider" / f"{person}_t2.nii.gz", 8)
    for path in sorted((folder / "brain_followup").glob(f"*/{_TRAINING_BRAIN}_*.nii.gz")):
        found.elsewhere += brain_tiles(rng, path, _ELSEWHERE_PER_VOLUME)
    return found, canal_shapes(folder)


def _tile(plane: np.ndarray, pixel: tuple[float, float], centre: np.ndarray) -> np.ndarray:
    axis = (np.arange(SIZE_PX) - (SIZE_PX - 1) / 2) * COMPRESSION_PIXEL_MM
    rows, columns = np.meshgrid(centre[0] + axis / pixel[0], centre[1] + axis / pixel[1], indexing="ij")
    return ndimage.map_coordinates(plane, [rows, columns], order=1).astype(np.float32)


def sagittal_tiles(rng: np.random.Generator, path: Path, count: int) -> list[np.ndarray]:
    """48 mm squares of sagittal planes about places near the canal or anywhere."""
    volume, affine = load(path)
    spacing = np.sqrt((affine[:3, :3] ** 2).sum(0))
    tiles = []
    for _ in range(count):
        plane = volume[rng.integers(3, volume.shape[0] - 3)]
        centre = rng.uniform(0.15, 0.85, 2) * plane.shape
        tiles.append(_tile(plane, (spacing[1], spacing[2]), centre))
    return tiles


def brain_tiles(rng: np.random.Generator, path: Path, count: int) -> list[np.ndarray]:
    """48 mm squares of brain slices."""
    volume, affine = load(path)
    spacing = np.sqrt((affine[:3, :3] ** 2).sum(0))
    tiles: list[np.ndarray] = []
    while len(tiles) < count:
        plane = volume[:, :, rng.integers(volume.shape[2])].T
        tile = _tile(plane, (spacing[1], spacing[0]), rng.uniform(0.15, 0.85, 2) * plane.shape)
        if (tile > 0).mean() > 0.3:
            tiles.append(tile)
    return tiles


def canal_shapes(folder: Path) -> list[Anatomy]:
    """Real cord and sac outlines (healthy adults, C1 to upper thoracic), centred, at 0.5 mm."""
    shapes = []
    for path in sorted((folder / "canal_labels").glob("*_cord.nii.gz")):
        cord, affine = load(path)
        csf, _ = load(path.with_name(path.name.replace("_cord", "_csf")))
        spacing = np.sqrt((affine[:3, :3] ** 2).sum(0))
        for index in range(cord.shape[2]):
            if cord[:, :, index].sum() * spacing[0] * spacing[1] < 25:
                continue
            shapes.append(_shape(cord[::-1, ::-1, index].T, csf[::-1, ::-1, index].T, (spacing[1], spacing[0])))
    return shapes


def _shape(cord: np.ndarray, csf: np.ndarray, pixel: tuple[float, float]) -> Anatomy:
    centre = np.asarray(ndimage.center_of_mass(cord + csf))
    cord_mask = _tile(cord, pixel, centre) > 0.5
    sac = ndimage.binary_fill_holes((_tile(cord + csf, pixel, centre) > 0.5) | cord_mask)
    empty = np.zeros_like(sac)
    return Anatomy(np.zeros(sac.shape, np.uint8), sac, cord_mask, sac, empty, "cervical")
