"""A whole drop."""

import shutil
import zipfile
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dashboard.ingest import Door, Drop, DroppedFile, KeyedPseudonym, OriginalUids, ReadProgress, read_drop
from dashboard.ingest.drop import NO_NUMBER, TWO_PATIENTS
from dashboard.settings import ArchiveLimits
from tests.ingest.builders import (
    describe_pixels,
    ignore_progress,
    image,
    keyed_door,
    original_door,
    save,
    write_image,
    write_series,
)


def take(files: list[DroppedFile], folder: Path, door: Door | None = None) -> Drop:
    out, scratch = folder / "out", folder / "scratch"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    scratch.mkdir(exist_ok=True)
    drop = read_drop(files, door or original_door(), out, scratch, ArchiveLimits(), ignore_progress)
    assert list(scratch.iterdir()) == []
    assert {path.name for path in out.iterdir()} == {item.path.name for item in drop.instances}
    return drop


def named(paths: list[Path]) -> list[DroppedFile]:
    return [DroppedFile(f"{path.parent.name}/{path.name}", path) for path in paths]


def test_every_file_is_accepted_or_listed(tmp_path: Path) -> None:
    paths = write_series(tmp_path / "in", slices=3)
    (tmp_path / "in" / "notes.txt").write_text("hello")
    drop = take(named([*paths, tmp_path / "in" / "notes.txt"]), tmp_path)
    assert len(drop.instances) == 3
    assert [item.name for item in drop.rejections] == ["in/notes.txt"]
    assert all(path.exists() for path in paths)


def test_an_archive_gives_the_same_as_its_files(tmp_path: Path) -> None:
    paths = write_series(tmp_path / "in", slices=3)
    with zipfile.ZipFile(tmp_path / "drop.zip", "w") as archive:
        for path in paths:
            archive.write(path, f"study/{path.name}")
    loose = take(named(paths), tmp_path)
    packed = take([DroppedFile("drop.zip", tmp_path / "drop.zip")], tmp_path)
    assert {(i.sop_instance_uid, i.sha256) for i in loose.instances} == {
        (i.sop_instance_uid, i.sha256) for i in packed.instances
    }
    assert packed.instances[0].name == "drop.zip/study/IM0001"


def test_the_same_file_twice_is_a_duplicate(tmp_path: Path) -> None:
    first = write_image(tmp_path / "in" / "a")
    second = tmp_path / "in" / "b"
    shutil.copy(first, second)
    drop = take(named([first, second]), tmp_path)
    assert (len(drop.instances), len(drop.rejections), drop.duplicates) == (1, 0, 1)


@pytest.mark.parametrize("swapped", [False, True])
def test_of_two_files_with_one_number_the_same_stays_whatever_the_order(tmp_path: Path, swapped: bool) -> None:
    files = named([write_image(tmp_path / "in" / "a"), write_image(tmp_path / "in" / "b", EchoTime=50)])
    drop = take(files[::-1] if swapped else files, tmp_path)
    (kept,) = drop.instances
    assert kept.sha256 == min(take([file], tmp_path).instances[0].sha256 for file in files)
    (rejected,) = drop.rejections
    assert rejected.name != kept.name
    assert "same image number" in rejected.reason
    assert rejected.study_instance_uid == kept.study_instance_uid


def test_two_patients_in_one_drop_keep_their_names(tmp_path: Path) -> None:
    files = [
        write_image(tmp_path / "in" / "a", study="a", PatientID="P1", PatientName="ONE"),
        write_image(tmp_path / "in" / "b", study="b", PatientID="P2", PatientName="TWO"),
    ]
    drop = take(named(files), tmp_path, keyed_door())
    names = {item.name: drop.identities[item.study_instance_uid].patient_name for item in drop.instances}
    assert names == {"in/a": "ONE", "in/b": "TWO"}
    assert len({item.patient_key for item in drop.instances}) == 2


def test_two_patients_under_one_study_number_are_told_apart(tmp_path: Path) -> None:
    files = [
        write_image(tmp_path / "in" / "a", number=1, PatientID="P1", PatientName="ONE"),
        write_image(tmp_path / "in" / "b", number=2, PatientID="P2", PatientName="TWO"),
    ]
    drop = take(named(files), tmp_path)
    assert len({item.study_instance_uid for item in drop.instances}) == 2
    names = {item.name: drop.identities[item.study_instance_uid].patient_name for item in drop.instances}
    assert names == {"in/a": "ONE", "in/b": "TWO"}
    assert all(TWO_PATIENTS in item.warnings for item in drop.instances)


@pytest.mark.parametrize("door", [original_door(), keyed_door()])
@pytest.mark.parametrize(
    "other",
    [
        {"PatientID": None},
        {"PatientID": None, "PatientName": ""},
        {"IssuerOfPatientID": "HOSPITAL"},
        {"PatientID": " p1 "},
        {"PatientID": "", "PatientName": "One^^^"},
    ],
)
def test_one_patient_named_in_two_ways_is_one_study(tmp_path: Path, door: Door, other: dict[str, str | None]) -> None:
    files = [
        write_image(tmp_path / "in" / "a", number=1, PatientID="P1", PatientName="ONE"),
        write_image(tmp_path / "in" / "b", number=2, **{"PatientID": "P1", "PatientName": "ONE", **other}),
    ]
    drop = take(named(files), tmp_path, door)
    assert len({(item.study_instance_uid, item.patient_key) for item in drop.instances}) == 1
    assert drop.identities[drop.instances[0].study_instance_uid].patient_id.upper() == "P1"
    assert not any(TWO_PATIENTS in item.warnings for item in drop.instances)
    assert (NO_NUMBER in drop.instances[1].warnings) is (other.get("PatientID", "P1") in (None, ""))


