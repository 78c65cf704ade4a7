"""Planes across the canal of a 3-D volume, whatever plane it was acquired in.

First the canal is found on planes across the patient; a smooth curve through those points then says how to cut
anew, at right angles to the canal, as a radiographer angles an axial stack.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import BSpline, make_smoothing_spline

from dashboard.inference.localisation import CanalPoint, localise
from dashboard.inference.manifest import CANAL
from dashboard.inference.orientation import HEAD, patient_axes
from dashboard.inference.planes import CutPlane, reformat_plane
from dashboard.inference.preprocessing import Window
from dashboard.inference.resampling import Image, finite, shrink
from dashboard.inference.sessions import Session
from dashboard.study import Volume, voxel_spacing
from dashboard.study.geometry import Array

# Clinical axial stacks are 3 to 4 mm apart.
SPACING_MM = 3.0
# A whole spine of 600 mm at 3 mm.
MAX_PLANES = 200
# Keeps bends of a lordosis (wavelengths above about 100 mm), irons out a localiser's jitter of 1 to 2 mm.
SMOOTHING = 1000.0
SPLINE_POINTS = 5
# A volume of one slice still has the plane it lies in.
END_MM = 1e-6


@dataclass(frozen=True, eq=False)
class CanalCurve:
    """The canal's middle as x and y over z, LPS mm; straight beyond the heights where it was seen."""

    lowest_mm: float
    highest_mm: float
    x: BSpline
    y: BSpline

    def points_mm(self, heights: Array) -> Array:
        """(n, 3) LPS points at heights z (n)."""
        held = np.clip(heights, self.lowest_mm, self.highest_mm)
        beyond = heights - held
        x, y = (spline(held) + spline(held, 1) * beyond for spline in (self.x, self.y))
        return np.stack([x, y, heights], axis=-1)

    def tangents(self, heights: Array) -> Array:
        """(n, 3) unit directions towards the head at heights z (n)."""
        held = np.clip(heights, self.lowest_mm, self.highest_mm)
        direction = np.stack([self.x(held, 1), self.y(held, 1), np.ones_like(held)], axis=-1)
        return np.asarray(direction / np.linalg.norm(direction, axis=-1, keepdims=True))


def fit_curve(points: Sequence[CanalPoint]) -> CanalCurve:
    """Smooth curve through the points that were found, each weighted by its score; at least one point is needed.

    With none found the points' own centres serve, so that the planes at least lie within the field of view.
    """
    chosen = [point for point in points if point.found] or list(points)
    ordered = sorted(chosen, key=lambda point: float(point.centre_mm[2]))
    z = np.array([point.centre_mm[2] for point in ordered])
    weights = np.array([max(point.score, 1e-2) for point in ordered])
    splines = [_spline(z, np.array([point.centre_mm[axis] for point in ordered]), weights) for axis in (0, 1)]
    return CanalCurve(float(z[0]), float(z[-1]), *splines)


def _spline(z: Array, values: Array, weights: Array) -> BSpline:
    if len(z) >= SPLINE_POINTS:
        return make_smoothing_spline(z, values, w=weights, lam=SMOOTHING)
    slope, middle = 0.0, float(np.average(z, weights=weights))
    if len(z) > 1:
        slope = float(np.polyfit(z, values, 1, w=weights)[0])
    level = float(np.average(values, weights=weights))
    ends = np.array([z[0] - 1.0, z[-1] + 1.0])
    return BSpline(np.repeat(ends, 2), level + slope * (ends - middle), 1)


