"""The canal's way through a stack of sagittal planes, and the one curved picture that follows it.

A scoliotic spine leaves any fixed plane. So at each row the planes about the middle of the canal are asked, and their
answers make one picture, bent with the spine, in which each body and each disc shows in its own middle.

Lengths within a prediction are measured in its grid: (plane, row, column) times the step and the pixel, mm. Planes are
at right angles to their pictures but for a sheared stack, whose shear within a body is below a pixel.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from dashboard.grading.spine.outlines import large_parts
from dashboard.study.geometry import Array
from dashboard.study.sagittal import SAGITTAL_CLASSES, SagittalPrediction

VERTEBRA, DISC, CANAL, CORD, LUMBOSACRAL, C2 = range(1, len(SAGITTAL_CLASSES))

Labels = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]

# A canal part this much shorter than the longest is fluid elsewhere: a cyst, a cistern.
LEAST_SHARE_OF_CANAL = 0.15
# A part of the canal smaller than this share of the largest is a speck. One that lies beside larger parts for more than
# this share of its height is none: the canal runs one way. Bright fat of the belly's wall had 0.18 of a canal's voxels.
LEAST_PART, MOST_BESIDE = 0.02, 0.5
# Parts this near to one another are one: an outline may leave a seam between the cord and what lies around it.
SEAM_PX = 2
# The canal bends over lengths of a vertebra and more; its outline in one row wavers by a pixel or two.
SMOOTH_MM = 8.0
# Planes within this of the canal's middle show a body's middle, and not yet pedicles or joints.
CENTRAL_MM = 6.0
# Below this a canal is not one whose way can be followed.
LEAST_CANAL_MM = 30.0


@dataclass(frozen=True, eq=False)
class Midline:
    """The canal by row: the plane of its middle, the columns of its front and back; straight on beyond its ends.

    Attributes
    ----------
    plane, front, back
        (rows) fractions of a plane or column.
    first_row, last_row
        Between which the canal was seen.
    """

    plane: Array
    front: Array
    back: Array
    first_row: int
    last_row: int

    def slope(self, row: float, pixel_mm: float, step_mm: float) -> Array:
        """Unit direction (3) of the canal towards the feet at a row, in grid mm."""
        reach = SMOOTH_MM / pixel_mm
        low, high = (float(np.clip(row + d, 0, len(self.plane) - 1)) for d in (-reach, reach))
        rows = np.arange(len(self.plane))
        middle = (self.front + self.back) / 2
        plane, column = (np.interp(high, rows, line) - np.interp(low, rows, line) for line in (self.plane, middle))
        direction = np.array([plane * step_mm, (high - low) * pixel_mm, column * pixel_mm])
        return np.asarray(direction / np.linalg.norm(direction))


@dataclass(frozen=True, eq=False)
class CurvedPicture:
    """Labels (rows, columns) along the canal's middle, and 0 to 1 how sure the planes about it are of them."""

    labels: Labels
    certainty: Array


def with_one_canal(prediction: SagittalPrediction) -> SagittalPrediction:
    """A prediction without what was outlined as canal or cord elsewhere than along the one canal."""
    sac = (prediction.labels == CANAL) | (prediction.labels == CORD)
    around = ndimage.binary_dilation(sac, np.ones((1, 3, 3)), SEAM_PX)
    parts, count = ndimage.label(around, np.ones((3, 3, 3)))
    if count <= 1:
        return prediction
    sizes = np.bincount(parts[sac], minlength=count + 1)
    kept, taken = np.zeros(count + 1, bool), np.zeros(sac.shape[1], bool)
    for part in np.argsort(-sizes, kind="stable"):
        if sizes[part] < LEAST_PART * sizes.max():
            break
        rows = ((parts == part) & sac).any(axis=(0, 2))
        kept[part] = (taken & rows).sum() <= MOST_BESIDE * rows.sum()
        taken |= rows & kept[part]
    return replace(prediction, labels=np.where(sac & ~kept[parts], np.uint8(0), prediction.labels))


def midline(prediction: SagittalPrediction) -> Midline | None:
    """Follow the canal; None where too little of it was seen."""
    canal = large_parts((prediction.labels == CANAL) | (prediction.labels == CORD), LEAST_SHARE_OF_CANAL)
    by_row = canal.sum(axis=2)
    weight = by_row.sum(axis=0)
    rows = np.flatnonzero(weight)
    if rows.size * prediction.pixel_mm < LEAST_CANAL_MM:
        return None
    planes = np.arange(len(canal))
    middle = (planes[:, None] * by_row).sum(axis=0)[rows] / weight[rows]
    plane = _carried_on(rows, _smooth(rows, middle, weight[rows], prediction.pixel_mm), canal.shape[1], 0.0)
    front, back = _edges(canal, plane, prediction)
    return Midline(plane, front, back, int(rows[0]), int(rows[-1]))


