"""Unfolding what was dropped: ZIP archives inside folders inside ZIP archives, one entry at a time, within bounds.

Entries are written to a scratch folder under running numbers, so no name inside an archive ever becomes a path. A
hostile archive is refused whole, and by name; what had been unfolded of it is not used.
"""

import stat
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from struct import unpack_from

from dashboard.errors import ArchiveRefused, RecordsError
from dashboard.ingest.file_kind import FileKind, is_regular, kind_of, read_head, stranger_reason
from dashboard.ingest.instance import DroppedFile
from dashboard.settings import ArchiveLimits
from dashboard.study import Rejection

CHUNK = 1024**2
# Blank slices of half a megabyte deflate a thousandfold; only larger entries and totals are judged by their ratio.
RATIO_FREE_ENTRY = 16 * 1024**2
RATIO_FREE_TOTAL = 256 * 1024**2
ENTRY_HEADER = 30
END_RECORD = b"PK\x05\x06"
END_RECORD_BYTES, LONGEST_COMMENT = 22, 65_535
# An entry of the directory is 46 bytes and its name; this bounds what listing an archive can cost.
DIRECTORY_BYTES_AN_ENTRY = 512
ENCRYPTED, STRONGLY_ENCRYPTED, MASKED = 0x1, 0x40, 0x2000
METHODS = {9: "Deflate64", 12: "bzip2", 14: "LZMA", 93: "Zstandard", 95: "XZ", 98: "PPMd", 99: "AES"}
OFFICE_MARK = "[Content_Types].xml"


@dataclass
class Budget:
    """What one dropped archive, with all archives inside it, may still unfold to."""

    limits: ArchiveLimits
    entries: int = 0
    unfolded: int = 0

    def take(self, entries: int, unfolded: int) -> None:
        """Count, and refuse once a bound is passed."""
        self.entries += entries
        self.unfolded += unfolded
        if self.entries > self.limits.max_entries:
            raise ArchiveRefused(f"The archive holds more than {self.limits.max_entries:,} files; drop it in parts.")
        if self.unfolded > self.limits.max_total_bytes:
            raise ArchiveRefused(f"The archive unfolds to more than {_size(self.limits.max_total_bytes)}.")


def expand(files: Iterable[DroppedFile], scratch: Path, limits: ArchiveLimits) -> Iterator[DroppedFile | Rejection]:
    """Yield every file that is not an archive, with the entries of those that are.

    Files unfolded into `scratch` may be deleted by the caller as soon as the next item is asked for; dropped files
    stay where they are.

    Parameters
    ----------
    scratch
        An existing folder; entries lie in it under running numbers.
    limits
        Bounds on each dropped archive.

    Yields
    ------
    DroppedFile or Rejection
        A refused archive gives one rejection with its reason. Litter of operating systems, links and devices give
        one each too, so that every file of a drop is accounted for.

    Raises
    ------
    RecordsError
        `scratch` cannot be written.
    """
    numbers = iter(range(1, 10**9))
    for file in files:
        yield from _expand(file, scratch, Budget(limits), 0, numbers)


def _expand(
    file: DroppedFile, scratch: Path, budget: Budget, depth: int, numbers: Iterator[int]
) -> Iterator[DroppedFile | Rejection]:
    try:
        if not is_regular(file.path):
            yield Rejection(file.name, "This is a device or a pipe, not a file.")
            return
        head = read_head(file.path)
    except OSError as error:
        yield Rejection(file.name, f"The file cannot be read ({str(error.strerror).lower()}).")
        return
    kind = kind_of(file.name, head)
    if kind is FileKind.ZIP:
        yield from _archive(file, scratch, budget, depth, numbers)
    elif kind is FileKind.LITTER:
        yield Rejection(file.name, "The file is left there by an operating system and holds no image.")
    elif kind is FileKind.UNKNOWN:
        yield Rejection(file.name, stranger_reason(head))
    else:
        yield file


def _archive(
    file: DroppedFile, scratch: Path, budget: Budget, depth: int, numbers: Iterator[int]
) -> Iterator[DroppedFile | Rejection]:
    if depth >= budget.limits.max_depth:
        yield Rejection(file.name, f"Archives are packed more than {budget.limits.max_depth} deep; unpack them first.")
        return
    try:
        archive, entries = _open(file.path, budget)
    except ArchiveRefused as refusal:
        yield Rejection(file.name, str(refusal))
        return
    with archive:
        for entry in entries:
            yield from _entry(file, archive, entry, scratch, budget, depth, numbers)


def _open(path: Path, budget: Budget) -> tuple[zipfile.ZipFile, list[zipfile.ZipInfo]]:
    """The archive and its files, none of them hostile."""
    archive = None
    try:
        declared = check_directory(path, budget.limits)
        archive = zipfile.ZipFile(path)
        # Old programs count up to 65,535 and start again.
        if (declared - len(archive.infolist())) % 0x10000:
            raise ArchiveRefused("The archive's directory does not list all its files; pack it again.")
        entries = [entry for entry in archive.infolist() if not entry.filename.endswith("/")]
        _check_entries(archive, entries, budget)
    except ArchiveRefused:
        if archive is not None:
            archive.close()
        raise
    except Exception:  # noqa: BLE001 - zipfile raises whatever a damaged directory provokes
        if archive is not None:
            archive.close()
        raise ArchiveRefused("The archive is damaged or cut short; pack it again.") from None
    return archive, entries


