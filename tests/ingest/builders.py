"""Small valid MR images for tests: synthetic pixels, made-up headers, every attribute overridable.

>>> write_image(tmp_path / "a.dcm", EchoTime=12.0, PatientID=None)      # None leaves an attribute out
>>> write_series(tmp_path / "t2", slices=20, SeriesDescription="AX T2")  # head to foot, 4 mm apart
"""

from collections.abc import Callable, Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, EnhancedMRImageStorage, ExplicitVRLittleEndian, MRImageStorage

from dashboard.ingest import Door, DroppedFile, KeyedPseudonym, KeyedUids, OriginalUids, ReadProgress

AXIAL = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]
SAGITTAL = [0.0, 1.0, 0.0, 0.0, 0.0, -1.0]
CORONAL = [1.0, 0.0, 0.0, 0.0, 0.0, -1.0]


def uid(*parts: object) -> str:
    """A valid UID that depends on `parts` only."""
    digest = sha256("|".join(map(str, parts)).encode()).digest()[:16]
    return f"2.25.{int.from_bytes(digest, 'big')}"


def pixels(rows: int = 16, columns: int = 12, seed: int = 0) -> npt.NDArray[np.uint16]:
    """12-bit noise, (rows, columns)."""
    return np.random.default_rng(seed).integers(0, 4096, (rows, columns), dtype=np.uint16)


def image(values: npt.NDArray[Any] | None = None, **overrides: Any) -> Dataset:
    """A classic MR image of one slice; `overrides` are DICOM keywords, None leaves one out.

    ``study``, ``series`` and ``number`` (text or number) choose UIDs; all else are DICOM keywords.
    """
    study, series = overrides.pop("study", "study"), overrides.pop("series", "series")
    number = overrides.pop("number", 1)
    values = pixels(seed=number) if values is None else values
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = UID(overrides.pop("TransferSyntaxUID", ExplicitVRLittleEndian))
    dataset.SOPClassUID = MRImageStorage
    dataset.SOPInstanceUID = uid(study, series, number)
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = uid(study), uid(study, series)
    dataset.FrameOfReferenceUID = uid(study, "frame of reference")
    dataset.Modality, dataset.ImageType = "MR", ["ORIGINAL", "PRIMARY", "M"]
    dataset.PatientName, dataset.PatientID, dataset.PatientBirthDate, dataset.PatientSex = (
        "DOE^JANE",
        "P1",
        "19600101",
        "F",
    )
    dataset.AccessionNumber, dataset.ReferringPhysicianName, dataset.StudyID = "A1", "WHO^DOCTOR", "1"
    dataset.StudyDate, dataset.StudyTime = "20240102", "101500"
    dataset.StudyDescription, dataset.SeriesDescription, dataset.ProtocolName = "MRI SPINE", "AX T2 TSE", "AX T2 TSE"
    dataset.SeriesNumber, dataset.InstanceNumber, dataset.AcquisitionNumber = 1, number, 1
    dataset.Manufacturer, dataset.BodyPartExamined, dataset.PatientPosition = "SIEMENS", "SPINE", "HFS"
    dataset.ScanningSequence, dataset.SequenceVariant, dataset.MRAcquisitionType = "SE", "SK", "2D"
    dataset.RepetitionTime, dataset.EchoTime, dataset.FlipAngle, dataset.MagneticFieldStrength = 4000, 100, 150, 1.5
    dataset.SliceThickness, dataset.SpacingBetweenSlices = 4, 4
    dataset.PixelSpacing, dataset.ImageOrientationPatient = [0.5, 0.5], AXIAL
    dataset.ImagePositionPatient = [-3.0, -4.0, 100.0]
    describe_pixels(dataset, values)
    return _override(dataset, overrides)


def describe_pixels(dataset: Dataset, values: npt.NDArray[Any], bits_stored: int = 0) -> None:
    """Put (rows, columns) or (frames, rows, columns) integers into `dataset`, uncompressed."""
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Rows, dataset.Columns = values.shape[-2:]
    dataset.BitsAllocated = values.dtype.itemsize * 8
    dataset.BitsStored = bits_stored or dataset.BitsAllocated
    dataset.HighBit, dataset.PixelRepresentation = dataset.BitsStored - 1, int(values.dtype.kind == "i")
    dataset.PixelData = np.ascontiguousarray(values, values.dtype.newbyteorder("<")).tobytes()
    dataset["PixelData"].VR = "OW" if dataset.BitsAllocated > 8 else "OB"


