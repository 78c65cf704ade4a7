"""One dropped DICOM file to one accepted, de-identified image, or to the reason why not."""

import hashlib
import re
import warnings
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path

from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    JPEG2000,
    UID,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLSNearLossless,
)

from dashboard.errors import FileRefused, GeometryRefused, InputRefused
from dashboard.ingest.acquisition import read_acquisition
from dashboard.ingest.codestream import frame_bytes, frame_pieces, read_codestream
from dashboard.ingest.container import Container, open_container
from dashboard.ingest.dates import study_date, study_time
from dashboard.ingest.decoding import decode_with
from dashboard.ingest.deidentify import Door, Identity
from dashboard.ingest.header_text import header_notes
from dashboard.ingest.image_pixel import ImagePixel, read_image_pixel
from dashboard.ingest.instance import DroppedFile, FramePlane, Instance, RejectedFile
from dashboard.ingest.object_kind import check_kind, expected_modality
from dashboard.ingest.patients import Claim
from dashboard.ingest.pixels import DECODERS, NATIVE, check_syntax
from dashboard.ingest.planes import FrameHeaders, frame_planes, has_false_thickness, header_value, lie_alike, rescale
from dashboard.ingest.storing import parse_headers, store
from dashboard.ingest.structure import describe

SOP_CLASS, SOP_INSTANCE = 0x00080016, 0x00080018
STUDY, SERIES, FRAME_OF_REFERENCE = 0x0020000D, 0x0020000E, 0x00200052
MODALITY_LUT = 0x00283000
UID_TEXT = re.compile(r"[0-9]+(\.[0-9]+)+")
LONGEST_UID = 64
LOSSY = tuple(str(uid) for uid in (JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLSNearLossless, JPEG2000))
CHUNK = 1024**2


@dataclass(frozen=True)
class Accepted:
    """A stored image and who the patient is. The identity goes to its own table and nowhere else.

    ``claim`` tells patients apart while a drop is read, and is kept nowhere.
    """

    instance: Instance
    identity: Identity
    claim: Claim


def read_instance(file: DroppedFile, door: Door, out_dir: Path, sha256: str = "") -> Accepted:
    """Read, check, de-identify and store one DICOM file as ``out_dir/<sop_instance_uid>.dcm``.

    Parameters
    ----------
    sha256
        Of the file, where the caller already knows it.

    Raises
    ------
    FileRefused
        The file is damaged, no image, or contradicts itself.
    SyntaxRefused
        Its transfer syntax is not verified.
    GeometryRefused
        Its position, orientation or spacing is malformed.
    RecordsError
        It cannot be stored.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with open_container(file.path) as container:
            return _read(file, container, door, out_dir, sha256 or sha256_of(file.path), caught)


def read_or_reject(file: DroppedFile, door: Door, out_dir: Path, sha256: str = "") -> Accepted | RejectedFile:
    """Read one file as :func:`read_instance` does; a refusal comes back as a rejection that knows its study."""
    try:
        return read_instance(file, door, out_dir, sha256)
    except InputRefused as refusal:
        study, series, image = _image_of(file.path, door)
        return RejectedFile(file.name, str(refusal), study, series_instance_uid=series, sop_instance_uid=image)


def sha256_of(path: Path) -> str:
    """SHA-256 of a file in hexadecimal, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _read(
    file: DroppedFile,
    container: Container,
    door: Door,
    out_dir: Path,
    sha256: str,
    caught: list[warnings.WarningMessage],
) -> Accepted:
    sop_class_uid = _checked_class(container)
    for tag in (SOP_INSTANCE, STUDY, SERIES):
        _required_uid(container, tag)
    image = read_image_pixel(container)
    _check_codestreams(container, image)
    dataset = parse_headers(container)
    notes = [*container.warnings, *header_notes(container), *_identity_notes(container, sop_class_uid)]
    if has_false_thickness(FrameHeaders(dataset, image.number_of_frames)):
        notes.append("SliceThickness holds a number that cannot be used, or none.")
    claim = door.claim(dataset)
    identity, headers, planes = _through_the_door(dataset, container, image, door)
    not_analysed = _not_analysed(dataset, container, image, planes)
    if not_analysed:
        planes = ()
        _check_decodes(container, image)
    acquisition = read_acquisition(dataset, headers)
    if not acquisition.modality:
        acquisition = replace(acquisition, modality=expected_modality(sop_class_uid))
        notes.append("The file names no modality.")
    _check_modality(acquisition.modality, sop_class_uid)
    notes += _date_notes(dataset) + _loss_notes(dataset, container)
    sop_instance_uid = str(dataset.SOPInstanceUID)
    path = out_dir / f"{sop_instance_uid}.dcm"
    store(path, dataset, container, image, with_pixels=not not_analysed)
    instance = Instance(
        study_instance_uid=str(dataset.StudyInstanceUID),
        series_instance_uid=str(dataset.SeriesInstanceUID),
        sop_instance_uid=sop_instance_uid,
        sop_class_uid=sop_class_uid,
        transfer_syntax_uid=container.transfer_syntax_uid,
        patient_key=str(dataset.PatientID),
        acquisition=acquisition,
        rows=image.rows,
        columns=image.columns,
        sha256=sha256,
        path=path,
        name=file.name,
        frame_of_reference_uid=str(header_value(dataset, "FrameOfReferenceUID") or ""),
        study_date=study_date(dataset),
        study_time=study_time(dataset),
        series_number=_whole(header_value(dataset, "SeriesNumber")),
        instance_number=_whole(header_value(dataset, "InstanceNumber")),
        number_of_frames=image.number_of_frames,
        frame_planes=planes,
        not_analysed=not_analysed,
        photometric_interpretation=image.photometric_interpretation,
        samples_per_pixel=image.samples_per_pixel,
        bits_allocated=image.bits_allocated,
        bits_stored=image.bits_stored,
        pixel_representation=image.pixel_representation,
        warnings=tuple(dict.fromkeys([*notes, *_parser_notes(caught)])),
    )
    return Accepted(instance, identity, claim)


