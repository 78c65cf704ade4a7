"""Epidural tumour built into the canals of real people for training: what it takes is canal no longer.

The published volumes hold no tumour, and a model that knows healthy canals alone outlines a mass within one as canal.
Another program than the one that tests (:mod:`models.training.sagittal.filled`): masses come from the front, from
behind or from all round, end to either side, and press on the CSF before they press on the cord.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from models.training.sagittal.labels import CANAL, CORD, OTHER, VERTEBRA

# Half the length along the canal and half the width across it, mm.
HALF_LENGTH_MM, HALF_WIDTH_MM = (5.0, 26.0), (7.0, 22.0)
# Share of the canal's depth taken in the middle of a mass.
DEPTH = (0.15, 1.1)
SIDES, SIDE_SHARES = ("front", "behind", "round"), (0.5, 0.25, 0.25)
# Where a person has both, as many masses beside the cord as below it.
BESIDE_CORD = 0.5
# Share of the brightest signal, from muscle to brighter than marrow; some look like the bone they come from.
SIGNAL, LIKE_BONE = (0.1, 0.6), 0.3
TEXTURE = (0.02, 0.1)
# How often the body in front is diseased as well.
BODY_SHARE = 0.5
# How often the cord keeps its depth until all CSF is gone; else cord and CSF give way alike.
CSF_FIRST = 0.7
# A seam between cord and canal is no wall; fewer pixels across are no canal.
SEAM_PX, LEAST_PX = 2, 3
FULL = 1e-6


@dataclass(frozen=True, slots=True)
class Mass:
    """One mass: its middle and half sizes in planes and rows, the share of the depth it takes, from where."""

    plane: float
    row: float
    half_planes: float
    half_rows: float
    depth: float
    side: str
    csf_first: bool
    flat: float

    def share(self, plane: int, rows: np.ndarray) -> np.ndarray:
        """Share of the canal's depth that is taken in each row of a plane, 0 to 1."""
        away = np.abs(rows - self.row) / self.half_rows
        aside = abs(plane - self.plane) / self.half_planes
        along = np.clip(1 - np.clip((away - self.flat) / (1 - self.flat), 0, None) ** 2, 0, 1)
        return np.clip(self.depth * along * max(0.0, 1 - aside**2), 0, 1)


def draw_mass(rng: np.random.Generator, labels: np.ndarray, spacing: np.ndarray) -> Mass:
    """A mass somewhere along the canal of ``labels`` (planes, rows, columns); ``spacing`` in mm."""
    rows = np.flatnonzero(((labels == CANAL) | (labels == CORD)).any((0, 2)))
    cord = np.flatnonzero((labels == CORD).any((0, 2)))
    if len(cord) and rng.random() < BESIDE_CORD:
        rows = cord
    row = float(rng.choice(rows))
    across = np.flatnonzero(((labels == CANAL) | (labels == CORD))[:, int(row)].any(1))
    return Mass(
        plane=float(across.mean() + rng.normal(0, 3.0) / spacing[0]),
        row=row,
        half_planes=rng.uniform(*HALF_WIDTH_MM) / spacing[0],
        half_rows=rng.uniform(*HALF_LENGTH_MM) / spacing[1],
        depth=rng.uniform(*DEPTH),
        side=str(rng.choice(SIDES, p=SIDE_SHARES)),
        csf_first=bool(rng.random() < CSF_FIRST),
        flat=rng.uniform(0.0, 0.65),
    )


def implant(
    rng: np.random.Generator,
    image: np.ndarray,
    labels: np.ndarray,
    planes: np.ndarray,
    mass: Mass,
    high: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Copies of some planes of a volume and their labels with a mass in the canal.

    Parameters
    ----------
    image, labels
        (n, rows, columns): grey values, and classes.
    planes
        (n) their numbers in the volume.
    high
        A bright grey of the volume.
    """
    out, taught = image.astype(np.float32), labels.copy()
    first, last = max(0, int(mass.row - mass.half_rows)), min(labels.shape[1], int(mass.row + mass.half_rows) + 2)
    if rng.random() < LIKE_BONE and (labels == VERTEBRA).any():
        tissue = float(np.median(image[labels == VERTEBRA])) * rng.uniform(0.7, 1.2)
    else:
        tissue = rng.uniform(*SIGNAL) * high
    coarse = rng.uniform(0.8, 3.0)
    grain = ndimage.gaussian_filter(rng.standard_normal((last - first, labels.shape[2])).astype(np.float32), coarse)
    grey = tissue + grain * (rng.uniform(*TEXTURE) * high / (grain.std() + 1e-6))
    diseased = rng.random() < BODY_SHARE
    for place, plane in enumerate(planes):
        if diseased:
            _into_body(out[place], labels[place], grey, mass, first, last)
        for line, share in zip(range(first, last), mass.share(int(plane), np.arange(first, last)), strict=True):
            if share > 0:
                _press(out[place, line], taught[place, line], labels[place, line], grey[line - first], mass, share)
    changed = ndimage.binary_dilation(out != image, np.ones((1, 3, 3)))
    soft = ndimage.gaussian_filter(out, (0, *rng.uniform(0.3, 1.0, 2)))
    return np.where(changed, soft, out), taught


def _press(
    grey: np.ndarray, taught: np.ndarray, labels: np.ndarray, tissue: np.ndarray, mass: Mass, share: float
) -> None:
    """Change one row in place: the mass takes its share of the canal, and what was there is pressed into the rest."""
    inside = np.flatnonzero((labels == CANAL) | (labels == CORD))
    # Specks of a mask away from the canal are no part of it.
    inside = max(np.split(inside, np.flatnonzero(np.diff(inside) > SEAM_PX) + 1), key=len)
    if len(inside) < LEAST_PX:
        return
    front, back = int(inside[0]), int(inside[-1]) + 1
    depth = back - front
    taken = share * depth
    before = {"front": taken, "behind": 0.0, "round": taken / 2}[mass.side]
    left = depth - taken
    cord = (labels[front:back] == CORD).astype(np.float64)
    weight = np.ones(depth)
    if mass.csf_first and cord.any():
        soft = depth - cord.sum()
        weight = np.where(cord > 0, 1.0, max(left - cord.sum(), 0.0) / max(soft, FULL))
    weight *= left / max(weight.sum(), FULL)
    edges = before + np.concatenate([[0.0], np.cumsum(weight)])
    middles = np.arange(depth) + 0.5
    source = np.interp(middles, edges, np.arange(depth + 1))
    kept = np.interp(source - 0.5, np.arange(depth), grey[front:back])
    cover = np.clip(before - np.arange(depth), 0, 1) + np.clip(np.arange(depth) + 1 - (before + left), 0, 1)
    cover = np.clip(cover, 0, 1)
    moved = labels[front:back][np.clip(source.astype(int), 0, depth - 1)]
    grey[front:back] = (1 - cover) * kept + cover * tissue[front:back]
    taught[front:back] = np.where(cover >= 0.5, OTHER, moved)


def _into_body(grey: np.ndarray, labels: np.ndarray, tissue: np.ndarray, mass: Mass, first: int, last: int) -> None:
    """The bone beside the mass has its signal, fading to above and below; a plane changed in place."""
    bone = (labels[first:last] == VERTEBRA).astype(np.float32)
    rows = np.abs(np.arange(first, last) - mass.row) / mass.half_rows
    share = bone * ndimage.gaussian_filter(bone, 1.0) * np.clip(1.4 * (1 - rows), 0, 1)[:, None]
    grey[first:last] = (1 - share) * grey[first:last] + share * tissue
