"""Masks of a graded series as DICOM Segmentation objects (PS3.3 A.51), binary, one object a volume.

The same labels of the same images give the same bytes: UIDs come from the content, dates from the
study, and no clock is read.
"""

import copy
import hashlib
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sr.codedict import codes
from pydicom.uid import UID, ExplicitVRLittleEndian, MRImageStorage

from dashboard.errors import InputRefused
from dashboard.exchange.segments import COMPRESSION, SegmentKind
from dashboard.ingest.dates import study_date, study_time
from dashboard.study import FrameReference, Series, Volume, voxel_spacing

if TYPE_CHECKING:
    from highdicom.seg import Segmentation, SegmentDescription

MANUFACTURER = "Spine Triage (research software, not a medical device)"
EMPTY = "no masks were written: nothing was outlined in this series"
# Series numbers of derived objects stand apart from the scanner's own, which are small.
SERIES_NUMBER = 9001
# What a segment's images inherit of their study, so that a viewer lays them over it. Nothing that tells the patient,
# not even the pseudonym of a number: short numbers can be guessed from it.
INHERITED = (
    *("PatientIdentityRemoved", "DeidentificationMethod", "DeidentificationMethodCodeSequence"),
    *("StudyInstanceUID", "StudyID", "AccessionNumber", "ReferringPhysicianName"),
    *("StudyDescription", "SOPClassUID", "SeriesInstanceUID", "FrameOfReferenceUID", "SpecificCharacterSet"),
    "PositionReferenceIndicator",
)
DATES = ("StudyDate", "StudyTime")
# Type 2 attributes: an archive wants them there, if only empty.
MAY_BE_EMPTY = (
    *("PatientName", "PatientID", "PatientBirthDate", "PatientSex"),
    *("StudyID", "AccessionNumber", "ReferringPhysicianName"),
)


@dataclass(frozen=True)
class Algorithm:
    """The model whose masks these are, and the version of this software."""

    name: str
    version: str
    software_version: str


@dataclass(frozen=True)
class WrittenMasks:
    """The files written, and why there is none where there is none."""

    paths: tuple[Path, ...]
    reason: str | None = None


def write_masks(
    series: Series,
    native_labels: Sequence[npt.NDArray[np.uint8]],
    files: Mapping[str, Path],
    out: Path,
    algorithm: Algorithm,
    kinds: Sequence[SegmentKind] = COMPRESSION,
) -> WrittenMasks:
    """Write the masks of one series.

    Parameters
    ----------
    series
        The series as analysed.
    native_labels
        One array (slices, rows, columns) a volume, values as numbered by `kinds`; others are not written.
    files
        By SOP instance UID, the files the volumes were read from.
    out
        File of the first object; those of further volumes get ``-2``, ``-3`` before the suffix.
    algorithm
        Named in every segment.
    kinds
        What the segments are, numbered from 1 without a gap: :data:`COMPRESSION`, or :data:`SAGITTAL` of a sagittal
        series.

    Returns
    -------
    WrittenMasks
        Only frames that hold something are written; a volume without any gives no file.

    Raises
    ------
    InputRefused
        A source file is missing, or labels and volumes differ in number or shape.
    """
    if [labels.shape for labels in native_labels] != [volume.voxels.shape for volume in series.volumes]:
        raise InputRefused("Masks must have the shape of the volumes they belong to.")
    with warnings.catch_warnings():
        # pydicom quotes the header values it warns of.
        warnings.simplefilter("ignore")
        paths = _write_volumes(series, native_labels, files, out, algorithm, kinds)
    return WrittenMasks(tuple(paths), None if paths else EMPTY)


def _write_volumes(
    series: Series,
    native_labels: Sequence[npt.NDArray[np.uint8]],
    files: Mapping[str, Path],
    out: Path,
    algorithm: Algorithm,
    kinds: Sequence[SegmentKind],
) -> list[Path]:
    paths: list[Path] = []
    for volume, labels in zip(series.volumes, native_labels, strict=True):
        segments = np.where(labels <= kinds[-1].number, labels, 0).astype(np.uint8)
        # A slice that never arrived has no instance to refer to.
        arrived = np.array([frame.arrived for frame in volume.frames])
        filled = np.flatnonzero(segments.any(axis=(1, 2)) & arrived)
        if not filled.size:
            continue
        path = out if not paths else out.with_stem(f"{out.stem}-{len(paths) + 1}")
        _write_volume(series, volume, segments, filled, files, path, algorithm, kinds)
        paths.append(path)
    return paths


