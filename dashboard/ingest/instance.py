"""What ingest knows of a dropped file once it has been read: plain values, no identity, no open file."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dashboard.study import Acquisition, Rejection

if TYPE_CHECKING:
    from dashboard.ingest.deidentify import Identity


@dataclass(frozen=True)
class DroppedFile:
    """A file as it was dropped.

    Attributes
    ----------
    name
        As the person knows it: the path within the drop with "/" between folders; an archive's entry is
        ``outer.zip/inner/IM1``.
    path
        Where its bytes lie.
    packed_bytes
        Bytes it took inside an archive, 0 for a file that was dropped as it is.
    """

    name: str
    path: Path
    packed_bytes: int = 0


@dataclass(frozen=True)
class RejectedFile(Rejection):
    """A rejection that knows which study the file named, or "" when it could not be told."""

    study_instance_uid: str = ""


@dataclass(frozen=True)
class FramePlane:
    """Where one frame lies in the patient and what tells it from other frames at the same place.

    Attributes
    ----------
    frame
        Number of the frame within its instance, from 1.
    image_position_patient
        LPS mm of the centre of the first pixel.
    image_orientation_patient
        Direction of increasing column index (3), then of increasing row index (3).
    pixel_spacing
        Between rows, then between columns, mm.
    rescale_slope, rescale_intercept
        Already applied by :mod:`dashboard.ingest.pixels`; kept because frames that differ in them are
        still one volume.
    temporal_position, acquisition_number, stack_id
        None or "" where absent.
    frame_type
        ImageType, or FrameType of an enhanced object: tells magnitude from phase, ADC from trace.
    """

    frame: int
    image_position_patient: tuple[float, float, float]
    image_orientation_patient: tuple[float, float, float, float, float, float]
    pixel_spacing: tuple[float, float]
    slice_thickness_mm: float | None = None
    rescale_slope: float = 1.0
    rescale_intercept: float = 0.0
    temporal_position: int | None = None
    acquisition_number: int | None = None
    stack_id: str = ""
    echo_time_ms: float | None = None
    diffusion_b_value: float | None = None
    frame_type: tuple[str, ...] = ()


@dataclass(frozen=True)
class Instance:
    """One accepted image file. UIDs are those the door gave, which are the file's own at the command line.

    Attributes
    ----------
    patient_key
        Opaque text, the same for all files of one patient.
    study_date, study_time
        DICOM DA and TM text, empty when absent.
    frame_planes
        One a frame that lies somewhere in the patient, in order of frames; empty for an image without geometry.
    not_analysed
        Why no frame of this image can be graded whatever its geometry (colour, no position), or "".
    sha256
        Of the bytes as dropped.
    path
        The de-identified DICOM file.
    name
        As dropped. Never shown outside the list of rejected files.
    warnings
        What was wrong with the file but did not change pixels or geometry, in words a clinician understands.
    """

    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str
    sop_class_uid: str
    transfer_syntax_uid: str
    patient_key: str
    acquisition: Acquisition
    rows: int
    columns: int
    sha256: str
    path: Path
    name: str
    frame_of_reference_uid: str = ""
    study_date: str = ""
    study_time: str = ""
    series_number: int | None = None
    instance_number: int | None = None
    number_of_frames: int = 1
    frame_planes: tuple[FramePlane, ...] = ()
    not_analysed: str = ""
    photometric_interpretation: str = "MONOCHROME2"
    samples_per_pixel: int = 1
    bits_allocated: int = 16
    bits_stored: int = 16
    pixel_representation: int = 0
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class ReadProgress:
    """How far the reading of a drop has come. Bytes are those of the dropped files, not of what they unfold to."""

    files_done: int = 0
    bytes_done: int = 0
    accepted: int = 0
    rejected: int = 0


@dataclass(frozen=True)
class Drop:
    """Everything one drop held, each file either an instance, a counted duplicate or a rejection.

    ``identities`` maps study_instance_uid to who the patient is; studies that carry one UID for two patients
    have been told apart by then (the second got a UID of its own, and a warning).
    """

    instances: tuple[Instance, ...]
    rejections: tuple[RejectedFile, ...]
    identities: Mapping[str, "Identity"]
    duplicates: int = 0


def study_moment(instances: Iterable[Instance]) -> tuple[str, str]:
    """Earliest StudyDate and StudyTime that files of one study give, as DICOM writes them; "" where none does."""
    moments = [(item.study_date, item.study_time) for item in instances]
    return min(moments, key=lambda one: (not one[0], one[0], not one[1], one[1]), default=("", ""))
