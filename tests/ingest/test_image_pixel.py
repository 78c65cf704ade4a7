"""Bits above BitsStored."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.errors import FileRefused
from dashboard.ingest.image_pixel import ImagePixel, check_stored_values


def described(stored: int, signed: bool = False) -> ImagePixel:
    return ImagePixel(1, 4, 1, "MONOCHROME2", 16, stored, int(signed), 1)


@given(st.integers(2, 16), st.lists(st.integers(0, 65535), min_size=1, max_size=20))
def test_unsigned_values_that_fit_pass(stored: int, values: list[int]) -> None:
    fitting = np.array(values, np.uint16) & ((1 << stored) - 1)
    assert check_stored_values(fitting.astype(np.uint16), described(stored), overlays=False) is False


@given(st.integers(2, 16), st.lists(st.integers(-32768, 32767), min_size=1, max_size=20))
def test_signed_values_that_fit_pass_in_both_ways_of_writing(stored: int, values: list[int]) -> None:
    half = 1 << (stored - 1)
    fitting = (np.array(values, np.int64) + half) % (2 * half) - half
    extended = fitting.astype(np.int16).view(np.uint16)
    for written in (extended, extended & ((1 << stored) - 1)):
        assert check_stored_values(written.astype(np.uint16), described(stored, True), overlays=False) is False


@given(st.integers(2, 15), st.integers(0, 65535))
def test_an_unsigned_value_that_does_not_fit_is_refused(stored: int, value: int) -> None:
    values = np.array([0, value | 1 << stored], np.uint16)
    with pytest.raises(FileRefused, match="larger than BitsStored"):
        check_stored_values(values, described(stored), overlays=False)


def test_a_signed_value_that_does_not_fit_is_refused() -> None:
    values = np.array([-1, 3000], np.int16).view(np.uint16)
    with pytest.raises(FileRefused, match="larger than BitsStored"):
        check_stored_values(values, described(12, True), overlays=False)


def test_overlays_explain_unused_bits() -> None:
    assert check_stored_values(np.array([0x1001], np.uint16), described(12), overlays=True) is True
