"""Sagittal predictions made of label volumes: what a model without fault would see."""

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from scipy import ndimage

from dashboard.study.sagittal import SAGITTAL_CLASSES, SagittalPrediction
from tests.spines import sagittal_grid

OTHER, VERTEBRA, DISC, CANAL, CORD, LUMBOSACRAL, C2 = range(len(SAGITTAL_CLASSES))
PIXEL_MM = 0.8
# Model people are kept apart by patient; these may be looked at (models/training/volumes.py).
KEPT_OUT = frozenset({"5", "11", "34", "50", "65", "81", "110", "142", "177", "239", "129"})


def prediction_of(labels, affine, image=None, inside=None, uid="1.2.3", certainty=230) -> SagittalPrediction:
    """A prediction of `labels` (planes, rows, columns) on the model's grid."""
    inside = np.ones(labels.shape, bool) if inside is None else inside
    return SagittalPrediction(
        series_instance_uid=uid,
        volume_index=0,
        affine=np.asarray(affine, float),
        pixel_mm=float(np.linalg.norm(affine[:3, 1])),
        image=np.zeros(labels.shape, np.float32) if image is None else image,
        inside=inside,
        labels=(labels * inside).astype(np.uint8),
        certainty=np.full(labels.shape, certainty, np.uint8),
        native_labels=labels.astype(np.uint8),
    )


def spider_people(folder: Path) -> list[str]:
    names = [path.name.removesuffix("_mask.nii.gz") for path in (folder / "spider").glob("*_mask.nii.gz")]
    return sorted(set(names) - KEPT_OUT, key=int)


def spider_prediction(folder: Path, person: str) -> SagittalPrediction:
    """A lumbar person of SPIDER: its masks on the model's grid, the lowest disc as the lumbosacral one."""
    import nibabel

    file = nibabel.load(folder / "spider" / f"{person}_mask.nii.gz")
    mask = np.asarray(file.dataobj)
    step, down, along = (float(v) for v in file.header.get_zooms()[:3])
    labels = np.select([mask == 1, mask == 2, mask == 3], [DISC, VERTEBRA, CANAL], OTHER).astype(np.uint8)
    parts, count = ndimage.label(labels == DISC)
    sizes = np.bincount(parts.ravel())
    heights = ndimage.center_of_mass(labels == DISC, parts, range(1, count + 1))
    large = [k for k in range(1, count + 1) if sizes[k] >= 0.15 * np.median(np.sort(sizes[1:])[-5:])]
    lowest = max(large, key=lambda k: heights[k - 1][1])
    labels[parts == lowest] = LUMBOSACRAL
    shape = [int(n * s / PIXEL_MM) for n, s in zip(mask.shape[1:], (down, along), strict=True)]
    rows, columns = (
        np.minimum((np.arange(n) + 0.5) * PIXEL_MM / side, most - 1).astype(int)
        for n, side, most in zip(shape, (down, along), mask.shape[1:], strict=True)
    )
    labels = labels[:, rows[:, None], columns[None, :]]
    affine = np.eye(4)
    affine[:3, :3] = np.array([[step, 0, 0], [0, 0, PIXEL_MM], [0, -PIXEL_MM, 0]])
    return prediction_of(labels, affine)


@lru_cache(maxsize=16)
def drawn(whole, planes=9, step_mm=4.0, **grid) -> SagittalPrediction:
    """What a model without fault sees of a drawn spine."""
    affine, shape = sagittal_grid(planes=planes, step_mm=step_mm, **grid)
    _, labels = whole.sample(affine, shape)
    return prediction_of(labels, affine)


def rows_of(prediction, first, last, uid=None) -> SagittalPrediction:
    """The same planes with a field from one row to another."""
    affine = prediction.affine.copy()
    affine[:3, 3] += affine[:3, 1] * first
    cut = {name: getattr(prediction, name)[:, first:last] for name in ("image", "inside", "labels", "certainty")}
    return replace(prediction, affine=affine, series_instance_uid=uid or prediction.series_instance_uid, **cut)


def row_at(prediction, point_mm) -> int:
    """Row of a point in LPS mm."""
    return round(float((np.linalg.inv(prediction.affine) @ np.array([*point_mm, 1.0]))[1]))
