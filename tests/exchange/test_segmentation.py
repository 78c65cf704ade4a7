"""DICOM SEG out: read back by pydicom, highdicom and dcmtk."""

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.tag import Tag
from pydicom.uid import UID, ExplicitVRLittleEndian

from dashboard.errors import InputRefused
from dashboard.exchange.segmentation import Algorithm, WrittenMasks, write_masks
from dashboard.exchange.segments import COMPRESSION, SAGITTAL
from dashboard.study import LABELS, Acquisition, FrameReference, Role, Series, Volume
from dashboard.study.sagittal import SAGITTAL_CLASSES

ALGORITHM = Algorithm("compression", "1.0.0", "0.1.0")
CSF, CORD, TUMOUR, BONE = (LABELS.index(name) for name in ("csf", "cord", "tumour", "bone"))
MR, ENHANCED_MR = "1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.5.1.4.1.1.4.1"
STEP = (0.0, 0.6, 4.0)


def source(path: Path, uid: str, sop_class: str = MR) -> Path:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID, dataset.file_meta.MediaStorageSOPInstanceUID = sop_class, uid
    dataset.SOPClassUID, dataset.SOPInstanceUID = sop_class, uid
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "2.25.10", "2.25.11"
    dataset.FrameOfReferenceUID, dataset.Modality = "2.25.12", "MR"
    dataset.PatientName, dataset.PatientID, dataset.StudyDate, dataset.StudyTime = "", "P1", "20240102", "030405"
    dataset.save_as(path, enforce_file_format=True)
    return path


def volume(count: int = 6, rows: int = 32, columns: int = 40, one_file: bool = False, first: int = 0) -> Volume:
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1], affine[:3, 2] = STEP, (0, 0.5, 0), (0.5, 0, 0)
    affine[:3, 3] = (-10, -8, 5)
    frames = tuple(
        FrameReference("2.25.500", first + i + 1) if one_file else FrameReference(f"2.25.{100 + first + i}")
        for i in range(count)
    )
    return Volume(np.zeros((count, rows, columns), np.int16), affine, frames)


def series(*volumes: Volume) -> Series:
    return Series("2.25.11", 3, Acquisition(modality="MR"), Role.AXIAL_T2, volumes, frame_of_reference_uid="2.25.12")


def labels_of(of: Volume) -> np.ndarray:
    labels = np.zeros(of.voxels.shape, np.uint8)
    labels[1:4, 8:20, 8:24] = CSF
    labels[1:4, 11:17, 12:20] = CORD
    labels[2, 8:11, 10:22] = TUMOUR
    labels[:, 25:30, :] = BONE
    return labels


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    folder = tmp_path / "store"
    folder.mkdir()
    single = {f"2.25.{100 + i}": source(folder / f"{i}.dcm", f"2.25.{100 + i}") for i in range(16)}
    return {**single, "2.25.500": source(folder / "enhanced.dcm", "2.25.500", ENHANCED_MR)}


@pytest.fixture
def written(tmp_path: Path, files: dict[str, Path]) -> Path:
    of = volume()
    result = write_masks(series(of), [labels_of(of)], files, tmp_path / "masks.dcm", ALGORITHM)
    assert result.reason is None
    return result.paths[0]


def frames_of(path: Path) -> dict[tuple[int, str], np.ndarray]:
    """Pixels by segment number and source instance."""
    masks = pydicom.dcmread(path)
    pixels = masks.pixel_array
    found = {}
    for group, frame in zip(masks.PerFrameFunctionalGroupsSequence, np.atleast_3d(pixels), strict=True):
        segment = group.SegmentIdentificationSequence[0].ReferencedSegmentNumber
        image = group.DerivationImageSequence[0].SourceImageSequence[0]
        found[segment, image.ReferencedSOPInstanceUID] = frame
    return found


def test_every_labelled_pixel_comes_back_on_its_own_slice(written):
    labels = labels_of(volume())
    found = frames_of(written)
    assert len(found) == 3 + 3 + 1, "CSF and cord on three slices, tumour on one, and no empty frame"
    for (segment, uid), frame in found.items():
        assert np.array_equal(frame > 0, labels[int(uid.split(".")[-1]) - 100] == segment)


def test_highdicom_reads_the_segments_by_source_instance(written):
    import highdicom

    masks = highdicom.seg.segread(written)
    pixels = masks.get_pixels_by_source_instance(["2.25.101", "2.25.102"], combine_segments=True)
    assert np.array_equal(pixels, np.where(labels_of(volume())[1:3] == BONE, 0, labels_of(volume())[1:3]))


