"""De-identification at the door: PS3.15 Annex E, Basic Application Level Confidentiality Profile.

Options on top of the profile: Retain Longitudinal Temporal Information with Full Dates (the clocks of an emergency
need them) and Clean Descriptors (see :mod:`dashboard.ingest.descriptions`); with
:class:`~dashboard.ingest.uids.OriginalUids` also Retain UIDs.

The actions come from the standard's table (:mod:`dashboard.ingest.profile`). On top of the table, because a table
cannot foresee what people type where: elements the standard does not know are dropped like private ones; free text
that is not a cleaned description is dropped; and whatever stays must look like a value of its kind, so a name in a
number's place is dropped too. Elements are judged as raw bytes, without parsing what does not need it.
"""

import logging
import re
from collections.abc import Callable, Iterable
from io import BytesIO
from itertools import product

from pydicom import config
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filereader import read_dataset
from pydicom.filewriter import write_dataset
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag
from pydicom.uid import UID, ExplicitVRLittleEndian

from dashboard.errors import FileRefused
from dashboard.ingest.descriptions import clean
from dashboard.ingest.identity import Identity, patient_text, read_identity
from dashboard.ingest.patients import Claim, read_claim
from dashboard.ingest.profile import (
    PIXELS,
    SIZES,
    WORDS_VR,
    Action,
    action_for,
    longest_number,
)
from dashboard.ingest.uids import UidMap

__all__ = ["Door", "Identity"]

# pydicom logs the values it complains of, and those may name a patient.
logging.getLogger("pydicom").propagate = False
# Ours, from a UUID (PS3.5 B.2).
IMPLEMENTATION_CLASS_UID = UID("2.25.121894327690384412301865873512093811742")
IMPLEMENTATION_VERSION = "SPINE_TRIAGE_1"
# Enhanced MR nests four deep; pydicom itself recurses, so depth is bounded well below Python's limit.
DEEPEST_SEQUENCE = 16
DUMMY_TEXT = "REMOVED"
# Which agent it was matters less than that there was one.
CONTRAST_AGENT = tag_for_keyword("ContrastBolusAgent")
NO_CONTRAST = frozenset({"", "0", "n", "no", "non", "none", "nein", "keine", "kein", "nihil", "nil", "null", "n/a"})
NUMBER_TEXT = re.compile(rb"[0-9eE+\-. \\\x00]*")
TIME_TEXT = re.compile(rb"[0-9.:+\-\\ \x00]*")
PATTERNS = {
    "DS": NUMBER_TEXT,
    "IS": NUMBER_TEXT,
    "DA": TIME_TEXT,
    "TM": TIME_TEXT,
    "DT": TIME_TEXT,
    "CS": re.compile(rb"[A-Za-z0-9_ \-.*+/]{0,24}(?:\\[A-Za-z0-9_ \-.*+/]{0,24}){0,31}\x00?"),
    "SH": re.compile(rb"[A-Za-z0-9.+\-]{1,16} *\x00?"),
}
CODE_VALUE, CODING_SCHEME = 0x00080100, 0x00080102
# A code of a public scheme names a thing; a code of a hospital's own scheme may name anything.
PUBLIC_SCHEMES = frozenset({"DCM", "SCT", "SRT", "SNM3", "UCUM", "LN", "FMA", "RADLEX"})
UID_TEXT = re.compile(r"[0-9.]{1,64}")
LONGEST_TIME_BYTES = 128