def _write_volume(
    series: Series,
    volume: Volume,
    segments: npt.NDArray[np.uint8],
    filled: npt.NDArray[np.intp],
    files: Mapping[str, Path],
    path: Path,
    algorithm: Algorithm,
    kinds: Sequence[SegmentKind],
) -> None:
    header = _header(files, volume.frames[int(filled[0])])
    planes = [_plane(header, volume, int(index)) for index in filled]
    content = _content_hash(series, volume, segments, filled, algorithm)
    masks = _segmentation(planes, segments[filled], algorithm, kinds, content)
    _refer_to_sources(masks, header, planes, volume, filled)
    _fix_dates_and_uids(masks, header, content)
    masks.save_as(path, enforce_file_format=True)


def _header(files: Mapping[str, Path], frame: FrameReference) -> Dataset:
    """Patient and study of the source, without its pixels."""
    source = files.get(frame.sop_instance_uid)
    if source is None or not source.is_file():
        raise InputRefused("A source file of these masks is missing from the store; read the study again.")
    dataset = pydicom.dcmread(source, specific_tags=[*INHERITED, *DATES], stop_before_pixels=True)
    header = Dataset()
    for keyword in INHERITED:
        if keyword in dataset:
            header[keyword] = dataset[keyword]
    # highdicom refuses what is no date or time of the standard, and no mask is worth losing for it.
    header.StudyDate, header.StudyTime = study_date(dataset), study_time(dataset)
    for keyword in MAY_BE_EMPTY:
        if keyword not in header:
            setattr(header, keyword, "")
    return header


def _plane(header: Dataset, volume: Volume, index: int) -> Dataset:
    """One slice as highdicom wants a source image: single-frame, whatever the source was.

    An enhanced source with one orientation a frame would be refused otherwise, and reading every file again would
    take longer than writing the masks.
    """
    spacing = voxel_spacing(volume.affine)
    rows, columns = volume.affine[:3, 1] / spacing[1], volume.affine[:3, 2] / spacing[2]
    plane = copy.deepcopy(header)
    plane.file_meta = FileMetaDataset()
    plane.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    plane.Modality = "MR"
    plane.SOPClassUID = MRImageStorage
    plane.SOPInstanceUID = _uid("plane", str(index))
    if "FrameOfReferenceUID" not in plane:
        plane.FrameOfReferenceUID = _uid("frame of reference", str(header.SeriesInstanceUID))
    plane.Rows, plane.Columns = volume.voxels.shape[1:]
    plane.PixelSpacing = [_decimal(spacing[1]), _decimal(spacing[2])]
    plane.SliceThickness = plane.SpacingBetweenSlices = _decimal(spacing[0])
    plane.ImageOrientationPatient = [_decimal(value) for value in (*columns, *rows)]
    plane.ImagePositionPatient = [_decimal(value) for value in volume.affine[:3] @ (index, 0, 0, 1)]
    return plane


def _segmentation(
    planes: Sequence[Dataset],
    segments: npt.NDArray[np.uint8],
    algorithm: Algorithm,
    kinds: Sequence[SegmentKind],
    content: str,
) -> "Segmentation":
    # highdicom takes 0.4 s to import and is needed for exports only.
    from highdicom.seg import Segmentation, SegmentationTypeValues

    return Segmentation(
        source_images=planes,
        pixel_array=segments,
        segmentation_type=SegmentationTypeValues.BINARY,
        segment_descriptions=_segment_descriptions(algorithm, kinds),
        series_instance_uid=_uid("series", content),
        series_number=SERIES_NUMBER,
        sop_instance_uid=_uid("instance", content),
        instance_number=1,
        manufacturer=MANUFACTURER,
        manufacturer_model_name=algorithm.name,
        software_versions=algorithm.software_version,
        # The standard asks for a serial number; software has its version.
        device_serial_number=algorithm.software_version,
        content_label="SPINE_TRIAGE",
        content_description="Suspected findings of research software",
        series_description="Spine Triage masks (research, not diagnostic)",
    )


