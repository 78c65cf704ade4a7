"""An MR image that names its patient, in words and numbers found nowhere else."""

import io

import pydicom
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage

# Not a word of technique or anatomy, and found nowhere else.
SECRET = "Quxblorf"
SECRET_NUMBER = "918273645"
SECRET_UID = "1.2.826.0.1.918273645"


def mr_dataset() -> FileDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = MRImageStorage
    meta.MediaStorageSOPInstanceUID = SECRET_UID + ".3"
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.SourceApplicationEntityTitle = SECRET.upper()
    dataset = FileDataset(None, {}, file_meta=meta, preamble=SECRET.encode().ljust(128, b"\0"))
    dataset.SOPClassUID = MRImageStorage
    dataset.SOPInstanceUID = SECRET_UID + ".3"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = SECRET_UID + ".1", SECRET_UID + ".2"
    dataset.FrameOfReferenceUID = SECRET_UID + ".4"
    dataset.Modality = "MR"
    dataset.PatientName, dataset.PatientID = SECRET + "^Anna", SECRET_NUMBER
    dataset.StudyDate, dataset.PatientBirthDate = "20240102", "19180807"
    dataset.EchoTime = "100"
    return dataset


def written(dataset: Dataset) -> bytes:
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def reread(data: bytes) -> FileDataset:
    return pydicom.dcmread(io.BytesIO(data))
