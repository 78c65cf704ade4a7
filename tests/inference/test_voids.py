"""Areas without signal over or beside the canal."""

import numpy as np
import pytest

from dashboard.inference import voids
from dashboard.inference.voids import signal_void

SIZE, PIXEL_MM = 96, 0.5
INSIDE = np.ones((SIZE, SIZE), bool)
MIDDLE = (SIZE - 1) / 2
ROWS, COLUMNS = np.indices((SIZE, SIZE)) * PIXEL_MM - MIDDLE * PIXEL_MM
DISTANCE = np.hypot(ROWS, COLUMNS)


def crop(muscle: float = 0.4, csf: float = 1.0, cord: float = 0.5) -> np.ndarray:
    """A sac with a cord in it, with tissue about them."""
    image = np.full((SIZE, SIZE), muscle, np.float32)
    image[DISTANCE < 7] = csf
    image[DISTANCE < 4] = cord
    return image


def test_a_healthy_slice_has_none() -> None:
    assert not signal_void(crop(), INSIDE, PIXEL_MM)


@pytest.mark.parametrize("where", [ROWS > 5, COLUMNS > 6, COLUMNS < -6])
def test_a_band_without_signal_behind_or_beside_the_canal_is_one(where: np.ndarray) -> None:
    image = crop()
    image[where] = 0.01
    assert signal_void(image, INSIDE, PIXEL_MM)


def test_dark_bodies_in_front_are_none() -> None:
    image = crop()
    image[ROWS < -8] = 0.01
    assert not signal_void(image, INSIDE, PIXEL_MM)


def test_metal_over_the_canal_is_one() -> None:
    image = crop()
    image[DISTANCE < 6] = 0.0
    assert signal_void(image, INSIDE, PIXEL_MM)


def test_dark_tumour_round_the_cord_is_none() -> None:
    image = crop(csf=0.15)
    assert not signal_void(image, INSIDE, PIXEL_MM)


def test_an_image_that_is_dark_throughout_is_none() -> None:
    assert not signal_void(0.2 * crop(), INSIDE, PIXEL_MM)


def test_what_lies_beyond_the_field_says_nothing() -> None:
    image = np.where(np.abs(COLUMNS) < 10, crop(), 0.0).astype(np.float32)
    assert not signal_void(image, np.abs(COLUMNS) < 10, PIXEL_MM)


def test_a_field_that_holds_nothing_of_the_crop_is_none() -> None:
    assert not signal_void(np.zeros((SIZE, SIZE), np.float32), ~INSIDE, PIXEL_MM)


def test_counting_never_says_what_sorting_would_not() -> None:
    rng = np.random.default_rng(3)
    found = []
    for size in range(1, 200):
        grey = rng.uniform(0, 0.4, size).astype(np.float32) ** rng.uniform(0.5, 3)
        found.append(voids._tenth_shows_signal(grey))
        assert not found[-1] or np.percentile(grey, voids.SIDE_PERCENTILE) >= voids.LEAST_SIGNAL
    assert 20 < sum(found) < 180
