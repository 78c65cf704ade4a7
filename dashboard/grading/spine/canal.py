"""Cord and canal along the spine in sagittal planes: front-back diameters and how far each place is narrowed.

A narrowing compares a diameter with those above and below::

    percent = (1 - Di / ((Da + Db) / 2)) * 100

which is MSCC of the cord (Miyanji 2007, Radiology 243:820) and MCC of the canal. `Da` and `Db` of the canal are those
at the middle of the vertebrae above and below, where these are known; those of the cord, and of a canal without named
vertebrae, are means over 20 mm that begin 10 mm away, as in ``sct_compute_compression`` of spinalcordtoolbox. Where the
field of view or the cord ends on one side, the other side stands for both.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from dashboard.grading.spine.outlines import (
    CANAL,
    CORD,
    large_parts,
    middle_planes,
    middle_seen,
    planes_near,
    to_patient,
)
from dashboard.study.geometry import Array
from dashboard.study.masks import Mask
from dashboard.study.sagittal import SagittalPrediction
from dashboard.study.spine import Spine

STATION_MM = 2.0
PROBE_MM = 0.2
# Half the length of the line across the canal: twice the widest cervical canal of the norms.
HALF_PROBE_MM = 17.0
# Planes this near to the canal's middle are read; the diameter is the upper quartile over them: planes beside the
# middle cut the round canal shorter, and the very largest is the one that a speck made.
MIDDLE_MM = 3.0
QUANTILE = 0.75
GAP_MM, EXTENT_MM = 10.0, 20.0
# Fewer stations than this on a side do not make a mean.
LEAST_BESIDE = 3
# Diameters are medians over this many stations: less than 6 mm of the canal is no compression but a speck.
STEADY = 3
# The first and last places of the canal lie at the edge of the field, where masks fray.
EDGE_STATIONS = 2
# A canal that reaches this near to the front or back edge of the field goes on beyond it. Across a leaning canal a
# station reaches this far up and down.
CUT_PX, LEANING_MM = 2, 4.0
# A canal or cord thinner than a pixel or two was not seen.
LEAST_MM = 1.0
# Parts of the canal smaller than this share of the largest one are specks of the mask, and no place for its middle.
LEAST_PART = 0.02
# Cord, canal, before and behind the cord, mm.
_Across = tuple[float | None, float, float | None, float | None]


@dataclass(frozen=True)
class CanalStation:
    """One place along the canal.

    Attributes
    ----------
    level
        Vertebra or disc beside it, None where unnamed or beyond the named ones.
    along_mm
        From the first station, along the canal's middle.
    cord_mm, canal_mm
        Front-back diameters; the cord's is None where there is no cord (below the conus). A canal of 0 was not outlined
        at all although the planes show its middle, between places where it was: nothing is as narrow as that.
    front_mm, back_mm
        What the canal holds before and behind the cord; None where there is no cord.
    mscc_percent, mcc_percent
        Narrowing of cord and canal against the neighbours, negative where wider; None where there are none.
    csf_signal
        Signal of the CSF over that above and below (:mod:`dashboard.grading.spine.csf`); None where it is not told.
    """

    level: str | None
    along_mm: float
    position_mm: tuple[float, float, float]
    plane: int
    cord_mm: float | None
    canal_mm: float
    front_mm: float | None
    back_mm: float | None
    mscc_percent: float | None = None
    mcc_percent: float | None = None
    csf_signal: float | None = None

    @property
    def csf_share(self) -> float | None:
        """Share of the canal's diameter that the cord leaves; None where there is no cord."""
        if self.front_mm is None or self.back_mm is None or self.cord_mm is None:
            return None
        total = self.front_mm + self.back_mm + self.cord_mm
        return (self.front_mm + self.back_mm) / total if total > 0 else None


