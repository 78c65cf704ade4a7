"""Order of stacks: by kind, plane and place in the patient."""

import numpy as np
import pytest

from dashboard.ingest.grouping import group_series
from dashboard.ingest.instance import Instance
from dashboard.ingest.stacks import none_last
from tests.ingest.test_grouping import AXIAL, instance, plane, stack


def tilted(degrees: float, first: int, centre: float) -> list[Instance]:
    """Three slices at a disc, tilted about the left-right axis."""
    angle = np.radians(degrees)
    orientation = (1.0, 0.0, 0.0, 0.0, float(np.cos(angle)), float(np.sin(angle)))
    normal = np.array([0.0, -np.sin(angle), np.cos(angle)])
    return [
        instance(first + index, [plane(tuple(np.array([0, 0, centre]) + normal * 3 * index), orientation)])
        for index in range(3)
    ]


def test_tilted_blocks_stand_from_head_to_foot() -> None:
    files = tilted(-5, 1, -40) + tilted(10, 4, 0) + tilted(20, 7, -80)
    heights = [made.frames[0].plane.image_position_patient[2] for made in group_series(files).stacks]
    assert heights == sorted(heights, reverse=True)
    assert len(heights) == 3


def test_blocks_of_different_length_stand_from_head_to_foot() -> None:
    files = stack([0, 3, 6], AXIAL) + stack([50, 53], AXIAL, first=4) + stack([90, 93, 96, 99], AXIAL, first=6)
    assert [made.shape[0] for made in group_series(files).stacks] == [4, 2, 3]


@pytest.mark.parametrize(("lower", "higher"), [(1, 2), (2, None), (0, None)])
def test_what_has_no_number_comes_last(lower: float | None, higher: float | None) -> None:
    assert none_last(lower) < none_last(higher)
