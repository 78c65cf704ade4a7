"""Masks are kept as far as their slices may be trusted."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dashboard.grading import Obstacle, trusted_labels
from dashboard.study import FrameReference, Series, SeriesPrediction, Volume
from tests.grading.crops import CORD, TUMOUR, axial_series, prediction, stack


@pytest.fixture
def series() -> Series:
    """Four planes 5 mm apart, head to foot."""
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1], affine[:3, 2] = (0, 0, -5), (0, 1, 0), (1, 0, 0)
    affine[:3, 3] = (-10, -10, 0)
    frames = tuple(FrameReference(f"2.25.{1000 + n}") for n in range(4))
    return replace(axial_series(4), volumes=(Volume(np.zeros((4, 20, 20), np.int16), affine, frames),))


@pytest.fixture
def made() -> SeriesPrediction:
    labels = np.zeros((4, 20, 20), np.uint8)
    labels[:, 5:15, 5:15] = CORD
    labels[:, 5:7, 5:15] = TUMOUR
    return replace(stack([prediction(z_mm=-5.0 * n, index=n) for n in range(4)]), native_labels=(labels,))


def document(*obstacles: Obstacle | None, uid: str = "2.25.7") -> list[dict[str, Any]]:
    return [
        {
            "series_instance_uid": uid,
            "volume_index": 0,
            "slice_index": index,
            "status": "analysed" if obstacle is None else "not_analysed",
            "reasons": [] if obstacle is None else [obstacle.value],
        }
        for index, obstacle in enumerate(obstacles)
    ]


def test_all_analysed_gives_the_labels_as_they_are(series, made):
    assert trusted_labels(series, made, document(None, None, None, None))[0] is made.native_labels[0]


@pytest.mark.parametrize("obstacle", [Obstacle.FIELD_EDGE, Obstacle.CONUS])
def test_a_slice_that_could_not_be_graded_keeps_its_anatomy_and_loses_its_tumour(series, made, obstacle):
    kept = trusted_labels(series, made, document(None, obstacle, None, None))[0]
    assert [set(np.unique(plane)) for plane in kept] == [{0, CORD, TUMOUR}, {0, CORD}, *[{0, CORD, TUMOUR}] * 2]
    assert TUMOUR in made.native_labels[0][1], "the given labels stay as they are"


@pytest.mark.parametrize("obstacle", [Obstacle.NO_CORD, Obstacle.BELOW_CORD, Obstacle.NOT_SPINE])
def test_a_slice_without_a_cord_keeps_nothing(series, made, obstacle):
    kept = trusted_labels(series, made, document(None, None, None, obstacle))[0]
    assert kept.any(axis=(1, 2)).tolist() == [True, True, True, False]


def test_slices_of_another_series_say_nothing(series, made):
    assert not trusted_labels(series, made, document(None, None, None, None, uid="2.25.99"))[0].any()


def test_empty_labels_stay_empty(series, made):
    empty = replace(made, native_labels=(np.zeros((4, 20, 20), np.uint8),))
    assert not trusted_labels(series, empty, document(None, Obstacle.UNLIKE, None, None))[0].any()
