"""The implanter that trains: parabolic and wedge-shaped fronts that grow out of bone into the canal.

The implanter that tests (``implanter.py``) is other code with another shape family. Both are graded by ``measure``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from models.training.labels import COMPRESSION_PIXEL_MM, GRADES
from models.training.measure import Measures, SliceMasks, grade_of, measure
from models.training.shapes import grid, shift_mask, wobble

_TRIES = 6
# A cord of its own shape with next to no CSF about it lies between 1c and 3: not taught.
_LEAST_CSF_1C = 0.15
# Half of the compressions are slight: they are the ones a wrapped cord is mistaken for.
_SLIGHT_MM = (0.6, 2.0)
# Share of the fronts that are bent into lobes, and of those that end in a narrow tip.
_LOBED = 0.4
_NARROW = 0.25


@dataclass(frozen=True, slots=True)
class Implant:
    """Masks after the deed, how the cord moved (rows, columns in pixels) and what was measured."""

    masks: SliceMasks
    bone_part: np.ndarray
    cord_shift_px: tuple[float, float]
    grade: str
    measures: Measures


@dataclass(frozen=True, slots=True)
class _Front:
    """Signed height of the front over each pixel: the tumour is where ``height < level``."""

    height: np.ndarray
    inward: tuple[float, float]


def implant(
    rng: np.random.Generator, sac: np.ndarray, cord: np.ndarray, canal: np.ndarray, bone: np.ndarray, grade: str
) -> Implant | None:
    """Grow a tumour of the wished grade into a healthy slice.

    Returns None where no try gave an unambiguous picture of that grade (a canal too narrow for 1b, for instance).
    """
    before = SliceMasks(sac, cord, np.zeros_like(sac))
    if not cord.any() or not (sac & ~cord).any():
        return None
    for _ in range(_TRIES):
        after, shift = _grow(rng, before, canal, grade)
        if not after.cord.any():
            continue
        measures = measure(before, after, COMPRESSION_PIXEL_MM)
        if grade_of(measures) == grade and not (grade == "1c" and measures.csf_fraction < _LEAST_CSF_1C):
            part = bone_part(rng, after.tumour, canal, bone) if rng.random() < 0.85 else np.zeros_like(sac)
            return Implant(after, part, shift, grade, measures)
    return None


def _front(rng: np.random.Generator, sac: np.ndarray) -> _Front:
    """A parabola about the sac's centre, mostly from the vertebral body."""
    x, y = grid(sac.shape[0], COMPRESSION_PIXEL_MM)
    row, column = ndimage.center_of_mass(sac)
    middle = (sac.shape[0] - 1) / 2
    x, y = (
        x - np.float32((column - middle) * COMPRESSION_PIXEL_MM),
        y - np.float32((row - middle) * COMPRESSION_PIXEL_MM),
    )
    if rng.random() < _LOBED:
        x, y = wobble(rng, x, y, rng.uniform(0.3, 1.4), (7, 25))
    kind = rng.random()
    # Inward direction as (x, y): an anterior tumour grows backwards, +y.
    angle = {True: np.pi / 2 + rng.normal(0, 0.6), False: rng.uniform(0, 2 * np.pi)}[kind < 0.5]
    nx, ny = np.cos(angle), np.sin(angle)
    u, v = np.float32(nx) * x + np.float32(ny) * y, np.float32(nx) * y - np.float32(ny) * x
    v = v - np.float32(rng.normal(0, 2.0))
    kind = rng.random()
    if kind < _NARROW:
        # A wedge with a blunt tip: it dents the cord along a few millimetres and leaves CSF on both sides.
        steep, blunt = rng.uniform(0.5, 2.2), rng.uniform(0.2, 1.2)
        return _Front(u + np.float32(steep) * (np.sqrt(v * v + np.float32(blunt**2)) - np.float32(blunt)), (nx, ny))
    curvature = float(np.exp(rng.uniform(np.log(0.004), np.log(0.6))))
    if kind > 0.75:
        curvature = -rng.uniform(0.0, 0.05)
    return _Front(u + np.float32(curvature) * v * v, (nx, ny))


def _grow(
    rng: np.random.Generator, before: SliceMasks, canal: np.ndarray, grade: str
) -> tuple[SliceMasks, tuple[float, float]]:
    fronts = [_front(rng, before.sac) for _ in range(int(rng.choice([1, 2, 3], p=[0.62, 0.28, 0.1])))]
    rank = GRADES.index(grade)
    if rank <= 3:
        return _grow_low(rng, before, canal, fronts, rank), (0.0, 0.0)
    return _grow_high(rng, before, canal, fronts, collapse=rank == 5)


