"""The demonstration study: a synthetic spine written as DICOM, so that the first start has something to open."""

import hashlib
from datetime import datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, MRImageStorage

from dashboard.study.geometry import Array
from dashboard.study.phantom import Tumour, noisy, sampled

SEED = 20240101
ACQUIRED = datetime(2024, 1, 1, 3, 0)
DEMONSTRATION_TUMOUR = Tumour()


def write_demonstration(
    folder: Path, acquired: datetime = ACQUIRED, tumour: Tumour | None = DEMONSTRATION_TUMOUR
) -> tuple[Path, ...]:
    """Write a synthetic thoracic study (axial T2 and sagittal T2) into `folder`; return the files.

    Parameters
    ----------
    folder
        Made when absent.
    acquired
        Study date and time written into the headers.
    tumour
        The epidural mass, or None for a spine without one.

    Notes
    -----
    The same arguments give the same bytes. Every header says SYNTHETIC.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(SEED)
    axial = _affine(origin=(-90.0, -100.0, -66.0), rows=(0, 0.7, 0), columns=(0.7, 0, 0), step=(0, 0, 4.0))
    sagittal = _affine(origin=(-24.0, -110.0, 140.0), rows=(0, 0, -0.9), columns=(0, 0.9, 0), step=(3.5, 0, 0))
    paths: list[Path] = []
    for number, (name, affine, shape) in enumerate(
        (("SAG T2 TSE SYNTHETIC", sagittal, (15, 312, 240)), ("AX T2 TSE SYNTHETIC", axial, (34, 256, 256))), start=1
    ):
        pixels = noisy(sampled(affine, shape, tumour), float(np.linalg.norm(affine[:3, 1])), rng)
        paths += write_series(folder, pixels, affine, number, name, acquired)
    return tuple(paths)


def _affine(
    origin: tuple[float, float, float],
    rows: tuple[float, float, float],
    columns: tuple[float, float, float],
    step: tuple[float, float, float],
) -> Array:
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1], affine[:3, 2], affine[:3, 3] = step, rows, columns, origin
    return affine


def write_series(
    folder: Path, pixels: npt.NDArray[np.uint16], affine: Array, number: int, description: str, acquired: datetime
) -> list[Path]:
    """Write made-up slices as the MR images of one series; return the files.

    Parameters
    ----------
    folder
        Where to.
    pixels
        (slices, rows, columns), at most 12 bit.
    affine
        (4, 4), (slice, row, column, 1) to LPS mm.
    number, description
        Number and words of the series.
    acquired
        Date and time of the study, which also tell studies apart.
    """
    content = hashlib.sha256(pixels.tobytes() + affine.tobytes() + acquired.isoformat().encode())
    paths = []
    for index, plane in enumerate(pixels):
        dataset = _instance(affine, number, description, acquired)
        dataset.SeriesInstanceUID = _uid(content, "series")
        dataset.SOPInstanceUID = _uid(content, f"instance {index}")
        dataset.file_meta.MediaStorageSOPInstanceUID = UID(dataset.SOPInstanceUID)
        dataset.InstanceNumber = index + 1
        position = affine @ np.array([index, 0, 0, 1.0])
        dataset.ImagePositionPatient = [round(float(value), 4) for value in position[:3]]
        dataset.Rows, dataset.Columns = plane.shape
        dataset.PixelData = plane.astype("<u2").tobytes()
        path = folder / f"synthetic-{number}-{index + 1:03d}.dcm"
        dataset.save_as(path, enforce_file_format=True)
        paths.append(path)
    return paths


def _instance(affine: Array, number: int, description: str, acquired: datetime) -> FileDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = MRImageStorage
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    day = hashlib.sha256(acquired.isoformat().encode())
    dataset.SOPClassUID = MRImageStorage
    dataset.StudyInstanceUID, dataset.FrameOfReferenceUID = _uid(day, "study"), _uid(day, "frame of reference")
    dataset.PatientName, dataset.PatientID = "SYNTHETIC^DEMONSTRATION", "SYNTHETIC"
    dataset.PatientBirthDate = dataset.PatientSex = dataset.AccessionNumber = dataset.ReferringPhysicianName = ""
    dataset.StudyDate = dataset.SeriesDate = acquired.strftime("%Y%m%d")
    dataset.StudyTime = dataset.SeriesTime = acquired.strftime("%H%M%S")
    dataset.StudyID, dataset.SeriesNumber = "1", number
    dataset.StudyDescription, dataset.SeriesDescription = "MRI SPINE SYNTHETIC", description
    dataset.Modality, dataset.Manufacturer, dataset.BodyPartExamined = "MR", "SYNTHETIC", "TSPINE"
    dataset.ImageType = ["DERIVED", "SECONDARY", "OTHER"]
    dataset.ScanningSequence, dataset.SequenceVariant, dataset.ScanOptions = "SE", "SK", ""
    dataset.MRAcquisitionType, dataset.RepetitionTime, dataset.EchoTime = "2D", 4000.0, 100.0
    row, column, step = (np.linalg.norm(affine[:3, axis]) for axis in (1, 2, 0))
    dataset.PixelSpacing = [round(float(row), 5), round(float(column), 5)]
    dataset.SliceThickness = dataset.SpacingBetweenSlices = round(float(step), 4)
    directions = [*(affine[:3, 2] / column), *(affine[:3, 1] / row)]
    dataset.ImageOrientationPatient = [round(float(value), 6) for value in directions]
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 12, 11, 0
    dataset.WindowCenter, dataset.WindowWidth = 500, 1000
    return dataset


def _uid(content: "hashlib._Hash", purpose: str) -> str:
    digest = content.copy()
    digest.update(purpose.encode())
    return f"2.25.{int.from_bytes(digest.digest()[:16], 'big')}"
