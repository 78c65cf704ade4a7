"""Compressed frames: which fragments make which frame, and what the codestream itself says of its picture.

Decoders believe the codestream; the header may say something else. Both are read here, so that a frame whose two
accounts differ, or whose end is missing, is noticed before a decoder fills the gap with grey.
"""

from dataclasses import dataclass
from itertools import pairwise
from struct import unpack_from

from pydicom.uid import (
    JPEG2000,
    UID,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from dashboard.errors import FileRefused, SyntaxRefused
from dashboard.ingest.container import Container
from dashboard.ingest.image_pixel import ImagePixel

EXTENDED_OFFSETS = 0x7FE00001
# Start-of-frame markers each syntax may hold (ISO 10918-1 B.1.1.3, ISO 14495-1).
FRAME_MARKERS = {
    str(JPEGBaseline8Bit): (0xC0,),
    str(JPEGExtended12Bit): (0xC0, 0xC1),
    str(JPEGLossless): (0xC3,),
    str(JPEGLosslessSV1): (0xC3,),
    str(JPEGLSLossless): (0xF7,),
    str(JPEGLSNearLossless): (0xF7,),
}
JPEG_2000 = (str(JPEG2000Lossless), str(JPEG2000))
# Precisions that only one of the decoders reads.
UNVERIFIED_BITS = {
    str(JPEGExtended12Bit): range(9, 17),
    str(JPEGLSLossless): range(2, 8),
    str(JPEGLSNearLossless): range(2, 8),
}
END_OF_IMAGE = b"\xff\xd9"
RLE_HEADER = 64


@dataclass(frozen=True)
class Codestream:
    """What one compressed frame says of itself; precision in bits, 0 where the coding does not say."""

    rows: int
    columns: int
    components: int
    precision: int
    signed: bool | None = None

    def agrees_with(self, image: ImagePixel) -> bool:
        """Whether precision and sign are those of the header, so that every decoder reads the same values."""
        if not self.precision:
            return True
        sign = self.signed is None or self.signed == bool(image.pixel_representation)
        return sign and self.precision == image.bits_stored


def frame_pieces(container: Container, image: ImagePixel) -> list[tuple[tuple[int, int], ...]]:
    """Places (start, length) of the fragments of each frame (PS3.5, A.4).

    Raises
    ------
    FileRefused
        The fragments cannot be assigned to the frames.
    """
    fragments = container.outline.fragments
    if not fragments:
        raise FileRefused("The picture data is empty.")
    if image.number_of_frames == 1:
        return [fragments]
    if len(fragments) == image.number_of_frames:
        return [(fragment,) for fragment in fragments]
    starts = _frame_starts(container, image.number_of_frames)
    base = fragments[0][0] - 8
    place = {start - 8 - base: index for index, (start, _) in enumerate(fragments)}
    cuts = [place.get(start, -1) for start in starts]
    if not cuts or cuts[0] != 0 or any(a >= b for a, b in pairwise(cuts)):
        raise FileRefused(
            f"The picture data has {len(fragments)} pieces for {image.number_of_frames} frames and does not say "
            "which belongs to which."
        )
    return [fragments[a:b] for a, b in zip(cuts, [*cuts[1:], len(fragments)], strict=True)]


def frame_bytes(container: Container, pieces: tuple[tuple[int, int], ...]) -> bytes:
    """The codestream of one frame."""
    return b"".join(container.read(start, start + length) for start, length in pieces)


def read_codestream(frame: bytes, transfer_syntax_uid: str, image: ImagePixel) -> Codestream:
    """Read the header of one compressed frame and check it against the file's.

    Raises
    ------
    FileRefused
        The frame is of another coding, is cut short, or its size is not that of the header.
    """
    if transfer_syntax_uid == RLELossless:
        return _run_lengths(frame, image)
    if not frame.rstrip(b"\0").endswith(END_OF_IMAGE) and not frame.endswith(END_OF_IMAGE + b"\xff"):
        raise FileRefused("A compressed frame has no end mark; the file is cut short.")
    is_2000 = transfer_syntax_uid in JPEG_2000
    found = _jpeg_2000(frame) if is_2000 else _jpeg(frame, FRAME_MARKERS[transfer_syntax_uid])
    if (found.rows, found.columns, found.components) != (image.rows, image.columns, image.samples_per_pixel):
        raise FileRefused(
            f"A compressed frame is {found.rows} x {found.columns} x {found.components} where the header says "
            f"{image.rows} x {image.columns} x {image.samples_per_pixel}."
        )
    if not 1 <= found.precision <= image.bits_allocated:
        raise FileRefused(f"A compressed frame has {found.precision} bits where {image.bits_allocated} have room.")
    if found.precision in UNVERIFIED_BITS.get(transfer_syntax_uid, ()):
        raise SyntaxRefused(
            f"The picture is stored as {UID(transfer_syntax_uid).name} of {found.precision} bits, which is not read; "
            "send it uncompressed."
        )
    return found


def _frame_starts(container: Container, frames: int) -> tuple[int, ...]:
    """Offsets of frames from the first fragment's item, by the extended or the basic offset table."""
    element = container.outline.elements.get(EXTENDED_OFFSETS)
    if element is not None and element.length == 8 * frames:
        return tuple(unpack_from(f"<{frames}Q", container.data, element.start))
    start, length = container.outline.offset_table or (0, 0)
    if length == 4 * frames:
        return tuple(unpack_from(f"<{frames}L", container.data, start))
    return ()


def _jpeg(frame: bytes, markers: tuple[int, ...]) -> Codestream:
    """Walk marker segments up to the frame header (ISO 10918-1 B.2.2)."""
    if frame[:2] != b"\xff\xd8":
        raise FileRefused("A compressed frame is not of the coding its file declares.")
    position = 2
    while position + 4 <= len(frame) and frame[position] == 0xFF:
        marker = frame[position + 1]
        if marker == 0xFF:
            position += 1
            continue
        length = unpack_from(">H", frame, position + 2)[0]
        if marker in markers and length >= 8 and position + 10 <= len(frame):
            precision, rows, columns, components = unpack_from(">BHHB", frame, position + 4)
            return Codestream(rows, columns, components, precision)
        other_frame = 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC)
        if other_frame or marker == 0xDA or length < 2:
            break
        position += 2 + length
    raise FileRefused("A compressed frame is not of the coding its file declares.")


