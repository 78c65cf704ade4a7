"""Fragments to frames, and what a codestream says of itself."""

from pathlib import Path
from struct import pack

import pytest

from dashboard.errors import FileRefused, SyntaxRefused
from dashboard.ingest.codestream import frame_pieces, read_codestream
from dashboard.ingest.container import Container
from dashboard.ingest.image_pixel import ImagePixel
from dashboard.ingest.structure import Element, Outline

RLE = "1.2.840.10008.1.2.5"
JPEG_LOSSLESS = "1.2.840.10008.1.2.4.70"
JPEG_EXTENDED = "1.2.840.10008.1.2.4.51"
JPEG_LS = "1.2.840.10008.1.2.4.80"
JPEG_2000 = "1.2.840.10008.1.2.4.90"


def described(frames: int = 1, rows: int = 4, columns: int = 6, bits: int = 12) -> ImagePixel:
    return ImagePixel(rows, columns, 1, "MONOCHROME2", 16, bits, 0, frames)


def encapsulated(lengths: list[int], table: bytes = b"", extended: bytes = b"") -> Container:
    """Fragments of the given lengths behind a basic (and an extended) offset table."""
    data = extended + table
    start = len(extended)
    fragments = []
    for length in lengths:
        fragments.append((len(data) + 8, length))
        data += b"\xfe\xff\x00\xe0" + pack("<L", length) + b"x" * length
    elements = {0x7FE00001: Element("OV", 0, 0, len(extended), len(extended))} if extended else {}
    found = Outline(False, True, elements, (start, len(table)), tuple(fragments))
    return Container(data, 0, RLE, "", "", found, ())


def test_all_fragments_make_a_single_frame() -> None:
    assert len(frame_pieces(encapsulated([4, 6, 8]), described())[0]) == 3


def test_as_many_fragments_as_frames_are_one_each() -> None:
    pieces = frame_pieces(encapsulated([4, 6]), described(2))
    assert [length for ((_, length),) in pieces] == [4, 6]


@pytest.mark.parametrize("extended", [False, True])
def test_an_offset_table_parts_the_fragments(extended: bool) -> None:
    # Two fragments of 4 bytes, each behind an item header of 8.
    starts = (0, 24)
    table = {"extended": pack("<2Q", *starts)} if extended else {"table": pack("<2L", *starts)}
    pieces = frame_pieces(encapsulated([4, 4, 6], **table), described(2))
    assert [[length for _, length in frame] for frame in pieces] == [[4, 4], [6]]


@pytest.mark.parametrize("starts", [(0, 23), (24, 0), (0, 0), (1, 24), (0, 2**31)])
def test_a_false_offset_table_is_refused(starts: tuple[int, int]) -> None:
    with pytest.raises(FileRefused, match="3 pieces for 2 frames"):
        frame_pieces(encapsulated([4, 4, 6], table=pack("<2L", *starts)), described(2))


def test_fragments_that_cannot_be_assigned_are_refused() -> None:
    with pytest.raises(FileRefused, match="3 pieces for 2 frames"):
        frame_pieces(encapsulated([4, 4, 6]), described(2))


def jpeg(marker: int, precision: int, rows: int, columns: int, components: int = 1) -> bytes:
    body = pack(">BHHB", precision, rows, columns, components) + b"\1\x11\0" * components
    return b"\xff\xd8\xff" + bytes([marker]) + pack(">H", len(body) + 2) + body + b"\xff\xda\0\0\xff\xd9"


def test_size_and_precision_of_a_jpeg_are_read() -> None:
    found = read_codestream(jpeg(0xC3, 12, 4, 6), JPEG_LOSSLESS, described())
    assert (found.rows, found.columns, found.precision) == (4, 6, 12)
    assert found.agrees_with(described())
    assert not found.agrees_with(described(bits=10))


def test_another_size_is_refused() -> None:
    with pytest.raises(FileRefused, match="5 x 6 x 1 where the header says 4 x 6 x 1"):
        read_codestream(jpeg(0xC3, 12, 5, 6), JPEG_LOSSLESS, described())


@pytest.mark.parametrize("marker", [0xC0, 0xC1, 0xC2, 0xF7])
def test_another_process_is_refused(marker: int) -> None:
    with pytest.raises(FileRefused, match="not of the coding"):
        read_codestream(jpeg(marker, 12, 4, 6), JPEG_LOSSLESS, described())


def test_a_missing_end_mark_is_refused() -> None:
    with pytest.raises(FileRefused, match="no end mark"):
        read_codestream(jpeg(0xC3, 12, 4, 6)[:-2], JPEG_LOSSLESS, described())


def test_more_bits_than_have_room_are_refused() -> None:
    with pytest.raises(FileRefused, match="17 bits"):
        read_codestream(jpeg(0xC3, 17, 4, 6), JPEG_LOSSLESS, described())


@pytest.mark.parametrize(("syntax", "marker", "bits"), [(JPEG_EXTENDED, 0xC1, 12), (JPEG_LS, 0xF7, 7)])
def test_precisions_without_a_second_decoder_are_refused_by_name(syntax: str, marker: int, bits: int) -> None:
    with pytest.raises(SyntaxRefused, match=f"JPEG.* of {bits} bits"):
        read_codestream(jpeg(marker, bits, 4, 6), syntax, described(bits=bits))


def siz(width: int = 6, height: int = 4, tile: int = 6, components: int = 1, depth: int = 11) -> bytes:
    sizes = pack(">8L", width, height, 0, 0, tile, tile, 0, 0)
    body = pack(">H", 0) + sizes + pack(">H", components) + bytes([depth, 1, 1]) * components
    return b"\xff\x4f\xff\x51" + pack(">H", len(body) + 2) + body + b"\0" * 20 + b"\xff\xd9"


def test_size_sign_and_precision_of_a_jpeg_2000_are_read() -> None:
    found = read_codestream(siz(depth=0x80 | 11), JPEG_2000, described())
    assert (found.rows, found.columns, found.precision, found.signed) == (4, 6, 12, True)
    assert not found.agrees_with(described())


@pytest.mark.parametrize("stream", [siz(tile=0), siz(components=0), siz(width=2**31, tile=1), b"\xff\x4f\xff\xd9"])
def test_impossible_jpeg_2000_headers_are_refused(stream: bytes) -> None:
    with pytest.raises(FileRefused):
        read_codestream(stream, JPEG_2000, described())


def run_lengths(count: int, *offsets: int, size: int = 100) -> bytes:
    return pack("<16L", count, *offsets, *[0] * (15 - len(offsets))) + b"\0" * (size - 64)


def test_a_run_length_header_is_read() -> None:
    assert read_codestream(run_lengths(2, 64, 80), RLE, described()).rows == 4


@pytest.mark.parametrize(
    "frame",
    [
        b"\0" * 60,
        run_lengths(1, 64),
        run_lengths(15, 64, 80),
        run_lengths(2, 64, 64),
        run_lengths(2, 66, 80),
        run_lengths(2, 64, 500),
        run_lengths(2**32 - 1, 64, 80),
    ],
)
def test_false_run_length_headers_are_refused(frame: bytes) -> None:
    with pytest.raises(FileRefused):
        read_codestream(frame, RLE, described())


def test_the_buffer_of_a_large_file_serves_as_well(tmp_path: Path) -> None:
    container = encapsulated([4, 4], table=pack("<2L", 0, 12))
    assert len(frame_pieces(container, described(2))) == 2
