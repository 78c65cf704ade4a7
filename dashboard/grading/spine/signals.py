"""Signals of discs and bodies, as ratios to what lies at the same height of the same picture.

A surface coil makes the back and the middle of a field brighter than its ends, so that a disc is compared with the CSF
behind it and the marrow beside it, never with a disc elsewhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from dashboard.grading.spine.outlines import CANAL, STEP_MM, Outline, sample
from dashboard.study.geometry import Array
from dashboard.study.sagittal import SagittalPrediction

# Nucleus: the inner half of depth and height. Annulus: in front of and behind it, inside the border itself.
NUCLEUS_DEPTH, NUCLEUS_HEIGHT = (0.3, 0.7), (0.25, 0.75)
ANNULUS_DEPTH = ((0.06, 0.2), (0.8, 0.94))
INNER_HALF = (0.25, 0.75)
# How far above and below a disc CSF is looked for, and which of its values stands for CSF without roots in it.
CSF_REACH_MM, CSF_QUANTILE = 14.0, 0.9
LEAST_CSF_PIXELS = 20
# Shares of the height that are sampled across a disc or body.
ACROSS = np.linspace(0.05, 0.95, 13)
SIGNAL_FLOOR = 0.02


@dataclass(frozen=True)
class DiscSignals:
    """Signals within one disc; None where there is no CSF or no body beside it to compare with.

    Attributes
    ----------
    nucleus_to_csf, nucleus_to_marrow, nucleus_to_annulus
        Ratios of mean signals.
    unevenness
        Spread (interquartile range) of the nucleus over the marrow's signal.
    border
        Steepest step of signal between nucleus and annulus, a mm, over the marrow's signal.
    """

    nucleus_to_csf: float | None
    nucleus_to_marrow: float | None
    nucleus_to_annulus: float
    unevenness: float | None
    border: float | None


def disc_signals(prediction: SagittalPrediction, shape: Sequence[Outline], marrow: float | None) -> DiscSignals:
    """Signals of one disc; `marrow` is that of the bodies beside it."""
    nucleus = np.concatenate([inner_values(prediction, o, NUCLEUS_DEPTH, NUCLEUS_HEIGHT).ravel() for o in shape])
    rim = [inner_values(prediction, o, part, NUCLEUS_HEIGHT).ravel() for o in shape for part in ANNULUS_DEPTH]
    annulus = max(SIGNAL_FLOOR, float(np.mean(np.concatenate(rim))))
    mean = float(nucleus.mean())
    csf = _csf(prediction, shape)
    spread = float(np.subtract(*np.quantile(nucleus, (0.75, 0.25))))
    steps = [_steepest(inner_values(prediction, o, (0.05, 0.95), NUCLEUS_HEIGHT).mean(axis=1)) for o in shape]
    return DiscSignals(
        nucleus_to_csf=None if csf is None else mean / csf,
        nucleus_to_marrow=None if marrow is None else mean / marrow,
        nucleus_to_annulus=mean / annulus,
        unevenness=None if marrow is None else spread / marrow,
        border=None if marrow is None else float(np.median(steps)) / marrow,
    )


def marrow_signal(prediction: SagittalPrediction, shape: Sequence[Outline]) -> float:
    """Median signal of the inner part of a body."""
    values = [inner_values(prediction, o, INNER_HALF, INNER_HALF).ravel() for o in shape]
    return max(SIGNAL_FLOOR, float(np.median(np.concatenate(values))))


def inner_values(
    prediction: SagittalPrediction, o: Outline, depth: tuple[float, float], height: tuple[float, float]
) -> Array:
    """(along, across) signal between two shares of depth and of height of an outline."""
    return sample(prediction.image[o.plane], o, *inner_places(o, depth, height), prediction.pixel_mm)


def inner_places(o: Outline, depth: tuple[float, float], height: tuple[float, float]) -> tuple[Array, Array]:
    """Places between two shares of depth and of height of an outline: (along, across) mm in its frame."""
    part = o.part(*depth)
    shares = np.array([share for share in ACROSS if height[0] <= share <= height[1]])
    along = np.repeat(o.along[part][:, None], len(shares), axis=1)
    return along, o.upper[part][:, None] + o.thickness[part][:, None] * shares


def _steepest(line: Array) -> float:
    """Mean of the steepest rise in the front half and the steepest fall in the back half, a mm."""
    step = np.gradient(ndimage.gaussian_filter1d(line, 1.5)) / STEP_MM if len(line) > 3 else np.zeros(2)
    half = len(step) // 2
    return float((max(0.0, step[:half].max()) + max(0.0, -step[half:].min())) / 2)


def _csf(prediction: SagittalPrediction, shape: Sequence[Outline]) -> float | None:
    """Signal of CSF behind a disc."""
    values = []
    for o in shape:
        row = o.point(float(o.along[-1]), float(o.lower[-1]))[0] / prediction.pixel_mm
        reach = CSF_REACH_MM / prediction.pixel_mm
        rows = slice(max(0, int(row - reach)), int(row + reach) + 1)
        values.append(prediction.image[o.plane, rows][prediction.labels[o.plane, rows] == CANAL])
    seen = np.concatenate(values)
    if len(seen) < LEAST_CSF_PIXELS:
        return None
    return max(SIGNAL_FLOOR, float(np.quantile(seen, CSF_QUANTILE)))
