"""The door: whatever identifies a patient stays outside."""

import io

import pydicom
import pytest
from pydicom import config
from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.tag import Tag
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, MRImageStorage

from dashboard.ingest.deidentify import Door
from dashboard.ingest.identity import Identity
from dashboard.ingest.profile import KEPT_TIMES, PROFILE
from dashboard.ingest.uids import KeyedPseudonym, KeyedUids, OriginalUids
from tests.ingest.identified import SECRET, SECRET_NUMBER, SECRET_UID, mr_dataset, reread, written


def secret_value(vr: str) -> object:
    """A value of `vr` that would give the patient away."""
    texts = {
        "DA": "19180807",
        "DT": "19180807010203",
        "TM": "010203",
        "AS": "099Y",
        "UI": SECRET_UID,
        "CS": SECRET.upper(),
    }
    if vr in texts:
        return texts[vr]
    if vr in ("DS", "IS"):
        return SECRET_NUMBER
    if vr in ("OB", "OW", "UN", "OF", "OD", "OL", "OV"):
        return (SECRET + SECRET).encode()
    if vr in ("US", "SS", "UL", "SL", "FL", "FD", "AT", "UV", "SV", "US or SS", "US or OW"):
        return None
    return SECRET


def stuff(dataset: Dataset, depth: int = 2) -> None:
    """Put a secret into every attribute of the table, into sequences, and into private elements."""
    for tag in PROFILE:
        if not dictionary_has_tag(tag) or tag >> 16 in (0x0000, 0x0002, 0x0004):
            continue
        vr = dictionary_VR(tag)
        if vr == "SQ":
            item = Dataset()
            item.PatientName = SECRET
            item.TextValue = SECRET
            value: object = Sequence([item])
        else:
            value = secret_value(vr)
        if value is not None and tag not in KEPT_TIMES:
            dataset[Tag(tag)] = DataElement(tag, vr, value, validation_mode=config.IGNORE)
    block = dataset.private_block(0x0029, SECRET.upper(), create=True)
    block.add_new(0x01, "LO", SECRET)
    if depth:
        nested = Dataset()
        stuff(nested, depth - 1)
        dataset.PerFrameFunctionalGroupsSequence = Sequence([nested])
        dataset.AnatomicRegionSequence = Sequence([nested])


def test_no_attribute_of_the_table_reaches_the_written_bytes(door: Door) -> None:
    dataset = mr_dataset()
    stuff(dataset)
    assert SECRET.encode() in written(dataset)
    door.deidentify(dataset)
    data = written(dataset)
    for secret in (SECRET, SECRET.upper(), SECRET_NUMBER, SECRET_UID, "19180807"):
        assert secret.encode() not in data


def test_text_of_any_other_attribute_is_dropped_or_cleaned(door: Door) -> None:
    dataset = mr_dataset()
    for vr in ("LO", "SH", "ST", "LT", "UT", "UC", "PN", "UR", "AE"):
        others = [tag for tag in pydicom.datadict.DicomDictionary if dictionary_VR(tag) == vr and tag not in PROFILE]
        for tag in others:
            if 0x0008 <= tag >> 16 < 0x5000:
                dataset[Tag(tag)] = DataElement(tag, vr, SECRET, validation_mode=config.IGNORE)
    door.deidentify(dataset)
    assert SECRET.encode() not in written(dataset)


@pytest.mark.parametrize("keyword", ["EchoTime", "Rows", "ContentDate", "ImagePositionPatient", "SOPInstanceUID"])
def test_a_name_in_the_place_of_another_kind_of_value_is_dropped(door: Door, keyword: str) -> None:
    dataset = mr_dataset()
    tag = Tag(pydicom.datadict.tag_for_keyword(keyword) or 0)
    raw = RawDataElement(tag, dictionary_VR(tag), len(SECRET), SECRET.encode(), 0, False, True, True)
    dataset[tag] = raw
    door.deidentify(dataset)
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=False)
    assert SECRET.encode() not in buffer.getvalue()


