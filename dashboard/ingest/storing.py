"""Writing an accepted image: new headers in front of the very pixels that came, never encoded again."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from struct import pack
from typing import Any, BinaryIO

import numpy as np
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filereader import read_dataset
from pydicom.filewriter import write_data_element, write_file_meta_info

from dashboard.errors import FileRefused, RecordsError
from dashboard.ingest.container import Container
from dashboard.ingest.image_pixel import ImagePixel, check_stored_values
from dashboard.ingest.structure import PIXEL_DATA, UNDEFINED

PREAMBLE = b"\0" * 128
CHUNK = 4 * 1024**2
# Icons, curves and overlays are dropped at the door; there is no point in parsing them first.
ICON_IMAGE = 0x00880200
DRAWN_GROUPS = (range(0x5000, 0x5100), range(0x6000, 0x6100))
# Explicit types with a short length whose bytes need no second look, and what fills them to an even length.
PAD = {"UI": b"\0", "US": b"\0", **dict.fromkeys(("AS", "CS", "DA", "DS", "DT", "IS", "LO", "SH", "TM"), b" ")}
OVERLAY_GROUPS = range(0x6000, 0x6100)
# The headers of an enhanced object with 10,000 frames are about 30 MB.
MAX_HEADER_BYTES = 64 * 1024**2


def parse_headers(container: Container) -> Dataset:
    """Parse the public elements before the pixel data.

    Private elements, overlays and icons are left out unread, since none of them passes the door.

    Raises
    ------
    FileRefused
        The headers are larger than any real object's, or cannot be parsed.
    """
    wanted = [
        (element.header, element.end)
        for tag, element in sorted(container.outline.elements.items())
        if tag < PIXEL_DATA and not _is_dropped(tag)
    ]
    if sum(end - start for start, end in wanted) > MAX_HEADER_BYTES:
        raise FileRefused("The headers of the file are larger than those of any scanner.")
    raw = b"".join(container.data[start:end] for start, end in _joined(wanted))
    try:
        return read_dataset(BytesIO(raw), container.outline.implicit, container.outline.little)
    except Exception as error:  # noqa: BLE001 - pydicom raises whatever a damaged value provokes
        raise FileRefused(f"The headers cannot be read ({type(error).__name__}); the file is damaged.") from None


def has_overlays(container: Container) -> bool:
    """Whether the headers speak of overlay planes, which old files keep in unused bits of the pixels."""
    return any(tag >> 16 in OVERLAY_GROUPS for tag in container.outline.elements)


def store(path: Path, dataset: Dataset, container: Container, image: ImagePixel, *, with_pixels: bool) -> None:
    """Write `dataset`, already de-identified, and the pixel data of `container` to `path`.

    Raises
    ------
    FileRefused
        The headers cannot be encoded, or pixel values do not fit the bits they are said to have.
    RecordsError
        The disk refuses.
    """
    head = _encoded_headers(dataset, container)
    try:
        with path.open("wb") as file:
            file.write(head)
            _write_pixels(file if with_pixels else None, container, image)
    except FileRefused:
        path.unlink()
        raise
    except OSError as error:
        raise RecordsError(f"A file cannot be stored ({error.strerror}); free some space and try again.") from error


def _is_dropped(tag: int) -> bool:
    group = tag >> 16
    return bool(group & 1) or tag == ICON_IMAGE or any(group in drawn for drawn in DRAWN_GROUPS)


def _joined(ranges: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Adjoining ranges as one, so that headers are copied in few pieces."""
    start = end = -1
    for first, last in ranges:
        if first != end:
            if end > start:
                yield start, end
            start = first
        end = last
    if end > start:
        yield start, end


def _encoded_headers(dataset: Dataset, container: Container) -> bytes:
    buffer = DicomBytesIO()
    buffer.write(PREAMBLE + b"DICM")
    try:
        write_file_meta_info(buffer, dataset.file_meta, enforce_standard=True)
        buffer.is_implicit_VR = container.outline.implicit
        buffer.is_little_endian = container.outline.little
        _write_elements(buffer, dataset, container)
    except Exception as error:  # noqa: BLE001 - pydicom raises whatever a damaged value provokes
        raise FileRefused(f"The headers cannot be kept ({type(error).__name__}); the file is damaged.") from None
    return buffer.getvalue()


def _write_elements(buffer: DicomBytesIO, dataset: Dataset, container: Container) -> None:
    """Write what was never parsed as the bytes it came in; only the rest needs pydicom's care."""
    order = "<" if container.outline.little else ">"
    for tag in sorted(dataset.keys()):
        element: Any = dataset.get_item(tag)
        if isinstance(element, RawDataElement) and element.VR in PAD and element.value is not None:
            length = len(element.value)
            head = pack(f"{order}HH2sH", tag >> 16, tag & 0xFFFF, element.VR.encode("ascii"), length + (length & 1))
            buffer.write(head + element.value + PAD[element.VR] * (length & 1))
        elif tag & 0xFFFF:
            write_data_element(buffer, element, "iso8859")


def _write_pixels(file: BinaryIO | None, container: Container, image: ImagePixel) -> None:
    """Copy the pixel data, checking uncompressed values on the way; without a file they are only checked."""
    element = container.outline.elements[PIXEL_DATA]
    if element.length == UNDEFINED:
        pieces: Iterator[bytes] = _chunks(container, element.start, element.end)
        length = UNDEFINED
    else:
        length = image.frame_bytes * image.number_of_frames
        pieces = _checked(container, image, element.start, element.start + length)
    if file is not None:
        file.write(_pixel_header(container, image, length + (length & 1 if length != UNDEFINED else 0)))
    for piece in pieces:
        if file is not None:
            file.write(piece)
    if file is not None and length != UNDEFINED:
        file.write(b"\0" * (length & 1))


def _chunks(container: Container, start: int, end: int) -> Iterator[bytes]:
    for position in range(start, end, CHUNK):
        yield container.read(position, min(position + CHUNK, end))


def _checked(container: Container, image: ImagePixel, start: int, end: int) -> Iterator[bytes]:
    """Uncompressed values, overlay planes removed from their unused bits."""
    kind = np.dtype(f"{'<' if container.outline.little else '>'}u{image.bits_allocated // 8}")
    overlays = has_overlays(container)
    for chunk in _chunks(container, start, end):
        values = np.frombuffer(chunk, kind)
        if check_stored_values(values, image, overlays=overlays):
            yield (values & ((1 << image.bits_stored) - 1)).astype(kind).tobytes()
        else:
            yield chunk


def _pixel_header(container: Container, image: ImagePixel, length: int) -> bytes:
    order = "<" if container.outline.little else ">"
    tag = pack(order + "HH", PIXEL_DATA >> 16, PIXEL_DATA & 0xFFFF)
    if container.outline.implicit:
        return tag + pack(order + "L", length)
    vr = b"OB" if length == UNDEFINED or image.bits_allocated == 8 else b"OW"
    return tag + vr + b"\0\0" + pack(order + "L", length)
