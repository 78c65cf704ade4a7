"""One file in: an accepted image, or the reason why not."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    BasicTextSRStorage,
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    DigitalXRayImageStorageForPresentation,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
    SecondaryCaptureImageStorage,
    UltrasoundMultiFrameImageStorage,
)

from dashboard.errors import FileRefused, GeometryRefused, InputRefused, SyntaxRefused
from dashboard.ingest import Instance, RejectedFile
from dashboard.ingest.pixels import decode_frames
from dashboard.ingest.reading import read_instance, read_or_reject
from tests.ingest.builders import (
    SAGITTAL,
    describe_pixels,
    dropped,
    enhanced,
    image,
    keyed_door,
    original_door,
    pixels,
    save,
)


def accept(dataset: Dataset, folder: Path) -> Instance:
    return read_instance(dropped(save(dataset, folder / "in.dcm")), original_door(), folder).instance


def change(path: Path, old: bytes, new: bytes) -> None:
    data = path.read_bytes()
    assert data.count(old) == 1
    path.write_bytes(data.replace(old, new))


def test_headers_become_values(tmp_path: Path) -> None:
    found = accept(image(ImageOrientationPatient=SAGITTAL, SeriesDescription="SAG T2 TSE"), tmp_path)
    assert found.acquisition.modality == "MR"
    assert found.acquisition.series_description == "SAG T2 TSE"
    assert found.acquisition.echo_time_ms == 100.0
    assert (found.study_date, found.study_time) == ("20240102", "101500")
    (plane,) = found.frame_planes
    assert plane.image_orientation_patient == (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)
    assert plane.image_position_patient == (-3.0, -4.0, 100.0)
    assert (found.rows, found.columns, found.number_of_frames) == (16, 12, 1)
    assert found.warnings == ()


def test_the_stored_file_holds_the_same_pixels_and_no_name(tmp_path: Path) -> None:
    values = pixels(seed=5)
    found = accept(image(values), tmp_path)
    stored = pydicom.dcmread(found.path)
    assert np.array_equal(stored.pixel_array, values)
    assert b"DOE" not in found.path.read_bytes()
    assert stored.PatientID == found.patient_key
    assert found.path.name == f"{found.sop_instance_uid}.dcm"


@pytest.mark.parametrize(
    "syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian, RLELossless]
)
def test_other_encodings_hold_the_same_pixels(tmp_path: Path, syntax: str) -> None:
    values = pixels(seed=6)
    dataset = image(values, TransferSyntaxUID=ExplicitVRLittleEndian if syntax == RLELossless else syntax)
    if syntax == ExplicitVRBigEndian:
        dataset.PixelData = values.astype(">u2").tobytes()
    path = save(dataset, tmp_path / "in.dcm")
    if syntax == RLELossless:
        again = pydicom.dcmread(path)
        again.compress(RLELossless)
        again.save_as(path)
    found = read_instance(dropped(path), original_door(), tmp_path).instance
    assert [np.array_equal(frame, values) for frame in decode_frames(found.path)] == [True]


def test_an_enhanced_image_has_one_plane_a_frame(tmp_path: Path) -> None:
    values = np.stack([pixels(seed=index) for index in range(3)])
    found = accept(enhanced(values, [[0, 0, 8], [0, 0, 4], [0, 0, 0]]), tmp_path)
    assert [plane.image_position_patient[2] for plane in found.frame_planes] == [8, 4, 0]
    assert [plane.frame for plane in found.frame_planes] == [1, 2, 3]
    assert found.acquisition.echo_time_ms == 95.0
    assert found.acquisition.repetition_time_ms == 3500.0


def test_an_enhanced_image_with_a_frame_undescribed_is_refused(tmp_path: Path) -> None:
    values = np.stack([pixels(seed=index) for index in range(3)])
    with pytest.raises(GeometryRefused, match="describes 2 frames where it holds 3"):
        accept(enhanced(values, [[0, 0, 8], [0, 0, 4]]), tmp_path)


def test_frames_without_positions_of_their_own_are_not_analysed(tmp_path: Path) -> None:
    values = np.stack([pixels(seed=index) for index in range(3)])
    found = accept(image(values, NumberOfFrames=3), tmp_path)
    assert found.frame_planes == ()
    assert found.not_analysed == "the pictures have no position in the patient"


@pytest.mark.parametrize(
    ("keyword", "value", "reason"),
    [
        ("PixelSpacing", [0.0, 0.5], "PixelSpacing must be above 0"),
        ("PixelSpacing", [0.001, 0.001], "not one of an image of a patient"),
        ("ImageOrientationPatient", [1, 0, 0, 1, 0, 0], "perpendicular"),
        ("ImageOrientationPatient", [2, 0, 0, 0, 1, 0], "length 1"),
        ("ImagePositionPatient", [0, 0, 1e7], "metres away"),
        ("RescaleSlope", 0, "RescaleSlope"),
    ],
)
def test_impossible_geometry_is_refused(tmp_path: Path, keyword: str, value: Any, reason: str) -> None:
    with pytest.raises(GeometryRefused, match=reason):
        accept(image(**{keyword: value}), tmp_path)


@pytest.mark.parametrize("text", [b"4,0   ", b"4.0mm ", b"-4    ", b"1000.0", b"nan   "])
def test_a_thickness_that_is_none_is_noted_and_costs_no_image(tmp_path: Path, text: bytes) -> None:
    path = save(image(SliceThickness="1234.5"), tmp_path / "in.dcm")
    change(path, b"1234.5", text)
    found = read_instance(dropped(path), original_door(), tmp_path).instance
    assert found.not_analysed == ""
    assert found.frame_planes[0].slice_thickness_mm is found.acquisition.slice_thickness_mm is None
    assert [note for note in found.warnings if note.startswith("SliceThickness holds")]


@pytest.mark.parametrize("value", [None, "", "0"])
def test_a_thickness_that_is_not_known_is_no_defect(tmp_path: Path, value: str | None) -> None:
    found = accept(image(SliceThickness=value), tmp_path)
    assert found.frame_planes[0].slice_thickness_mm is None
    assert not [note for note in found.warnings if "SliceThickness" in note]


@pytest.mark.parametrize("text", [b"nan", b"inf", b"1_0", b"abc"])
@pytest.mark.parametrize("keyword", ["PixelSpacing", "RescaleSlope", "ImagePositionPatient"])
def test_numbers_that_are_none_are_refused(tmp_path: Path, text: bytes, keyword: str) -> None:
    dataset = image(RescaleSlope="1.0", RescaleIntercept="0.0")
    count = {"PixelSpacing": 2, "RescaleSlope": 1, "ImagePositionPatient": 3}[keyword]
    marks = b"\\".join([b"1234.5"] * count)
    setattr(dataset, keyword, [1234.5] * count if count > 1 else 1234.5)
    path = save(dataset, tmp_path / "in.dcm")
    good = marks + b" " * (len(marks) % 2)
    bad = b"\\".join([text] * count).ljust(len(good))
    change(path, good, bad)
    with pytest.raises(GeometryRefused):
        read_instance(dropped(path), original_door(), tmp_path)


def test_an_image_without_position_is_listed_but_not_analysed(tmp_path: Path) -> None:
    found = accept(image(SOPClassUID=SecondaryCaptureImageStorage, ImagePositionPatient=None), tmp_path)
    assert found.not_analysed == "the pictures have no position in the patient"
    assert "PixelData" not in pydicom.dcmread(found.path)


def test_pictures_with_text_burned_in_are_not_stored(tmp_path: Path) -> None:
    found = accept(image(BurnedInAnnotation="YES"), tmp_path)
    assert found.not_analysed.startswith("text is burned into the pictures")
    assert "PixelData" not in pydicom.dcmread(found.path)


def test_a_colour_image_is_listed_but_not_analysed(tmp_path: Path) -> None:
    dataset = image(pixels(4, 12).astype(np.uint8))
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation, dataset.PlanarConfiguration = 3, "RGB", 0
    dataset.Columns = 4
    assert accept(dataset, tmp_path).not_analysed == "the pictures are in colour"


def test_a_mosaic_is_listed_but_not_analysed(tmp_path: Path) -> None:
    found = accept(image(ImageType=["ORIGINAL", "PRIMARY", "M", "MOSAIC"]), tmp_path)
    assert "mosaic" in found.not_analysed


def test_other_objects_are_refused_by_name(tmp_path: Path) -> None:
    for uid, name in (
        ("1.2.840.10008.5.1.4.1.1.88.11", "Basic Text SR: not an image"),
        ("1.2.840.10008.5.1.4.1.1.66.4", "Segmentation: not an image"),
        ("1.2.840.10008.5.1.4.1.1.104.1", "Encapsulated PDF: not an image"),
        ("1.2.840.10008.5.1.4.1.1.481.3", "RT Structure Set: not an image"),
        ("1.2.840.10008.5.1.4.1.1.88.59", "Key Object Selection Document: not an image"),
        ("1.2.840.10008.5.1.4.1.1.11.1", "Grayscale Softcopy Presentation State: not an image"),
        ("1.3.12.2.1107.5.9.1", "private or unknown kind"),
    ):
        with pytest.raises(FileRefused, match=name):
            accept(image(SOPClassUID=uid), tmp_path)


@pytest.mark.parametrize("keyword", ["SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"])
@pytest.mark.parametrize("value", [None, "A", "1", "1..2", ".1", "1.2.", "1." * 40 + "1"])
def test_images_that_cannot_be_assigned_are_refused(tmp_path: Path, keyword: str, value: str | None) -> None:
    path = save(image(), tmp_path / "in.dcm")
    dataset = pydicom.dcmread(path)
    if value is None:
        delattr(dataset, keyword)
    else:
        dataset[keyword].validation_mode = 0
        dataset[keyword]._value = value
    dataset.save_as(path)
    with pytest.raises(FileRefused, match=f"{keyword} is"):
        read_instance(dropped(path), original_door(), tmp_path)


def test_class_and_modality_must_agree(tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match="modality CT but names another"):
        accept(image(SOPClassUID=CTImageStorage), tmp_path)


@pytest.mark.parametrize("value", [None, ""])
def test_a_modality_that_is_not_named_is_that_of_the_class(tmp_path: Path, value: str | None) -> None:
    path = save(image(Modality=value), tmp_path / "in.dcm")
    found = read_instance(dropped(path), original_door(), tmp_path).instance
    assert found.acquisition.modality == "MR"
    assert "The file names no modality." in found.warnings


@pytest.mark.parametrize(("items", "read"), [([], True), ([Dataset()], False)])
def test_a_lookup_table_keeps_an_image_out_and_an_empty_one_does_not(
    tmp_path: Path, items: list[Dataset], read: bool
) -> None:
    path = save(image(ModalityLUTSequence=Sequence(items)), tmp_path / "in.dcm")
    found = read_instance(dropped(path), original_door(), tmp_path).instance
    assert (found.not_analysed == "") is read


def test_pixel_data_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    dataset = image()
    dataset.PixelData = dataset.PixelData[:-2]
    with pytest.raises(FileRefused, match="382 bytes where its header promises 384"):
        accept(dataset, tmp_path)


def test_pixel_data_that_is_too_long_is_refused(tmp_path: Path) -> None:
    dataset = image()
    dataset.PixelData = dataset.PixelData * 2
    with pytest.raises(FileRefused, match="768 bytes where its header promises 384"):
        accept(dataset, tmp_path)


def test_zeros_behind_the_pixels_are_left_out(tmp_path: Path) -> None:
    dataset = image()
    dataset.PixelData += b"\0" * 128
    assert len(pydicom.dcmread(accept(dataset, tmp_path).path).PixelData) == 384


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("Rows", 0),
        ("Rows", None),
        ("BitsStored", 0),
        ("BitsStored", 17),
        ("HighBit", 3),
        ("BitsAllocated", 12),
        ("PixelRepresentation", 2),
        ("SamplesPerPixel", 3),
        ("PhotometricInterpretation", "FUZZ"),
        ("NumberOfFrames", 2),
        ("NumberOfFrames", 0),
    ],
)
def test_a_false_description_of_the_pixels_is_refused(tmp_path: Path, keyword: str, value: Any) -> None:
    with pytest.raises(FileRefused):
        accept(image(**{keyword: value}), tmp_path)


def test_values_beyond_bits_stored_are_refused(tmp_path: Path) -> None:
    values = pixels()
    values[3, 3] = 4095
    dataset = image()
    describe_pixels(dataset, values, bits_stored=10)
    with pytest.raises(FileRefused, match=r"larger than BitsStored \(10\)"):
        accept(dataset, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["in.dcm"]


def test_a_missing_syntax_is_refused(tmp_path: Path) -> None:
    path = save(image(), tmp_path / "in.dcm")
    change(path, b"\x02\x00\x10\x00UI", b"\x02\x00\x11\x00UI")
    with pytest.raises(SyntaxRefused, match="names no transfer syntax"):
        read_instance(dropped(path), original_door(), tmp_path)


def test_an_unread_syntax_is_refused_by_name(tmp_path: Path) -> None:
    path = save(image(), tmp_path / "in.dcm")
    dataset = pydicom.dcmread(path)
    dataset.compress(RLELossless)
    dataset.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.201"
    dataset.save_as(path)
    with pytest.raises(SyntaxRefused, match="High-Throughput JPEG 2000"):
        read_instance(dropped(path), original_door(), tmp_path)


def test_a_rejection_knows_its_study_as_the_door_numbers_it(tmp_path: Path) -> None:
    door = keyed_door()
    good = read_instance(dropped(save(image(), tmp_path / "good.dcm")), door, tmp_path).instance
    bad = read_or_reject(dropped(save(image(BitsStored=0), tmp_path / "bad.dcm")), door, tmp_path)
    assert isinstance(bad, RejectedFile)
    assert bad.study_instance_uid == good.study_instance_uid != ""
    assert bad.name == "bad.dcm"
    # And the image that is missing for it.
    assert bad.series_instance_uid == good.series_instance_uid != ""
    assert bad.sop_instance_uid == good.sop_instance_uid != ""


@pytest.mark.parametrize("kept", [1.0, 0.9, 0.5])
def test_a_file_that_is_cut_short_names_its_image_as_far_as_it_goes(tmp_path: Path, kept: float) -> None:
    door = keyed_door()
    path = save(image(), tmp_path / "in.dcm")
    good = read_instance(dropped(path), door, tmp_path).instance
    whole = path.read_bytes()
    path.write_bytes(whole[: int(kept * len(whole)) - 10])
    bad = read_or_reject(dropped(path), door, tmp_path)
    assert isinstance(bad, RejectedFile)
    told = (bad.study_instance_uid, bad.series_instance_uid, bad.sop_instance_uid)
    known = (good.study_instance_uid, good.series_instance_uid, good.sop_instance_uid)
    assert told == (known if kept > 0.5 else ("", "", ""))


@pytest.mark.parametrize(
    "sop_class",
    [
        BasicTextSRStorage,
        SecondaryCaptureImageStorage,
        DigitalXRayImageStorageForPresentation,
        CTImageStorage,
        UltrasoundMultiFrameImageStorage,
    ],
)
def test_what_is_no_mr_image_is_not_missing(tmp_path: Path, sop_class: str) -> None:
    path = save(image(SOPClassUID=sop_class, HighBit=14), tmp_path / "a.dcm")
    found = read_or_reject(dropped(path), keyed_door(), tmp_path)
    assert isinstance(found, RejectedFile)
    assert found.study_instance_uid and not found.series_instance_uid and not found.sop_instance_uid


def test_a_date_that_is_none_is_noted(tmp_path: Path) -> None:
    path = save(image(StudyDate="20240102"), tmp_path / "in.dcm")
    change(path, b"20240102", b"20241345")
    found = read_instance(dropped(path), original_door(), tmp_path).instance
    assert found.study_date == ""
    assert "StudyDate cannot be understood." in found.warnings


def test_texts_outside_their_character_set_are_noted(tmp_path: Path) -> None:
    path = save(image(SpecificCharacterSet="ISO_IR 192"), tmp_path / "in.dcm")
    change(path, b"DOE^JANE", b"DO\xc3\x28JANE")
    found = read_instance(dropped(path), original_door(), tmp_path).instance
    assert "Some texts are not in the character set the file declares." in found.warnings


@pytest.mark.parametrize("cut", [lambda data: data[:-1], lambda data: data[: len(data) // 2], lambda data: data[:140]])
def test_a_file_cut_short_is_refused(tmp_path: Path, cut: Callable[[bytes], bytes]) -> None:
    path = save(image(), tmp_path / "in.dcm")
    path.write_bytes(cut(path.read_bytes()))
    with pytest.raises(InputRefused):
        read_instance(dropped(path), original_door(), tmp_path)


def test_a_file_without_preamble_is_read_and_noted(tmp_path: Path) -> None:
    path = save(image(), tmp_path / "in.dcm")
    path.write_bytes(path.read_bytes()[132:])
    assert "The file has no preamble." in read_instance(dropped(path), original_door(), tmp_path).instance.warnings


def test_no_log_carries_a_value_of_the_header(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    handler = logging.StreamHandler()
    logging.getLogger().addHandler(handler)
    try:
        path = save(image(SpecificCharacterSet="ISO_IR 192"), tmp_path / "in.dcm")
        change(path, b"DOE^JANE", b"DO\xc3\x28JANE")
        change(path, b"19600101", b"DOE-1960")
        read_or_reject(dropped(path), original_door(), tmp_path)
    finally:
        logging.getLogger().removeHandler(handler)
    assert capfd.readouterr().err == ""


def test_no_reason_carries_a_value_of_the_header(tmp_path: Path) -> None:
    for overrides in ({"BitsStored": 0}, {"PixelSpacing": [0.0, 0.0]}, {"Rows": 3}, {"SOPClassUID": CTImageStorage}):
        found = read_or_reject(dropped(save(image(**overrides), tmp_path / "in.dcm")), original_door(), tmp_path)
        assert isinstance(found, RejectedFile)
        assert "DOE" not in found.reason
        assert "in.dcm" not in found.reason
