"""The planes of the discs: found in the curved picture along the canal, tilted as their voxels lie."""

import numpy as np
from scipy import ndimage

from dashboard.grading.spine.field import Cut, Field, Index
from dashboard.grading.spine.midline import DISC, LUMBOSACRAL, Mask
from dashboard.study.geometry import Array

# Engineering constants, settled on the training people of SPIDER and on drawn spines; none is a clinical number.
# The smallest disc in a middle picture: a cervical one is about 15 by 4 mm.
LEAST_DISC_MM2 = 18.0
# Parts of one disc lie no farther apart along the canal than this; two discs never lie so near.
SAME_PLACE_MM = 6.0
# A disc shows which way it lies when it is this much longer than high; it may lean this far off the canal's normal.
LONG_ENOUGH, MOST_LEAN_DEG = 1.7, 40.0
# Voxels about the canal's middle that tell how a disc lies from side to side, and how many it takes.
PLANE_FIT_MM, LEAST_VOXELS = 12.0, 20


def disc_cuts(field: Field) -> list[Cut]:
    """A plane for each disc, head to foot."""
    flat = np.isin(field.picture.labels, (DISC, LUMBOSACRAL)) & field.ahead
    parts, count = ndimage.label(flat, np.ones((3, 3)))
    sizes = np.bincount(parts.ravel(), minlength=count + 1) * field.scale[1] * field.scale[2]
    found = [number for number in range(1, count + 1) if sizes[number] >= LEAST_DISC_MM2 / 3]
    groups = _same_discs(field, parts, found)
    chosen = [group for group in groups if sizes[group].sum() >= LEAST_DISC_MM2]
    cuts = [_cut_of(field, np.isin(parts, group)) for group in chosen]
    return sorted(cuts, key=lambda cut: field.height_of(cut.point))


def _same_discs(field: Field, parts: Index, found: list[int]) -> list[list[int]]:
    """Numbers of parts gathered by disc, head to foot: a torn disc is one."""
    heights = {number: field.height_of(field.flat_points(parts == number).mean(axis=0)) for number in found}
    groups: list[list[int]] = []
    for number in sorted(found, key=lambda one: heights[one]):
        if groups and heights[number] - heights[groups[-1][0]] < SAME_PLACE_MM:
            groups[-1].append(number)
        else:
            groups.append([number])
    return groups


def _cut_of(field: Field, flat: Mask) -> Cut:
    """A disc's plane: from front to back as it shows in the curved picture, sideways as its voxels lie."""
    points = field.flat_points(flat)
    point = points.mean(axis=0)
    along = field.along(point)
    normal = along
    offsets = (points - point)[:, 1:]
    values, vectors = np.linalg.eigh(offsets.T @ offsets)
    if values[1] > LONG_ENOUGH**2 * max(float(values[0]), 1e-9):
        own = np.array([0.0, *vectors[:, 0]])
        own = own if own @ along >= 0 else -own
        if own @ along >= np.cos(np.radians(MOST_LEAN_DEG)) * np.linalg.norm(along[1:]):
            normal = own
    return Cut(point, _leaning_sideways(field, point, normal))


def _leaning_sideways(field: Field, point: Array, normal: Array) -> Array:
    """The normal, turned about the front-back axis as the disc's voxels beside the middle ask for."""
    unit = normal / np.linalg.norm(normal)
    away = field.disc - point
    height = away @ unit
    near = (np.abs(away[:, [0, 2]]) <= PLANE_FIT_MM).all(axis=1) & (np.abs(height) <= SAME_PLACE_MM)
    beside, height = away[near, 0], height[near]
    if near.sum() < LEAST_VOXELS or np.ptp(beside) < PLANE_FIT_MM / 2:
        return np.asarray(unit)
    # Least squares through the middle.
    tilted = unit - np.array([float((beside * height).sum() / (beside**2).sum()), 0.0, 0.0])
    return np.asarray(tilted / np.linalg.norm(tilted))
