"""Studies with their voxels on disk."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from dashboard.errors import RecordsError
from dashboard.ingest import Door, Drop, DroppedFile, KeyedPseudonym, OriginalUids, RejectedFile, read_drop
from dashboard.ingest.reading import Accepted, read_or_reject
from dashboard.ingest.volumes import build_studies
from dashboard.settings import ArchiveLimits
from dashboard.study import Role, Study, physical_position
from tests.ingest.builders import enhanced, save, write_image


def mr_file(
    folder: Path, number: int, pixels: npt.NDArray[np.generic], position: Sequence[float], **changes: Any
) -> Path:
    """A 12-bit axial T2 image ``in<number>``."""
    uids = {"StudyInstanceUID": "1.2.1", "SeriesInstanceUID": "1.2.2", "SOPInstanceUID": f"1.2.3.{number}"}
    bits = {"BitsStored": 12, "HighBit": 11, "SliceThickness": 3, "ImagePositionPatient": list(position)}
    values = pixels.astype(np.uint16)
    return write_image(folder / f"in{number}", values, number=number, **{**uids, **bits, **changes})


def slice_pixels(number: int) -> npt.NDArray[np.generic]:
    return np.full((96, 100), number) + np.arange(100)


def dropped(tmp_path: Path, paths: Sequence[Path]) -> Drop:
    door = Door(OriginalUids(), KeyedPseudonym(b"key"))
    out = tmp_path / "out"
    out.mkdir(exist_ok=True)
    read = [read_or_reject(DroppedFile(path.name, path), door, out) for path in paths]
    instances = tuple(item.instance for item in read if isinstance(item, Accepted))
    return Drop(instances, tuple(item for item in read if isinstance(item, RejectedFile)), {})


def built(tmp_path: Path, paths: Sequence[Path]) -> Study:
    (study,) = build_studies(dropped(tmp_path, paths), tmp_path / "volumes")
    return study


def five(tmp_path: Path, **changes: Any) -> list[Path]:
    return [mr_file(tmp_path, index, slice_pixels(index), (0, 0, -3.0 * index), **changes) for index in range(1, 6)]


def test_slices_land_in_their_places_as_a_read_only_map(tmp_path: Path) -> None:
    study = built(tmp_path, five(tmp_path)[::-1])
    (series,) = study.series
    volume = series.volumes[0]
    assert (series.role, series.reason, study.study_date) == (Role.AXIAL_T2, None, "20240102")
    assert isinstance(volume.voxels, np.memmap)
    assert not volume.voxels.flags.writeable
    assert volume.voxels.dtype == np.int16
    for index in range(5):
        assert np.array_equal(volume.voxels[index], slice_pixels(index + 1))
        assert volume.frames[index].sop_instance_uid == f"1.2.3.{index + 1}"
    assert physical_position(volume.affine, (4, 0, 0))[2] == pytest.approx(-15.0)


def test_fractional_rescale_is_kept_as_real_numbers(tmp_path: Path) -> None:
    study = built(tmp_path, five(tmp_path, RescaleSlope="0.5", RescaleIntercept="0.25"))
    voxels = study.series[0].volumes[0].voxels
    assert voxels.dtype == np.float32
    assert voxels[0, 0, 1] == pytest.approx(1.25)


def test_whole_rescale_is_kept_as_whole_numbers(tmp_path: Path) -> None:
    study = built(tmp_path, five(tmp_path, RescaleSlope="1", RescaleIntercept="-1024"))
    voxels = study.series[0].volumes[0].voxels
    assert voxels.dtype == np.int16
    assert voxels[0, 0, 0] == -1023


def test_sixteen_unsigned_bits_are_kept(tmp_path: Path) -> None:
    study = built(tmp_path, five(tmp_path, BitsStored=16, HighBit=15))
    assert study.series[0].volumes[0].voxels.dtype == np.uint16


def test_a_file_that_cannot_be_decoded_is_rejected_and_leaves_a_gap(tmp_path: Path) -> None:
    drop = dropped(tmp_path, five(tmp_path))
    damaged = next(item for item in drop.instances if item.instance_number == 3)
    damaged.path.write_bytes(damaged.path.read_bytes()[:600])
    (study,) = build_studies(drop, tmp_path / "volumes")
    assert [rejection.name for rejection in study.rejected] == ["in3"]
    assert study.rejected[0].sop_instance_uid == damaged.sop_instance_uid
    assert study.rejected[0].series_instance_uid == study.series[0].series_instance_uid
    assert [len(volume.frames) for volume in study.series[0].volumes] == [2, 2]
    assert "1 slice may be missing" in study.series[0].warnings[0]


def test_a_slice_that_a_volume_misses_is_made_from_those_beside_it_and_is_no_frame(tmp_path: Path) -> None:
    across = [0, 1, 0, 0, 0, -1]
    files = [
        mr_file(tmp_path, n, slice_pixels(n), (3.0 * n, 0, 0), ImageOrientationPatient=across, SliceThickness=3)
        for n in range(1, 13)
        if n != 6
    ]
    (series,) = built(tmp_path, files).series
    (volume,) = series.volumes
    assert volume.voxels.shape[0] == 12 and series.frame_count == 11
    (place,) = [index for index, frame in enumerate(volume.frames) if not frame.arrived]
    beside = volume.voxels[[place - 1, place + 1]].astype(float).mean(axis=0)
    assert np.abs(volume.voxels[place] - beside).max() <= 0.5
    assert not any(np.array_equal(volume.voxels[place], volume.voxels[k]) for k in (place - 1, place + 1))


def test_a_study_of_which_nothing_decodes_is_still_a_study(tmp_path: Path) -> None:
    drop = dropped(tmp_path, five(tmp_path))
    for item in drop.instances:
        item.path.write_bytes(b"nothing")
    (study,) = build_studies(drop, tmp_path / "volumes")
    assert (study.series, len(study.rejected)) == ((), 5)


def test_rejections_go_to_their_study_or_to_all(tmp_path: Path) -> None:
    drop = dropped(tmp_path, five(tmp_path))
    stray = (RejectedFile("a", "damaged"), RejectedFile("b", "damaged", "1.2.1"), RejectedFile("c", "damaged", "9.9"))
    (study,) = build_studies(Drop(drop.instances, stray, {}), tmp_path / "volumes")
    assert [rejection.name for rejection in study.rejected] == ["a", "b"]


def test_an_image_that_came_damaged_and_then_whole_is_not_missing(tmp_path: Path) -> None:
    drop = dropped(tmp_path, five(tmp_path))
    uids = {"series_instance_uid": drop.instances[0].series_instance_uid}
    came, lost = (
        RejectedFile(name, "damaged", "1.2.1", **uids, sop_instance_uid=sop)
        for name, sop in (("a", drop.instances[0].sop_instance_uid), ("b", "9.9.9"))
    )
    (study,) = build_studies(Drop(drop.instances, (came, lost), {}), tmp_path / "volumes")
    assert [(one.name, one.sop_instance_uid) for one in study.rejected] == [("a", ""), ("b", "9.9.9")]


def test_a_file_without_a_date_does_not_take_the_study_s(tmp_path: Path) -> None:
    files = [*five(tmp_path), mr_file(tmp_path, 9, slice_pixels(0), (0, 0, 30.0), StudyDate="", StudyTime="")]
    study = built(tmp_path, files)
    assert (study.study_date, study.study_time) == ("20240102", "101500")


def test_of_magnitude_and_phase_only_magnitude_is_analysed(tmp_path: Path) -> None:
    magnitude = five(tmp_path, ImageType=["ORIGINAL", "PRIMARY", "M"])
    phase = [
        mr_file(tmp_path, 10 + index, slice_pixels(0), (0, 0, -3.0 * index), ImageType=["ORIGINAL", "PRIMARY", "P"])
        for index in range(1, 6)
    ]
    (series,) = built(tmp_path, magnitude + phase).series
    assert [len(volume.frames) for volume in series.volumes] == [5]
    assert series.acquisition.image_type[2] == "M"
    assert series.warnings[-1].startswith("5 further images of this series")


def test_of_several_echoes_the_one_nearest_to_t2_is_analysed(tmp_path: Path) -> None:
    paths = [
        mr_file(tmp_path, 10 * echo + index, slice_pixels(echo), (0, 0, -3.0 * index), EchoTime=echo * 30)
        for echo in range(1, 6)
        for index in range(3)
    ]
    (series,) = built(tmp_path, paths).series
    assert series.acquisition.echo_time_ms == 90
    assert len(series.volumes) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"EchoTime": 95.0},
        {"ImageType": ["ORIGINAL", "PRIMARY", "M", "ND"]},
        {"AcquisitionNumber": 2},
    ],
)
@pytest.mark.parametrize("first", [6, 5])
def test_another_block_of_the_spine_is_no_repetition(tmp_path: Path, changes: dict[str, Any], first: int) -> None:
    upper = five(tmp_path, EchoTime=102.0, AcquisitionNumber=1)
    lower = [
        mr_file(
            tmp_path, 20 + n, slice_pixels(0), (0, 0, -3.0 * n), **{"EchoTime": 102.0, "AcquisitionNumber": 1} | changes
        )
        for n in range(first, 11)
    ]
    (series,) = built(tmp_path, upper + lower).series
    assert sum(len(volume.frames) for volume in series.volumes) == 10
    places = sorted(float(volume.affine[2, 3]) for volume in series.volumes)
    assert places[-1] == -3.0
    # A slice at a place that is shown already is left out, and said to be.
    assert any(one.startswith("1 further image of") for one in series.warnings) is (first == 5)


def test_axial_slices_among_more_sagittal_ones_are_found(tmp_path: Path) -> None:
    sagittal = [
        mr_file(tmp_path, 10 + index, slice_pixels(0), (3.0 * index, 0, 0), ImageOrientationPatient=[0, 1, 0, 0, 0, -1])
        for index in range(9)
    ]
    (series,) = built(tmp_path, five(tmp_path) + sagittal).series
    assert (series.role, series.reason) == (Role.AXIAL_T2, None)
    assert [len(volume.frames) for volume in series.volumes] == [5]
    assert series.warnings[-1].startswith("9 further images")


def test_a_few_slices_in_three_planes_are_a_localiser(tmp_path: Path) -> None:
    paths = five(tmp_path)
    for first, orientation, axis in ((10, [0, 1, 0, 0, 0, -1], 0), (20, [1, 0, 0, 0, 0, -1], 1)):
        for index in range(3):
            position = [0.0, 0.0, 0.0]
            position[axis] = 8.0 * index
            paths.append(
                mr_file(tmp_path, first + index, slice_pixels(0), position, ImageOrientationPatient=orientation)
            )
    (series,) = built(tmp_path, paths).series
    assert "localiser" in (series.reason or "")
    assert [len(volume.frames) for volume in series.volumes] == [5, 3, 3]


def test_a_stack_with_pictures_for_reference_is_no_localiser(tmp_path: Path) -> None:
    paths = five(tmp_path)
    for number, orientation in ((10, [0, 1, 0, 0, 0, -1]), (20, [1, 0, 0, 0, 0, -1])):
        paths.append(mr_file(tmp_path, number, slice_pixels(0), (9, 9, 9), ImageOrientationPatient=orientation))
    (series,) = built(tmp_path, paths).series
    assert (series.role, series.reason) == (Role.AXIAL_T2, None)


@pytest.mark.parametrize(("thickness_mm", "taken"), [(3, 11), (6, 6), (None, 6)])
def test_images_of_another_kind_in_the_gaps_between_slices_are_taken_as_well(
    tmp_path: Path, thickness_mm: float | None, taken: int
) -> None:
    paths = [
        mr_file(
            tmp_path,
            index,
            slice_pixels(index),
            (0, 0, -3.0 * index),
            ImageType=["ORIGINAL", "PRIMARY", "M", "ND" if index % 2 else "NORM"],
            SliceThickness=thickness_mm,
        )
        for index in range(11)
    ]
    (series,) = built(tmp_path, paths).series
    assert sum(len(volume.frames) for volume in series.volumes) == taken


def test_a_series_that_cannot_be_analysed_keeps_all_its_images(tmp_path: Path) -> None:
    paths = five(tmp_path, SeriesDescription="T1", RepetitionTime=500, EchoTime=10)
    paths += [
        mr_file(
            tmp_path,
            10 + index,
            slice_pixels(0),
            (0, 0, -3.0 * index),
            SeriesDescription="T1",
            EchoTime=15,
            RepetitionTime=500,
        )
        for index in range(1, 6)
    ]
    (series,) = built(tmp_path, paths).series
    assert series.role is Role.AXIAL_T1
    assert [len(volume.frames) for volume in series.volumes] == [5, 5]


def test_images_that_may_not_be_analysed_say_why(tmp_path: Path) -> None:
    (series,) = built(tmp_path, five(tmp_path, BurnedInAnnotation="YES")).series
    assert series.volumes == ()
    assert series.reason == "Text is burned into the pictures, which may name the patient."


def test_frames_of_an_enhanced_object_land_by_position(tmp_path: Path) -> None:
    values = np.arange(4 * 96 * 100, dtype=np.uint16).reshape(4, 96, 100) % 4000
    heights = [3.0, 9.0, 0.0, 6.0]
    path = save(enhanced(values, [[0, 0, height] for height in heights]), tmp_path / "enhanced.dcm")
    (series,) = built(tmp_path, [path]).series
    volume = series.volumes[0]
    assert [reference.frame for reference in volume.frames] == [2, 4, 1, 3]
    for position, reference in enumerate(volume.frames):
        assert np.array_equal(volume.voxels[position], values[reference.frame - 1])


def test_two_patients_under_one_study_number_stay_apart(tmp_path: Path) -> None:
    for folder, patient in (("a", "one"), ("b", "two")):
        (tmp_path / folder).mkdir()
        for index in range(1, 4):
            number = index + (10 if patient == "two" else 0)
            mr_file(tmp_path / folder, number, slice_pixels(number), (0, 0, -3.0 * index), PatientID=patient)
    (tmp_path / "scratch").mkdir()
    (tmp_path / "out").mkdir()
    paths = sorted([*(tmp_path / "a").iterdir(), *(tmp_path / "b").iterdir()])
    door = Door(OriginalUids(), KeyedPseudonym(b"key"))
    files = [DroppedFile(path.name, path) for path in paths]
    drop = read_drop(files, door, tmp_path / "out", tmp_path / "scratch", ArchiveLimits(), lambda _: None)
    studies = build_studies(drop, tmp_path / "volumes")
    assert [[len(volume.frames) for volume in study.series[0].volumes] for study in studies] == [[3], [3]]
    assert len({study.study_instance_uid for study in studies}) == 2
    assert sorted(drop.identities[study.study_instance_uid].patient_id for study in studies) == ["one", "two"]


def test_blank_images_are_told(tmp_path: Path) -> None:
    paths = [mr_file(tmp_path, index, np.zeros((96, 100)), (0, 0, -3.0 * index)) for index in range(1, 4)]
    (series,) = built(tmp_path, paths).series
    assert series.reason == "The images are blank: every pixel has the same value."


def test_a_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drop = dropped(tmp_path, five(tmp_path))

    def refuse(*_: object, **__: object) -> io.BytesIO:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(RecordsError, match="No space left"):
        build_studies(drop, tmp_path / "volumes")


def test_the_same_files_give_the_same_volumes(tmp_path: Path) -> None:
    paths = five(tmp_path)
    one = build_studies(dropped(tmp_path, paths), tmp_path / "one")[0].series[0].volumes[0]
    other = build_studies(dropped(tmp_path, paths[::-1]), tmp_path / "other")[0].series[0].volumes[0]
    assert np.array_equal(one.voxels, other.voxels)
    assert one.frames == other.frames


def test_nothing_dropped_is_no_study(tmp_path: Path) -> None:
    assert build_studies(Drop((), (), {}), tmp_path / "volumes") == ()


@pytest.mark.parametrize(
    ("changes", "may_be"),
    [
        ({"SeriesDescription": "T2 TSE TRA", "BurnedInAnnotation": "YES"}, True),
        ({"SeriesDescription": "T2 TSE SAG", "BurnedInAnnotation": "YES"}, False),
        ({"SeriesDescription": "T2 TSE TRA", "RepetitionTime": "500", "EchoTime": "10"}, True),
        ({"SeriesDescription": "T1 TSE TRA", "RepetitionTime": "500", "EchoTime": "10"}, False),
        ({"SeriesDescription": "T2 TSE TRA"}, False),
    ],
)
def test_a_series_named_as_axial_t2_that_is_kept_out_says_so(
    tmp_path: Path, changes: dict[str, Any], may_be: bool
) -> None:
    (series,) = built(tmp_path, five(tmp_path, **changes)).series
    assert series.may_be_axial_t2 == may_be
