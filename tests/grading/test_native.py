"""Masks are kept where slices were analysed."""

from dataclasses import replace

import numpy as np
import pytest

from dashboard.grading.native import analysed_labels
from dashboard.study import FrameReference, Volume
from tests.grading.crops import axial_series, prediction, stack


@pytest.fixture
def parts():
    """Four slices 5 mm apart, head to foot, and the same labels in a native grid of four planes."""
    made = stack([prediction(z_mm=-5.0 * n, index=n) for n in range(4)])
    affine = np.diag([1.0, 1.0, 1.0, 1.0])
    affine[:3, 0], affine[:3, 1], affine[:3, 2] = (0, 0, -5), (0, 1, 0), (1, 0, 0)
    affine[:3, 3] = (-10, -10, 0)
    frames = tuple(FrameReference(f"2.25.{1000 + n}") for n in range(4))
    volume = Volume(np.zeros((4, 20, 20), np.int16), affine, frames)
    labels = np.zeros((4, 20, 20), np.uint8)
    labels[:, 5:15, 5:15] = 2
    return replace(axial_series(4), volumes=(volume,)), replace(made, native_labels=(labels,))


def test_all_analysed_gives_the_labels_as_they_are(parts):
    series, made = parts
    assert analysed_labels(series, made, {(0, n) for n in range(4)})[0] is made.native_labels[0]


def test_a_slice_that_was_not_analysed_is_empty(parts):
    series, made = parts
    kept = analysed_labels(series, made, {(0, 0), (0, 2), (0, 3)})[0]
    assert kept.any(axis=(1, 2)).tolist() == [True, False, True, True]
    assert made.native_labels[0][1].any(), "the given labels stay as they are"


def test_nothing_analysed_leaves_nothing(parts):
    series, made = parts
    assert not analysed_labels(series, made, set())[0].any()
