"""How a series was made, from the headers of one of its images (PS3.3, C.8.3 and C.8.13)."""

from typing import Any

from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from dashboard.errors import GeometryRefused
from dashboard.ingest.planes import FrameHeaders, header_value, number, slice_thickness
from dashboard.study import Acquisition

# EchoPulseSequence of enhanced MR in the words of the classic ScanningSequence.
ECHO_TYPES = {"SPIN": ("SE",), "GRADIENT": ("GR",), "BOTH": ("SE", "GR")}
TIMING = "MRTimingAndRelatedParametersSequence"


def read_acquisition(dataset: Dataset, headers: FrameHeaders) -> Acquisition:
    """Read how the image was made; a value that cannot be understood counts as absent.

    Parameters
    ----------
    dataset
        De-identified headers, so that texts are already clean.
    headers
        The same headers a frame; the first frame speaks for all.
    """

    def text(keyword: str) -> str:
        return _text(_get(dataset, keyword))

    def texts(keyword: str) -> tuple[str, ...]:
        return _texts(_get(dataset, keyword))

    def measure(group: str, keyword: str, classic: str = "") -> float | None:
        value = _frame_value(headers, group, keyword)
        return _measure(_get(dataset, classic) if value is None and classic else value)

    return Acquisition(
        modality=text("Modality").upper(),
        series_description=text("SeriesDescription"),
        protocol_name=text("ProtocolName"),
        study_description=text("StudyDescription"),
        body_part_examined=text("BodyPartExamined")
        or _text(_frame_value(headers, "FrameAnatomySequence", "BodyPartExamined")),
        sequence_name=text("SequenceName") or text("PulseSequenceName"),
        scanning_sequence=_scanning_sequence(dataset, headers),
        sequence_variant=texts("SequenceVariant"),
        image_type=texts("ImageType"),
        mr_acquisition_type=text("MRAcquisitionType").upper(),
        acquisition_contrast=text("AcquisitionContrast").upper(),
        repetition_time_ms=measure(TIMING, "RepetitionTime"),
        echo_time_ms=measure("MREchoSequence", "EffectiveEchoTime", "EchoTime"),
        inversion_time_ms=_inversion_time(dataset, headers),
        flip_angle_deg=measure(TIMING, "FlipAngle"),
        diffusion_b_value=measure("MRDiffusionSequence", "DiffusionBValue"),
        contrast_bolus_agent=text("ContrastBolusAgent"),
        magnetic_field_strength_t=_measure(_get(dataset, "MagneticFieldStrength")),
        manufacturer=text("Manufacturer"),
        manufacturer_model_name=text("ManufacturerModelName"),
        patient_position=text("PatientPosition").upper(),
        slice_thickness_mm=slice_thickness(headers, 0),
        spacing_between_slices_mm=measure("PixelMeasuresSequence", "SpacingBetweenSlices"),
    )


def _scanning_sequence(dataset: Dataset, headers: FrameHeaders) -> tuple[str, ...]:
    classic = _texts(_get(dataset, "ScanningSequence"))
    if classic:
        return classic
    found = ECHO_TYPES.get(_text(_get(dataset, "EchoPulseSequence")).upper(), ())
    inverted = _text(_frame_value(headers, "MRModifierSequence", "InversionRecovery")).upper() == "YES"
    return (*found, "IR") if inverted else found


def _inversion_time(dataset: Dataset, headers: FrameHeaders) -> float | None:
    times = _frame_value(headers, "MRModifierSequence", "InversionTimes")
    first = times[0] if isinstance(times, MultiValue) and times else times
    return _measure(_get(dataset, "InversionTime") if first is None else first)


def _get(dataset: Dataset, keyword: str) -> Any:
    try:
        return header_value(dataset, keyword)
    except GeometryRefused:
        return None


def _frame_value(headers: FrameHeaders, group: str, keyword: str) -> Any:
    try:
        return headers.value(0, group, keyword)
    except GeometryRefused:
        return None


def _text(value: object) -> str:
    return " ".join(_texts(value))


def _texts(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    parts = [value] if isinstance(value, str) or not hasattr(value, "__iter__") else list(value)
    return tuple(text for part in parts if (text := str(part).strip()))


def _measure(value: object) -> float | None:
    try:
        return number(value, "")
    except GeometryRefused:
        return None