def canal_profile(prediction: SagittalPrediction, spine: Spine) -> tuple[CanalStation, ...]:
    """Stations every 2 mm along the canal's middle, head to foot; empty where no canal was seen.

    Parameters
    ----------
    prediction
        Labels of one sagittal volume; diameters are perpendicular to the canal's middle line, in the planes within
        3 mm of it.
    spine
        Names of the levels; stations beyond the last named segment are left out, since the sac tapers there.
    """
    sac = (prediction.labels == CANAL) | (prediction.labels == CORD)
    # A seam of a pixel between cord and canal is no wall.
    sac = ndimage.binary_closing(np.pad(sac, ((0, 0), (2, 2), (2, 2)), mode="edge"), np.ones((1, 3, 3)))[:, 2:-2, 2:-2]
    sac = large_parts(sac, LEAST_PART)
    line = _centre_line(prediction, sac)
    if line is None:
        return ()
    planes, points, tangents, along = line
    seen = middle_seen(prediction)
    cord = prediction.labels == CORD
    soft = {}
    for plane in sorted({p for middle in planes for p in planes_near(prediction, middle, MIDDLE_MM)}):
        soft[plane] = (_soft(sac[plane]), _soft(cord[plane]))
    measured = [
        _across([soft[p] for p in planes_near(prediction, middle, MIDDLE_MM)], point, tangent, prediction.pixel_mm)
        for middle, point, tangent in zip(planes, points, tangents, strict=True)
    ]
    levels = _levels(prediction, spine, points, tangents)
    seen &= ~_cut_by_field(prediction, sac)
    rows = np.minimum(len(seen) - 1, np.round(points[:, 0] / prediction.pixel_mm).astype(int))
    known = [level != "" and bool(seen[row]) for level, row in zip(levels, rows, strict=True)]
    measured = _blocks_filled(measured, known)
    stations = []
    for place, found in enumerate(measured):
        if not EDGE_STATIONS <= place < len(measured) - EDGE_STATIONS:
            continue
        if found is None or not known[place]:
            continue
        plane = planes_near(prediction, planes[place], 0.0)[0]
        x, y, z = (float(v) for v in to_patient(prediction, plane, points[place]))
        stations.append((levels[place] or None, float(along[place]), (x, y, z), plane, *found))
    return tuple(_compared([CanalStation(*one) for one in stations], prediction, spine))


def beside(stations: tuple[CanalStation, ...], level: str) -> tuple[CanalStation, ...]:
    """Stations of one level."""
    return tuple(one for one in stations if one.level == level)


def _centre_line(prediction: SagittalPrediction, sac: Mask) -> tuple[Array, Array, Array, Array] | None:
    """Planes (n), points (n, 2) mm, unit tangents (n, 2) and distance (n) mm every 2 mm along the canal's middle."""
    middle = middle_planes(prediction)
    rows = np.flatnonzero(sac.any(axis=(0, 2)))
    if len(rows) < 10:
        return None
    columns = []
    for row in rows:
        near = sac[planes_near(prediction, middle[row], MIDDLE_MM), row]
        places = np.flatnonzero(near.any(axis=0))
        columns.append(float(np.median(np.nonzero(near)[1])) if len(places) else np.nan)
    known = np.isfinite(columns)
    if known.sum() < 10:
        return None
    column = np.interp(rows, rows[known], np.asarray(columns)[known])
    smooth = ndimage.gaussian_filter1d(column, 4.0 / prediction.pixel_mm, mode="nearest")
    path = np.stack([rows, smooth], axis=1) * prediction.pixel_mm
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
    along = np.arange(0.0, length[-1], STATION_MM)
    points = np.stack([np.interp(along, length, path[:, k]) for k in (0, 1)], axis=1)
    tangents = np.gradient(points, axis=0)
    tangents /= np.linalg.norm(tangents, axis=1, keepdims=True)
    return np.interp(along, length, middle[rows]), points, tangents, along


def _cut_by_field(prediction: SagittalPrediction, sac: Mask) -> Mask:
    """(rows) where the field's front or back edge cuts the canal in planes about its middle: the rest looks thin."""
    field = np.pad(prediction.inside, ((0, 0), (0, 0), (CUT_PX, CUT_PX)))
    whole = np.min([field[:, :, k : k + sac.shape[2]] for k in range(2 * CUT_PX + 1)], axis=0)
    cut = (sac & ~whole).any(axis=2)
    middle = middle_planes(prediction)
    rows = np.array([cut[planes_near(prediction, plane, MIDDLE_MM), row].any() for row, plane in enumerate(middle)])
    return np.asarray(ndimage.binary_dilation(rows, iterations=round(LEANING_MM / prediction.pixel_mm)))


