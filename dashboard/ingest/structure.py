"""The skeleton of a DICOM data set: each element's place and length, checked before any value is believed.

A lenient parser reads a damaged file as a shorter one and says nothing. This walk follows every length to the end
of the file instead, so that what is parsed afterwards is known to be whole: all lengths lie inside their parent,
sequences end, nothing is there twice, nesting and counts are bounded (PS3.5, 7.1 to 7.5 and A.4).
"""

import mmap
from dataclasses import dataclass, field
from struct import Struct

from pydicom._dicom_dict import DicomDictionary

from dashboard.errors import FileRefused

Buffer = bytes | mmap.mmap

UNDEFINED = 0xFFFFFFFF
PIXEL_DATA = 0x7FE00010
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
LONG_LENGTH = frozenset((b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"))
SHORT_LENGTH = frozenset(b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split())
# Characters one value may have (PS3.5, 6.2); DA, TM and DT doubled because queries write ranges. DS may have 16,
# but every vendor writes all the digits it has, and that is worth no warning.
TEXT_LIMITS = {
    "AE": 16, "AS": 4, "CS": 16, "DA": 18, "DS": 64, "DT": 54, "IS": 12,
    "LO": 64, "PN": 64, "SH": 16, "TM": 28, "UI": 64,
}  # fmt: skip
# A text this long in a field made for a name or a code is damage or an attack, not sloppiness.
LONGEST_SHORT_TEXT = 1024
# Enhanced MR nests 5 deep, structured reports about 15; parsers recurse, so a bomb must stop here.
MAX_DEPTH = 20
MAX_ELEMENTS = 500_000
# The dictionary of the standard has about 5,000; a scanner adds a few hundred of its own.
MAX_TOP_ELEMENTS = 10_000
RESERVED_GROUPS = frozenset((0x0000, 0x0001, 0x0002, 0x0003, 0x0005, 0x0006, 0x0007, 0xFFFF))


@dataclass(frozen=True, slots=True)
class Element:
    """Place of one top-level element: `header` is where its tag stands, `start` where its value does."""

    vr: str
    header: int
    start: int
    length: int
    end: int


@dataclass
class Outline:
    """Top-level elements by tag, the fragments of encapsulated pixel data, and what was odd but harmless.

    ``fragments`` are (start, length) of each item after the basic offset table, whose own place is
    ``offset_table``.
    """

    implicit: bool
    little: bool
    elements: dict[int, Element] = field(default_factory=dict)
    offset_table: tuple[int, int] | None = None
    fragments: tuple[tuple[int, int], ...] = ()
    warnings: tuple[str, ...] = ()


def outline(data: Buffer, start: int, *, implicit: bool, little: bool) -> Outline:
    """Walk the data set in ``data[start:]``.

    Raises
    ------
    FileRefused
        A length leads outside its parent, an element has no known VR, stands twice or where it may not, a
        sequence does not end, nesting or counts exceed the bounds.
    """
    walk = _Walk(data, little)
    result = Outline(implicit, little)
    walk.dataset(start, len(data), implicit, 0, result)
    result.warnings = tuple(walk.warnings)
    return result


def describe(tag: int) -> str:
    """Keyword of a public element, otherwise its tag."""
    entry = DicomDictionary.get(tag)
    return entry[4] if entry and entry[4] else f"({tag >> 16:04X},{tag & 0xFFFF:04X})"


class _Walk:
    """One pass over one buffer."""

    def __init__(self, data: Buffer, little: bool) -> None:
        order = "<" if little else ">"
        self.data = data
        self.explicit_header = Struct(order + "HH2sH").unpack_from
        self.implicit_header = Struct(order + "HHL").unpack_from
        self.long_length = Struct(order + "L").unpack_from
        self.warnings: dict[str, None] = {}
        self.count = 0

    def dataset(
        self, position: int, end: int, implicit: bool, depth: int, top: Outline | None = None, delimited: bool = False
    ) -> int:
        """Walk elements up to `end`, or to the item's end mark where it is `delimited`; return what follows."""
        if depth > MAX_DEPTH:
            raise FileRefused(f"Sequences are nested more than {MAX_DEPTH} deep; the file is not a scanner's.")
        previous = -1
        seen: set[int] = set()
        while position < end:
            if top is not None and self._is_padding(position, end):
                return end
            header = position
            tag, vr, length, position = self._header(position, end, implicit)
            if tag >> 16 == 0xFFFE:
                if tag == ITEM_END and delimited and length == 0:
                    return position
                raise FileRefused("A sequence mark stands where none may be; the file is damaged.")
            if tag <= previous:
                self._out_of_order(tag, seen)
            else:
                previous = tag
            seen.add(tag)
            if length == UNDEFINED:
                after = self._undefined(tag, vr, position, end, implicit, depth, top)
            else:
                after = position + length
                if after > end:
                    raise FileRefused(f"{describe(tag)} says it is longer than the file; the file is cut short.")
                self._defined(tag, vr, position, after, implicit, depth)
            if top is not None:
                top.elements[tag] = Element(vr, header, position, length, after)
                if len(top.elements) > MAX_TOP_ELEMENTS:
                    raise FileRefused(f"The file holds more than {MAX_TOP_ELEMENTS:,} header fields.")
            position = after
        if delimited:
            raise FileRefused("An item of a sequence has no end mark; the file is cut short.")
        return position

    def _header(self, position: int, end: int, implicit: bool) -> tuple[int, str, int, int]:
        """Tag, VR, length and place of the value; bounds the number of elements."""
        self.count += 1
        if self.count > MAX_ELEMENTS:
            raise FileRefused(f"The file holds more than {MAX_ELEMENTS:,} header fields.")
        if end - position < 8:
            raise FileRefused("The file ends inside a header; it is cut short.")
        group, number, code, length = self.explicit_header(self.data, position)
        tag = group << 16 | number
        if group in RESERVED_GROUPS:
            raise FileRefused(f"The element {describe(tag)} may not stand in an image; the file is damaged.")
        if implicit or group == 0xFFFE:
            length = self.implicit_header(self.data, position)[2]
            return tag, self._implied_vr(tag), length, position + 8
        if code in SHORT_LENGTH:
            return tag, code.decode("ascii"), length, position + 8
        if code not in LONG_LENGTH:
            raise FileRefused(
                f"{describe(tag)} is of no known type; the file is damaged or its declared encoding is false."
            )
        if end - position < 12:
            raise FileRefused("The file ends inside a header; it is cut short.")
        return tag, code.decode("ascii"), self.long_length(self.data, position + 8)[0], position + 12

    @staticmethod
    def _implied_vr(tag: int) -> str:
        entry = DicomDictionary.get(tag)
        return entry[0] if entry else "UN"

    def _is_padding(self, position: int, end: int) -> bool:
        """True for zeros up to the end of the file, which some archives add to fill a block."""
        if end - position > 4096 or any(self.data[position:end]):
            return False
        self.warnings["The file is padded with zeros after its last field."] = None
        return True

    def _out_of_order(self, tag: int, seen: set[int]) -> None:
        if tag in seen:
            raise FileRefused(f"{describe(tag)} stands twice in the file; which one holds cannot be told.")
        self.warnings["Header fields are out of order."] = None

    def _undefined(
        self, tag: int, vr: str, position: int, end: int, implicit: bool, depth: int, top: Outline | None
    ) -> int:
        """Walk a value without a length: a sequence or encapsulated pixel data."""
        if tag == PIXEL_DATA or vr in ("OB", "OW", "OB or OW"):
            return self._fragments(position, end, top if tag == PIXEL_DATA else None)
        if vr == "SQ":
            return self._sequence(position, end, implicit, depth, undefined=True)
        if vr == "UN":
            return self._sequence(position, end, True, depth, undefined=True)
        raise FileRefused(f"{describe(tag)} has no length and is no sequence; the file is damaged.")

    def _defined(self, tag: int, vr: str, start: int, end: int, implicit: bool, depth: int) -> None:
        length = end - start
        if length & 1:
            self.warnings[f"{describe(tag)} has an odd length."] = None
        if tag >> 16 & 1:
            return
        if vr == "SQ":
            self._sequence(start, end, implicit, depth, undefined=False)
        elif vr == "UN" and self._implied_vr(tag) == "SQ":
            self._sequence(start, end, True, depth, undefined=False)
        else:
            limit = TEXT_LIMITS.get(self._implied_vr(tag) if vr == "UN" else vr)
            if limit is not None and length > limit:
                self._long_text(tag, self.data[start:end], limit)

    def _long_text(self, tag: int, value: bytes, limit: int) -> None:
        # A name has up to three forms of 64 characters each, parted by equals signs.
        longest = max(map(len, value.replace(b"=", b"\\").split(b"\\")))
        if longest > LONGEST_SHORT_TEXT:
            raise FileRefused(
                f"{describe(tag)} holds a text of {longest:,} characters where {limit} are allowed; "
                "the file is damaged."
            )
        if longest > (limit if value.isascii() else 4 * limit):
            self.warnings[f"{describe(tag)} is longer than the standard allows."] = None

    def _sequence(self, position: int, end: int, implicit: bool, depth: int, *, undefined: bool) -> int:
        while position < end:
            self.count += 1
            if end - position < 8:
                raise FileRefused("The file ends inside a sequence; it is cut short.")
            group, number, length = self.implicit_header(self.data, position)
            tag = group << 16 | number
            position += 8
            if tag == SEQUENCE_END and undefined and length == 0:
                return position
            if tag != ITEM:
                raise FileRefused("A sequence holds something that is no item; the file is damaged.")
            if length == UNDEFINED:
                position = self.dataset(position, end, implicit, depth + 1, delimited=True)
            elif position + length > end:
                raise FileRefused("An item of a sequence says it is longer than the file; the file is cut short.")
            else:
                position = self.dataset(position, position + length, implicit, depth + 1)
        if undefined:
            raise FileRefused("A sequence has no end mark; the file is cut short.")
        return position

    def _fragments(self, position: int, end: int, top: Outline | None) -> int:
        found: list[tuple[int, int]] = []
        while True:
            if end - position < 8:
                raise FileRefused("The picture data has no end mark; the file is cut short.")
            group, number, length = self.implicit_header(self.data, position)
            tag = group << 16 | number
            position += 8
            if tag == SEQUENCE_END:
                break
            if tag != ITEM or position + length > end:
                raise FileRefused("A piece of the picture data says it is longer than the file; it is cut short.")
            found.append((position, length))
            position += length
        if top is not None:
            if not found:
                raise FileRefused("The picture data is empty.")
            top.offset_table = found[0]
            top.fragments = tuple(found[1:])
        return position