def enhanced(
    values: npt.NDArray[Any], positions: Iterable[list[float]], slopes: Iterable[float] = (), **overrides: Any
) -> Dataset:
    """An enhanced MR image: `values` (frames, rows, columns), one position and, if given, one slope a frame."""
    slopes = list(slopes)
    dataset = image(values, **{"SOPClassUID": EnhancedMRImageStorage, **overrides})
    for keyword in ["ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness", "EchoTime"]:
        delattr(dataset, keyword)
    dataset.NumberOfFrames = values.shape[0]
    shared = Dataset()
    shared.PlaneOrientationSequence = _item(ImageOrientationPatient=AXIAL)
    shared.PixelMeasuresSequence = _item(PixelSpacing=[0.5, 0.5], SliceThickness=4)
    shared.MREchoSequence = _item(EffectiveEchoTime=95.0)
    shared.MRTimingAndRelatedParametersSequence = _item(RepetitionTime=3500, FlipAngle=150)
    dataset.SharedFunctionalGroupsSequence = Sequence([shared])
    frames = []
    for index, position in enumerate(positions):
        frame = Dataset()
        frame.PlanePositionSequence = _item(ImagePositionPatient=position)
        frame.FrameContentSequence = _item(StackID="1", InStackPositionNumber=index + 1, TemporalPositionIndex=1)
        if slopes:
            frame.PixelValueTransformationSequence = _item(
                RescaleSlope=slopes[index], RescaleIntercept=0, RescaleType="US"
            )
        frames.append(frame)
    dataset.PerFrameFunctionalGroupsSequence = Sequence(frames)
    return _override(dataset, {key: value for key, value in overrides.items() if key in dataset and key[0].isupper()})


def save(dataset: Dataset, path: Path) -> Path:
    """Write a conformant DICOM file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(path, enforce_file_format=True)
    return path


def write_image(path: Path, values: npt.NDArray[Any] | None = None, **overrides: Any) -> Path:
    """Write one classic MR image; see :func:`image`."""
    return save(image(values, **overrides), path)


def write_series(
    folder: Path,
    slices: int = 8,
    step: tuple[float, float, float] = (0.0, 0.0, -4.0),
    start: tuple[float, float, float] = (-3.0, -4.0, 100.0),
    make: Callable[[int], npt.NDArray[Any]] | None = None,
    **overrides: Any,
) -> list[Path]:
    """Write parallel slices as one series; slice `index` lies at ``start + index * step`` mm."""
    paths = []
    for index in range(slices):
        position = [start[axis] + index * step[axis] for axis in range(3)]
        values = None if make is None else make(index)
        settings = {"ImagePositionPatient": position, **overrides, "number": index + 1}
        paths.append(write_image(folder / f"IM{index + 1:04d}", values, **settings))
    return paths


def dropped(path: Path, root: Path | None = None) -> DroppedFile:
    """`path` as a person would have dropped it, named from `root` on."""
    return DroppedFile(path.relative_to(root).as_posix() if root else path.name, path)


def original_door() -> Door:
    """A door that keeps UIDs, as the command line's does."""
    return Door(OriginalUids(), KeyedPseudonym(b"test"))


def keyed_door() -> Door:
    """A door that replaces UIDs, as the page's does."""
    return Door(KeyedUids(b"test" * 8), KeyedPseudonym(b"test"))


def ignore_progress(_: ReadProgress) -> None:
    """For callers that want none."""


def _item(**values: Any) -> Sequence:
    item = Dataset()
    for keyword, value in values.items():
        setattr(item, keyword, value)
    return Sequence([item])


def _override(dataset: Dataset, overrides: dict[str, Any]) -> Dataset:
    for keyword, value in overrides.items():
        if value is None:
            if keyword in dataset:
                delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    return dataset
