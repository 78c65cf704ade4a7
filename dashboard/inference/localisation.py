"""Where the spinal canal crosses each plane: a heatmap a plane, then one smooth path through all of them.

A single slice often shows several canal-like spots (a vessel in fat, a facet joint, the trachea). The path that
collects most heat while moving no faster than a spine can bend decides between them, and carries the centre through
slices in which nothing was found.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from dashboard.inference.heatmaps import PlaneHeat, anchors, is_wide, look, tile_centres
from dashboard.inference.planes import CutPlane
from dashboard.inference.preprocessing import Window
from dashboard.inference.sessions import Session
from dashboard.study.geometry import Array

# A peak below this is noise; the localiser's own sure peaks reach 0.9.
MIN_PEAK = 0.10
PEAKS_A_PLANE = 8
# Two peaks nearer than the canal's radius are one.
PEAK_DISTANCE_MM = 8.0
# The heat of a canal is a spot of about 2 pixels sigma; a window of that size settles on its middle in a few steps.
REFINE_PX, REFINE_SIGMA_PX, REFINE_STEPS = 4, 2.0, 6
# The canal leaves a plane's normal by up to about 45 degrees where a stack does not follow it.
FREE_SLOPE = 0.8
FREE_SHIFT_MM = 3.0
SHIFT_SCALE_MM = 4.0
# Among ways that are all possible, the straighter one.
STRAIGHT_WEIGHT = 0.02
# How many planes back a path may reach over planes in which nothing was found.
REACH_PLANES = 40
# Between two planes in which the canal was found, both within the height of a vertebra with its disc, it goes on: at
# the worst level of a study there is no CSF to see it by (hardly any heat in 5 of 125 slices with a 3 implanted).
CARRIED_REACH_MM = 20.0
# A score counts when its peak lies this near to a centre that was carried over from neighbours.
CARRIED_RADIUS_MM = 4.0


@dataclass(frozen=True, eq=False)
class CanalPoint:
    """Centre of the canal in one plane, LPS mm (3); `score` 0 to 1; `found` False where neighbours gave the centre.

    The score is then that of the heat about the centre, or that of the neighbours where it lies between two near ones.
    """

    centre_mm: Array
    score: float
    found: bool


@dataclass(frozen=True, eq=False)
class _Peak:
    plane: int
    position_mm: Array
    score: float


def trace_canal(planes: Sequence[PlaneHeat]) -> list[CanalPoint]:
    """One canal point a plane.

    Parameters
    ----------
    planes
        Heatmaps of planes in head-to-foot order; stacks of different obliquity may follow or interleave.

    Returns
    -------
    list
        In the order of `planes`. Where no path exists at all, the middle of each field with the heat found there.
    """
    peaks = [peak for index, plane in enumerate(planes) for peak in find_peaks(plane, index)]
    path = _best_path(peaks, planes)
    on_path = {peak.plane: peak for peak in path}
    points = []
    for index, plane in enumerate(planes):
        peak = on_path.get(index)
        if peak is not None:
            points.append(CanalPoint(peak.position_mm, peak.score, True))
            continue
        centre = _carried_centre(plane, index, path)
        score = max(plane.heat_near(centre, CARRIED_RADIUS_MM), _carried_score(centre, index, path))
        points.append(CanalPoint(centre, score, False))
    return points


def find_peaks(plane: PlaneHeat, index: int = 0) -> list[_Peak]:
    """Candidate centres of one plane, hottest first, refined to a fraction of a pixel."""
    found: list[_Peak] = []
    for tile in plane.tiles:
        heat = np.where(tile.inside, tile.heat, np.float32(0))
        tops = (heat == ndimage.maximum_filter(heat, size=5, mode="constant")) & (heat >= MIN_PEAK)
        for row, column in np.argwhere(tops):
            position = tile.position_mm(*_refine(heat, int(row), int(column)))
            found.append(_Peak(index, position, float(heat[row, column])))
    found.sort(key=lambda peak: -peak.score)
    kept: list[_Peak] = []
    for peak in found:
        if all(np.linalg.norm(peak.position_mm - other.position_mm) >= PEAK_DISTANCE_MM for other in kept):
            kept.append(peak)
    return kept[:PEAKS_A_PLANE]


def _refine(heat: Array, row: int, column: int) -> tuple[float, float]:
    """Centre of the spot around a maximum: where a soft window's centre of mass is its own middle."""
    rows = np.arange(max(0, row - REFINE_PX), min(heat.shape[0], row + REFINE_PX + 1))
    columns = np.arange(max(0, column - REFINE_PX), min(heat.shape[1], column + REFINE_PX + 1))
    part = np.asarray(heat[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], dtype=np.float64)
    down, along = float(row), float(column)
    for _ in range(REFINE_STEPS):
        window = np.exp(-((rows[:, None] - down) ** 2 + (columns[None, :] - along) ** 2) / (2 * REFINE_SIGMA_PX**2))
        weight = part * window
        total = weight.sum()
        down, along = float((weight.sum(axis=1) @ rows) / total), float((weight.sum(axis=0) @ columns) / total)
    return down, along


