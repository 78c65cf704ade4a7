"""Grouping of frames by geometry."""

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.ingest.grouping import SeriesGroup, group_series, group_studies
from dashboard.ingest.instance import FramePlane, Instance
from dashboard.study import Acquisition

AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
SAGITTAL = (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)
CORONAL = (1.0, 0.0, 0.0, 0.0, 0.0, -1.0)
# Where each axis of an affine begins and ends.
LPS = (("R", "L"), ("A", "P"), ("I", "S"))
NORMALS = {AXIAL: (0.0, 0.0, 1.0), SAGITTAL: (1.0, 0.0, 0.0), CORONAL: (0.0, 1.0, 0.0)}


def instance(number: int, planes: Sequence[FramePlane], **changes: object) -> Instance:
    fields: dict[str, object] = {
        "study_instance_uid": "1.2.1",
        "series_instance_uid": "1.2.2",
        "sop_instance_uid": f"1.2.3.{number}",
        "sop_class_uid": "1.2.840.10008.5.1.4.1.1.4",
        "transfer_syntax_uid": "1.2.840.10008.1.2.1",
        "patient_key": "patient",
        "acquisition": Acquisition(modality="MR"),
        "rows": 64,
        "columns": 64,
        "sha256": f"{number:064d}",
        "path": Path("unused"),
        "name": f"IM{number}",
        "frame_of_reference_uid": "1.2.4",
        "instance_number": number,
        "series_number": 1,
        "frame_planes": tuple(planes),
    }
    return Instance(**(fields | changes))  # type: ignore[arg-type]


def plane(position: Sequence[float], orientation: tuple[float, ...] = AXIAL, **changes: object) -> FramePlane:
    return FramePlane(1, tuple(position), orientation, (0.5, 0.5), 3.0, **changes)  # type: ignore[arg-type]


def stack(
    depths: Sequence[float], orientation: tuple[float, ...] = AXIAL, first: int = 1, **changes: object
) -> list[Instance]:
    """One file a depth (mm along the normal)."""
    normal = np.array(NORMALS[orientation])
    return [
        instance(first + index, [plane(tuple(normal * depth), orientation)], **changes)
        for index, depth in enumerate(depths)
    ]


def outline(group: SeriesGroup) -> list[list[str]]:
    return [[source.instance.name for source in made.frames] for made in group.stacks]


def test_slices_of_one_block_form_one_stack() -> None:
    group = group_series(stack([0, 3, 6, 9]))
    assert [made.shape for made in group.stacks] == [(4, 64, 64)]
    assert group.warnings == ()


@pytest.mark.parametrize(("orientation", "codes"), [(AXIAL, "IPL"), (SAGITTAL, "LIP"), (CORONAL, "PIL")])
@pytest.mark.parametrize("descending", [False, True])
def test_slices_are_counted_in_one_direction(orientation: tuple[float, ...], codes: str, descending: bool) -> None:
    depths = [9.0, 6.0, 3.0, 0.0] if descending else [0.0, 3.0, 6.0, 9.0]
    made = group_series(stack(depths, orientation)).stacks[0]
    assert nibabel.aff2axcodes(made.affine, LPS) == tuple(codes)


def test_the_affine_maps_each_slice_to_its_own_position() -> None:
    made = group_series(stack([10, 13, 16])).stacks[0]
    for index, source in enumerate(made.frames):
        found = made.affine @ [index, 0, 0, 1]
        assert found[:3] == pytest.approx(source.plane.image_position_patient)


@given(st.randoms(use_true_random=False), st.integers(2, 8), st.booleans())
@settings(max_examples=60, deadline=None)
def test_any_order_of_files_gives_the_same_groups(shuffler: random.Random, count: int, with_gap: bool) -> None:
    files = stack([3.0 * index + (7 if with_gap and index > 2 else 0) for index in range(count)])
    files += stack([4.0 * index for index in range(count)], SAGITTAL, first=100)
    files += [instance(200 + index, [plane((0, 0, 3.0 * index), echo_time_ms=20.0)]) for index in range(count)]
    shuffled = files.copy()
    shuffler.shuffle(shuffled)
    assert outline(group_series(shuffled)) == outline(group_series(files))
    assert group_series(shuffled).warnings == group_series(files).warnings