def curved_picture(prediction: SagittalPrediction, line: Midline) -> CurvedPicture:
    """One picture along the canal, from the planes about its middle at each row."""
    weights = plane_weights(prediction, line)
    votes = np.zeros((len(SAGITTAL_CLASSES), *prediction.labels.shape[1:]), np.float32)
    for plane in np.flatnonzero(weights.any(axis=1)):
        share = prediction.certainty[plane] * (weights[plane, :, None] / np.float32(255))
        for value in range(1, len(SAGITTAL_CLASSES)):
            votes[value] += np.where(prediction.labels[plane] == value, share, np.float32(0))
        votes[0] += np.where(prediction.labels[plane] == 0, share, np.float32(0))
    # Which bone and which disc it is comes second: a vertebra does not lose to itself under another name.
    bone, disc = votes[VERTEBRA] + votes[C2], votes[DISC] + votes[LUMBOSACRAL]
    sac = votes[CANAL] + votes[CORD]
    kinds = np.stack([votes[0], bone, disc, sac])
    finer = np.stack(
        [
            np.zeros(bone.shape, np.uint8),
            np.where(votes[C2] > votes[VERTEBRA], C2, VERTEBRA),
            np.where(votes[LUMBOSACRAL] > votes[DISC], LUMBOSACRAL, DISC),
            np.where(votes[CORD] > votes[CANAL], CORD, CANAL),
        ]
    ).astype(np.uint8)
    kind = kinds.argmax(axis=0)
    labels = np.take_along_axis(finer, kind[None], 0)[0]
    return CurvedPicture(labels, np.asarray(kinds.max(axis=0), np.float64))


def plane_weights(prediction: SagittalPrediction, line: Midline) -> npt.NDArray[np.float32]:
    """(planes, rows) share of each plane in the curved picture; each row sums to 1."""
    away = np.abs(np.arange(len(prediction.labels))[:, None] - line.plane[None, :]) * prediction.plane_spacing_mm
    weights = np.maximum(0.0, 1 - away / CENTRAL_MM)
    # Where planes lie farther apart than that, the nearest speaks alone.
    nearest = away.argmin(axis=0)
    weights[nearest, np.arange(weights.shape[1])] += 1e-3
    return np.asarray(weights / weights.sum(axis=0), dtype=np.float32)


def _edges(canal: Mask, plane: Array, prediction: SagittalPrediction) -> tuple[Array, Array]:
    """Front and back columns of the canal in the planes about its middle."""
    _, rows, columns = canal.shape
    away = np.abs(np.arange(len(canal))[:, None] - plane[None, :]) * prediction.plane_spacing_mm
    central = away <= np.maximum(CENTRAL_MM, away.min(axis=0) + 1e-6)
    shown = canal & central[:, :, None]
    some = shown.any(axis=2)
    first = np.where(some, shown.argmax(axis=2), 0)
    last = np.where(some, columns - 1 - shown[:, :, ::-1].argmax(axis=2), 0)
    count = some.sum(axis=0)
    known = np.flatnonzero(count)
    edges = []
    for edge in (first, last):
        mean = (edge * some).sum(axis=0)[known] / count[known]
        smooth = _smooth(known, mean, count[known].astype(float), prediction.pixel_mm)
        edges.append(_carried_on(known, smooth, rows, SMOOTH_MM * 2 / prediction.pixel_mm))
    return edges[0] - 0.5, edges[1] + 0.5


def _smooth(rows: npt.NDArray[np.intp], values: Array, weight: Array, pixel_mm: float) -> Array:
    """Weighted running straight lines; they follow a slope up to the ends."""
    sigma = SMOOTH_MM / pixel_mm / 2
    step = (rows[None, :] - rows[:, None]).astype(np.float64)
    share = np.exp(-0.5 * (step / sigma) ** 2) * weight[None, :]
    zeroth, first, second = (np.sum(share * step**k, axis=1) for k in (0, 1, 2))
    level, slope = np.sum(share * values, axis=1), np.sum(share * step * values, axis=1)
    spread = zeroth * second - first**2
    flat = spread <= 1e-9 * zeroth**2 * sigma**2
    line = (second * level - first * slope) / np.where(flat, 1.0, spread)
    return np.asarray(np.where(flat, level / zeroth, line))


def _carried_on(rows: npt.NDArray[np.intp], values: Array, length: int, reach: float) -> Array:
    """Values at every row; between known ones on a line, beyond them on with the slope of the last `reach` rows."""
    every = np.arange(length, dtype=np.float64)
    filled = np.interp(every, rows, values)
    for end, inner in ((0, 1), (-1, -1)):
        near = np.abs(rows - rows[end]) <= reach
        if reach and near.sum() > 2:
            slope = float(np.polyfit(rows[near], values[near], 1)[0])
            beyond = every < rows[end] if inner == 1 else every > rows[end]
            filled[beyond] = values[end] + slope * (every[beyond] - rows[end])
    return np.asarray(filled)
