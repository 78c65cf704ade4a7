"""What a dropped file is, told from its first bytes and never from its name's ending."""

import stat
from enum import Enum, auto
from pathlib import Path, PurePosixPath

from dashboard.ingest.container import looks_like_dicom

HEAD_BYTES = 560
GZIP = b"\x1f\x8b"
# Files that systems leave in folders, by name in lower case.
LITTER = frozenset({".ds_store", "thumbs.db", "desktop.ini", "ehthumbs.db", ".localized", "autorun.inf"})
LITTER_FOLDERS = frozenset({"__macosx", ".spotlight-v100", ".trashes", ".fseventsd", "$recycle.bin"})
NIFTI_1 = 348
ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
# What people drop by mistake, by its first bytes; the words complete "The file is ...".
STRANGERS = (
    (b"Rar!", "a RAR archive, which is not opened; unpack it or pack it as ZIP"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive, which is not opened; unpack it or pack it as ZIP"),
    (b"BZh", "a bzip2 archive, which is not opened; unpack it or pack it as ZIP"),
    (b"\xfd7zXZ", "an xz archive, which is not opened; unpack it or pack it as ZIP"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive, which is not opened; unpack it or pack it as ZIP"),
    (b"%PDF", "a PDF document, not an image series"),
    (b"\xff\xd8\xff", "a JPEG picture without DICOM headers; send the DICOM files"),
    (b"\x89PNG", "a PNG picture without DICOM headers; send the DICOM files"),
    (b"GIF8", "a GIF picture without DICOM headers; send the DICOM files"),
    (b"BM", "a bitmap picture or unknown data; send the DICOM files"),
    (b"MZ", "a program, not an image"),
    (b"\x7fELF", "a program, not an image"),
    (b"<!DOCTYPE", "a web page, not an image"),
    (b"<html", "a web page, not an image"),
    (b"<?xml", "an XML document, not an image"),
    (b"SQLite format 3", "a database, not an image"),
)
TAR_MAGIC = slice(257, 262)


class FileKind(Enum):
    """Kinds of file that are read, and two that are not."""

    DICOM = auto()
    NIFTI = auto()
    GZIP = auto()
    ZIP = auto()
    LITTER = auto()
    UNKNOWN = auto()


def kind_of(name: str, head: bytes) -> FileKind:
    """Kind of a file called `name` whose first bytes (560 suffice) are `head`."""
    if _is_litter(name):
        return FileKind.LITTER
    if head.startswith(ZIP_STARTS):
        return FileKind.ZIP
    if head.startswith(GZIP):
        return FileKind.GZIP
    if is_nifti(head):
        return FileKind.NIFTI
    return FileKind.DICOM if looks_like_dicom(head) else FileKind.UNKNOWN


def is_nifti(head: bytes) -> bool:
    """Whether `head` is the header of a single-file NIfTI-1 or NIfTI-2 image, of either byte order."""
    if head[344:348] in (b"n+1\0", b"ni1\0"):
        return NIFTI_1 in (int.from_bytes(head[:4], "little"), int.from_bytes(head[:4], "big"))
    return head[4:8] in (b"n+2\0", b"ni2\0")


def stranger_reason(head: bytes) -> str:
    """Why a file of no known kind is not read, in words."""
    if not head:
        return "The file is empty."
    if head[TAR_MAGIC] == b"ustar":
        return "The file is a TAR archive, which is not opened; unpack it or pack it as ZIP."
    for start, words in STRANGERS:
        if head.startswith(start):
            return f"The file is {words}."
    if not head.strip(b"\0"):
        return "The file holds nothing but zeros."
    return "The file is not a DICOM, NIfTI or ZIP file."


def read_head(path: Path) -> bytes:
    """First bytes of a file, enough for :func:`kind_of`."""
    with path.open("rb") as file:
        return file.read(HEAD_BYTES)


def is_regular(path: Path) -> bool:
    """Whether `path` leads to a file and not to a device, a pipe or a folder: reading those may never end."""
    return stat.S_ISREG(path.stat().st_mode)


def size_of(path: Path) -> int:
    """Bytes of a file, 0 where that cannot be told."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _is_litter(name: str) -> bool:
    parts = [part.lower() for part in PurePosixPath(name).parts]
    if not parts:
        return False
    return parts[-1] in LITTER or parts[-1].startswith("._") or any(part in LITTER_FOLDERS for part in parts)