def test_overlays_curves_and_private_elements_are_dropped(door: Door) -> None:
    dataset = mr_dataset()
    dataset.add_new(0x60003000, "OW", SECRET.encode())
    dataset.add_new(0x60020022, "LO", SECRET)
    dataset.add_new(0x50003000, "OW", SECRET.encode())
    dataset.add_new(0x00090010, "LO", "VENDOR")
    dataset.add_new(0x00091001, "LO", SECRET)
    door.deidentify(dataset)
    assert not [element for element in dataset if element.tag.group & 1 or element.tag.group >= 0x5000]


def test_uids_are_replaced_alike_everywhere(door: Door) -> None:
    dataset = mr_dataset()
    referenced = Dataset()
    referenced.ReferencedSOPClassUID, referenced.ReferencedSOPInstanceUID = MRImageStorage, SECRET_UID + ".3"
    dataset.ReferencedImageSequence = Sequence([referenced])
    door.deidentify(dataset)
    assert dataset.SOPInstanceUID.startswith("2.25.")
    assert dataset.ReferencedImageSequence[0].ReferencedSOPInstanceUID == dataset.SOPInstanceUID
    assert dataset.file_meta.MediaStorageSOPInstanceUID == dataset.SOPInstanceUID
    other = mr_dataset()
    other.SOPInstanceUID = SECRET_UID + ".9"
    door.deidentify(other)
    assert other.SeriesInstanceUID == dataset.SeriesInstanceUID
    assert other.SOPInstanceUID != dataset.SOPInstanceUID


def test_uids_of_the_standard_stay(door: Door) -> None:
    dataset = mr_dataset()
    door.deidentify(dataset)
    assert dataset.SOPClassUID == MRImageStorage
    assert dataset.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian


def test_a_uid_under_the_standards_root_that_it_does_not_register_is_replaced(door: Door) -> None:
    dataset = mr_dataset()
    dataset.SOPInstanceUID = "1.2.840.10008.918273645"
    door.deidentify(dataset)
    assert dataset.SOPInstanceUID.startswith("2.25.")


def test_original_uids_are_kept_and_said_to_be() -> None:
    dataset = mr_dataset()
    Door(OriginalUids(), KeyedPseudonym(b"key")).deidentify(dataset)
    assert dataset.SOPInstanceUID == SECRET_UID + ".3"
    assert "113110" in [code.CodeValue for code in dataset.DeidentificationMethodCodeSequence]


def test_the_method_is_recorded(door: Door) -> None:
    dataset = mr_dataset()
    door.deidentify(dataset)
    assert dataset.PatientIdentityRemoved == "YES"
    assert [code.CodeValue for code in dataset.DeidentificationMethodCodeSequence] == ["113100", "113105", "113106"]
    assert dataset.LongitudinalTemporalInformationModified == "UNMODIFIED"


def test_dates_of_imaging_stay_and_the_birth_date_does_not(door: Door) -> None:
    dataset = mr_dataset()
    dataset.AcquisitionDateTime = "20240102030405.1+0100"
    door.deidentify(dataset)
    assert dataset.StudyDate == "20240102"
    assert dataset.AcquisitionDateTime == "20240102030405.1+0100"
    assert dataset.PatientBirthDate == ""


def test_header_and_preamble_say_nothing(door: Door) -> None:
    dataset = mr_dataset()
    door.deidentify(dataset)
    assert dataset.preamble == b"\0" * 128
    assert "SourceApplicationEntityTitle" not in dataset.file_meta


def test_identity_is_handed_back(door: Door) -> None:
    dataset = mr_dataset()
    identity = door.deidentify(dataset)
    assert (identity.patient_name, identity.patient_id, identity.birth_date) == (
        SECRET + "^Anna",
        SECRET_NUMBER,
        "19180807",
    )
    assert identity.original_uids[SECRET_UID + ".1"] == dataset.StudyInstanceUID


def test_identity_hides_its_values() -> None:
    assert SECRET not in repr(Identity(patient_name=SECRET)) + str(Identity(patient_name=SECRET))


def test_identity_can_be_forgotten() -> None:
    identity = Door(KeyedUids(b"key"), KeyedPseudonym(b"key"), keep_identity=False).deidentify(mr_dataset())
    assert identity == Identity()


