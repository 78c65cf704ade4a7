"""The implanter that tests: sums of Gaussian bumps along the dura, painted by warping.

Apart from training in every way that could flatter the model: other shapes, other painting, other texture. The grade is
measured from the masks after the deed (``measure``), never the one wished for; ambiguous pictures are dropped.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from models.training.measure import SliceMasks, grade_of, measure

_ANGLES = 360
# Disease in bone only stays this far from the sac: the vertebra's posterior wall and the ligament lie between.
_BONE_MM = 2.5


@dataclass(frozen=True, slots=True)
class TestSlice:
    """A real slice at 0.5 mm with its masks: ``image`` raw, ``inside`` the field, ``sac`` includes the cord."""

    image: np.ndarray
    inside: np.ndarray
    sac: np.ndarray
    cord: np.ndarray


@dataclass(frozen=True, slots=True)
class Painted:
    """The repainted slice, its masks and its measured grade ("bone" for disease that stays in bone)."""

    image: np.ndarray
    masks: SliceMasks
    grade: str
    bone_only: bool


@dataclass(frozen=True, slots=True)
class _Polar:
    radius: np.ndarray
    angle: np.ndarray
    dura: np.ndarray

    def along(self, profile: np.ndarray) -> np.ndarray:
        """Value of a profile over angle at each pixel."""
        return np.interp(self.angle, np.arange(_ANGLES + 1) * 2 * np.pi / _ANGLES, np.append(profile, profile[0]))


def paint_test_case(
    rng: np.random.Generator, case: TestSlice, wish: str, pixel_mm: float = 0.5, tries: int = 8
) -> Painted | None:
    """Implant a tumour; ``wish`` steers the size only. None where every try was ambiguous."""
    before = SliceMasks(case.sac, case.cord, np.zeros_like(case.sac))
    polar = _polar(case.sac, pixel_mm)
    if wish == "bone":
        part = _bone_blob(rng, polar) & (ndimage.distance_transform_edt(~case.sac) * pixel_mm > _BONE_MM) & case.inside
        return Painted(_paint(rng, case, before, part, np.zeros(2)), before, "0", True)
    for _ in range(tries):
        after, outer, shift = _deform(rng, case, polar, wish, pixel_mm)
        if after is None or not after.cord.any():
            continue
        grade = grade_of(measure(before, after, pixel_mm))
        if grade == wish:
            return Painted(_paint(rng, case, after, outer & case.inside, shift), after, grade, False)
    return None


def _polar(sac: np.ndarray, pixel_mm: float) -> _Polar:
    centre = ndimage.center_of_mass(sac)
    rows, columns = np.indices(sac.shape)
    dy, dx = (rows - centre[0]) * pixel_mm, (columns - centre[1]) * pixel_mm
    radius, angle = np.hypot(dx, dy), np.mod(np.arctan2(dy, dx), 2 * np.pi)
    steps = np.arange(0, 26, 0.25)
    phi = np.arange(_ANGLES) * 2 * np.pi / _ANGLES
    r = centre[0] + np.outer(np.sin(phi), steps) / pixel_mm
    c = centre[1] + np.outer(np.cos(phi), steps) / pixel_mm
    ray = ndimage.map_coordinates(sac.astype(np.float32), [r, c], order=1) > 0.5
    dura = np.array([steps[np.flatnonzero(line)[-1]] if line.any() else 0.0 for line in ray])
    return _Polar(radius, angle, ndimage.gaussian_filter1d(dura, 4, mode="wrap"))


def _bumps(rng: np.random.Generator, centres: list[float], height: float) -> np.ndarray:
    """Sum of Gaussians over angle, the tallest of the given height."""
    phi = np.arange(_ANGLES) * 2 * np.pi / _ANGLES
    profile = np.zeros(_ANGLES)
    for order, centre in enumerate(centres):
        gap = np.abs(np.mod(phi - centre + np.pi, 2 * np.pi) - np.pi)
        tall = height if order == 0 else height * rng.uniform(0.2, 0.9)
        profile += tall * np.exp(-(gap**2) / (2 * rng.uniform(0.3, 0.9) ** 2))
    return profile


def _directions(rng: np.random.Generator) -> list[float]:
    """One to three bumps, the main one most often in front (rows grow backwards, so front is 3/2 pi)."""
    main = 1.5 * np.pi + rng.normal(0, 0.8) if rng.random() < 0.65 else rng.uniform(0, 2 * np.pi)
    return [main] + [main + rng.normal(0, 0.9) for _ in range(int(rng.integers(0, 3)))]


def _deform(
    rng: np.random.Generator, case: TestSlice, polar: _Polar, wish: str, pixel_mm: float
) -> tuple[SliceMasks | None, np.ndarray, np.ndarray]:
    """New masks, the tumour with its part outside the canal, and the cord's shift (rows, columns) in pixels."""
    centres = _directions(rng)
    epidural = np.maximum(_bumps(rng, centres, rng.uniform(0.8, 3.2)), 0)
    wall = polar.along(polar.dura)
    cord_edge = float(np.max(np.where(case.cord, polar.radius, 0)))
    csf_gap = (
        float(ndimage.distance_transform_edt(~case.cord)[case.sac & ~ndimage.binary_erosion(case.sac)].min()) * pixel_mm
    )
    heights = {
        "1a": 0.0,
        "1b": rng.uniform(0.8, 4.0),
        "1c": rng.uniform(0.8, 7.0),
        "2": rng.uniform(2.0, 10.0),
        "3": rng.uniform(2.0, 12.0),
    }
    height = min(heights[wish], 2 * cord_edge + csf_gap)
    dent = polar.along(_bumps(rng, centres, height)) if height else np.zeros_like(wall)
    outside = polar.along(epidural + _bumps(rng, [centres[0] + rng.normal(0, 0.5)], rng.uniform(0, 14)))
    near = polar.along(epidural)
    floor = wall - dent
    zone = (near > 0.35) | (dent > 0.3)
    tumour = zone & (polar.radius >= floor) & (polar.radius <= wall + near) & ~case.cord
    outer = zone & (polar.radius >= floor) & (polar.radius <= wall + outside)
    shift = np.zeros(2)
    cord = case.cord
    if wish == "1a":
        tumour &= ~case.sac
    if wish in ("2", "3"):
        push = rng.uniform(0, 0.6) * height
        away = np.array([-np.sin(centres[0]), -np.cos(centres[0])]) * push / pixel_mm
        cord, shift = _push(case.cord, case.sac, away)
        cord = cord & (polar.radius < floor - rng.uniform(0, 0.5)) & case.sac
        parts, count = ndimage.label(cord)
        if count > 1:
            cord = parts == 1 + int(np.argmax(np.bincount(parts.ravel())[1:]))
        tumour = zone & (polar.radius >= floor) & (polar.radius <= wall + near) & ~cord
    if wish == "3":
        left = case.sac & ~cord & ~tumour
        if rng.random() < 0.65:
            tumour, outer = tumour | left, outer | left
        sac = cord.copy()
    else:
        sac = case.sac & ~tumour
        if wish == "1c" and rng.random() < 0.8:
            # Only a front that just reaches the cord gives 1c: close the last film of CSF at the tip.
            film = ndimage.distance_transform_edt(~tumour) * pixel_mm <= 0.8
            tip = film & sac & ~cord & (ndimage.distance_transform_edt(~cord) * pixel_mm <= 0.8)
            tumour, sac = tumour | tip, sac & ~tip
    outer = (outer | tumour) & ~cord
    return SliceMasks(sac, cord, tumour & case.inside), outer, shift


