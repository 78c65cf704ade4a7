"""Windows belong to the series: no slice changes them."""

import io

import numpy as np
from PIL import Image

from dashboard.study import FrameReference, Volume
from dashboard.viewing import Window, png, window_presets


def volume(voxels: np.ndarray) -> Volume:
    """Volume of these voxels."""
    return Volume(voxels, np.eye(4), tuple(FrameReference(str(index)) for index in range(len(voxels))))


def test_presets_ignore_the_empty_background() -> None:
    voxels = np.zeros((2, 40, 40))
    voxels[:, 10:20, 10:20] = 120.0
    voxels[:, 10, 10] = 100.0
    assert window_presets([volume(voxels)])["Full range"] == Window(100.0, 120.0)


def test_presets_are_of_all_volumes_together() -> None:
    low, high = np.full((1, 8, 8), 10.0), np.full((1, 8, 8), 500.0)
    assert window_presets([volume(low), volume(high)])["Full range"] == Window(10.0, 500.0)


def test_a_flat_or_empty_series_still_has_windows() -> None:
    for value in (0.0, 7.0, np.nan):
        for window in window_presets([volume(np.full((1, 4, 4), value))]).values():
            assert window.high > window.low


def test_grey_runs_from_black_to_white_and_clips() -> None:
    grey = Window(10.0, 20.0).grey(np.array([-5.0, 10.0, 15.0, 20.0, 99.0, np.nan]))
    assert grey.tolist() == [0, 0, 127, 255, 255, 0]


def test_the_picture_is_lossless() -> None:
    pixels = np.arange(256).reshape(16, 16)
    decoded = np.asarray(Image.open(io.BytesIO(png(pixels, Window(0.0, 255.0)))))
    np.testing.assert_array_equal(decoded, pixels)
