"""Opening a DICOM file: preamble, file header, transfer syntax, and the data set as one checked buffer.

The file header (group 0002) is read here and written anew when the file is stored, so that nothing in it can mislead
a later reader.
"""

import mmap
import re
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from struct import Struct

from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ExplicitVRLittleEndian

from dashboard.errors import FileRefused, SyntaxRefused
from dashboard.ingest.structure import LONG_LENGTH, SHORT_LENGTH, UNDEFINED, Buffer, Outline, describe, outline

IMPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2"
SYNTAX = re.compile(r"1\.2\.840\.10008\.1\.2(\.\d{1,4}){0,3}")
PREAMBLE = 128
# Smaller files are read at once; larger ones are mapped, so that their pixels never fill memory.
MAPPED_BYTES = 8 * 1024**2
RELEASED_BYTES = 64 * 1024
# A deflated image of noise-free background reaches about 200; bombs start at 1,000.
INFLATE_RATIO = 250
INFLATE_FREE = 16 * 1024**2
INFLATE_MOST = 4 * 1024**3
CHUNK = 1024**2
MAX_META_ELEMENTS = 64

_short = Struct("<HH2sH").unpack_from
_long = Struct("<L").unpack_from


@dataclass(frozen=True)
class Container:
    """An opened file whose structure has been walked.

    Attributes
    ----------
    data
        The data set's bytes (inflated where the file was deflated), valid while the file is open.
    start
        Where the data set begins in `data`.
    transfer_syntax_uid
        Of `data`: explicit little endian for what was deflated.
    sop_class_uid, sop_instance_uid
        As the file header gives them, "" without one.
    """

    data: Buffer
    start: int
    transfer_syntax_uid: str
    sop_class_uid: str
    sop_instance_uid: str
    outline: Outline
    warnings: tuple[str, ...]

    def read(self, start: int, end: int) -> bytes:
        """Bytes of the data set; a mapped file's pages are given back, so that memory does not grow with the file."""
        piece = bytes(self.data[start:end])
        if isinstance(self.data, mmap.mmap) and end - start >= RELEASED_BYTES:
            page = start // mmap.PAGESIZE * mmap.PAGESIZE
            self.data.madvise(mmap.MADV_DONTNEED, page, end - page)
        return piece


@dataclass(frozen=True)
class FileHeader:
    """Group 0002 and where the data set after it begins."""

    transfer_syntax_uid: str
    sop_class_uid: str
    sop_instance_uid: str
    start: int
    warnings: tuple[str, ...] = ()


def looks_like_dicom(head: bytes) -> bool:
    """Whether the first bytes of a file (132 or more) are DICOM's, with or without a preamble."""
    return head[PREAMBLE : PREAMBLE + 4] == b"DICM" or _bare_encoding(head) is not None


@contextmanager
def open_container(path: Path) -> Iterator[Container]:
    """Open and walk one file; its buffer is valid inside the ``with`` block only.

    Raises
    ------
    FileRefused
        The file is no DICOM file, damaged, or cut short.
    SyntaxRefused
        Its transfer syntax is not known to the standard.
    """
    with path.open("rb") as file:
        size = path.stat().st_size
        data: Buffer = file.read() if size <= MAPPED_BYTES else mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        try:
            header = read_file_header(data)
            if header.transfer_syntax_uid != DeflatedExplicitVRLittleEndian:
                yield _walk(data, header, header.start, header.transfer_syntax_uid)
                return
            with _inflated(data, header.start, path.parent) as plain:
                yield _walk(plain, header, 0, str(ExplicitVRLittleEndian))
        finally:
            if isinstance(data, mmap.mmap):
                data.close()


def read_file_header(data: Buffer) -> FileHeader:
    """Read group 0002 (PS3.10, 7.1); a bare data set, as some old archives hold, gets an empty one.

    Raises
    ------
    FileRefused
        There is no DICOM file here, or its header is damaged.
    SyntaxRefused
        The transfer syntax is missing or unknown.
    """
    if data[PREAMBLE : PREAMBLE + 4] == b"DICM":
        return _meta_group(data, PREAMBLE + 4)
    encoding = _bare_encoding(data[: PREAMBLE + 4])
    if encoding is None:
        raise FileRefused("The file is not a DICOM, NIfTI or ZIP file.")
    if encoding == "meta":
        header = _meta_group(data, 0)
        return replace(header, warnings=(*header.warnings, "The file has no preamble."))
    return FileHeader(encoding, "", "", 0, ("The file has no header; its encoding was told from its first field.",))