def test_frames_lie_where_their_slices_lie(written):
    masks = pydicom.dcmread(written)
    for group in masks.PerFrameFunctionalGroupsSequence:
        uid = group.DerivationImageSequence[0].SourceImageSequence[0].ReferencedSOPInstanceUID
        index = int(uid.split(".")[-1]) - 100
        position = group.PlanePositionSequence[0].ImagePositionPatient
        assert list(map(float, position)) == pytest.approx([-10, -8 + 0.6 * index, 5 + 4 * index])
    shared = masks.SharedFunctionalGroupsSequence[0]
    assert list(shared.PlaneOrientationSequence[0].ImageOrientationPatient) == [1, 0, 0, 0, 1, 0]
    assert list(shared.PixelMeasuresSequence[0].PixelSpacing) == [0.5, 0.5]


def test_segments_name_what_they_are_and_which_model_drew_them(written):
    masks = pydicom.dcmread(written)
    types = {item.SegmentLabel: item.SegmentedPropertyTypeCodeSequence[0].CodeValue for item in masks.SegmentSequence}
    assert types == {
        "CSF of the thecal sac": "65216001",
        "Spinal cord": "2748008",
        "Suspected epidural tumour": "108369006",
    }
    for segment in masks.SegmentSequence:
        algorithm = segment.SegmentationAlgorithmIdentificationSequence[0]
        assert (algorithm.AlgorithmName, algorithm.AlgorithmVersion) == ("compression", "1.0.0")


def test_patient_study_and_frame_of_reference_are_those_of_the_images(written):
    masks = pydicom.dcmread(written)
    assert (masks.StudyInstanceUID, masks.FrameOfReferenceUID) == ("2.25.10", "2.25.12")
    assert masks.PatientID == masks.PatientName == ""
    assert masks.SeriesInstanceUID != "2.25.11" and masks.Modality == "SEG"
    assert masks.ReferencedSeriesSequence[0].SeriesInstanceUID == "2.25.11"
    referenced = {
        item.ReferencedSOPInstanceUID for item in masks.ReferencedSeriesSequence[0].ReferencedInstanceSequence
    }
    assert referenced == {"2.25.101", "2.25.102", "2.25.103"}


def test_the_same_masks_give_the_same_bytes(tmp_path, files, written):
    of = volume()
    again = write_masks(series(of), [labels_of(of)], files, tmp_path / "again.dcm", ALGORITHM)
    assert again.paths[0].read_bytes() == written.read_bytes()


def test_other_masks_get_another_uid(tmp_path, files, written):
    of, labels = volume(), labels_of(volume())
    labels[2, 9, 10] = CSF
    other = write_masks(series(of), [labels], files, tmp_path / "other.dcm", ALGORITHM)
    assert pydicom.dcmread(other.paths[0]).SOPInstanceUID != pydicom.dcmread(written).SOPInstanceUID


def test_dates_are_the_studys(written):
    masks = pydicom.dcmread(written)
    assert {masks.ContentDate, masks.InstanceCreationDate, masks.StudyDate} == {"20240102"}
    assert masks.ContentTime == "030405"


def test_an_enhanced_source_is_referred_to_by_frame(tmp_path, files):
    of = volume(one_file=True, first=10)
    result = write_masks(series(of), [labels_of(of)], files, tmp_path / "masks.dcm", ALGORITHM)
    masks = pydicom.dcmread(result.paths[0])
    images = [
        group.DerivationImageSequence[0].SourceImageSequence[0] for group in masks.PerFrameFunctionalGroupsSequence
    ]
    assert {image.ReferencedSOPInstanceUID for image in images} == {"2.25.500"}
    assert {image.ReferencedFrameNumber for image in images} == {12, 13, 14}
    assert {image.ReferencedSOPClassUID for image in images} == {UID(ENHANCED_MR)}
    assert len(masks.ReferencedSeriesSequence[0].ReferencedInstanceSequence) == 1


def test_the_first_frame_of_an_enhanced_source_is_named_too(tmp_path, files):
    of = volume(one_file=True)
    labels = np.zeros(of.voxels.shape, np.uint8)
    labels[0, 8:12, 8:12] = CORD
    result = write_masks(series(of), [labels], files, tmp_path / "masks.dcm", ALGORITHM)
    group = pydicom.dcmread(result.paths[0]).PerFrameFunctionalGroupsSequence[0]
    assert group.DerivationImageSequence[0].SourceImageSequence[0].ReferencedFrameNumber == 1


def test_volumes_of_other_shape_get_an_object_each(tmp_path, files):
    first, second = volume(), volume(count=5, rows=48, columns=24, first=8)
    result = write_masks(
        series(first, second), [labels_of(first), labels_of(second)], files, tmp_path / "masks.dcm", ALGORITHM
    )
    assert [path.name for path in result.paths] == ["masks.dcm", "masks-2.dcm"]
    assert pydicom.dcmread(result.paths[1]).Rows == 48


