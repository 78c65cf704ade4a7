"""Series in the order they are looked at, slices in the order they are scrolled."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dashboard.study import (
    LABELS,
    Acquisition,
    FrameReference,
    Role,
    Series,
    SeriesPrediction,
    SlicePrediction,
    Study,
    Volume,
)
from dashboard.viewing.stack import Stack, stacks_of

AXIAL, SAGITTAL = "2.25.1", "2.25.2"


def series(uid: str, across: list[float], down: list[float], step: list[float]) -> Series:
    """Series of five slices of one value each."""
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1], affine[:3, 2] = step, down, across
    voxels = np.repeat(np.arange(5.0), 64).reshape(5, 8, 8)
    frames = tuple(FrameReference(f"{uid}.{index}") for index in range(5))
    return Series(uid, 1, Acquisition(), Role.OTHER, (Volume(voxels, affine, frames),))


def axial() -> Series:
    """Stored foot first."""
    return series(AXIAL, [1, 0, 0], [0, 1, 0], [0, 0, 4])


def sagittal() -> Series:
    """Stored left first."""
    return series(SAGITTAL, [0, 1, 0], [0, 0, -1], [-4, 0, 0])


def result(index: int, grade: str | None, **changes: Any) -> dict[str, Any]:
    """Entry of a slice of the axial series in the result document."""
    return {
        "series_instance_uid": AXIAL,
        "volume_index": 0,
        "slice_index": index,
        "position_mm": [3.5, 3.5, 4.0 * index],
        "along_canal_mm": 16.0 - 4.0 * index,
        "level": None,
        "grade": grade,
        "probabilities": {"2": 0.25, "3": 0.5} if grade else None,
        "measures": {"cord_area_mm2": 50.0, "compression_ratio": 0.5} if grade else None,
    } | changes


def seen(index: int, frame: FrameReference | None) -> SlicePrediction:
    """A prediction with cord in the middle of its crop."""
    affine = np.eye(4)[:, [2, 1, 0, 3]]
    affine[:3, 3] = (0.0, 0.0, 4.0 * index)
    labels = np.zeros((8, 8), np.uint8)
    labels[3:5, 3:5] = 2
    chances, scene = np.full(5, 0.5), np.array([1.0, 0, 0, 0, 0])
    return SlicePrediction(0, index, frame, affine, 1.0, np.ones((8, 8), np.float32), labels, chances, scene, 1.0, 1.0)


def graded_stack(grades: list[str | None], **document: Any) -> Stack:
    """The axial series with these grades, head first."""
    source = axial()
    results = [result(4 - place, grade) for place, grade in enumerate(grades)]
    slices = tuple(seen(4 - place, source.volumes[0].frames[4 - place]) for place in range(len(grades)))
    predictions = {AXIAL: SeriesPrediction(AXIAL, slices, ())}
    return stacks_of(Study("2.25.9", (source,)), predictions, {"slices": results} | document)[0]


@pytest.mark.parametrize(
    ("source", "axis", "sign"), [(axial(), 2, -1.0), (sagittal(), 0, 1.0)], ids=["head to foot", "right to left"]
)
def test_series_that_were_not_analysed_are_scrolled_in_the_usual_order(source: Series, axis: int, sign: float) -> None:
    (stack,) = stacks_of(Study("2.25.9", (source,)), {}, {})
    along = [sign * one.centre_mm[axis] for one in stack.slices]
    assert along == sorted(along)


def test_a_slice_that_never_arrived_is_not_shown() -> None:
    whole = sagittal()
    volume = whole.volumes[0]
    frames = tuple(FrameReference("") if k == 2 else frame for k, frame in enumerate(volume.frames))
    missing = replace(whole, volumes=(replace(volume, frames=frames),))
    (stack,) = stacks_of(Study("2.25.9", (missing,)), {}, {})
    assert sorted(one.slice_index for one in stack.slices) == [0, 1, 3, 4]


def test_the_series_with_the_worst_slice_comes_first() -> None:
    document = {"slices": [result(0, "2")], "worst_slice": {"series_instance_uid": AXIAL}}
    stacks = stacks_of(Study("2.25.9", (sagittal(), axial())), {}, document)
    assert [stack.series.series_instance_uid for stack in stacks] == [AXIAL, SAGITTAL]


def test_the_worst_slice_of_the_study_is_shown_first() -> None:
    worst = {"series_instance_uid": AXIAL, "volume_index": 0, "slice_index": 1}
    stack = graded_stack(["3", "0", "0", "2"], worst_slice=worst)
    assert stack.worst({"worst_slice": worst}) == 3


def test_the_slice_that_sets_the_tier_is_shown_before_the_worst() -> None:
    worst = {"series_instance_uid": AXIAL, "volume_index": 0, "slice_index": 1}
    first = {**worst, "slice_index": 2}
    stack = graded_stack(["3", "0", "0", "2"], worst_slice=worst)
    before, after = stack.worst({"worst_slice": worst}), stack.worst({"worst_slice": worst, "first_slice": first})
    assert (before, after) == (3, 2)


def test_without_a_worst_slice_the_worst_grade_is_shown_first() -> None:
    assert graded_stack(["0", "1c", "1b"]).worst({}) == 1


def test_without_any_grade_the_middle_is_shown_first() -> None:
    assert graded_stack([None] * 5).worst({}) == 2


def test_a_stored_slice_is_shown_as_it_is_stored() -> None:
    one = graded_stack(["0"]).slices[0]
    assert set(one.picture().pixels.ravel()) == {4.0}
    assert set(one.outlines()) == {"cord", "sac"}


def test_where_tumour_touches_the_cord_is_outlined_too() -> None:
    one = graded_stack(["2"]).slices[0]
    assert one.prediction is not None
    one.prediction.labels[2, 2:6] = LABELS.index("tumour")
    assert set(one.outlines()) == {"cord", "sac", "tumour", "contact"}


def test_a_slice_without_a_grade_has_no_outlines() -> None:
    assert graded_stack([None]).slices[0].outlines() == {}


def test_a_reformat_is_cut_anew_around_its_centre() -> None:
    source = axial()
    predictions = {AXIAL: SeriesPrediction(AXIAL, (seen(2, None),), ())}
    (stack,) = stacks_of(Study("2.25.9", (source,)), predictions, {"slices": [result(2, "0")]})
    picture = stack.slices[0].picture()
    assert picture.pixels.max() == pytest.approx(2.0)
    assert picture.across_mm.mean() == pytest.approx(3.5)


def test_the_profile_carries_measures_and_leaves_gaps() -> None:
    first, second = graded_stack(["2", None]).profile()
    assert (first.value("cord_area_mm2"), first.value("compression_ratio"), first.probability_high) == (50.0, 0.5, 0.75)
    assert (second.grade, second.value("cord_area_mm2"), second.probability_high) == (None, None, None)
