"""Study, series, volume: what ingest builds and everything else reads."""

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from dashboard.errors import GeometryRefused
from dashboard.study.geometry import Array, Plane, plane_of


class Role(StrEnum):
    """What a series is for. The values are part of the result's published form."""

    AXIAL_T2 = "axial_t2"
    AXIAL_T1 = "axial_t1"
    AXIAL_T1_CONTRAST = "axial_t1_contrast"
    AXIAL_T2STAR = "axial_t2star"
    SAGITTAL_T2 = "sagittal_t2"
    SAGITTAL_T1 = "sagittal_t1"
    SAGITTAL_STIR = "sagittal_stir"
    DWI = "dwi"
    ADC = "adc"
    PET = "pet"
    CT = "ct"
    VOLUME_T2 = "volume_t2"
    BRAIN_FLAIR = "brain_flair"
    BRAIN_T2 = "brain_t2"
    BRAIN_DWI = "brain_dwi"
    OTHER = "other"


@dataclass(frozen=True)
class FrameReference:
    """One frame of one instance; `frame` counts from 1 as in DICOM.

    Without a UID it stands for a slice that never arrived and was made from those beside it, so that a volume is whole.
    """

    sop_instance_uid: str
    frame: int = 1

    @property
    def arrived(self) -> bool:
        """Whether there is such a frame."""
        return bool(self.sop_instance_uid)


@dataclass(frozen=True)
class Rejection:
    """A file that was not used.

    Attributes
    ----------
    name
        As it was dropped.
    reason
        In words a clinician understands.
    series_instance_uid, sop_instance_uid
        Of the image that is missing for it; empty where the file is no image, or does not say which.
    """

    name: str
    reason: str
    series_instance_uid: str = field(default="", kw_only=True)
    sop_instance_uid: str = field(default="", kw_only=True)


@dataclass(frozen=True)
class Acquisition:
    """The headers of one series that say how it was made; empty text or None where a header is absent.

    Names are the DICOM keywords in snake_case. Texts are already cleaned of identity.
    """

    modality: str = ""
    series_description: str = ""
    protocol_name: str = ""
    study_description: str = ""
    body_part_examined: str = ""
    sequence_name: str = ""
    scanning_sequence: tuple[str, ...] = ()
    sequence_variant: tuple[str, ...] = ()
    image_type: tuple[str, ...] = ()
    mr_acquisition_type: str = ""
    acquisition_contrast: str = ""
    repetition_time_ms: float | None = None
    echo_time_ms: float | None = None
    inversion_time_ms: float | None = None
    flip_angle_deg: float | None = None
    diffusion_b_value: float | None = None
    contrast_bolus_agent: str = ""
    magnetic_field_strength_t: float | None = None
    manufacturer: str = ""
    manufacturer_model_name: str = ""
    patient_position: str = ""
    slice_thickness_mm: float | None = None
    spacing_between_slices_mm: float | None = None


@dataclass(frozen=True, eq=False)
class Volume:
    """Evenly spaced parallel slices of one size.

    Attributes
    ----------
    voxels
        (slices, rows, columns), real-world values after rescale, often a read-only memory map.
    affine
        (4, 4), (slice, row, column, 1) to LPS mm.
    frames
        Where each slice came from, one a slice.
    """

    voxels: npt.NDArray[np.generic]
    affine: Array
    frames: tuple[FrameReference, ...]

    def __post_init__(self) -> None:
        if self.voxels.ndim != 3 or 0 in self.voxels.shape:
            raise GeometryRefused("A volume needs voxels of shape (slices, rows, columns), none of them 0.")
        if self.affine.shape != (4, 4) or not np.all(np.isfinite(self.affine)):
            raise GeometryRefused("A volume needs a finite affine of shape (4, 4).")
        if abs(float(np.linalg.det(self.affine[:3, :3]))) < 1e-9:
            raise GeometryRefused("A volume's affine must span three dimensions.")
        if len(self.frames) != self.voxels.shape[0]:
            raise GeometryRefused("A volume needs one frame reference a slice.")

    @property
    def plane(self) -> Plane:
        """Anatomical plane of the stored slices."""
        return plane_of(self.affine)


@dataclass(frozen=True, eq=False)
class Series:
    """Images of one acquisition, split into volumes of one geometry each.

    `reason` is None for a series that grading may use, otherwise the words that say why it may not.
    `warnings` are things a reader should know that did not stop the analysis (a gap, mixed sizes).
    `unusable` counts images of it that lie nowhere or may not be analysed, `absent` those that never arrived, as gaps
    between slices and in their numbers say together. `may_be_axial_t2` says that it is named as an axial T2 series and
    kept out for want of a place or a contrast that headers agree on.
    """

    series_instance_uid: str
    series_number: int | None
    acquisition: Acquisition
    role: Role
    volumes: tuple[Volume, ...]
    reason: str | None = None
    warnings: tuple[str, ...] = ()
    frame_of_reference_uid: str = ""
    unusable: int = 0
    absent: int = 0
    may_be_axial_t2: bool = False

    @property
    def plane(self) -> Plane:
        """Plane of most slices of the series."""
        counts: dict[Plane, int] = {}
        for volume in self.volumes:
            counts[volume.plane] = counts.get(volume.plane, 0) + len(volume.frames)
        return max(counts, key=lambda plane: counts[plane]) if counts else Plane.OBLIQUE

    def compares_with(self, other: "Series") -> bool:
        """Whether positions in two series compare: it is one series, or one frame of reference, and that is told."""
        frame = self.frame_of_reference_uid
        same = self.series_instance_uid == other.series_instance_uid
        return same or bool(frame and frame == other.frame_of_reference_uid)

    @property
    def frame_count(self) -> int:
        """Slices over all volumes, those that arrived."""
        return sum(frame.arrived for volume in self.volumes for frame in volume.frames)


@dataclass(frozen=True, eq=False)
class Study:
    """One examination of one patient, de-identified. Series stand in a fixed order that no UID decides.

    `study_date` and `study_time` are DICOM DA and TM text, empty when absent. `rejected` lists files of the
    drop that belong to this study, or to no study that can be named.
    """

    study_instance_uid: str
    series: tuple[Series, ...]
    study_date: str = ""
    study_time: str = ""
    rejected: tuple[Rejection, ...] = field(default=())