@given(st.permutations(range(12)))
@settings(max_examples=40, deadline=None)
def test_uids_do_not_decide_any_order(renaming: list[int]) -> None:
    files = stack([0, 3, 6, 9]) + stack([0, 4, 8, 12], SAGITTAL, first=5)
    files += [replace(item, series_instance_uid="1.2.9", series_number=2) for item in stack([0, 3, 6, 9], first=9)]
    renamed = [replace(item, sop_instance_uid=f"9.{renaming[index]}") for index, item in enumerate(files)]
    renamed = [replace(item, series_instance_uid=f"8.{100 - int(item.series_instance_uid[-1])}") for item in renamed]
    expected = [outline(series) for series in group_studies(files)[0].series]
    assert [outline(series) for series in group_studies(renamed)[0].series] == expected


@given(st.integers(4, 12).flatmap(lambda count: st.tuples(st.just(count), st.integers(1, count - 2))))
@settings(max_examples=40, deadline=None)
def test_a_missing_slice_is_noticed(case: tuple[int, int]) -> None:
    count, missing = case
    group = group_series(
        item for index, item in enumerate(stack([4.0 * at for at in range(count)])) if index != missing
    )
    assert len(group.stacks) == 2
    assert "A gap of 8.0 mm" in group.warnings[0]
    assert "1 slice may be missing" in group.warnings[0]


@pytest.mark.parametrize("lost", [{4}, {3, 4, 5, 6, 7, 8, 9, 10}, {2, 5, 9}, set()])
@pytest.mark.parametrize("step", [1, -1, 2])
def test_slices_whose_numbers_are_missing_too_never_arrived(lost: set[int], step: int) -> None:
    whole = stack([4.0 * at for at in range(14)])
    numbered = [replace(item, instance_number=100 + step * at) for at, item in enumerate(whole)]
    arrived = [item for at, item in enumerate(numbered) if at not in lost]
    assert group_series(arrived).absent == len(lost)
    # Numbered on over the gap, as blocks that were planned apart are: nothing is proven.
    assert group_series([replace(item, instance_number=at) for at, item in enumerate(arrived)]).absent == 0


@pytest.mark.parametrize(
    ("turn", "step", "lost", "bridged"),
    [
        (SAGITTAL, 4.0, {5}, True),
        (AXIAL, 1.0, {5}, True),
        (AXIAL, 1.0, {5, 12}, True),
        (AXIAL, 1.0, {5, 8, 12}, False),
        (AXIAL, 1.0, {5, 6}, False),
        (AXIAL, 4.0, {5}, False),
    ],
)
def test_a_volume_that_misses_single_slices_stays_one(
    turn: tuple[float, ...], step: float, lost: set[int], bridged: bool
) -> None:
    whole = stack([step * at for at in range(24)], turn)
    group = group_series(item for at, item in enumerate(whole) if at not in lost)
    if not bridged:
        assert len(group.stacks) > 1
        return
    (made,) = group.stacks
    (complete,) = group_series(whole).stacks
    assert made.shape == complete.shape
    assert made.affine == pytest.approx(complete.affine)
    kept = [complete.frames[place] for place in made.slices]
    assert [one.instance.name for one in made.frames] == [one.instance.name for one in kept]
    assert len(made.missing) == len(lost) and "missing after slice" in group.warnings[0]


def test_a_gap_is_told_with_its_place_and_size() -> None:
    group = group_series(stack([-4.0 * index for index in range(7)] + [-36.0, -40.0]))
    assert group.warnings == ("A gap of 12.0 mm after slice 7: 2 slices may be missing.",)
    assert sorted(made.shape[0] for made in group.stacks) == [2, 7]


def test_blocks_at_several_discs_are_told_once() -> None:
    depths = [block * 35 + slice_ * 4 for block in range(5) for slice_ in range(4)]
    group = group_series(stack(depths))
    assert [made.shape[0] for made in group.stacks] == [4] * 5
    assert group.warnings == ("Slices lie in 5 blocks, with gaps or another spacing between them.",)


def test_positions_rounded_by_the_scanner_stay_one_stack() -> None:
    group = group_series(stack([round(3.3333 * index, 1) for index in range(20)]))
    assert [made.shape[0] for made in group.stacks] == [20]


def test_a_localiser_gives_a_stack_a_plane() -> None:
    files = stack([0, 10, 20]) + stack([0, 10, 20], SAGITTAL, first=4) + stack([0, 10, 20], CORONAL, first=7)
    assert [made.shape[0] for made in group_series(files).stacks] == [3, 3, 3]


def test_sizes_are_parted() -> None:
    group = group_series(stack([0, 3, 6]) + stack([9, 12], first=4, rows=128))
    assert sorted(made.shape for made in group.stacks) == [(2, 128, 64), (3, 64, 64)]
    assert "different sizes" in group.warnings[-1]