def reformat_volume(
    volume: Volume, volume_index: int, window: Window, session: Session, threads: int
) -> list[tuple[CutPlane, CanalPoint]]:
    """Planes at right angles to the canal, head to foot, each with the canal's centre in it.

    Those to grade stand 3 mm apart along the canal, or as far as the native slices where those are wider apart, or
    farther where more than :data:`MAX_PLANES` would be needed. As many as fit into that number stand between them,
    down to the native spacing, for the segmentation alone: from planes 3 mm apart a mask with 1 mm slices of a slender
    cord cannot come out better than a Dice of 0.97. Planes go on straight above and below the part of the canal that
    was seen; their score then says that nothing was found there.
    """
    volume = _acquired(volume)
    small, small_affine = shrink(volume.voxels, volume.affine, CANAL.pixel_mm)
    low, high = _heights(volume)
    spacing = max(SPACING_MM, float(voxel_spacing(volume.affine).max()), (high - low) / (MAX_PLANES - 1))
    planes = _transverse_planes(volume, volume_index, (small, small_affine), np.arange(high, low - END_MM, -spacing))
    if not planes:
        return []
    points = localise(planes, window, session, threads)
    curve = fit_curve(points)
    finer = _finer(volume, spacing, len(planes))
    heights = _equal_steps(curve, low, high, spacing / finer)
    scores = np.interp(heights, [p.centre_mm[2] for p in points[::-1]], [p.score for p in points[::-1]])
    voxels = volume.voxels if volume.voxels.dtype.kind != "f" else finite(volume.voxels)
    found: list[tuple[CutPlane, CanalPoint]] = []
    for point, tangent, score in zip(curve.points_mm(heights), curve.tangents(heights), scores, strict=True):
        axes = patient_axes(tangent)
        if not _contains(volume, point):
            continue
        place = (volume_index, *divmod(len(found), finer))
        plane = reformat_plane(voxels, volume.affine, place, point, axes)
        if plane is not None:
            found.append((plane, CanalPoint(point, float(score), True)))
    return found


def _acquired(volume: Volume) -> Volume:
    """The part of a volume that lies between its outer rows, columns and slices of nothing but zeros.

    Such were never acquired; planes through them show no spine, and would speak against those that do.
    """
    kept: list[slice] = []
    for axis in range(3):
        shown = np.flatnonzero(volume.voxels.any(axis=tuple(other for other in range(3) if other != axis)))
        kept.append(slice(int(shown[0]), int(shown[-1]) + 1) if shown.size else slice(None))
    affine = volume.affine.copy()
    affine[:3, 3] += affine[:3, :3] @ [float(part.start or 0) for part in kept]
    return Volume(volume.voxels[tuple(kept)], affine, volume.frames[kept[0]])


def _heights(volume: Volume) -> tuple[float, float]:
    """Lowest and highest voxel centre, LPS z mm."""
    ends = np.array([[i, r, c, 1] for i in (0, 1) for r in (0, 1) for c in (0, 1)]) * [
        *(n - 1 for n in volume.voxels.shape),
        1,
    ]
    heights = (volume.affine @ ends.T)[2]
    return float(heights.min()), float(heights.max())


def _transverse_planes(volume: Volume, volume_index: int, small: tuple[Image, Array], heights: Array) -> list[CutPlane]:
    """Planes across the patient at the given heights, where they cross the volume, cut from its shrunken copy."""
    shape = np.array(volume.voxels.shape)
    middle = (volume.affine @ np.array([*((shape - 1) / 2), 1.0]))[:3]
    axes = patient_axes(HEAD)
    planes: list[CutPlane] = []
    for height in heights:
        point = np.array([middle[0], middle[1], height])
        plane = reformat_plane(small[0], small[1], (volume_index, len(planes), 0), point, axes)
        if plane is not None:
            planes.append(plane)
    return planes


def _finer(volume: Volume, spacing: float, count: int) -> int:
    """Into how many steps one of `count` steps of `spacing` mm is divided for the segmentation."""
    upright = int(np.abs(volume.affine[2, :3] / voxel_spacing(volume.affine)).argmax())
    native = float(voxel_spacing(volume.affine)[upright])
    return max(1, min(round(spacing / native), MAX_PLANES // max(1, count)))


def _equal_steps(curve: CanalCurve, low: float, high: float, spacing: float) -> Array:
    """Heights, from the head down, at equal steps along the curve."""
    fine = np.linspace(high, low, max(2, int((high - low) / 0.5) + 1))
    lengths = np.linalg.norm(np.diff(curve.points_mm(fine), axis=0), axis=1)
    along = np.concatenate([[0.0], np.cumsum(lengths)])
    count = int(along[-1] / spacing) + 1
    margin = (along[-1] - (count - 1) * spacing) / 2
    return np.asarray(np.interp(margin + spacing * np.arange(count), along, fine))


def _contains(volume: Volume, point_mm: Array) -> bool:
    index = (np.linalg.inv(volume.affine) @ np.array([*point_mm, 1.0]))[:3]
    return bool(np.all(index >= -0.5) and np.all(index <= np.array(volume.voxels.shape) - 0.5))
