"""Original UIDs put back at every depth."""

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID

from dashboard.exchange.uid_restoration import restore_uids

ORIGINAL = {"2.25.1": "1.2.3.1", "2.25.2": "1.2.3.2", "2.25.3": "1.2.3.3"}


def our_object() -> Dataset:
    item = Dataset()
    item.ReferencedSOPInstanceUID = "2.25.2"
    series = Dataset()
    series.ReferencedInstanceSequence = [item]
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.MediaStorageSOPInstanceUID = UID("2.25.3")
    dataset.StudyInstanceUID, dataset.SOPInstanceUID = "2.25.1", "2.25.3"
    dataset.SeriesInstanceUID = "2.25.99"
    dataset.ReferencedSeriesSequence = [series]
    return dataset


def test_uids_are_put_back_at_every_depth_and_in_the_meta_information():
    dataset = our_object()
    assert restore_uids(dataset, ORIGINAL) == 4
    assert dataset.StudyInstanceUID == "1.2.3.1"
    assert dataset.ReferencedSeriesSequence[0].ReferencedInstanceSequence[0].ReferencedSOPInstanceUID == "1.2.3.2"
    assert dataset.file_meta.MediaStorageSOPInstanceUID == dataset.SOPInstanceUID == "1.2.3.3"


def test_uids_that_are_not_known_stay():
    dataset = our_object()
    restore_uids(dataset, ORIGINAL)
    assert dataset.SeriesInstanceUID == "2.25.99"


def test_elements_of_several_values_are_put_back_value_by_value():
    dataset = Dataset()
    dataset.RelatedGeneralSOPClassUID = ["2.25.1", "2.25.77"]
    restore_uids(dataset, ORIGINAL)
    assert list(dataset.RelatedGeneralSOPClassUID) == ["1.2.3.1", "2.25.77"]


def test_empty_uids_and_text_that_looks_like_one_are_left_alone():
    dataset = Dataset()
    dataset.FrameOfReferenceUID, dataset.PatientID = "", "2.25.1"
    assert restore_uids(dataset, ORIGINAL) == 0
    assert dataset.PatientID == "2.25.1"