def _push(cord: np.ndarray, sac: np.ndarray, away: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Move the cord as far as the sac allows."""
    for factor in (1.0, 0.75, 0.5, 0.25):
        moved = ndimage.shift(cord.astype(np.float32), away * factor, order=1) > 0.5
        if (moved & sac).sum() > 0.93 * cord.sum():
            return moved, away * factor
    return cord, np.zeros(2)


def _bone_blob(rng: np.random.Generator, polar: _Polar) -> np.ndarray:
    where = rng.uniform(0, 2 * np.pi)
    thickness = polar.along(_bumps(rng, [where, where + rng.normal(0, 0.6)], rng.uniform(4, 16)))
    return (polar.radius > polar.along(polar.dura) + 1.5) & (polar.radius < polar.along(polar.dura) + thickness)


def _blotches(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Texture of random Gaussian blobs of several sizes."""
    field = np.zeros(shape, np.float32)
    for size, weight in ((1.0, 0.4), (2.5, 0.6), (6.0, 0.5)):
        layer = ndimage.gaussian_filter(rng.standard_normal(shape), size)
        field += weight * (layer / layer.std()).astype(np.float32)
    return field


def _paint(
    rng: np.random.Generator, case: TestSlice, after: SliceMasks, tumour: np.ndarray, shift: np.ndarray
) -> np.ndarray:
    """Warp the sac's content with the cord, fill what CSF uncovered, lay the tumour over it."""
    image = case.image.astype(np.float32)
    fluid = case.sac & ~ndimage.binary_dilation(case.cord, iterations=2)
    bright = float(np.median(image[fluid])) if fluid.sum() > 12 else float(np.percentile(image[case.sac], 90))
    if shift.any():
        weight = ndimage.gaussian_filter(ndimage.binary_dilation(case.cord, iterations=2).astype(np.float32), 1.2)
        wake = ndimage.gaussian_filter(
            (ndimage.binary_dilation(case.cord, iterations=2) & case.sac).astype(np.float32), 0.8
        )
        base = image * (1 - wake) + wake * bright * (1 + 0.04 * _blotches(rng, image.shape))
        moved = ndimage.shift(image, shift, order=1, mode="nearest")
        carried = ndimage.shift(np.clip(weight, 0, 1), shift, order=1)
        core = ndimage.gaussian_filter(ndimage.shift(case.cord.astype(np.float32), shift, order=1), 0.5)
        image = base * (1 - core) + core * np.where(carried > 0.2, moved, base)
    vacated = case.sac & ~after.sac & ~after.tumour & ~after.cord
    for region, level in ((vacated, rng.uniform(0.05, 0.4)), (tumour, rng.uniform(0.22, 0.8))):
        if region.any():
            alpha = ndimage.gaussian_filter(region.astype(np.float32), rng.uniform(0.5, 0.9))
            image = image * (1 - alpha) + alpha * bright * level * (
                1 + rng.uniform(0.02, 0.12) * _blotches(rng, image.shape)
            )
    noise = 0.02 * bright * rng.standard_normal(image.shape)
    changed = ndimage.binary_dilation(tumour | vacated, iterations=1)
    image = np.where(changed, np.abs(image + noise), image)
    return np.where(case.inside, image, 0).astype(np.float32)
