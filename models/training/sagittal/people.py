"""Real sagittal volumes of the training people, with classes: discs, vertebrae and canal by hand, the cord by the
compression model within that canal."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import ndimage

from models.training.sagittal.labels import CANAL, CORD, DISC, LUMBOSACRAL, VERTEBRA
from models.training.volumes import CANAL_VALUE, DISC_VALUE, VERTEBRA_VALUE, load, spider_split

# Specks of a published mask that are no disc.
LEAST_DISC_MM3 = 400.0


@dataclass(frozen=True, slots=True)
class Person:
    """One volume: ``image`` (planes, rows, columns), ``labels`` uint8 alike, ``spacing`` mm, ``high`` a bright grey."""

    name: str
    image: np.ndarray
    labels: np.ndarray
    spacing: np.ndarray
    high: float
    has_spine: np.ndarray


def classes_of_mask(mask: np.ndarray, spacing: np.ndarray) -> np.ndarray:
    """SAGITTAL_CLASSES from the published values; the lowest disc is the lumbosacral one. The cord is not known."""
    labels = np.zeros(mask.shape, np.uint8)
    labels[mask == VERTEBRA_VALUE] = VERTEBRA
    labels[mask == CANAL_VALUE] = CANAL
    labels[mask == DISC_VALUE] = DISC
    labels[lowest_disc(mask, spacing)] = LUMBOSACRAL
    return labels


def lowest_disc(mask: np.ndarray, spacing: np.ndarray) -> np.ndarray:
    """Where the lowest disc of a mask is, bool like the mask."""
    parts, count = ndimage.label(mask == DISC_VALUE)
    volume = np.bincount(parts.ravel(), minlength=count + 1)[1:] * float(np.prod(spacing))
    large = 1 + np.flatnonzero(volume >= LEAST_DISC_MM3)
    rows = ndimage.mean(np.arange(mask.shape[1])[None, :, None] * np.ones(mask.shape), parts, large)
    lowest = parts == large[int(np.argmax(rows))]
    # Specks beside it belong to it.
    near = ndimage.binary_dilation(lowest, iterations=6)
    return np.asarray(lowest | ((mask == DISC_VALUE) & near & ~np.isin(parts, large)))


def read_person(folder: Path, name: str, cords: Path | None = None) -> Person:
    """One person's volume; with ``cords`` a folder of cord masks made by :mod:`models.training.sagittal.cords`."""
    image, affine = load(folder / "spider" / f"{name}_t2.nii.gz")
    mask, _ = load(folder / "spider" / f"{name}_mask.nii.gz")
    spacing = np.sqrt((affine[:3, :3] ** 2).sum(0))
    labels = classes_of_mask(mask.astype(np.uint8), spacing)
    if cords is not None and (cords / f"{name}.npz").exists():
        cord = np.load(cords / f"{name}.npz")["cord"]
        labels[cord & (labels == CANAL)] = CORD
    has_spine = (labels > 0).sum((1, 2)) > 400
    return Person(name, image.astype(np.uint8), labels, spacing, float(np.percentile(image[image > 0], 99)), has_spine)


def gather(folder: Path, cords: Path | None) -> list[Person]:
    """All training people."""
    return [read_person(folder, name, cords) for name in spider_split(folder)["training"]]