def _walk(data: Buffer, header: FileHeader, start: int, syntax: str) -> Container:
    if start >= len(data):
        raise FileRefused("The file holds a header and nothing else; it is cut short.")
    result = outline(data, start, implicit=syntax == IMPLICIT_LITTLE_ENDIAN, little=syntax != ExplicitVRBigEndian)
    return Container(
        data,
        start,
        syntax,
        header.sop_class_uid,
        header.sop_instance_uid,
        result,
        header.warnings + result.warnings,
    )


def _bare_encoding(head: bytes) -> str | None:
    """What a file without a preamble starts with: ``"meta"``, a transfer syntax, or None when it is no DICOM."""
    if len(head) < 8:
        return None
    group, number, code, _ = _short(head, 0)
    explicit = code in SHORT_LENGTH or code in LONG_LENGTH
    if group == 2 and number <= 0x16 and explicit:
        return "meta"
    if group != 8 or number > 0x70:
        return None
    if explicit:
        return str(ExplicitVRLittleEndian)
    return IMPLICIT_LITTLE_ENDIAN if _long(head, 4)[0] <= 64 else None


def _meta_group(data: Buffer, start: int) -> FileHeader:
    values: dict[int, bytes] = {}
    position = after_length = start
    while len(data) - position >= 8 and data[position : position + 2] == b"\x02\x00":
        tag, value_start, length = _meta_element(data, position)
        if length == UNDEFINED or value_start + length > len(data):
            raise FileRefused(f"{describe(tag)} in the file header is longer than the file; the file is cut short.")
        if tag in values or len(values) >= MAX_META_ELEMENTS:
            raise FileRefused("The file header holds fields twice or far too many; the file is damaged.")
        position = value_start + length
        values[tag] = bytes(data[value_start : min(position, value_start + 256)])
        if tag == 0x00020000:
            after_length = position
    if position == len(data):
        raise FileRefused("The file ends after its header; it is cut short.")
    syntax = _uid(values, 0x00020010)
    if not syntax:
        raise SyntaxRefused("The file header names no transfer syntax, so its pixels cannot be read.")
    if not SYNTAX.fullmatch(syntax):
        raise SyntaxRefused("The file's transfer syntax is not one of the DICOM standard.")
    declared = values.get(0x00020000, b"")
    wrong = len(declared) == 4 and _long(declared, 0)[0] != position - after_length
    notes = ("The file header gives a wrong length for itself.",) if wrong else ()
    return FileHeader(syntax, _uid(values, 0x00020002), _uid(values, 0x00020003), position, notes)


def _meta_element(data: Buffer, position: int) -> tuple[int, int, int]:
    """Tag, place and length of one value of the file header, which is always explicit little endian."""
    group, number, code, length = _short(data, position)
    tag = group << 16 | number
    if code in SHORT_LENGTH:
        return tag, position + 8, length
    if code in LONG_LENGTH and len(data) - position >= 12:
        return tag, position + 12, _long(data, position + 8)[0]
    raise FileRefused(f"{describe(tag)} in the file header is of no known type; the file is damaged.")


def _uid(values: dict[int, bytes], tag: int) -> str:
    return values.get(tag, b"").rstrip(b"\0 ").decode("ascii", "replace")


@contextmanager
def _inflated(data: Buffer, start: int, folder: Path) -> Iterator[Buffer]:
    """The data set of a deflated file (PS3.5, A.5), unfolded to disk within bounds."""
    most = min(INFLATE_MOST, max(INFLATE_FREE, INFLATE_RATIO * (len(data) - start)))
    engine = zlib.decompressobj(-zlib.MAX_WBITS)
    with tempfile.TemporaryFile(dir=folder) as file:
        written = 0
        rest = b""
        try:
            while not engine.eof:
                piece = rest or data[start : start + CHUNK]
                start += 0 if rest else len(piece)
                if not piece:
                    raise FileRefused("The compressed file ends too early; it is cut short.")
                plain = engine.decompress(piece, CHUNK)
                rest = engine.unconsumed_tail
                written += file.write(plain)
                if written > most:
                    raise FileRefused("The compressed file unfolds to far more than an image; it is refused.")
        except zlib.error:
            raise FileRefused("The compressed file is damaged.") from None
        if written == 0:
            raise FileRefused("The compressed file is empty.")
        file.flush()
        plain_map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        try:
            yield plain_map
        finally:
            plain_map.close()
