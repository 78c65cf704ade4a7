"""Which intensities become black and white: chosen once a series, so that scrolling never changes contrast."""

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from dashboard.study import Volume

# Percentiles of the series' tissue, (black, white). CSF is the brightest tissue on T2.
PRESETS = {
    "Standard": (1.0, 99.5),
    "Cord and CSF": (35.0, 99.9),
    "Bone and soft tissue": (0.5, 92.0),
    "Full range": (0.0, 100.0),
}
# Slices and pixels that are looked at to find the percentiles; more changes them by less than a grey level.
SAMPLED_SLICES = 24
SAMPLED_STEP = 2


@dataclass(frozen=True)
class Window:
    """Intensities shown as black (`low`) and white (`high`); `high` is above `low`."""

    low: float
    high: float

    def grey(self, pixels: npt.NDArray[np.generic]) -> npt.NDArray[np.uint8]:
        """Grey levels 0 to 255 of real-world values, same shape."""
        scaled = (pixels.astype(np.float32) - self.low) * (255.0 / (self.high - self.low))
        return np.asarray(np.clip(np.nan_to_num(scaled), 0, 255), dtype=np.uint8)


def window_presets(volumes: Sequence[Volume]) -> dict[str, Window]:
    """Named windows of one series, from the percentiles of its non-zero pixels; the first is the default."""
    samples = [_sample(volume) for volume in volumes]
    values = np.concatenate(samples) if samples else np.zeros(0, np.float32)
    if not values.size:
        return {name: Window(0.0, 1.0) for name in PRESETS}
    limits = np.percentile(values, [limit for pair in PRESETS.values() for limit in pair]).reshape(-1, 2)
    return {name: _window(float(low), float(high)) for name, (low, high) in zip(PRESETS, limits, strict=True)}


def png(pixels: npt.NDArray[np.generic], window: Window) -> bytes:
    """The picture as a lossless 8-bit PNG under `window`."""
    stream = io.BytesIO()
    Image.fromarray(window.grey(pixels)).save(stream, "PNG", compress_level=3)
    return stream.getvalue()


def _sample(volume: Volume) -> npt.NDArray[np.float32]:
    count = volume.voxels.shape[0]
    chosen = np.unique(np.linspace(0, count - 1, min(count, SAMPLED_SLICES)).round().astype(int))
    parts = [np.asarray(volume.voxels[index][::SAMPLED_STEP, ::SAMPLED_STEP], dtype=np.float32) for index in chosen]
    values = np.concatenate([part.ravel() for part in parts])
    return np.asarray(values[np.isfinite(values) & (values != 0)], dtype=np.float32)


def _window(low: float, high: float) -> Window:
    # A constant image has no contrast to show; any width avoids a division by nothing.
    return Window(low, high) if high > low else Window(low, low + 1.0)