def test_identity_is_read_in_the_files_character_set(door: Door) -> None:
    dataset = mr_dataset()
    dataset.SpecificCharacterSet = "ISO_IR 100"
    dataset.PatientName = "Müller^Jürgen"
    identity = door.deidentify(reread(written(dataset)))
    assert identity.patient_name == "Müller^Jürgen"


def test_studies_of_one_patient_share_a_pseudonym(door: Door) -> None:
    one, later, other = mr_dataset(), mr_dataset(), mr_dataset()
    later.StudyInstanceUID, later.PatientName = SECRET_UID + ".77", "Married^Anna"
    other.PatientID = "1"
    for dataset in (one, later, other):
        door.deidentify(dataset)
    assert one.PatientID == later.PatientID != other.PatientID


def test_the_same_number_from_two_issuers_is_two_patients(door: Door) -> None:
    one, other = mr_dataset(), mr_dataset()
    one.IssuerOfPatientID, other.IssuerOfPatientID = "A", "B"
    door.deidentify(one)
    door.deidentify(other)
    assert one.PatientID != other.PatientID


def test_two_nameless_patients_are_not_taken_for_one(door: Door) -> None:
    one, other = mr_dataset(), mr_dataset()
    for number, dataset in enumerate((one, other)):
        dataset.PatientID = dataset.PatientName = ""
        dataset.StudyInstanceUID = f"1.2.{number}"
        door.deidentify(dataset)
    assert one.PatientID != other.PatientID


def test_descriptions_keep_technique_and_anatomy(door: Door) -> None:
    dataset = mr_dataset()
    dataset.SeriesDescription, dataset.StudyDescription = f"AX T2 TSE {SECRET}", "MRT der BWS, Frau " + SECRET
    dataset.ContrastBolusAgent = "Quxovist 7 ml"
    dataset.BodyPartExamined = "TSPINE"
    door.deidentify(dataset)
    assert dataset.SeriesDescription == "AX T2 TSE"
    assert dataset.StudyDescription == "MRT BWS"
    assert dataset.ContrastBolusAgent == "contrast agent"
    assert dataset.BodyPartExamined == "TSPINE"


def test_a_hospitals_own_code_is_dropped_and_a_public_one_stays(door: Door) -> None:
    dataset = mr_dataset()
    own, public = Dataset(), Dataset()
    own.CodeValue, own.CodingSchemeDesignator, own.CodeMeaning = SECRET_NUMBER, "99HOSPITAL", SECRET
    public.CodeValue, public.CodingSchemeDesignator, public.CodeMeaning = "421060004", "SCT", "Spine"
    dataset.AnatomicRegionSequence = Sequence([own, public])
    door.deidentify(dataset)
    assert "CodeValue" not in dataset.AnatomicRegionSequence[0]
    assert dataset.AnatomicRegionSequence[1].CodeValue == "421060004"


def test_numbers_needed_for_geometry_pass_unchanged(door: Door) -> None:
    dataset = mr_dataset()
    dataset.ImagePositionPatient, dataset.PixelSpacing = [-1.5, 2.25, 3e-1], [0.5, 0.5]
    dataset.Rows = 512
    dataset = reread(written(dataset))
    door.deidentify(dataset)
    stored = reread(written(dataset))
    assert list(stored.ImagePositionPatient) == [-1.5, 2.25, 0.3]
    assert (stored.Rows, float(stored.EchoTime)) == (512, 100.0)


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian])
@pytest.mark.parametrize("from_bytes", [True, False])
def test_the_record_can_be_read_in_every_encoding(door: Door, syntax: str, from_bytes: bool) -> None:
    dataset = mr_dataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    if from_bytes:
        dataset = reread(written(dataset))
    door.deidentify(dataset)
    stored = reread(written(dataset))
    assert [code.CodeValue for code in stored.DeidentificationMethodCodeSequence] == ["113100", "113105", "113106"]


def test_the_parser_logs_no_values(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG"), pytest.warns(UserWarning):
        dataset = mr_dataset()
        dataset.PatientID = SECRET * 20
    assert SECRET not in caplog.text
