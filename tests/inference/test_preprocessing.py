import subprocess
import sys

import numpy as np

from dashboard.inference.preprocessing import Window, crops_window, nonzero_window


def test_a_window_scales_and_clips():
    pixels = np.array([[0, 100, 200, 300, 1000]], np.float32)
    np.testing.assert_allclose(Window(100, 300).apply(pixels), [[0, 0, 0.5, 1, 1.5]])


def test_outside_the_field_of_view_is_zero_even_below_the_window():
    pixels, inside = np.array([[-5.0, 8.0]], np.float32), np.array([[True, False]])
    np.testing.assert_allclose(Window(-10, 0).apply(pixels, inside), [[0.5, 0]])


def test_a_flat_window_gives_an_empty_picture():
    assert not Window(5, 5).apply(np.full((2, 2), 5, np.float32)).any()


def test_nonzero_window_leaves_zeros_out():
    volume = np.zeros((2, 10, 10))
    volume[:, :5] = np.arange(1, 51).reshape(5, 10)
    window = nonzero_window([volume])
    assert window.low == np.percentile(np.arange(1, 51).repeat(2), 1)
    assert window.high == np.percentile(np.arange(1, 51).repeat(2), 99)


def test_nonzero_window_of_a_large_series_is_near_that_of_all_voxels():
    volume = np.random.default_rng(0).gamma(2, 100, (20, 400, 400))
    window = nonzero_window([volume])
    low, high = np.percentile(volume, [1, 99])
    assert abs(window.low - low) < 0.02 * low and abs(window.high - high) < 0.02 * high


def test_nonzero_window_of_nothing_is_flat():
    assert nonzero_window([np.zeros((2, 3, 3))]) == nonzero_window([]) == Window(0, 0)


def test_nan_does_not_count():
    volume = np.full((1, 4, 4), np.nan)
    volume[0, 0] = 3
    assert nonzero_window([volume]) == Window(3, 3)


def test_crops_window_pools_slices_and_leaves_padding_out():
    dark, bright = np.full((10, 10), 1, np.float32), np.full((10, 10), 99, np.float32)
    padded = np.zeros((10, 10), np.float32)
    everywhere, nowhere = np.ones((10, 10), bool), np.zeros((10, 10), bool)
    window = crops_window([dark, bright, padded, bright], [everywhere, everywhere, everywhere, nowhere])
    assert window == Window(1, 99)


def test_preprocessing_needs_no_inference_runtime():
    code = "import sys; sys.modules['onnxruntime'] = None; import dashboard.inference.preprocessing"
    subprocess.run([sys.executable, "-c", code], check=True)