def _blocks_filled(measured: list[_Across | None], known: list[bool]) -> list[_Across | None]:
    """With a canal of 0 mm where none was outlined between places, all in sight of the planes, where it was.

    One place alone without is a speck, and stays left out.
    """
    out = list(measured)
    before: int | None = None
    for place, found in enumerate(measured):
        if not known[place]:
            before = None
        elif found is not None:
            if before is not None and place - before > STEADY - 1:
                out[before + 1 : place] = [(None, 0.0, None, None)] * (place - before - 1)
            before = place
    return out


def _soft(mask: Mask) -> Array:
    return np.asarray(ndimage.gaussian_filter(mask.astype(np.float64), 0.5))


def _across(layers: list[tuple[Array, Array]], point: Array, tangent: Array, pixel_mm: float) -> _Across | None:
    """Cord, canal, front and back mm across one station; None where the canal is not there."""
    offsets = np.arange(-HALF_PROBE_MM, HALF_PROBE_MM + PROBE_MM, PROBE_MM)
    # A quarter turn from head-to-foot gives front-to-back: columns grow to the back.
    backward = np.array([-tangent[1], tangent[0]])
    places = (point[:, None] + backward[:, None] * offsets) / pixel_mm
    found = []
    for sac, cord in layers:
        canal_run = _run(ndimage.map_coordinates(sac, places, order=1, mode="nearest") > 0.5)
        if canal_run is None:
            continue
        inside = ndimage.map_coordinates(cord, places, order=1, mode="nearest") > 0.5
        inside[: canal_run[0]] = inside[canal_run[1] :] = False
        there = np.flatnonzero(inside)
        canal_mm = (canal_run[1] - canal_run[0]) * PROBE_MM
        if len(there) * PROBE_MM < LEAST_MM:
            found.append((np.nan, canal_mm, np.nan, np.nan))
        else:
            front, back = (there[0] - canal_run[0]) * PROBE_MM, (canal_run[1] - 1 - there[-1]) * PROBE_MM
            found.append((canal_mm - front - back, canal_mm, front, back))
    if not found:
        return None
    table = np.asarray(found)
    canal_mm = float(np.quantile(table[:, 1], QUANTILE))
    if canal_mm < LEAST_MM:
        return None
    seen = table[np.isfinite(table[:, 0])]
    if 2 * len(seen) < len(table):
        return None, canal_mm, None, None
    # What is left around the cord is that of the plane where most is left in all: a tilted cord touches in some.
    widest = seen[np.argmax(seen[:, 2] + seen[:, 3])]
    return float(np.quantile(seen[:, 0], QUANTILE)), canal_mm, float(widest[2]), float(widest[3])


def _run(inside: Mask) -> tuple[int, int] | None:
    """First and past-the-last index of the run nearest to the middle of the line."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], inside.astype(np.int8), [0]])))
    if not len(edges):
        return None
    runs = edges.reshape(-1, 2)
    middle = len(inside) / 2
    gap = np.maximum(0, np.maximum(runs[:, 0] - middle, middle - runs[:, 1]))
    # Of runs as near, the longest: a speck beside the canal is no canal.
    best = min(range(len(runs)), key=lambda k: (gap[k] > 4.0 / PROBE_MM, runs[k, 0] - runs[k, 1]))
    return int(runs[best, 0]), int(runs[best, 1])


def _levels(prediction: SagittalPrediction, spine: Spine, points: Array, tangents: Array) -> list[str]:
    """Level beside each station: the segment whose own place along the canal is nearest; "" beyond the lowest."""
    if not spine.named:
        return ["none"] * len(points)
    places = _segment_places(prediction, spine, points, tangents)
    names = []
    for place in range(len(points)):
        distance = np.abs(places - place)
        best = int(np.argmin(distance))
        beyond = best == len(places) - 1 and place > places[best] + 4.0 / STATION_MM
        above = best == 0 and distance[0] > 16.0 / STATION_MM
        names.append("" if beyond else "none" if above else spine.named[best].level)
    return names


def _segment_places(prediction: SagittalPrediction, spine: Spine, points: Array, tangents: Array) -> Array:
    """Station (fractional index) that lies straight behind the middle of each segment, beyond the canal's ends too."""
    inverse = np.linalg.inv(prediction.affine)
    places = []
    for one in spine.named:
        centre = (inverse @ np.append(one.segment.centre_mm, 1.0))[1:3] * prediction.pixel_mm
        ahead = ((points - centre) * tangents).sum(axis=1)
        near = np.linalg.norm(points - centre, axis=1)
        # The station where the line across the canal passes through the centre; of several, the nearest one.
        place = int(np.argmin(np.abs(ahead) + 0.2 * near))
        at_end = (place == 0 and ahead[place] > 0) or (place == len(points) - 1 and ahead[place] < 0)
        places.append(place - float(ahead[place]) / STATION_MM if at_end else float(place))
    return np.asarray(places)