def _jpeg_2000(frame: bytes) -> Codestream:
    """Read the SIZ segment, which follows the start of a codestream at once (ISO 15444-1 A.5.1)."""
    if frame[:4] != b"\xff\x4f\xff\x51" or len(frame) < 49:
        raise FileRefused("A compressed frame is not of the coding its file declares.")
    width, height, left, top = unpack_from(">LLLL", frame, 8)
    tile_width, tile_height = unpack_from(">LL", frame, 24)
    components = unpack_from(">H", frame, 40)[0]
    if not 1 <= components <= 4 or len(frame) < 42 + 3 * components:
        raise FileRefused("A compressed frame has an impossible number of components.")
    depths = {frame[42 + 3 * index : 45 + 3 * index] for index in range(components)}
    if len(depths) > 1 or frame[43:45] != b"\1\1":
        raise FileRefused("A compressed frame has components of different kinds, which is not read.")
    if not tile_width or not tile_height or left >= width or top >= height:
        raise FileRefused("A compressed frame has an impossible size.")
    if -(-width // tile_width) * -(-height // tile_height) > 65535:
        raise FileRefused("A compressed frame has an impossible number of tiles.")
    depth = frame[42]
    return Codestream(height - top, width - left, components, (depth & 0x7F) + 1, bool(depth & 0x80))


def _run_lengths(frame: bytes, image: ImagePixel) -> Codestream:
    """Check the RLE header (PS3.5, G.5): as many segments as bytes a pixel, in order, inside the frame."""
    if len(frame) < RLE_HEADER:
        raise FileRefused("A compressed frame has no header; the file is cut short.")
    count, *offsets = unpack_from("<16L", frame, 0)
    expected = image.samples_per_pixel * image.bits_allocated // 8
    used = offsets[:expected]
    if count != expected or used[0] != RLE_HEADER or any(a >= b for a, b in pairwise(used)):
        raise FileRefused("A compressed frame has a false header; the file is damaged.")
    if used[-1] >= len(frame):
        raise FileRefused("A compressed frame is shorter than its header says; the file is cut short.")
    return Codestream(image.rows, image.columns, image.samples_per_pixel, 0)