def _entry(
    file: DroppedFile,
    archive: zipfile.ZipFile,
    entry: zipfile.ZipInfo,
    scratch: Path,
    budget: Budget,
    depth: int,
    numbers: Iterator[int],
) -> Iterator[DroppedFile | Rejection]:
    name = f"{file.name}/{_plain_name(entry)}"
    path = scratch / f"{next(numbers):09d}"
    try:
        _extract(archive, entry, path)
    except RecordsError:
        raise
    except Exception:  # noqa: BLE001 - zipfile raises whatever a damaged entry provokes
        path.unlink(missing_ok=True)
        yield Rejection(name, "The file is damaged inside its archive (its checksum is wrong or it is cut short).")
        return
    yield from _expand(DroppedFile(name, path, entry.compress_size), scratch, budget, depth + 1, numbers)
    path.unlink(missing_ok=True)


def _extract(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path) -> None:
    with archive.open(entry) as source:
        try:
            with path.open("wb") as target:
                while chunk := source.read(CHUNK):
                    target.write(chunk)
        except OSError as error:
            raise RecordsError(f"A file cannot be unpacked ({error.strerror}); free some space.") from error


def check_directory(path: Path, limits: ArchiveLimits) -> int:
    """Check the size of an archive's directory before it is read into memory; return how many entries it declares.

    Raises
    ------
    ArchiveRefused
        The directory lists too many entries, is missing, or the archive is one of several parts.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - END_RECORD_BYTES - LONGEST_COMMENT))
        tail = file.read()
    place = tail.rfind(END_RECORD)
    if place < 0 or len(tail) - place < END_RECORD_BYTES:
        raise ArchiveRefused("The archive is cut short; its directory is missing.")
    disk, start_disk, _, entries, directory, _ = unpack_from("<HHHHLL", tail, place + 4)
    if disk not in (0, 0xFFFF) or start_disk not in (0, 0xFFFF):
        raise ArchiveRefused("The archive is one of several parts; pack it as one file.")
    # Readers believe a ZIP64 record wherever there is one, whatever the small record says.
    entries, directory = _large_directory(path, size - len(tail) + place, entries, directory)
    if entries > limits.max_entries or directory > limits.max_entries * DIRECTORY_BYTES_AN_ENTRY:
        raise ArchiveRefused(f"The archive holds more than {limits.max_entries:,} files; drop it in parts.")
    if entries == 0:
        raise ArchiveRefused("The archive is empty.")
    return entries


def _large_directory(path: Path, end_record: int, entries: int, directory: int) -> tuple[int, int]:
    """Entries and bytes of the directory, from the ZIP64 end record where there is one (APPNOTE 4.3.14)."""
    with path.open("rb") as file:
        file.seek(max(0, end_record - 20))
        locator = file.read(20)
        if not locator.startswith(b"PK\x06\x07"):
            return entries, directory
        file.seek(unpack_from("<Q", locator, 8)[0])
        record = file.read(56)
    if not record.startswith(b"PK\x06\x06") or len(record) < 56:
        raise ArchiveRefused("The archive is damaged; its directory cannot be read.")
    return unpack_from("<Q", record, 32)[0], unpack_from("<Q", record, 40)[0]


def _check_entries(archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo], budget: Budget) -> None:
    """Refuse an archive any of whose entries is hostile or beyond the bounds, before one of them is unfolded."""
    if OFFICE_MARK in archive.NameToInfo:
        raise ArchiveRefused("The file is an office document, not an archive of images.")
    if not entries:
        raise ArchiveRefused("The archive holds empty folders only.")
    for entry in entries:
        _check_entry(entry, budget.limits)
    packed = sum(entry.compress_size for entry in entries)
    unfolded = sum(entry.file_size for entry in entries)
    if unfolded > max(RATIO_FREE_TOTAL, budget.limits.max_ratio * packed):
        raise ArchiveRefused("The archive unfolds to far more than images do; it is refused.")
    end = 0
    for entry in sorted(entries, key=lambda item: item.header_offset):
        if entry.header_offset < end:
            raise ArchiveRefused("Files of the archive lie over each other; it is refused.")
        end = entry.header_offset + ENTRY_HEADER + entry.compress_size
    budget.take(len(entries), unfolded)


def _check_entry(entry: zipfile.ZipInfo, limits: ArchiveLimits) -> None:
    name = entry.orig_filename.replace("\\", "/")
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or ":" in name[:2] or "\0" in entry.filename:
        raise ArchiveRefused("The archive tries to write outside its folder; it is refused.")
    mode = entry.external_attr >> 16
    if mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        raise ArchiveRefused("The archive holds links or devices; pack it without them.")
    if entry.flag_bits & (ENCRYPTED | STRONGLY_ENCRYPTED | MASKED):
        raise ArchiveRefused("The archive is protected by a password; pack it without one.")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        method = METHODS.get(entry.compress_type, f"method {entry.compress_type}")
        raise ArchiveRefused(f"The archive is packed with {method}, which is not read; pack it as ordinary ZIP.")
    if entry.file_size > limits.max_entry_bytes:
        raise ArchiveRefused(f"A file of the archive is larger than {_size(limits.max_entry_bytes)}.")
    if entry.file_size > max(RATIO_FREE_ENTRY, limits.max_ratio * entry.compress_size):
        raise ArchiveRefused("A file of the archive unfolds to far more than an image does; the archive is refused.")


def _plain_name(entry: zipfile.ZipInfo) -> str:
    """Name for the list of rejected files: one kind of separator, nothing unprintable, bounded."""
    name = entry.filename.replace("\\", "/")
    return "".join(letter if letter.isprintable() else "?" for letter in name)[:512]


def _size(count: int) -> str:
    return f"{count / 1024**3:g} GiB" if count >= 1024**3 else f"{count / 1024**2:g} MiB"