def test_a_file_without_a_number_is_given_to_neither_of_two_patients(tmp_path: Path) -> None:
    files = [
        write_image(tmp_path / "in" / "a", number=1, PatientID="P1", PatientName=""),
        write_image(tmp_path / "in" / "b", number=2, PatientID="P2", PatientName=""),
        write_image(tmp_path / "in" / "c", number=3, PatientID=None, PatientName=""),
    ]
    drop = take(named(files), tmp_path)
    assert len({item.study_instance_uid for item in drop.instances}) == 3
    assert all(TWO_PATIENTS in item.warnings for item in drop.instances)


def test_a_run_that_keeps_no_identity_puts_the_same_together(tmp_path: Path) -> None:
    files = [
        write_image(tmp_path / "in" / "a", number=1, PatientID="P1"),
        write_image(tmp_path / "in" / "b", number=2, PatientID=None),
    ]
    door = Door(OriginalUids(), KeyedPseudonym(b"test"), keep_identity=False)
    assert len({item.patient_key for item in take(named(files), tmp_path, door).instances}) == 1


def test_a_refused_image_without_a_study_number_is_missing_from_the_study_of_its_series(tmp_path: Path) -> None:
    whole = write_image(tmp_path / "in" / "a", SOPInstanceUID="1.2.8", SeriesInstanceUID="1.2.5")
    nameless = write_image(tmp_path / "in" / "b", SeriesInstanceUID="1.2.5", StudyInstanceUID=None)
    strange = write_image(tmp_path / "in" / "c", SeriesInstanceUID="1.2.6", StudyInstanceUID=None)
    drop = take(named([nameless, strange, whole]), tmp_path)
    found = {item.name: item for item in drop.rejections}
    study = drop.instances[0].study_instance_uid
    assert (found["in/b"].study_instance_uid, found["in/b"].series_instance_uid) == (study, "1.2.5")
    assert found["in/b"].sop_instance_uid
    assert (found["in/c"].study_instance_uid, found["in/c"].series_instance_uid) == ("", "")


def test_a_file_that_vanished_costs_only_itself(tmp_path: Path) -> None:
    good = write_image(tmp_path / "in" / "a")
    drop = take(named([tmp_path / "in" / "gone", good]), tmp_path)
    assert len(drop.instances) == 1
    assert [item.reason for item in drop.rejections] == ["The file cannot be read (no such file or directory)."]


def test_a_file_refused_after_its_headers_leaves_nothing_behind(tmp_path: Path) -> None:
    values = np.full((16, 12), 4095, np.uint16)
    dataset = image(values)
    describe_pixels(dataset, values, bits_stored=10)
    drop = take(named([save(dataset, tmp_path / "in" / "a")]), tmp_path)
    assert "BitsStored" in drop.rejections[0].reason


def test_a_volume_dropped_twice_is_one_duplicate(tmp_path: Path) -> None:
    data = np.arange(7 * 6 * 5, dtype=np.int16).reshape(7, 6, 5)
    nib.save(nib.Nifti1Image(data, np.diag([1.0, 1.0, 4.0, 1.0])), tmp_path / "a.nii")
    shutil.copy(tmp_path / "a.nii", tmp_path / "b.nii")
    drop = take(named([tmp_path / "a.nii", tmp_path / "b.nii"]), tmp_path)
    assert (len(drop.instances), len(drop.rejections), drop.duplicates) == (5, 0, 1)


def test_progress_counts_files_and_bytes(tmp_path: Path) -> None:
    paths = write_series(tmp_path / "in", slices=4)
    with zipfile.ZipFile(tmp_path / "drop.zip", "w") as archive:
        for path in paths:
            archive.write(path, path.name)
    seen: list[ReadProgress] = []
    (tmp_path / "out").mkdir()
    (tmp_path / "scratch").mkdir()
    files = [DroppedFile("drop.zip", tmp_path / "drop.zip")]
    read_drop(files, original_door(), tmp_path / "out", tmp_path / "scratch", ArchiveLimits(), seen.append)
    assert seen[-1] == ReadProgress(4, (tmp_path / "drop.zip").stat().st_size, 4, 0)
    assert [item.bytes_done for item in seen] == sorted(item.bytes_done for item in seen)
    assert 0 < seen[1].bytes_done < seen[-1].bytes_done


def test_the_index_of_a_medium_is_named(tmp_path: Path) -> None:
    path = save(image(), tmp_path / "in" / "DICOMDIR")
    data = path.read_bytes()
    path.write_bytes(data.replace(b"1.2.840.10008.5.1.4.1.1.4\0", b"1.2.840.10008.1.3.10\0\0\0\0\0\0"))
    (rejected,) = take(named([path]), tmp_path).rejections
    assert "index of a medium (DICOMDIR)" in rejected.reason


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(range(5)))
def test_the_order_of_files_changes_nothing(tmp_path: Path, order: list[int]) -> None:
    folder = tmp_path / "in"
    if not folder.exists():
        write_series(folder, slices=3)
        write_image(folder / "twin", number=1, EchoTime=50)
        (folder / "junk").write_bytes(b"junk")
    files = named(sorted(folder.iterdir()))
    drop = take([files[index] for index in order], tmp_path)
    assert [(item.name, item.sha256) for item in drop.instances] == [
        (item.name, item.sha256) for item in take(files, tmp_path).instances
    ]
    assert {item.name for item in drop.rejections} == {item.name for item in take(files, tmp_path).rejections}


def test_memory_holds_no_pixels(tmp_path: Path) -> None:
    path = write_image(tmp_path / "in" / "a", np.zeros((64, 64), np.uint16))
    (found,) = take(named([path]), tmp_path).instances
    assert not [value for value in vars(found).values() if isinstance(value, bytes | np.ndarray)]
