"""The walk over a data set: what a lenient parser would pass over in silence is refused."""

from struct import pack

import pytest

from dashboard.errors import FileRefused
from dashboard.ingest.structure import MAX_DEPTH, MAX_TOP_ELEMENTS, outline

PIXELS = b"\xe0\x7f\x10\x00OB\0\0"
ITEM, ITEM_END, SEQUENCE_END = b"\xfe\xff\x00\xe0", b"\xfe\xff\x0d\xe0", b"\xfe\xff\xdd\xe0"
UNDEFINED = b"\xff\xff\xff\xff"
NOTHING = b"\0\0\0\0"


def text(tag: bytes, vr: bytes, value: bytes) -> bytes:
    """An explicit little endian element with a short length."""
    return tag + vr + pack("<H", len(value)) + value


MODALITY = text(b"\x08\x00\x60\x00", b"CS", b"MR")
NAME = text(b"\x10\x00\x10\x00", b"PN", b"DOE^JANE")


def walk(data: bytes, implicit: bool = False) -> object:
    return outline(data, 0, implicit=implicit, little=True)


def test_places_of_elements_are_found() -> None:
    found = outline(MODALITY + NAME, 0, implicit=False, little=True).elements[0x00100010]
    assert (found.vr, found.header, found.start, found.length) == ("PN", 10, 18, 8)


def test_a_length_beyond_the_file_is_refused() -> None:
    with pytest.raises(FileRefused, match="PatientName says it is longer than the file"):
        walk(MODALITY + NAME[:-2])


def test_a_length_of_four_gigabytes_costs_nothing() -> None:
    with pytest.raises(FileRefused, match="longer than the file"):
        walk(PIXELS + pack("<L", 0xFFFFFFFE) + b"\0" * 16)


def test_a_header_that_ends_early_is_refused() -> None:
    with pytest.raises(FileRefused, match="ends inside a header"):
        walk(MODALITY + b"\x10\x00\x10\x00P")


def test_an_unknown_type_is_refused() -> None:
    with pytest.raises(FileRefused, match="no known type"):
        walk(text(b"\x08\x00\x60\x00", b"ZZ", b"MR"))


def test_an_element_that_stands_twice_is_refused() -> None:
    with pytest.raises(FileRefused, match="PatientName stands twice"):
        walk(NAME + MODALITY + NAME)


def test_elements_out_of_order_are_noted() -> None:
    assert outline(NAME + MODALITY, 0, implicit=False, little=True).warnings == ("Header fields are out of order.",)


def test_an_odd_length_is_noted() -> None:
    odd = text(b"\x08\x00\x60\x00", b"CS", b"MR ")
    assert outline(odd, 0, implicit=False, little=True).warnings == ("Modality has an odd length.",)


@pytest.mark.parametrize("group", [0x0000, 0x0001, 0x0002, 0xFFFF])
def test_groups_of_messages_and_file_headers_are_refused(group: int) -> None:
    with pytest.raises(FileRefused, match="may not stand in an image"):
        walk(text(pack("<HH", group, 0x10), b"LO", b"AB"))


@pytest.mark.parametrize("mark", [ITEM, ITEM_END, SEQUENCE_END])
def test_a_stray_mark_is_refused(mark: bytes) -> None:
    with pytest.raises(FileRefused, match="stands where none may be"):
        walk(MODALITY + mark + NOTHING)


def test_encapsulated_pixels_without_an_end_mark_are_refused() -> None:
    fragments = PIXELS + UNDEFINED + ITEM + NOTHING + ITEM + pack("<L", 4) + b"abcd"
    with pytest.raises(FileRefused, match="no end mark"):
        walk(MODALITY + fragments)
    found = outline(MODALITY + fragments + SEQUENCE_END + NOTHING, 0, implicit=False, little=True)
    assert [length for _, length in found.fragments] == [4]


def test_a_sequence_without_an_end_mark_is_refused() -> None:
    with pytest.raises(FileRefused, match="no end mark"):
        walk(b"\x08\x00\x40\x11SQ\0\0" + UNDEFINED + ITEM + NOTHING)


def test_an_open_item_without_an_end_mark_is_refused() -> None:
    with pytest.raises(FileRefused, match="no end mark"):
        walk(b"\x08\x00\x40\x11SQ\0\0" + UNDEFINED + ITEM + UNDEFINED + MODALITY)


def nested(depth: int) -> bytes:
    content = MODALITY
    for _ in range(depth):
        item = ITEM + pack("<L", len(content)) + content
        content = b"\x08\x00\x40\x11SQ\0\0" + pack("<L", len(item)) + item
    return content


def test_nesting_is_bounded() -> None:
    walk(nested(MAX_DEPTH))
    with pytest.raises(FileRefused, match="nested more than"):
        walk(nested(MAX_DEPTH + 1))
    with pytest.raises(FileRefused, match="nested more than"):
        walk(nested(5000))


def test_nesting_hidden_in_unknown_types_is_bounded() -> None:
    content = b""
    for _ in range(MAX_DEPTH + 2):
        content = (
            b"\x08\x00\x40\x11" + UNDEFINED + ITEM + UNDEFINED + content + ITEM_END + NOTHING + SEQUENCE_END + NOTHING
        )
    with pytest.raises(FileRefused, match="nested more than"):
        walk(b"\x08\x00\x40\x11UN\0\0" + UNDEFINED + ITEM + UNDEFINED + content)


def test_the_number_of_fields_is_bounded() -> None:
    fields = b"".join(text(pack("<HH", 0x0010, 0x1000 + number), b"LO", b"") for number in range(MAX_TOP_ELEMENTS + 1))
    with pytest.raises(FileRefused, match="more than 10,000 header fields"):
        walk(fields)


def test_short_texts_of_absurd_length_are_refused() -> None:
    long = b"\x10\x00\x20\x00UN\0\0" + pack("<L", 70_000) + b"A" * 70_000
    with pytest.raises(FileRefused, match="PatientID holds a text of 70,000 characters"):
        walk(long)


def test_texts_slightly_too_long_are_noted() -> None:
    found = outline(text(b"\x10\x00\x20\x00", b"LO", b"A" * 66), 0, implicit=False, little=True)
    assert found.warnings == ("PatientID is longer than the standard allows.",)


def test_zeros_after_the_last_element_are_padding() -> None:
    found = outline(MODALITY + b"\0" * 100, 0, implicit=False, little=True)
    assert found.warnings == ("The file is padded with zeros after its last field.",)


def test_implicit_elements_get_the_type_of_the_dictionary() -> None:
    found = outline(b"\x08\x00\x60\x00" + pack("<L", 2) + b"MR", 0, implicit=True, little=True)
    assert found.elements[0x00080060].vr == "CS"