def _best_path(peaks: Sequence[_Peak], planes: Sequence[PlaneHeat]) -> list[_Peak]:
    """The chain of peaks, at most one a plane, with the largest sum of scores less the cost of its bends."""
    if not peaks:
        return []
    of_plane = np.array([peak.plane for peak in peaks])
    positions = np.stack([peak.position_mm for peak in peaks])
    normals = np.stack([planes[peak.plane].plane.axes.normal for peak in peaks])
    total = np.array([peak.score for peak in peaks])
    previous = np.full(len(peaks), -1)
    for k, peak in enumerate(peaks):
        first = int(np.searchsorted(of_plane, peak.plane - REACH_PLANES))
        last = int(np.searchsorted(of_plane, peak.plane))
        if first == last:
            continue
        cost = _bend_cost(positions[first:last], normals[first:last], positions[k], normals[k])
        gains = total[first:last] - cost
        best = int(gains.argmax())
        if gains[best] > 0:
            total[k] += gains[best]
            previous[k] = first + best
    chain, k = [], int(total.argmax())
    while k >= 0:
        chain.append(peaks[k])
        k = int(previous[k])
    return chain[::-1]


def _bend_cost(positions: Array, normals: Array, position: Array, normal: Array) -> Array:
    """Cost (n) of going from each of n peaks to one further down."""
    mean = normals + normal
    mean = mean / np.linalg.norm(mean, axis=1, keepdims=True)
    step = position - positions
    along = np.abs(np.sum(step * mean, axis=1))
    across = np.sqrt(np.maximum(0.0, np.sum(step * step, axis=1) - along**2))
    excess = np.maximum(0.0, across - FREE_SLOPE * along - FREE_SHIFT_MM) / SHIFT_SCALE_MM
    return np.asarray(excess**2 + STRAIGHT_WEIGHT * (across / (FREE_SHIFT_MM + along)) ** 2)


def _carried_centre(plane: PlaneHeat, index: int, path: Sequence[_Peak]) -> Array:
    """Where the path's neighbours put the canal in a plane without a peak on it, kept inside the field of view."""
    above = [peak for peak in path if peak.plane < index]
    below = [peak for peak in path if peak.plane > index]
    if not above and not below:
        return plane.plane.centre_mm
    normal = plane.plane.axes.normal
    start = (above[-1] if above else below[0]).position_mm
    direction = below[0].position_mm - start if above and below else normal
    slope = float(direction @ normal)
    if slope == 0:
        direction, slope = normal, 1.0
    distance = float((plane.plane.centre_mm - start) @ normal) / slope
    if above and below:
        distance = min(1.0, max(0.0, distance))
    return plane.clamp(start + direction * distance)


def _carried_score(centre_mm: Array, index: int, path: Sequence[_Peak]) -> float:
    """The lesser score of the next found above and below, where both are near; else 0."""
    above = [peak for peak in path if peak.plane < index][-1:]
    below = [peak for peak in path if peak.plane > index][:1]
    beside = [*above, *below]
    near = all(np.linalg.norm(peak.position_mm - centre_mm) <= CARRIED_REACH_MM for peak in beside)
    return min(peak.score for peak in beside) if len(beside) == 2 and near else 0.0


def localise(planes: Sequence[CutPlane], window: Window, session: Session, threads: int) -> list[CanalPoint]:
    """Look at planes in head-to-foot order and trace the canal through them; one point a plane.

    Where fields are wider than one picture, the whole of them is looked at on planes about 12 mm apart, and on the
    others the one picture in which those found the canal.
    """
    if not planes:
        return []
    if not is_wide(planes):
        return trace_canal(look(planes, [tile_centres(plane) for plane in planes], window, session, threads))
    chosen = anchors(planes)
    seen = dict(
        zip(
            chosen,
            look([planes[k] for k in chosen], [tile_centres(planes[k]) for k in chosen], window, session, threads),
            strict=True,
        )
    )
    rough = trace_canal([seen.get(k, PlaneHeat(plane, ())) for k, plane in enumerate(planes)])
    others = [k for k in range(len(planes)) if k not in seen]
    nearest = [[_nearest(tile_centres(planes[k]), rough[k].centre_mm)] for k in others]
    seen.update(zip(others, look([planes[k] for k in others], nearest, window, session, threads), strict=True))
    return trace_canal([seen[k] for k in range(len(planes))])


def _nearest(centres: Sequence[Array], point_mm: Array) -> Array:
    return min(centres, key=lambda centre: float(np.linalg.norm(centre - point_mm)))