class Door:
    """Takes identity out of files as they come in.

    Parameters
    ----------
    uids
        How UIDs are replaced.
    patient_pseudonym
        Turns the text that names a patient into an opaque key; it becomes PatientID of the stored files.
    keep_identity
        False forgets at once who the patient is.
    """

    def __init__(self, uids: UidMap, patient_pseudonym: Callable[[str], str], keep_identity: bool = True) -> None:
        self._uids = uids
        self._pseudonym = patient_pseudonym
        self._keep_identity = keep_identity
        record = _method_record(uids.keeps)
        self._records: dict[tuple[bool | None, bool | None], list[DataElement | RawDataElement]] = {
            (implicit, little): _encoded(record, implicit, little)
            for implicit, little in product((True, False), repeat=2)
        }
        # Data sets that were not read from bytes may be written in any encoding.
        self._records[None, None] = list(record)

    def claim(self, dataset: Dataset) -> Claim:
        """Say in pseudonyms what `dataset` tells of the patient; to be asked before :meth:`deidentify`."""
        return read_claim(read_identity(dataset), self._pseudonym)

    def deidentify(self, dataset: Dataset) -> Identity:
        """De-identify `dataset` in place, file header and preamble included, and return what was taken out.

        Afterwards PatientID is the patient's pseudonym, every text is plain ASCII, and (0012,0062) to (0012,0064)
        say what was done (PS3.15 E.1.1). An element that cannot be understood is dropped.

        Raises
        ------
        FileRefused
            Sequences are nested deeper than any real object nests them.
        """
        encoding = _encoding(dataset)
        texts = read_identity(dataset)
        originals = {uid: self._uids.replace(uid) for uid in _own_uids(dataset)}
        patient_key = self._pseudonym(patient_text(texts, next(iter(originals), "")))
        self._walk(dataset, 0)
        dataset.PatientName = ""
        dataset.PatientID = patient_key
        dataset.PatientBirthDate = dataset.PatientSex = ""
        for element in self._records[encoding]:
            dataset[element.tag] = element
        self._rewrite_header(dataset)
        return Identity(**texts, original_uids=originals) if self._keep_identity else Identity()

    def _walk(self, dataset: Dataset, depth: int) -> None:
        """Treat every element of `dataset`, items of sequences included."""
        if depth > DEEPEST_SEQUENCE:
            raise FileRefused("The file nests sequences deeper than any real object; ask for a new export.")
        for element in list(dataset.elements()):
            tag = int(element.tag)
            action = action_for(tag)
            if action is Action.REMOVE:
                del dataset[element.tag]
                continue
            vr = dictionary_VR(tag)
            treated = self._treated(dataset, element, action, vr, depth)
            if treated is None:
                del dataset[element.tag]
            elif treated is not element:
                dataset[element.tag] = treated
        if CODING_SCHEME in dataset and _scheme(dataset) not in PUBLIC_SCHEMES:
            del dataset[CODING_SCHEME]
        if CODE_VALUE in dataset and CODING_SCHEME not in dataset:
            del dataset[CODE_VALUE]

    def _treated(
        self, dataset: Dataset, element: DataElement | RawDataElement, action: Action, vr: str, depth: int
    ) -> DataElement | RawDataElement | None:
        """Return what takes the place of `element`: itself, another element, or None for nothing."""
        if action is Action.WALK:
            return self._walked(dataset, element, depth)
        if action is Action.KEEP:
            return _kept(element, vr)
        if action is Action.EMPTY:
            return _element(element.tag, vr, [] if vr == "SQ" else None)
        if action is Action.DUMMY:
            return _dummy(element, vr)
        text = _text_of(element)
        if text is None:
            return None
        if action is Action.REPLACE_UID:
            return _element(element.tag, "UI", self._replaced(text))
        return _cleaned(element, vr, text)

    def _walked(self, dataset: Dataset, element: DataElement | RawDataElement, depth: int) -> DataElement | None:
        """Return a sequence with its items treated, or None when it is not one."""
        try:
            parsed = dataset[element.tag]
        except Exception:  # noqa: BLE001 - pydicom raises whatever a damaged sequence provokes; it is dropped
            return None
        if parsed.VR != "SQ" or not isinstance(parsed.value, Sequence):
            return None
        for item in parsed.value:
            self._walk(item, depth + 1)
        return parsed

    def _replaced(self, text: str) -> list[str]:
        """Replace each UID of a value; what is no UID vanishes."""
        return [self._uids.replace(uid) for uid in _uids_in(text)]

    def _rewrite_header(self, dataset: Dataset) -> None:
        """Rebuild group 0002 from what the profile allows: the sender's title and software do not pass."""
        former = getattr(dataset, "file_meta", None)
        header = FileMetaDataset()
        header.MediaStorageSOPClassUID = dataset.get("SOPClassUID", UID(""))
        header.MediaStorageSOPInstanceUID = dataset.get("SOPInstanceUID", UID(""))
        header.TransferSyntaxUID = getattr(former, "TransferSyntaxUID", ExplicitVRLittleEndian)
        header.ImplementationClassUID = IMPLEMENTATION_CLASS_UID
        header.ImplementationVersionName = IMPLEMENTATION_VERSION
        dataset.file_meta = header
        if hasattr(dataset, "preamble"):
            dataset.preamble = b"\0" * 128


def _own_uids(dataset: Dataset) -> list[str]:
    """UIDs of the study first, then of series, instance and frame of reference, as the file has them."""
    keywords = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "FrameOfReferenceUID")
    found = []
    for keyword in keywords:
        element = dataset.get_item(tag_for_keyword(keyword) or 0) if keyword in dataset else None
        text = _text_of(element) if element is not None else None
        found += _uids_in(text or "")[:1]
    return found


def _uids_in(text: str) -> list[str]:
    """The values of a UI text that are UIDs."""
    return [uid for value in text.split("\\") if UID_TEXT.fullmatch(uid := value.strip(" \0"))]