def _checked_class(container: Container) -> str:
    """SOP class of the data set, which must be an image and the one the file header names."""
    sop_class_uid = _uid(container, SOP_CLASS) or container.sop_class_uid
    if not sop_class_uid:
        raise FileRefused("The file does not say what kind of object it is.")
    check_kind(sop_class_uid)
    if container.sop_class_uid not in ("", sop_class_uid):
        raise FileRefused("File header and content name two kinds of object; which one holds cannot be told.")
    return sop_class_uid


def _uid(container: Container, tag: int) -> str:
    element = container.outline.elements.get(tag)
    if element is None or element.length > 2 * LONGEST_UID:
        return ""
    return container.data[element.start : element.end].decode("ascii", "replace").rstrip("\0 ")


def _required_uid(container: Container, tag: int) -> str:
    element = container.outline.elements.get(tag)
    if element is None or element.length == 0:
        raise FileRefused(f"{describe(tag)} is missing, so the image cannot be assigned.")
    text = _uid(container, tag)
    if not UID_TEXT.fullmatch(text) or len(text) > LONGEST_UID:
        raise FileRefused(f"{describe(tag)} is not a valid identifier, so the image cannot be assigned.")
    return text


def _check_codestreams(container: Container, image: ImagePixel) -> None:
    syntax = container.transfer_syntax_uid
    check_syntax(syntax)
    if bool(container.outline.fragments) == (syntax in NATIVE):
        raise FileRefused("The picture is not stored in the way the file header says; the file is damaged.")
    if syntax not in NATIVE:
        for pieces in frame_pieces(container, image):
            read_codestream(frame_bytes(container, pieces), syntax, image)


def _through_the_door(
    dataset: Dataset, container: Container, image: ImagePixel, door: Door
) -> tuple[Identity, FrameHeaders, tuple[FramePlane, ...]]:
    """De-identify in place. Planes are read before and after: the door may drop what is no value of its kind."""
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = UID(container.transfer_syntax_uid)
    before = FrameHeaders(dataset, image.number_of_frames)
    planes = frame_planes(before)
    scales = [rescale(before, frame) for frame in range(image.number_of_frames)]
    identity = door.deidentify(dataset)
    headers = FrameHeaders(dataset, image.number_of_frames)
    kept = frame_planes(headers)
    if not lie_alike(planes, kept) or scales != [rescale(headers, frame) for frame in range(image.number_of_frames)]:
        raise GeometryRefused("Position, spacing or rescaling are not written as the standard demands.")
    return identity, headers, kept


def _not_analysed(dataset: Dataset, container: Container, image: ImagePixel, planes: tuple[FramePlane, ...]) -> str:
    """Why no frame of the image can be graded, "" when nothing speaks against it."""
    if not image.is_grey:
        return "the pictures are in colour"
    if "YES" in _words(dataset, "BurnedInAnnotation"):
        return "text is burned into the pictures, which may name the patient"
    if "MOSAIC" in _words(dataset, "ImageType"):
        return "several slices are packed into one picture (mosaic)"
    if _has_modality_lut(dataset, container):
        return "pixel values go through a lookup table, which is not read"
    return "" if planes else "the pictures have no position in the patient"


