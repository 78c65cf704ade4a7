"""Known narrowings put into the masks of real people: nobody's real compression, but a known amount of one.

A body grows into the canal from the front, the back or both: it takes the canal first, then pushes the cord aside as
far as CSF leaves room, and only then flattens it. Masks are made a pixel uncertain, as those of a model are.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy import ndimage

from dashboard.study.sagittal import SagittalPrediction
from models.training.sagittal.truth import CANAL, CORD, PIXEL_MM
from models.training.volumes import load

OTHER = 0
# Of a mask blurred over 1.5 pixels, what is left about three pixels outside it.
EDGE_SOFT = 0.02


@dataclass(frozen=True)
class Pinch:
    """What was done: where (row), and what was left there in the middle plane, as shares of what was there."""

    row: int
    canal_left: float
    cord_left: float | None
    csf_left: float | None

    @property
    def rank(self) -> int | None:
        """1 a compression, 0 none, None in between: touched or narrowed, which nobody could call either way.

        Of the cord: a fifth of its depth lost, or no CSF left before and behind it. Below it: half of the canal lost.
        These limits are the project's own.
        """
        if self.cord_left is not None and self.csf_left is not None:
            if self.cord_left <= 0.8 or self.csf_left <= 0.05:
                return 1
            return 0 if self.cord_left >= 0.97 and self.csf_left >= 0.5 else None
        if self.canal_left <= 0.5:
            return 1
        return 0 if self.canal_left >= 0.8 else None


def pinched(
    prediction: SagittalPrediction, row: int, middle: int, depth_mm: float, length_mm: float, side: str
) -> tuple[SagittalPrediction, Pinch]:
    """Push `depth_mm` into the canal at `row`, over about `length_mm` of it, strongest in plane `middle`."""
    labels = prediction.labels.copy()
    planes, rows = labels.shape[:2]
    off = (np.arange(planes) - middle) * prediction.plane_spacing_mm
    across = np.exp(-0.5 * (off / 9.0) ** 2)
    along = np.exp(-0.5 * ((np.arange(rows) - row) * PIXEL_MM / (length_mm / 2.355)) ** 2)
    push = depth_mm / PIXEL_MM * across[:, None] * along[None, :]
    for plane, line in zip(*np.nonzero(push > 0.3), strict=True):
        labels[plane, line] = _pushed(labels[plane, line], push[plane, line], side)
    before, after = _depths(prediction.labels[middle, row]), _depths(labels[middle, row])
    left = None if not before[1] else after[1] / before[1]
    csf = None if not before[1] else (after[0] - after[1]) / max(1, before[0] - before[1])
    return replace(prediction, labels=labels), Pinch(row, after[0] / max(1, before[0]), left, csf)


def frayed(prediction: SagittalPrediction, rng: np.random.Generator, pixels: float = 0.8) -> SagittalPrediction:
    """The same labels with edges that wander by about `pixels`, alike over a few mm, as a model's do."""
    labels = prediction.labels
    sac, cord = (labels == CANAL) | (labels == CORD), labels == CORD
    out = np.where(sac, OTHER, labels)
    new_sac, new_cord = (_wandered(mask, rng, pixels) for mask in (sac, cord))
    out[new_sac] = CANAL
    out[new_sac & new_cord] = CORD
    return replace(prediction, labels=out.astype(np.uint8))


