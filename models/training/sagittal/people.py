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
# Most published masks leave the dark line of an endplate to neither bone nor disc (3 mm above and below a disc
# together); those of four of the 13 training people draw the two up to one another. A disc meets the bone where less
# than MEETS_MM of a line is left; where it does so along half of its upper rim and more, what lies within UNKNOWN_MM of
# where they meet teaches nothing. The inner part of a disc is a disc in either style, however thin it is.
MEETS_MM, MEETING_SHARE, UNKNOWN_MM, INNER_SHARE = 1.0, 0.5, 1.5, 1 / 3


@dataclass(frozen=True, slots=True)
class Person:
    """One volume: ``image`` (planes, rows, columns), ``labels`` uint8 alike, ``spacing`` mm, ``high`` a bright grey.

    ``unknown`` is bool alike: where the labels are not to be taught, see :func:`endplates_not_left_out`.
    """

    name: str
    image: np.ndarray
    labels: np.ndarray
    unknown: np.ndarray
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


def endplates_not_left_out(labels: np.ndarray, spacing: np.ndarray) -> np.ndarray:
    """Where discs were outlined up to the bone, bool like ``labels`` (planes, rows, columns); ``spacing`` in mm.

    Outlines of one place in two styles teach a model to guess the style: beside old discs, which are as dark as the
    line, it took the line to the disc.
    """
    bone = labels == VERTEBRA
    parts, count = ndimage.label(np.isin(labels, (DISC, LUMBOSACRAL)))
    upper = (parts > 0) & (np.roll(parts, 1, axis=1) == 0)
    reach = max(1, round(MEETS_MM / spacing[1]))
    line = np.ones((1, 2 * reach + 1, 1), bool)
    meets = (parts > 0) & ndimage.binary_dilation(bone, line)
    number = np.arange(1, count + 1)
    share = ndimage.sum(upper & meets, parts, number) / np.maximum(1, ndimage.sum(upper, parts, number))
    meeting = meets & np.isin(parts, number[share >= MEETING_SHARE])
    if not meeting.any():
        return meeting
    # Planes are outlined one by one: the next one is out of reach.
    apart = ndimage.distance_transform_edt(~meeting, (2 * UNKNOWN_MM, *spacing[1:]))
    return np.asarray((apart <= UNKNOWN_MM) & ~_inner(parts > 0))


def _inner(discs: np.ndarray) -> np.ndarray:
    """The middle rows of each disc, column by column."""
    rows = np.arange(discs.shape[1])[None, :, None]
    above = np.maximum.accumulate(np.where(discs, -1, rows), axis=1)
    below = np.minimum.accumulate(np.where(discs, discs.shape[1], rows)[:, ::-1], axis=1)[:, ::-1]
    nearer = np.minimum(rows - above, below - rows)
    return np.asarray(discs & (nearer > (below - above) * (1 - INNER_SHARE) / 2))


def read_person(folder: Path, name: str, cords: Path | None = None) -> Person:
    """One person's volume; with ``cords`` a folder of cord masks made by :mod:`models.training.sagittal.cords`."""
    image, affine = load(folder / "spider" / f"{name}_t2.nii.gz")
    mask, _ = load(folder / "spider" / f"{name}_mask.nii.gz")
    spacing = np.sqrt((affine[:3, :3] ** 2).sum(0))
    labels = classes_of_mask(mask.astype(np.uint8), spacing)
    unknown = endplates_not_left_out(labels, spacing)
    if cords is not None and (cords / f"{name}.npz").exists():
        cord = np.load(cords / f"{name}.npz")["cord"]
        labels[cord & (labels == CANAL)] = CORD
    has_spine = (labels > 0).sum((1, 2)) > 400
    high = float(np.percentile(image[image > 0], 99))
    return Person(name, image.astype(np.uint8), labels, unknown, spacing, high, has_spine)


def gather(folder: Path, cords: Path | None) -> list[Person]:
    """All training people."""
    return [read_person(folder, name, cords) for name in spider_split(folder)["training"]]