def _text_of(element: DataElement | RawDataElement) -> str | None:
    """Text of an element whatever its kind, several values parted by backslashes; None for what has none.

    Bytes that are not UTF-8 are read as Latin-1: every character set of DICOM agrees on the letters and digits
    that may stay.
    """
    value = element.value
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            return value.decode("latin-1")
    if isinstance(value, Sequence | Dataset):
        return None
    if isinstance(value, Iterable) and not isinstance(value, str):
        return "\\".join(str(part) for part in value)
    return "" if value is None else str(value)


def _scheme(dataset: Dataset) -> str:
    """Designator of the coding scheme of a code sequence item."""
    return (_text_of(dataset.get_item(CODING_SCHEME)) or "").strip(" \0")


def _kept(element: DataElement | RawDataElement, vr: str) -> DataElement | RawDataElement | None:
    """Return the element if its value is of the kind its tag promises."""
    if int(element.tag) in PIXELS:
        return element
    if vr in SIZES or vr in WORDS_VR:
        return _kept_binary(element, vr)
    text = _text_of(element)
    if text is None:
        return None
    pattern = PATTERNS[vr]
    data = element.value if isinstance(element.value, bytes) else text.encode("utf-8", "replace")
    if not pattern.fullmatch(data) or (pattern is TIME_TEXT and len(data) > LONGEST_TIME_BYTES):
        return None
    if isinstance(element, RawDataElement) and element.VR not in (None, vr):
        return element._replace(VR=vr)
    return element


def _kept_binary(element: DataElement | RawDataElement, vr: str) -> DataElement | RawDataElement | None:
    """Return the element if bytes where numbers belong can be numbers."""
    if not isinstance(element, RawDataElement):
        return element
    if element.VR is not None and element.VR not in vr.split(" or "):
        return None
    if vr in SIZES and element.value is not None and len(element.value) > longest_number(int(element.tag)):
        return None
    return element


def _element(tag: BaseTag, vr: str, value: object) -> DataElement:
    """An element whose value is ours, so that pydicom need not check it."""
    return DataElement(tag, vr, value, validation_mode=config.IGNORE)


def _dummy(element: DataElement | RawDataElement, vr: str) -> DataElement | None:
    """Return a value that means nothing, for an attribute that must have one."""
    if not element.value:
        return None
    if vr in ("AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UT"):
        return _element(element.tag, vr, DUMMY_TEXT)
    return None


def _cleaned(element: DataElement | RawDataElement, vr: str, text: str) -> DataElement | RawDataElement | None:
    """Return a description with only its harmless words, shortened to what its kind may hold."""
    longest = 16 if vr in ("SH", "CS") else 64
    words = clean(text, longest)
    if int(element.tag) == CONTRAST_AGENT and not words and text.strip(" \0").casefold() not in NO_CONTRAST:
        words = "contrast agent"
    return _element(element.tag, vr, words.upper() if vr == "CS" else words)


def _encoding(dataset: Dataset) -> tuple[bool | None, bool | None]:
    """Whether `dataset` was read from implicit VR, and from little endian; None for one made in memory."""
    raw = next((element for element in dataset.elements() if isinstance(element, RawDataElement)), None)
    return (None, None) if raw is None else (raw.is_implicit_VR, raw.is_little_endian)


def _encoded(record: Dataset, implicit: bool, little: bool) -> list[DataElement | RawDataElement]:
    """The elements of `record` as bytes: written into every file, so they are encoded once."""
    buffer = DicomBytesIO()
    buffer.is_implicit_VR, buffer.is_little_endian = implicit, little
    write_dataset(buffer, record)
    return list(read_dataset(BytesIO(buffer.getvalue()), implicit, little).elements())


def _method_record(uids_kept: bool) -> Dataset:
    """Elements that say what was done: PS3.15 E.1.1, codes of CID 7050."""
    codes = [
        ("113100", "Basic Application Confidentiality Profile"),
        ("113105", "Clean Descriptors Option"),
        ("113106", "Retain Longitudinal Temporal Information Full Dates Option"),
    ]
    if uids_kept:
        codes.append(("113110", "Retain UIDs Option"))
    items = []
    for value, meaning in codes:
        item = Dataset()
        item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "DCM", meaning
        items.append(item)
    record = Dataset()
    record.PatientIdentityRemoved = "YES"
    record.DeidentificationMethod = "PS3.15 basic profile, descriptors cleaned, full dates kept"
    record.DeidentificationMethodCodeSequence = Sequence(items)
    record.LongitudinalTemporalInformationModified = "UNMODIFIED"
    return record