def _grow_low(
    rng: np.random.Generator, before: SliceMasks, canal: np.ndarray, fronts: list[_Front], rank: int
) -> SliceMasks:
    """Grades 1a to 1c: the cord stays."""
    mass = np.zeros_like(before.sac)
    wrapped = rank == 3 and rng.random() < 0.5
    for order, front in enumerate(fronts):
        touch_sac = float(front.height[before.sac].min())
        touch_cord = float(front.height[before.cord].min())
        first = order == 0
        if rank == 1:
            level = touch_sac + rng.uniform(-1.5, 2.5)
        elif rank == 2:
            top = touch_cord - 1.1
            if first:
                level = touch_sac + rng.uniform(0.7, max(0.8, top - touch_sac))
            else:
                # In a tight canal the highest allowed front may lie above the usual range.
                level = rng.uniform(min(touch_sac - 1, top), top)
        elif wrapped:
            # Tumour that flows round a cord without denting it touches it along a wide arc, as a compression does.
            level = touch_cord + rng.uniform(0.35, 5.0 if first else 2.0)
        else:
            level = touch_cord + rng.uniform(-0.35, 0.35) if first else rng.uniform(touch_sac - 1, touch_cord)
        mass |= front.height < level
    mass &= canal
    if rank == 1:
        mass &= ~before.sac
    mass &= ~before.cord
    return SliceMasks(before.sac & ~mass, before.cord, mass)


def _grow_high(
    rng: np.random.Generator, before: SliceMasks, canal: np.ndarray, fronts: list[_Front], *, collapse: bool
) -> tuple[SliceMasks, tuple[float, float]]:
    """Grades 2 and 3: the cord shifts away and is cut to the front's shape; at 3 the CSF is gone."""
    main = fronts[0]
    room = float((main.height[before.sac]).max() - (main.height[before.cord]).max())
    push = max(0.0, room) * rng.uniform(0.0, 0.9)
    shift = (push * main.inward[1] / COMPRESSION_PIXEL_MM, push * main.inward[0] / COMPRESSION_PIXEL_MM)
    cord = shift_mask(before.cord, *shift)
    if rng.random() < 0.6:
        cord = _flatten(cord, main.inward, rng.uniform(0.55, 0.95), rng.uniform(0.3, 0.9))
    cord &= before.sac
    if not cord.any():
        return SliceMasks(before.sac, cord, np.zeros_like(cord)), shift
    span = float(main.height[cord].max() - main.height[cord].min())
    deepest = 0.62 if collapse else 0.5
    depth = rng.uniform(*_SLIGHT_MM) if rng.random() < 0.5 else rng.uniform(0.1, deepest) * span
    level = float(main.height[cord].min()) + depth
    mass = main.height < level
    for front in fronts[1:]:
        side = float(front.height[cord].min())
        mass |= front.height < side + rng.uniform(-3.0, 0.25) * 4
    mass &= canal
    cord = _largest(cord & ~mass)
    free = before.sac & ~mass & ~cord
    if collapse:
        # Two ways to lose the CSF: tumour takes its place, or the sac falls in on the cord.
        mass |= free & (canal if rng.random() < 0.6 else main.height < level + rng.uniform(0, 6))
        sac = cord.copy()
    else:
        sac = before.sac & ~mass
    mass &= ~cord
    return SliceMasks(sac, cord, mass), shift


def _flatten(cord: np.ndarray, inward: tuple[float, float], factor: float, widen: float) -> np.ndarray:
    """Squeeze the cord along the push and widen it across; ``widen`` 1 would keep its area."""
    if not cord.any():
        return cord
    n = np.array([inward[1], inward[0]])
    along = np.outer(n, n)
    back = along / factor + (np.eye(2) - along) * factor**widen
    centre = np.asarray(ndimage.center_of_mass(cord))
    offset = centre - back @ centre
    return ndimage.affine_transform(cord.astype(np.float32), back, offset, order=1, prefilter=False) > 0.5


def _largest(mask: np.ndarray) -> np.ndarray:
    parts, count = ndimage.label(mask)
    if count <= 1:
        return mask
    sizes = np.bincount(parts.ravel())[1:]
    return parts == 1 + int(np.argmax(sizes))


def bone_part(rng: np.random.Generator, tumour: np.ndarray, canal: np.ndarray, bone: np.ndarray) -> np.ndarray:
    """The part outside the canal: lobes about the place where the tumour came in, kept mostly to bone."""
    x, y = grid(canal.shape[0], COMPRESSION_PIXEL_MM)
    rim = (tumour if tumour.any() else canal) & ~ndimage.binary_erosion(canal, iterations=2)
    if not rim.any():
        rim = canal
    places = np.argwhere(rim)
    middle = (canal.shape[0] - 1) / 2
    centre = np.asarray(ndimage.center_of_mass(canal))
    part = np.zeros_like(canal)
    for _ in range(int(rng.integers(1, 4))):
        place = places[rng.integers(len(places))]
        radius = rng.uniform(2, 12)
        out = place - centre
        out = out / (np.hypot(*out) + 1e-6) * radius * rng.uniform(0.3, 1.0) / COMPRESSION_PIXEL_MM
        cy, cx = (place + out - middle) * COMPRESSION_PIXEL_MM
        part |= np.hypot((x - np.float32(cx)), (y - np.float32(cy)) * np.float32(rng.uniform(0.7, 1.4))) < radius
    if rng.random() < 0.6:
        part &= bone
    return part & ~canal
