import subprocess
import sys

import numpy as np

from dashboard.inference.preprocessing import Window, crops_window, nonzero_window, slow_gain


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


def shaded(factors):
    """Crops of one tissue, each with a brightness of its own."""
    texture = np.random.default_rng(4).random((20, 20), np.float32) + 0.5
    return [np.float32(100 * factor) * texture for factor in factors], [np.ones((20, 20), bool)] * len(factors)


def test_slices_beyond_the_coil_are_lifted_to_the_brightness_of_the_rest():
    heights = np.arange(0, -300, -3.0)
    fall = np.where(heights > -60, np.exp((heights + 60) / -35), 1.0)
    gains = slow_gain(heights, *shaded(fall))
    assert gains[0] > 2.5 and np.all(np.diff(gains) <= 1e-9)
    assert np.all(gains[heights < -75] == 1)
    assert np.all(fall * gains < 1.05)


def test_ordinary_shading_is_left_alone():
    heights = np.arange(0, -150, -3.0)
    assert np.all(slow_gain(heights, *shaded(1 + 0.25 * np.sin(heights / 30))) == 1)


def test_one_dark_lesion_is_not_brightened():
    heights = np.arange(0, -150, -3.0)
    dark = np.where((heights < -60) & (heights > -72), 0.4, 1.0)
    assert np.all(slow_gain(heights, *shaded(dark)) == 1)


def test_a_few_slices_say_nothing_about_the_coil():
    assert np.all(slow_gain([0, -3, -6], *shaded([0.1, 1, 1])) == 1)


def test_empty_slices_do_not_count_for_the_gain():
    heights = np.arange(0, -90, -3.0)
    assert np.all(slow_gain(heights, *shaded(np.where(heights > -15, 0.0, 1.0))) == 1)
