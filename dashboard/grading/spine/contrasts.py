"""What other sagittal contrasts of the same frame of reference say of a body: STIR and T1 signals where it lies.

Signals are ratios to the other bodies of the same series. The limits are the project's own and no grades: they word a
hint ("could be recent"), and their meaning on one scanner is not that on another.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from dashboard.grading.spine.outlines import Outline
from dashboard.study.geometry import Array
from dashboard.study.sagittal import SagittalPrediction
from dashboard.study.spine import Spine

STIR, T1 = "sagittal_stir", "sagittal_t1"
# A body this much brighter on STIR than its neighbours holds fluid; this much darker on T1 has lost its fat.
STIR_BRIGHT, T1_DARK, T1_BRIGHT = 1.5, 0.75, 1.25
LEAST_BODIES = 3
# Shares of depth and height that are sampled of a body.
GRID = np.linspace(0.2, 0.8, 7)


@dataclass(frozen=True, eq=False)
class OtherContrast:
    """A volume of another contrast in the same frame of reference.

    `role` is ``sagittal_stir`` or ``sagittal_t1``; `voxels` (slices, rows, columns), `affine` (4, 4) to LPS mm.
    """

    role: str
    voxels: npt.NDArray[np.float32]
    affine: Array


def body_ratios(
    prediction: SagittalPrediction,
    spine: Spine,
    near: Sequence[Sequence[Outline]],
    others: Sequence[OtherContrast],
) -> dict[str, dict[int, float]]:
    """By role, then by place in ``spine.named``: a body's signal over the median of the other bodies.

    A volume with fewer than three bodies in its field is left out: there is nothing to compare with. Of several of a
    role, as the stacks of a whole spine, the first that shows a body speaks for it.
    """
    places = [k for k, one in enumerate(spine.named) if one.segment.kind == "vertebra" and near[k]]
    ratios: dict[str, dict[int, float]] = {}
    for other in others:
        signals = {k: _signal(prediction, near[k], other) for k in places}
        seen = {k: value for k, value in signals.items() if value is not None and value > 0}
        if len(seen) < LEAST_BODIES:
            continue
        own = {k: v / float(np.median([w for m, w in seen.items() if m != k])) for k, v in seen.items()}
        ratios[other.role] = own | ratios.get(other.role, {})
    return ratios


def age_hint(ratios: Mapping[str, Mapping[int, float]], place: int) -> tuple[str | None, str]:
    """Hint at a fracture's age and its words; None where no contrast tells."""
    stir, t1 = ratios.get(STIR, {}).get(place), ratios.get(T1, {}).get(place)
    if stir is not None:
        if stir >= STIR_BRIGHT:
            return "recent", f"STIR signal {stir:.1f} times that of the other bodies: could be recent"
        words = f"STIR signal {stir:.1f} times that of the other bodies"
        if t1 is not None and t1 <= T1_DARK:
            return None, f"{words}, T1 signal {t1:.1f} times: the two disagree, its age is not told"
        return "old", f"{words}, not above them: could be old"
    if t1 is not None and t1 <= T1_DARK:
        return "recent", f"T1 signal {t1:.1f} times that of the other bodies: could be recent; STIR would tell"
    return None, "no STIR of the same frame of reference covers it"


def sample_other(
    prediction: SagittalPrediction, other: OtherContrast, o: Outline, along: Array, across: Array
) -> Array:
    """Values of another volume at places of an outline's frame (equal shapes); NaN outside that volume."""
    points = o.points(along, across) / prediction.pixel_mm
    count = points.shape[1]
    ours = np.concatenate([np.full((1, count), float(o.plane)), points, np.ones((1, count))])
    places = (np.linalg.inv(other.affine) @ prediction.affine @ ours)[:3]
    limits = np.array(other.voxels.shape)[:, None] - 0.5
    inside = ((places >= -0.5) & (places <= limits)).all(axis=0)
    values = ndimage.map_coordinates(other.voxels, places, output=np.float64, order=1, mode="nearest")
    return np.where(inside, values, np.nan).reshape(along.shape)


def _signal(prediction: SagittalPrediction, shape: Sequence[Outline], other: OtherContrast) -> float | None:
    values = np.concatenate([sample_other(prediction, other, o, *_inner(o)).ravel() for o in shape])
    seen = values[np.isfinite(values)]
    return float(np.median(seen)) if 2 * len(seen) >= len(values) else None


def _inner(o: Outline) -> tuple[Array, Array]:
    """A grid of places inside a body: (along, across) mm."""
    columns = np.round(GRID * (len(o.along) - 1)).astype(int)
    along = np.repeat(o.along[columns][:, None], len(GRID), axis=1)
    return along, o.upper[columns][:, None] + o.thickness[columns][:, None] * GRID