def _segment_descriptions(algorithm: Algorithm, kinds: Sequence[SegmentKind]) -> "list[SegmentDescription]":
    """Segments numbered as the labels are."""
    from highdicom import AlgorithmIdentificationSequence
    from highdicom.seg import SegmentAlgorithmTypeValues, SegmentDescription

    identification = AlgorithmIdentificationSequence(
        algorithm.name, codes.DCM.ArtificialIntelligence, algorithm.version
    )
    return [
        SegmentDescription(
            segment_number=kind.number,
            segment_label=kind.words,
            segmented_property_category=kind.category,
            segmented_property_type=kind.type,
            algorithm_type=SegmentAlgorithmTypeValues.AUTOMATIC,
            algorithm_identification=identification,
        )
        for kind in kinds
    ]


def _refer_to_sources(
    masks: Dataset, header: Dataset, planes: Sequence[Dataset], volume: Volume, filled: npt.NDArray[np.intp]
) -> None:
    """Put the real instances, with their frame where they have several, in the place of the planes."""
    frames = [volume.frames[int(index)] for index in filled]
    multi_frame = {frame.sop_instance_uid for frame in volume.frames if frame.frame > 1}
    real = {str(plane.SOPInstanceUID): frame for plane, frame in zip(planes, frames, strict=True)}
    for group in masks.PerFrameFunctionalGroupsSequence:
        for derivation in group.DerivationImageSequence:
            for source in derivation.SourceImageSequence:
                # Frames of several segments share one item: the second time it has been put right.
                if source.ReferencedSOPInstanceUID not in real:
                    continue
                frame = real[source.ReferencedSOPInstanceUID]
                source.ReferencedSOPClassUID = header.SOPClassUID
                source.ReferencedSOPInstanceUID = frame.sop_instance_uid
                if frame.sop_instance_uid in multi_frame:
                    source.ReferencedFrameNumber = frame.frame
    masks.ReferencedSeriesSequence[0].ReferencedInstanceSequence = [
        _reference(header, uid) for uid in dict.fromkeys(frame.sop_instance_uid for frame in frames)
    ]


def _reference(header: Dataset, sop_instance_uid: str) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = header.SOPClassUID, sop_instance_uid
    return item


def _fix_dates_and_uids(masks: Dataset, header: Dataset, content: str) -> None:
    """Take the clock and the dice out of what highdicom wrote."""
    date, time = header.StudyDate or "19000101", header.StudyTime or "000000"
    masks.ContentDate, masks.ContentTime = date, time
    masks.InstanceCreationDate, masks.InstanceCreationTime = date, time
    for equipment in masks.get("ContributingEquipmentSequence", []):
        equipment.ContributionDateTime = date + time
    organisation = _uid("dimensions", content)
    masks.DimensionOrganizationSequence[0].DimensionOrganizationUID = organisation
    for index in masks.DimensionIndexSequence:
        index.DimensionOrganizationUID = organisation


def _content_hash(
    series: Series,
    volume: Volume,
    segments: npt.NDArray[np.uint8],
    filled: npt.NDArray[np.intp],
    algorithm: Algorithm,
) -> str:
    digest = hashlib.sha256()
    for text in (series.series_instance_uid, algorithm.name, algorithm.version, algorithm.software_version):
        digest.update(text.encode() + b"\0")
    for index in filled:
        frame = volume.frames[int(index)]
        digest.update(f"{frame.sop_instance_uid}\0{frame.frame}\0".encode())
        digest.update(np.ascontiguousarray(segments[index]).tobytes())
    return digest.hexdigest()


def _uid(purpose: str, content: str) -> UID:
    """UID under 2.25 (PS3.5 B.2) from the content: the same content, the same UID."""
    number = int.from_bytes(hashlib.sha256(f"{purpose}\0{content}".encode()).digest()[:16], "big")
    return UID(f"2.25.{number}")


def _decimal(value: float) -> str:
    """A decimal string of at most 16 characters (PS3.5 6.2, DS), without a negative zero."""
    text = f"{float(value) + 0.0:.8f}".rstrip("0").rstrip(".")
    return (text if text not in ("-0", "") else "0")[:16]
