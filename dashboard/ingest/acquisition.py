"""How a series was made, from the headers of one of its images (PS3.3, C.8.3 and C.8.13)."""

from pydicom.dataset import Dataset

from dashboard.errors import GeometryRefused
from dashboard.ingest.planes import FrameHeaders, number
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
        return _text(dataset.get(keyword))

    def texts(keyword: str) -> tuple[str, ...]:
        return _texts(dataset.get(keyword))

    def measure(group: str, keyword: str, classic: str = "") -> float | None:
        value = headers.value(0, group, keyword)
        return _measure(dataset.get(classic) if value is None and classic else value)

    return Acquisition(
        modality=text("Modality").upper(),
        series_description=text("SeriesDescription"),
        protocol_name=text("ProtocolName"),
        study_description=text("StudyDescription"),
        body_part_examined=text("BodyPartExamined")
        or _text(headers.value(0, "FrameAnatomySequence", "BodyPartExamined")),
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
        magnetic_field_strength_t=_measure(dataset.get("MagneticFieldStrength")),
        manufacturer=text("Manufacturer"),
        manufacturer_model_name=text("ManufacturerModelName"),
        patient_position=text("PatientPosition").upper(),
        slice_thickness_mm=measure("PixelMeasuresSequence", "SliceThickness"),
        spacing_between_slices_mm=measure("PixelMeasuresSequence", "SpacingBetweenSlices"),
    )


def _scanning_sequence(dataset: Dataset, headers: FrameHeaders) -> tuple[str, ...]:
    classic = _texts(dataset.get("ScanningSequence"))
    if classic:
        return classic
    found = ECHO_TYPES.get(_text(dataset.get("EchoPulseSequence")).upper(), ())
    inverted = _text(headers.value(0, "MRModifierSequence", "InversionRecovery")).upper() == "YES"
    return (*found, "IR") if inverted else found


def _inversion_time(dataset: Dataset, headers: FrameHeaders) -> float | None:
    times = headers.value(0, "MRModifierSequence", "InversionTimes")
    first = times[0] if isinstance(times, list) and times else times
    return _measure(dataset.get("InversionTime") if first is None else first)


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