def _has_modality_lut(dataset: Dataset, container: Container) -> bool:
    """A sequence without items maps nothing; one that did not pass the door may have."""
    if MODALITY_LUT not in container.outline.elements:
        return False
    items = header_value(dataset, "ModalityLUTSequence")
    return items is None or len(items) > 0


def _check_decodes(container: Container, image: ImagePixel) -> None:
    """Decode one frame of a picture that nothing else will decode, so that a damaged one is not called an image."""
    syntax = container.transfer_syntax_uid
    if syntax not in NATIVE:
        decode_with(DECODERS[syntax][0], frame_bytes(container, frame_pieces(container, image)[0]), syntax, image)


def _check_modality(modality: str, sop_class_uid: str) -> None:
    expected = expected_modality(sop_class_uid)
    if expected and modality != expected:
        raise FileRefused(f"The file is an image of modality {expected} but names another; which holds cannot be told.")


def _identity_notes(container: Container, sop_class_uid: str) -> list[str]:
    notes = []
    if container.sop_instance_uid not in ("", _uid(container, SOP_INSTANCE)):
        notes.append("File header and content give two numbers for the image.")
    if SOP_CLASS not in container.outline.elements:
        notes.append("The kind of image was told from the file header.")
    frame_of_reference = _uid(container, FRAME_OF_REFERENCE)
    if frame_of_reference and not UID_TEXT.fullmatch(frame_of_reference):
        notes.append("FrameOfReferenceUID is not a valid identifier.")
    return notes


def _date_notes(dataset: Dataset) -> list[str]:
    """Dates that are there and mean nothing; a missing one is common and no defect of the file."""
    return [
        f"{keyword} cannot be understood."
        for keyword, value in (("StudyDate", study_date(dataset)), ("StudyTime", study_time(dataset)))
        if not value and header_value(dataset, keyword)
    ]


def _loss_notes(dataset: Dataset, container: Container) -> list[str]:
    lossy = container.transfer_syntax_uid in LOSSY or "01" in _words(dataset, "LossyImageCompression")
    return ["The pictures were compressed with loss of detail."] if lossy else []


def _parser_notes(caught: list[warnings.WarningMessage]) -> list[str]:
    """What the parser complained of, without its words: they may hold a patient's values."""
    texts = " ".join(str(warning.message) for warning in caught).lower()
    notes = []
    if "encod" in texts or "character set" in texts:
        notes.append("Some texts are not in the character set the file declares.")
    if "invalid value" in texts or "value length" in texts or "exceeds" in texts:
        notes.append("Some header fields break the rules of the standard.")
    if caught and not notes:
        notes.append("The parser complained about the headers.")
    return notes


def _image_of(path: Path, door: Door) -> tuple[str, str, str]:
    """Study, series and image that a refused file holds, as the door numbers them.

    "" where that cannot be told; the latter two also where the file is no MR image: a screenshot or an X-ray that is
    refused is no hole in a spine. Nothing else is believed of a file that may be damaged: of its beginning four
    identifiers are read, as far as they go.
    """
    found = _identifiers(path)
    dataset = Dataset()
    if STUDY in found:
        dataset.StudyInstanceUID = found[STUDY]
    if {SERIES, SOP_INSTANCE} <= found.keys() and expected_modality(found.get(SOP_CLASS, "")) == "MR":
        dataset.SeriesInstanceUID, dataset.SOPInstanceUID = found[SERIES], found[SOP_INSTANCE]
    door.deidentify(dataset)
    return (
        str(dataset.get("StudyInstanceUID", "")),
        str(dataset.get("SeriesInstanceUID", "")),
        str(dataset.get("SOPInstanceUID", "")),
    )


def _identifiers(path: Path) -> dict[int, str]:
    """Valid UIDs among those that name an image, by tag, from a file that need not be whole."""
    tags = (SOP_CLASS, SOP_INSTANCE, STUDY, SERIES)
    try:
        with path.open("rb") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            head = dcmread(BytesIO(file.read(CHUNK)), stop_before_pixels=True, specific_tags=list(tags), force=True)
            found = {tag: str(head[tag].value) for tag in tags if tag in head}
    except Exception:  # noqa: BLE001 - whatever a parser throws at a damaged file, the file stays refused
        return {}
    return {tag: uid for tag, uid in found.items() if UID_TEXT.fullmatch(uid) and len(uid) <= LONGEST_UID}


def _words(dataset: Dataset, keyword: str) -> tuple[str, ...]:
    value = header_value(dataset, keyword)
    if value is None:
        return ()
    return (value.upper(),) if isinstance(value, str) else tuple(str(part).upper() for part in value)


def _whole(value: object) -> int | None:
    try:
        return int(str(value)) if value is not None else None
    except ValueError:
        return None
