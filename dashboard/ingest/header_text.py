"""Header values that are not what they are said to be, but on which neither pixels nor geometry depend.

What is found here becomes a warning on the image, so that a reader knows the file was not written as it should be.
"""

import math
import re

from pydicom._dicom_dict import DicomDictionary

from dashboard.ingest.container import Container
from dashboard.ingest.structure import Element, describe

CHARACTER_SET = 0x00080005
TEXT = frozenset({"AE", "AS", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UT"})
ONE_LINE = TEXT - {"LT", "ST", "UT"}
# Printable ASCII, what formats a text, the escape of ISO 2022, and the padding.
PLAIN = re.compile(rb"[\x20-\x7e\t\n\f\r\x1b]*\x00?")
CONTROLS = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f](?!$)")
AGE = re.compile(rb"(\d{3}[DWMY])?[ \x00]*")
WINDOW_WIDTH = 0x00281051
UTF_8 = b"ISO_IR 192"
# Character sets of one byte a letter give a letter for every byte; of the others only UTF-8 can be checked cheaply.
DEFAULT_SETS = frozenset({b"", b"ISO_IR 6", b"ISO 2022 IR 6"})
LONGEST_CHECKED = 4096


def header_notes(container: Container) -> list[str]:
    """Warnings about the top-level values of `container`, each named once by its keyword."""
    elements = container.outline.elements
    declared = elements.get(CHARACTER_SET)
    charset = b"" if declared is None else container.data[declared.start : declared.end].strip(b" \0").split(b"\\")[0]
    notes: list[str] = []
    for tag, element in elements.items():
        if not tag >> 16 & 1 and element.length <= LONGEST_CHECKED:
            entry = DicomDictionary.get(tag)
            if entry is not None:
                notes += _notes(container.data[element.start : element.end], tag, element, entry, charset)
    return notes


def _notes(
    value: bytes, tag: int, element: Element, entry: tuple[str, str, str, str, str], charset: bytes
) -> list[str]:
    vr, multiplicity = entry[0], entry[1]
    if element.vr != vr and element.vr != "UN" and element.vr not in vr:
        return [f"{describe(tag)} is declared as another type than the standard's."]
    if vr in TEXT:
        return _text_notes(value, tag, vr, multiplicity, charset)
    if vr in ("DS", "IS"):
        return _number_notes(value, tag)
    return []


def _text_notes(value: bytes, tag: int, vr: str, multiplicity: str, charset: bytes) -> list[str]:
    notes = []
    if vr == "AS" and not AGE.fullmatch(value):
        notes.append(f"{describe(tag)} is no age.")
    if not PLAIN.fullmatch(value):
        if not _fits(value, charset):
            notes.append("Some texts are not in the character set the file declares.")
        if CONTROLS.search(value):
            notes.append("Some texts hold control characters.")
    if multiplicity == "1" and vr in ONE_LINE and b"\\" in value and charset in (*DEFAULT_SETS, UTF_8):
        notes.append(f"{describe(tag)} holds several values where one is allowed.")
    return notes


def _fits(value: bytes, charset: bytes) -> bool:
    if charset == UTF_8:
        try:
            value.decode("utf-8")
        except UnicodeDecodeError:
            return False
        return True
    return charset not in DEFAULT_SETS or value.isascii()


def _number_notes(value: bytes, tag: int) -> list[str]:
    for part in value.split(b"\\"):
        text = part.strip(b" \0")
        if not text:
            continue
        try:
            number = float(text)
            if math.isfinite(number) and (number > 0 or tag != WINDOW_WIDTH):
                continue
        except ValueError:
            pass
        return [f"{describe(tag)} holds a number that cannot be used, or none."]
    return []
