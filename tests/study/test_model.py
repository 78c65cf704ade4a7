"""What a volume and a series refuse and tell."""

import numpy as np
import pytest

from dashboard.errors import GeometryRefused
from dashboard.study import Acquisition, FrameReference, Plane, Role, Series, Volume, plane_affine

AXIAL = plane_affine((0, 0, 0), (1, 0, 0, 0, 1, 0), (1, 1))
SAGITTAL = plane_affine((0, 0, 0), (0, 1, 0, 0, 0, -1), (1, 1))


def frames(count: int) -> tuple[FrameReference, ...]:
    return tuple(FrameReference(f"1.2.{index}") for index in range(count))


def test_a_volume_needs_one_frame_reference_a_slice() -> None:
    with pytest.raises(GeometryRefused, match="one frame reference a slice"):
        Volume(np.zeros((3, 4, 4)), AXIAL, frames(2))


def test_a_flat_affine_is_refused() -> None:
    flat = AXIAL.copy()
    flat[:3, 0] = 0
    with pytest.raises(GeometryRefused, match="three dimensions"):
        Volume(np.zeros((1, 4, 4)), flat, frames(1))


def test_an_empty_volume_is_refused() -> None:
    with pytest.raises(GeometryRefused, match="none of them 0"):
        Volume(np.zeros((0, 4, 4)), AXIAL, ())


def test_the_plane_of_a_series_is_that_of_most_of_its_slices() -> None:
    volumes = (Volume(np.zeros((2, 4, 4)), SAGITTAL, frames(2)), Volume(np.zeros((5, 4, 4)), AXIAL, frames(5)))
    series = Series("1.2", 1, Acquisition(), Role.OTHER, volumes)
    assert series.plane is Plane.AXIAL
    assert series.frame_count == 7
