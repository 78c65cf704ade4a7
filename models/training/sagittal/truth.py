"""Predictions and spines made from the public lumbar masks: what the model should have said, for fitting and testing.

The masks know disc, vertebra and canal. The lowest disc is the lumbosacral one, as the public gradings count. The cord
is not drawn in them: it is taken as the dark body in the bright sac, from the top of the volume down to the conus.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import ndimage

from dashboard.study.levels import LEVELS
from dashboard.study.sagittal import SAGITTAL_CLASSES, SagittalPrediction
from dashboard.study.spine import NamedSegment, Segment, Spine
from models.training.volumes import CANAL_VALUE, DISC_VALUE, VERTEBRA_VALUE, load

PIXEL_MM = 0.8
VERTEBRA, DISC, CANAL, CORD, LUMBOSACRAL = (
    SAGITTAL_CLASSES.index(name) for name in ("vertebra", "disc", "canal", "cord", "lumbosacral_disc")
)
# Smaller ones are specks of the export; the smallest disc of the data is ten times this.
LEAST_DISC_MM3 = 250.0
LEAST_BODY_MM3 = 1500.0
RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


@dataclass(frozen=True)
class TruthCase:
    """One person: the prediction, the spine, and the level of each public label (1 = the lowest disc)."""

    person: str
    prediction: SagittalPrediction
    spine: Spine
    level_of_label: dict[int, str]


def truth_case(folder: Path, person: str) -> TruthCase:
    """Read one person of ``folder/spider`` (the ``--data`` folder)."""
    image, affine = load(folder / "spider" / f"{person}_t2.nii.gz")
    mask, _ = load(folder / "spider" / f"{person}_mask.nii.gz")
    spacing = np.sqrt((affine[:3, :3] ** 2).sum(0))
    zoom = (1.0, spacing[1] / PIXEL_MM, spacing[2] / PIXEL_MM)
    small = _shrunk(image, zoom)
    parts = [_shrunk((mask == value).astype(np.float32), zoom) > 0.5 for value in (VERTEBRA_VALUE, DISC_VALUE)]
    canal = _shrunk((mask == CANAL_VALUE).astype(np.float32), zoom) > 0.5
    discs = _discs(parts[1], float(spacing[0]))
    labels = np.zeros(small.shape, np.uint8)
    labels[parts[0]], labels[canal] = VERTEBRA, CANAL
    for disc in discs:
        labels[disc] = DISC
    labels[discs[-1]] = LUMBOSACRAL
    scaled = _normalised(small)
    cord = cord_of(scaled, canal, spacing[0])
    # Below the middle of L2 hardly anyone has a cord; what is dark there is a clump of roots.
    cord[:, int(np.nonzero(discs[-5])[1].mean() + np.nonzero(discs[-4])[1].mean()) // 2 :] = False
    labels[cord] = CORD
    grid = affine @ np.diag([1.0, 1 / zoom[1], 1 / zoom[2], 1.0])
    grid[:3, 3] += affine[:3, :3] @ np.array([0.0, (1 / zoom[1] - 1) / 2, (1 / zoom[2] - 1) / 2])
    prediction = SagittalPrediction(
        series_instance_uid=f"2.25.{person}",
        volume_index=0,
        affine=RAS_TO_LPS @ grid,
        pixel_mm=PIXEL_MM,
        image=scaled,
        inside=np.ones(small.shape, bool),
        labels=labels,
        certainty=np.full(small.shape, 255, np.uint8),
        native_labels=np.zeros((1, 1, 1), np.uint8),
    )
    spine = spine_of(prediction, discs, _bodies(labels, spacing[0]))
    levels = [one.level for one in spine.named if one.segment.kind == "disc"]
    return TruthCase(person, prediction, spine, dict(enumerate(reversed(levels), start=1)))


def cord_of(image: np.ndarray, canal: np.ndarray, plane_mm: float) -> np.ndarray:
    """Dark body in the sac from the top of the field down to where it ends; roots below are thinner and scatter."""
    rows = np.flatnonzero(canal.any(axis=(0, 2)))
    level = np.zeros(canal.shape[1], np.float32)
    for row in rows:
        near = canal[:, max(0, row - 12) : row + 13]
        level[row] = np.percentile(image[:, max(0, row - 12) : row + 13][near], 92)
    smooth = ndimage.gaussian_filter(image, (0.7 / plane_mm, 0.9, 0.9))
    core = ndimage.binary_erosion(np.pad(canal, ((0, 0), (1, 1), (0, 0)), mode="edge"), np.ones((1, 3, 3)))[:, 1:-1]
    dark = core & (smooth < 0.62 * level[None, :, None])
    # A body 4 mm thick in every direction: roots below the conus are thinner, or lie apart.
    reach = [max(0, round(2.4 / side)) for side in (plane_mm, PIXEL_MM, PIXEL_MM)]
    grids = np.ogrid[_spans(reach)]
    ball = np.sqrt(sum((np.abs(g) / max(r, 1)) ** 2 for g, r in zip(grids, reach, strict=True))) <= 1.1
    around = [(r, r) for r in reach[:2]] + [(0, 0)]
    dark = ndimage.binary_opening(np.pad(dark, around, mode="edge"), ball)
    dark = dark[reach[0] : dark.shape[0] - reach[0], reach[1] : dark.shape[1] - reach[1]]
    parts, count = ndimage.label(dark)
    if not count:
        return dark
    cord = parts == 1 + int(np.argmax(np.bincount(parts[:, : rows[0] + 60].ravel(), minlength=count + 1)[1:]))
    return ndimage.binary_dilation(cord, np.ones((1, 3, 3))) & core


def _spans(reach: list[int]) -> tuple[slice, ...]:
    return tuple(slice(-r, r + 1) for r in reach)


def spine_of(prediction: SagittalPrediction, discs: list[np.ndarray], bodies: list[np.ndarray]) -> Spine:
    """Name discs (head to foot, the last is L5/S1) and the bodies between them."""
    middles = [float(np.nonzero(disc)[1].mean()) for disc in discs]
    named = [
        (middle, NamedSegment(_segment(prediction, "disc", disc), LEVELS[LEVELS.index("L5/S1") - 2 * above], 1.0))
        for above, (disc, middle) in enumerate(zip(reversed(discs), reversed(middles), strict=True))
    ]
    for body in bodies:
        middle = float(np.nonzero(body)[1].mean())
        below = sum(middle < other for other in middles)
        if below and LEVELS.index("L5") - 2 * (below - 1) >= 0:
            level = LEVELS[LEVELS.index("L5") - 2 * (below - 1)]
            named.append((middle, NamedSegment(_segment(prediction, "vertebra", body), level, 1.0)))
    ordered = tuple(one for _, one in sorted(named, key=lambda pair: pair[0]))
    return Spine(prediction.series_instance_uid, prediction.volume_index, ordered, "sacrum", True)


def _segment(prediction: SagittalPrediction, kind: str, mask: np.ndarray) -> Segment:
    places = np.argwhere(mask)
    centre = (prediction.affine @ np.append(places.mean(axis=0), 1.0))[:3]
    rows = places[:, 1]
    complete = rows.min() > 1 and rows.max() < mask.shape[1] - 2
    plane = round(float(places[:, 0].mean()))
    return Segment(kind, centre, np.full((4, 3), np.nan), plane, mask, bool(complete), 0.0)


def _discs(mask: np.ndarray, plane_mm: float) -> list[np.ndarray]:
    """Discs head to foot."""
    parts, count = ndimage.label(mask)
    sizes = np.bincount(parts.ravel(), minlength=count + 1) * plane_mm * PIXEL_MM**2
    kept = [parts == k for k in range(1, count + 1) if sizes[k] >= LEAST_DISC_MM3]
    return sorted(kept, key=lambda part: float(np.nonzero(part)[1].mean()))


def _bodies(labels: np.ndarray, plane_mm: float) -> list[np.ndarray]:
    """Bodies head to foot: what of the vertebrae lies before the canal's front, parted by the discs."""
    canal = (labels == CANAL) | (labels == CORD)
    vertebra = labels == VERTEBRA
    columns = np.arange(labels.shape[2])
    front = np.where(canal.any(axis=2), canal.argmax(axis=2).astype(float), np.nan)
    known = np.flatnonzero(np.isfinite(front).any(axis=0))
    row_front = np.interp(np.arange(front.shape[1]), known, np.nanmedian(front[:, known], axis=0))
    front = np.where(np.isfinite(front), np.minimum(front, row_front + 6), row_front + 1)
    mask = vertebra & (columns[None, None, :] < front[:, :, None])
    seeds, count = ndimage.label(ndimage.binary_erosion(mask, np.ones((1, 5, 5))))
    sizes = np.bincount(seeds.ravel(), minlength=count + 1) * plane_mm * PIXEL_MM**2
    keep = np.where(sizes >= LEAST_BODY_MM3, np.arange(count + 1), 0)
    keep[0] = 0
    seeds = keep[seeds]
    nearest = ndimage.distance_transform_edt(seeds == 0, (plane_mm, PIXEL_MM, PIXEL_MM), return_indices=True)
    near = seeds[tuple(nearest[1])] * (mask & (nearest[0] < 6))
    return [near == k for k in np.unique(near) if k]


def _shrunk(array: np.ndarray, zoom: tuple[float, float, float]) -> np.ndarray:
    """Averaged over about one new pixel, then sampled on the coarser grid."""
    blurred = ndimage.gaussian_filter(array, (0, 0.35 / zoom[1], 0.35 / zoom[2]))
    return ndimage.zoom(blurred, zoom, order=1, grid_mode=True, mode="nearest")


def _normalised(image: np.ndarray) -> np.ndarray:
    low, high = np.percentile(image[image > 0], (1, 99))
    return np.clip((image - low) / max(high - low, 1e-6), 0, 1.5).astype(np.float32)
