"""Marrow along the endplates of a disc, on T2 and on T1 of the same frame of reference, and Modic's type of its change.

Every signal is a ratio to the middle of its own body: a signal has no unit, and a coil brightens bodies unevenly.
Types by their definition (Modic 1988; recalled, source to be confirmed): 1, T1 dark and T2 bright; 2, T1 bright and T2
equal or bright; 3, both dark.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dashboard.grading.spine.contrasts import T1, T1_BRIGHT, T1_DARK, OtherContrast, sample_other
from dashboard.grading.spine.outlines import Outline, sample
from dashboard.grading.spine.signals import INNER_HALF, inner_places
from dashboard.study.geometry import Array
from dashboard.study.sagittal import SagittalPrediction
from dashboard.study.spine import Spine

# Endplate bands: from just inside the cortex to 6 mm into the body, in thirds of the depth.
BAND_MM = (1.6, 6.0)
THIRDS = ((0.08, 0.36), (0.36, 0.64), (0.64, 0.92))
MIDDLE_HEIGHT = (0.35, 0.65)
# A third counts as dark on both contrasts below this. On T2 alone 7 of 124 discs of the people for training and
# calibration have such a third (cortex and Schmorl's nodes among them); none of them was graded type 3.
BOTH_DARK = 0.6
LEAST_SIGNAL = 1e-3

# Values at places of an outline's frame: (outline, along, across) mm; NaN outside the field.
Reader = Callable[[Outline, Array, Array], Array]


@dataclass(frozen=True, eq=False)
class EndplateMeasures:
    """Marrow along the endplates of one disc.

    Attributes
    ----------
    t2, t1
        (endplates, 3) logs of the signal in each third of an endplate's band over that of its body's middle, upper
        endplate first. `t2` is of the volume that was outlined, whatever its contrast; `t1` is None without a T1 of the
        same frame of reference, and NaN where none reaches.
    """

    level: str
    t2: Array
    t1: Array | None = None

    @property
    def brightest(self) -> float:
        """Of all thirds; 0 is the body's own middle."""
        return float(self.t2.max())

    @property
    def bright_on_t1(self) -> float | None:
        """T1 ratio (not its log) in the third that is brightest on T2; None where T1 does not show it."""
        if self.t1 is None:
            return None
        ratio = float(np.exp(self.t1.flat[int(np.argmax(self.t2))]))
        return ratio if np.isfinite(ratio) else None

    @property
    def bright_type(self) -> str | None:
        """Modic's type of what is brightest on T2, ``1`` or ``2``; None without T1, or where that is neither."""
        ratio = self.bright_on_t1
        if ratio is None or T1_DARK < ratio < T1_BRIGHT:
            return None
        return "1" if ratio <= T1_DARK else "2"

    @property
    def dark_on_both(self) -> tuple[float, float] | None:
        """T1 and T2 ratio in the third that is darkest on both, as type 3 is; None where none is."""
        if self.t1 is None:
            return None
        brighter = np.where(np.isfinite(self.t1), np.maximum(self.t1, self.t2), np.inf)
        place = int(np.argmin(brighter))
        if np.exp(brighter.flat[place]) > BOTH_DARK:
            return None
        return float(np.exp(self.t1.flat[place])), float(np.exp(self.t2.flat[place]))


def measure_endplates(
    prediction: SagittalPrediction,
    spine: Spine,
    near: Sequence[Sequence[Outline]],
    others: Sequence[OtherContrast] = (),
) -> dict[int, EndplateMeasures]:
    """Marrow along the endplates of every disc with a body beside it, by the disc's place in ``spine.named``.

    Parameters
    ----------
    near
        Outlines by place in ``spine.named``.
    others
        Volumes of the same frame of reference; of several T1 the first that reaches a place is read there.
    """
    t1s = [_reader(prediction, one) for one in others if one.role == T1]

    def own(o: Outline, along: Array, across: Array) -> Array:
        return sample(prediction.image[o.plane], o, along, across, prediction.pixel_mm)

    found = {}
    for k, one in enumerate(spine.named):
        beside = _beside(spine, near, k) if one.segment.kind == "disc" else []
        if beside:
            found[k] = EndplateMeasures(one.level, _logs(beside, own), _first([_logs(beside, t1) for t1 in t1s]))
    return found


def _beside(spine: Spine, near: Sequence[Sequence[Outline]], disc: int) -> list[tuple[Sequence[Outline], bool]]:
    """Outlines of the bodies beside a disc, and whether their upper endplate is the disc's."""
    return [
        (near[k], upper)
        for k, upper in ((disc - 1, False), (disc + 1, True))
        if 0 <= k < len(spine.named) and spine.named[k].segment.kind == "vertebra" and near[k]
    ]


def _reader(prediction: SagittalPrediction, other: OtherContrast) -> Reader:
    """Values of another volume, 1 about the brightest."""
    high = max(float(np.percentile(other.voxels, 99)), float(np.finfo(np.float32).tiny))
    return lambda o, along, across: sample_other(prediction, other, o, along, across) / high


def _logs(beside: Sequence[tuple[Sequence[Outline], bool]], read: Reader) -> Array:
    return np.array([_bands(shape, upper, read) for shape, upper in beside])


def _first(logs: Sequence[Array]) -> Array | None:
    """The first that is known at each place; None of none."""
    if not logs:
        return None
    found = logs[0]
    for one in logs[1:]:
        found = np.where(np.isfinite(found), found, one)
    return found


def _bands(shape: Sequence[Outline], upper: bool, read: Reader) -> Array:
    """(3) log of the signal in each third of an endplate's band over that of the body's middle; NaN where unseen."""
    logs = []
    for o in shape:
        middle = _median(read(o, *inner_places(o, INNER_HALF, MIDDLE_HEIGHT)))
        logs.append([np.log(_median(read(o, *_band_places(o, upper, third))) / middle) for third in THIRDS])
    return np.asarray(np.median(logs, axis=0))


def _band_places(o: Outline, upper: bool, third: tuple[float, float]) -> tuple[Array, Array]:
    part = o.part(*third)
    depths = np.arange(*BAND_MM, 0.8)
    edge = o.upper[part] if upper else o.lower[part]
    across = edge[:, None] + (depths if upper else -depths)
    return np.repeat(o.along[part][:, None], len(depths), axis=1), across


def _median(values: npt.NDArray[np.floating]) -> float:
    """Median signal, at least a little above none; NaN where a part lies outside the field."""
    return float(np.maximum(LEAST_SIGNAL, np.median(values)))