def cervical(folder: Path, subject: str, plane_mm: float = 3.0) -> SagittalPrediction:
    """Sagittal labels of a healthy neck from the public axial cord and CSF masks; the picture itself is not public."""
    cord, affine = load(folder / "canal_labels" / f"{subject}_cord.nii.gz")
    csf, _ = load(folder / "canal_labels" / f"{subject}_csf.nii.gz")
    spacing = np.sqrt((affine[:3, :3] ** 2).sum(0))
    places = np.argwhere(cord + csf > 0)
    low, high = places.min(axis=0) - 20, places.max(axis=0) + 21
    across = [slice(max(0, int(a)), int(b)) for a, b in zip(low[:2], high[:2], strict=True)]
    box = (*across, slice(int(places[:, 2].min()), int(places[:, 2].max()) + 1))
    zoom = (spacing[0] / plane_mm, spacing[1] / PIXEL_MM, spacing[2] / PIXEL_MM)

    def planes(mask: np.ndarray) -> np.ndarray:
        # Right to left, head to foot, front to back out of right, front, head.
        grown = ndimage.zoom(mask[box].astype(np.float32), zoom, order=1) > 0.5
        return grown.transpose(0, 2, 1)[:, ::-1, ::-1]

    labels = np.zeros(planes(cord).shape, np.uint8)
    # The two masks leave a seam between them: the sac is closed across it.
    both = ndimage.binary_closing((cord + csf > 0), np.ones((7, 7, 1)))
    labels[planes(both.astype(np.float32))] = CANAL
    labels[planes((cord > 0).astype(np.float32))] = CORD
    grid = np.diag([plane_mm, PIXEL_MM, PIXEL_MM, 1.0])[[0, 2, 1, 3]]
    grid[2] *= -1
    image = np.where(labels == CANAL, 1.0, 0.4).astype(np.float32)
    blank = np.zeros(labels.shape, np.uint8)
    return SagittalPrediction(f"2.25.{subject}", 0, grid, PIXEL_MM, image, blank == 0, labels, blank + 255, blank)


def cervical_subjects(folder: Path) -> list[str]:
    """Names of the public necks."""
    return sorted(p.name.removesuffix("_cord.nii.gz") for p in (folder / "canal_labels").glob("*_cord.nii.gz"))


def _pushed(line: np.ndarray, push: float, side: str) -> np.ndarray:
    """One row of one plane, with the wall moved in by `push` pixels."""
    sac = np.flatnonzero((line == CANAL) | (line == CORD))
    if not len(sac):
        return line
    front, back = float(sac[0]), float(sac[-1] + 1)
    cord = np.flatnonzero(line == CORD)
    share = {"front": (1.0, 0.0), "back": (0.0, 1.0), "both": (0.5, 0.5)}[side]
    new_front, new_back = front + push * share[0], back - push * share[1]
    out = line.copy()
    out[sac[0] : sac[-1] + 1] = OTHER
    columns = np.arange(len(line)) + 0.5
    out[(columns >= new_front) & (columns < new_back)] = CANAL
    if len(cord):
        start, stop = float(cord[0]), float(cord[-1] + 1)
        shift = min(max(0.0, new_front - start), back - stop) - min(max(0.0, stop - new_back), start - front)
        start, stop = max(start + shift, new_front), min(stop + shift, new_back)
        out[(columns >= start) & (columns < stop)] = CORD
    return out


def _depths(line: np.ndarray) -> tuple[int, int]:
    return int(((line == CANAL) | (line == CORD)).sum()), int((line == CORD).sum())


def _wandered(mask: np.ndarray, rng: np.random.Generator, pixels: float) -> np.ndarray:
    places = np.argwhere(mask)
    if not len(places):
        return mask
    low, high = np.maximum(places.min(axis=0) - 4, 0), places.max(axis=0) + 5
    box = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    near = mask[box].astype(np.float32)
    noise = ndimage.gaussian_filter(rng.normal(size=near.shape).astype(np.float32), (0.6, 3, 3))
    # A mask blurred over 1.5 pixels falls by about 0.27 a pixel at its edge.
    soft = ndimage.gaussian_filter(near, (0, 1.5, 1.5), mode="nearest")
    out = np.zeros_like(mask)
    # Edges wander; far from them there is nothing to make a speck of.
    out[box] = (soft + 0.27 * pixels * noise / noise.std() > 0.5) & (soft > EDGE_SOFT)
    return out