def test_a_series_without_outlines_gives_no_file_and_says_why(tmp_path, files):
    of = volume()
    result = write_masks(series(of), [np.zeros(of.voxels.shape, np.uint8)], files, tmp_path / "masks.dcm", ALGORITHM)
    assert result == WrittenMasks((), "no masks were written: nothing was outlined in this series")
    assert not (tmp_path / "masks.dcm").exists()


def test_one_labelled_slice_is_enough(tmp_path, files):
    of = volume()
    labels = labels_of(of)
    labels[[1, 3]] = 0
    result = write_masks(series(of), [labels], files, tmp_path / "masks.dcm", ALGORITHM)
    assert pydicom.dcmread(result.paths[0]).NumberOfFrames == 3


def test_a_slice_that_never_arrived_has_no_mask(tmp_path, files):
    of = volume()
    missing = replace(of, frames=(*of.frames[:2], FrameReference(""), *of.frames[3:]))
    result = write_masks(series(missing), [labels_of(of)], files, tmp_path / "masks.dcm", ALGORITHM)
    assert {uid for _, uid in frames_of(result.paths[0])} == {"2.25.101", "2.25.103"}


def test_labels_of_another_shape_are_refused(tmp_path, files):
    with pytest.raises(InputRefused, match="shape of the volumes"):
        write_masks(series(volume()), [np.zeros((1, 2, 3), np.uint8)], files, tmp_path / "masks.dcm", ALGORITHM)


def test_a_missing_source_is_refused_without_naming_it(tmp_path):
    of = volume()
    with pytest.raises(InputRefused, match="missing from the store") as caught:
        write_masks(series(of), [labels_of(of)], {}, tmp_path / "masks.dcm", ALGORITHM)
    assert "2.25" not in str(caught.value)


@pytest.mark.parametrize(
    ("date", "time"),
    [
        ("2024-01-01", "12:00:00"),
        ("20241345", "996000"),
        ("2024", "9"),
        ("00000000", "120000.1234567"),
        ("20240101-20240102", "12.5"),
    ],
)
def test_what_is_no_date_or_time_is_left_out_and_the_masks_are_written(tmp_path, files, date, time):
    for path in files.values():
        dataset = pydicom.dcmread(path)
        for keyword, vr, text in (("StudyDate", "DA", date), ("StudyTime", "TM", time)):
            dataset[keyword] = RawDataElement(Tag(keyword), vr, len(text), text.encode(), 0, False, True)
        dataset.save_as(path)
    of = volume()
    (path,) = write_masks(series(of), [labels_of(of)], files, tmp_path / "masks.dcm", ALGORITHM).paths
    masks = pydicom.dcmread(path)
    assert masks.StudyDate == masks.StudyTime == ""
    assert (masks.ContentDate, masks.ContentTime) == ("19000101", "000000")


@pytest.mark.skipif(shutil.which("dcmdump") is None, reason="dcmtk is not installed")
@pytest.mark.parametrize("tool", [["dcmdump", "-q"], ["dcm2xml", "-nat"]])
def test_dcmtk_reads_it_to_the_end(written, tool):
    done = subprocess.run([*tool, str(written)], capture_output=True, text=True, check=True)
    assert "SegmentSequence" in done.stdout and "SpinalCord" not in done.stderr
    assert not [line for line in done.stderr.splitlines() if line.startswith(("E:", "W:"))]


def test_a_sagittal_series_has_its_own_segments_and_they_come_back(tmp_path, files):
    import highdicom

    of = volume()
    labels = (np.arange(of.voxels.size, dtype=np.uint8).reshape(of.voxels.shape) // 40) % len(SAGITTAL_CLASSES)
    path = write_masks(series(of), [labels], files, tmp_path / "masks.dcm", ALGORITHM, SAGITTAL).paths[0]
    named = {item.SegmentNumber: item.SegmentLabel for item in pydicom.dcmread(path).SegmentSequence}
    assert named[SAGITTAL_CLASSES.index("disc")] == "Intervertebral discs"
    assert named[SAGITTAL_CLASSES.index("c2")] == "C2 vertebra"
    masks = highdicom.seg.segread(path)
    uids = [frame.sop_instance_uid for frame in of.frames]
    assert np.array_equal(masks.get_pixels_by_source_instance(uids, combine_segments=True), labels)


@pytest.mark.parametrize("kinds", [COMPRESSION, SAGITTAL])
def test_segments_are_numbered_without_a_gap(kinds):
    assert [kind.number for kind in kinds] == list(range(1, len(kinds) + 1))


def test_the_bytes_of_an_axial_series_are_what_they_were(written):
    # Archives hold objects of these UIDs: what made them must go on making them.
    assert str(pydicom.dcmread(written).SOPInstanceUID) == "2.25.240650697534642562583448960615239118339"