def test_echoes_are_parted() -> None:
    files = [
        instance(10 * echo + index, [plane((0, 0, 3.0 * index), echo_time_ms=20.0 * (echo + 1))])
        for echo in range(2)
        for index in range(3)
    ]
    group = group_series(files)
    assert [(made.kind.echo_time_ms, made.shape[0]) for made in group.stacks] == [(20.0, 3), (40.0, 3)]


def test_magnitude_and_phase_are_parted() -> None:
    files = [
        instance(10 * number + index, [plane((0, 0, 3.0 * index), frame_type=("ORIGINAL", "PRIMARY", kind))])
        for number, kind in enumerate("MP")
        for index in range(3)
    ]
    assert [made.kind.frame_type[2] for made in group_series(files).stacks] == ["M", "P"]


def test_time_points_are_parted_by_their_time() -> None:
    files = [
        instance(2 * index + time, [plane((0, 0, 3.0 * index), temporal_position=2 - time)])
        for index in range(3)
        for time in range(2)
    ]
    made = group_series(files).stacks
    assert [{source.plane.temporal_position for source in one.frames} for one in made] == [{1}, {2}]


def test_repetitions_without_any_header_are_parted_by_number() -> None:
    files = stack([0, 3, 6]) + stack([0, 3, 6], first=4)
    assert outline(group_series(files)) == [["IM3", "IM2", "IM1"], ["IM6", "IM5", "IM4"]]


def test_stations_of_a_whole_spine_are_parted() -> None:
    upper = stack([0, 4, 8], SAGITTAL)
    lower = [
        replace(item, frame_planes=(plane((4.0 * index, 5.0, -300.0), SAGITTAL),), sha256=f"{9 - index}" * 64)
        for index, item in enumerate(stack([0, 4, 8], SAGITTAL, first=4))
    ]
    assert [made.shape[0] for made in group_series(upper + lower).stacks] == [3, 3]


def test_a_sheared_stack_is_one_stack() -> None:
    files = [instance(index, [plane((0, 1.4 * index, 3.0 * index))]) for index in range(6)]
    made = group_series(files).stacks
    assert [one.shape[0] for one in made] == [6]
    assert made[0].affine[:3, 0] == pytest.approx([0, -1.4, -3.0])


def test_frames_of_reference_are_never_mixed() -> None:
    files = stack([0, 3, 6]) + stack([9, 12, 15], first=4, frame_of_reference_uid="1.2.5")
    assert [made.shape[0] for made in group_series(files).stacks] == [3, 3]


def test_file_names_and_numbers_do_not_order_slices() -> None:
    files = [replace(item, instance_number=7 - index, name=f"x{index}") for index, item in enumerate(stack([0, 3, 6]))]
    assert [source.plane.image_position_patient[2] for source in group_series(files).stacks[0].frames] == [6, 3, 0]


def test_an_enhanced_object_gives_its_frames() -> None:
    planes = [replace(plane((0, 0, 3.0 * index)), frame=index + 1) for index in range(5)]
    made = group_series([instance(1, planes, number_of_frames=5)]).stacks
    assert [source.plane.frame for source in made[0].frames] == [5, 4, 3, 2, 1]


def test_one_slice_is_a_stack_of_its_thickness() -> None:
    made = group_series(stack([5])).stacks[0]
    assert np.linalg.norm(made.affine[:3, 0]) == pytest.approx(3.0)


def test_an_impossible_orientation_is_left_out_and_told() -> None:
    bad = instance(9, [plane((0, 0, 30), (1.0, 0.0, 0.0, 1.0, 0.0, 0.0))])
    group = group_series([*stack([0, 3]), bad])
    assert "1 image without a usable position or orientation left out." in group.warnings
    assert (len(group.instances), group.unplaced) == (3, 1)


def test_two_patients_under_one_study_uid_are_two_studies() -> None:
    files = stack([0, 3]) + stack([6, 9], first=3, patient_key="another")
    studies = group_studies(files)
    assert [len(study.series[0].instances) for study in studies] == [2, 2]
    assert {study.patient_key for study in studies} == {"patient", "another"}


def test_series_stand_in_the_order_of_their_numbers() -> None:
    files = [
        replace(item, series_instance_uid=uid, series_number=number)
        for uid, number in (("9", 2), ("5", None), ("7", 10))
        for item in stack([0, 3])
    ]
    numbers = [series.instances[0].series_number for series in group_studies(files)[0].series]
    assert numbers == [2, 10, None]


def test_files_without_a_place_stay_with_their_series() -> None:
    group = group_series([*stack([0, 3]), instance(9, [], not_analysed="the pictures are in colour")])
    assert (len(group.instances), len(group.stacks)) == (3, 1)
