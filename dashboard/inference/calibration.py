"""From a model's raw numbers to calibrated probabilities."""

import numpy as np
import numpy.typing as npt

from dashboard.inference.manifest import Calibration
from dashboard.study.geometry import Array


def at_least(logits: npt.NDArray[np.float32], calibration: Calibration) -> Array:
    """Probabilities (5) of grade >= 1a, 1b, 1c, 2, 3, never rising: a lesion that is 2 or worse is 1c or worse."""
    scaled = np.asarray(logits, dtype=np.float64) * calibration.scale + calibration.offset
    return np.asarray(np.minimum.accumulate(_sigmoid(scaled)))


def scene(logits: npt.NDArray[np.float32], calibration: Calibration) -> Array:
    """Probabilities (5) of the scenes, summing to 1."""
    scaled = np.asarray(logits, dtype=np.float64) / calibration.scene_temperature
    weights = np.exp(scaled - scaled.max())
    return np.asarray(weights / weights.sum())


def _sigmoid(values: Array) -> Array:
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * values)))