def _compared(stations: list[CanalStation], prediction: SagittalPrediction, spine: Spine) -> list[CanalStation]:
    """Stations with their narrowing against their neighbours."""
    vertebrae = {one.level for one in spine.named if one.segment.kind == "vertebra"}
    along = np.array([one.along_mm for one in stations])
    canal = _steady(np.array([one.canal_mm for one in stations]))
    cord = _steady(np.array([np.nan if one.cord_mm is None else one.cord_mm for one in stations]))
    mids = {
        level: float(np.median([one.along_mm for one in stations if one.level == level]))
        for level in {one.level for one in stations if one.level in vertebrae}
        if level is not None
    }
    wide = {level: float(np.median(canal[np.argsort(np.abs(along - place))[:STEADY]])) for level, place in mids.items()}
    # Nothing is compared with a canal that is shut.
    mids = {level: place for level, place in mids.items() if wide[level] > 0}
    open_mm = np.where(canal > 0, canal, np.nan)
    out = []
    for place, one in enumerate(stations):
        level = None if one.level == "none" else one.level
        mcc = _mcc(along[place], canal[place], mids, wide)
        mcc = _window_percent(along, open_mm, place) if mcc is None else mcc
        mcc = 100.0 if canal[place] == 0 else mcc
        mscc = None if one.cord_mm is None else _window_percent(along, cord, place)
        out.append(replace(one, level=level, mscc_percent=mscc, mcc_percent=mcc))
    return out


def _steady(diameter: Array) -> Array:
    """Running median, NaN kept where nothing was measured."""
    if len(diameter) < STEADY:
        return diameter
    beside_each = np.lib.stride_tricks.sliding_window_view(np.pad(diameter, STEADY // 2, mode="edge"), STEADY)
    known = np.isfinite(beside_each)
    filled = np.where(known, beside_each, diameter[:, None])
    return np.asarray(np.median(filled, axis=1))


def _mcc(here_mm: float, canal_mm: float, mids: dict[str, float], wide: dict[str, float]) -> float | None:
    """Narrowing against the middles of the vertebrae next above and below; one stands for both at the ends."""
    above = [level for level, place in mids.items() if place < here_mm - 4.0]
    below = [level for level, place in mids.items() if place > here_mm + 4.0]
    beside_mm = [wide[max(above, key=lambda level: mids[level])]] if above else []
    beside_mm += [wide[min(below, key=lambda level: mids[level])]] if below else []
    if not beside_mm or float(np.mean(beside_mm)) < LEAST_MM:
        return None
    return float((1 - canal_mm / np.mean(beside_mm)) * 100)


def _window_percent(along: Array, diameter: Array, place: int) -> float | None:
    """Narrowing against means over 20 mm that begin 10 mm above and below.

    Where the field of view ends on one side, the other stands for both. Where the cord ends, at the conus, nothing
    does: it tapers there in everybody.
    """
    distance = along - along[place]
    means = []
    for side in (-1, 1):
        inside = (side * distance >= GAP_MM) & (side * distance <= GAP_MM + EXTENT_MM)
        known = inside & np.isfinite(diameter)
        if known.sum() >= LEAST_BESIDE:
            means.append(float(diameter[known].mean()))
        elif inside.sum() >= LEAST_BESIDE:
            return None
    return (1 - float(diameter[place]) / float(np.mean(means))) * 100 if means else None
