"""What the browser gets of a plane: each value as stored, a preview, thumbnails."""

import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from dashboard.viewing.frames import CODES, THUMBNAIL_SIDE, THUMBNAILS_A_ROW, lossless, preview, thumbnails, value_code
from dashboard.viewing.picture import Picture
from dashboard.viewing.windowing import Window

TYPES = ("uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64", ">i2", ">f4", "bool", "int64")


def picture(pixels: Any, across: float = 1.0, down: float = 1.0) -> Picture:
    """Pixels of a given size, mm."""
    rows, columns = pixels.shape
    return Picture(
        pixels,
        np.array([1.0, 0, 0]),
        np.array([0, 1.0, 0]),
        across * np.arange(columns, dtype=np.float64),
        down * np.arange(rows, dtype=np.float64),
        0.0,
    )


def decoded(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)))


@given(st.sampled_from(TYPES).flatmap(lambda name: arrays.arrays(name, (3, 4))))
def test_every_value_arrives_as_it_is_stored(pixels: np.ndarray) -> None:
    code = value_code(pixels.dtype)
    assert code in CODES
    arrived = np.frombuffer(lossless(picture(pixels), code), f"<{code}").reshape(pixels.shape)
    np.testing.assert_array_equal(arrived, pixels.astype(arrived.dtype))


def test_flipped_and_turned_pixels_arrive_row_by_row() -> None:
    pixels = np.arange(12, dtype=np.int16).reshape(3, 4).T[::-1]
    np.testing.assert_array_equal(np.frombuffer(lossless(picture(pixels), "i2"), "<i2").reshape(4, 3), pixels)


def test_a_preview_spreads_its_grey_levels_over_the_window() -> None:
    pixels = np.repeat(np.array([[0.0], [500.0], [1000.0]]), 64, axis=0).repeat(64, axis=1)
    grey = decoded(preview(picture(pixels), Window(0.0, 1000.0)))
    assert grey.shape == pixels.shape
    assert [int(grey[row, 32]) for row in (32, 96, 160)] == pytest.approx([0, 127, 255], abs=3)


@pytest.mark.parametrize("count", [0, 1, THUMBNAILS_A_ROW, THUMBNAILS_A_ROW + 1])
def test_thumbnails_stand_in_rows(count: int) -> None:
    sheet = decoded(thumbnails([picture(np.full((40, 40), 1.0))] * count, Window(0.0, 1.0)))
    side = THUMBNAIL_SIDE
    assert sheet.shape == (side * max(1, -(-count // THUMBNAILS_A_ROW)), side * min(max(count, 1), THUMBNAILS_A_ROW))
    for number in range(count):
        top, left = number // THUMBNAILS_A_ROW * side, number % THUMBNAILS_A_ROW * side
        assert sheet[top + side // 2, left + side // 2] > 250


def test_thumbnails_keep_the_shape_of_the_patient() -> None:
    # Pixels twice as high as wide: a square number of them is twice as high as wide in the patient.
    sheet = decoded(thumbnails([picture(np.full((50, 50), 1.0), 1.0, 2.0)], Window(0.0, 1.0)))
    bright = sheet > 128
    assert bright.any(axis=1).sum() == pytest.approx(THUMBNAIL_SIDE, abs=1)
    assert bright.any(axis=0).sum() == pytest.approx(THUMBNAIL_SIDE / 2, abs=1)
