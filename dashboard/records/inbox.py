"""The inbox: dropped files while they arrive, still identified, each upload in a folder for its owner only.

::

    inbox/<upload id>/files/<index>          the bytes of a file, by its number in the drop
    inbox/<upload id>/names.jsonl            {"index", "name", "size"} of each whole file, the last line counts

A file counts once its line is written, and its line is written once its bytes are. A file sent twice, because its
first answer was lost, replaces itself.
"""

import fcntl
import json
import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from dashboard.errors import InputRefused, RecordsError, RecordsUnavailable
from dashboard.ingest import DroppedFile
from dashboard.records.files import DISK_FULL, READ_ONLY, flush, make_private_dir, plain_os_errors
from dashboard.records.store import ID, checked_id

NAMES_FILE = "names.jsonl"
LONGEST_NAME = 1024
COPY_BYTES = 1024**2
# Kept free for the database, for reading archives and for everything else that runs here.
RESERVE_BYTES = 512 * 1024**2
NEARLY_FULL = (
    f"The disk is full, or has less than {RESERVE_BYTES // 1024**2} MiB left: free some space. Nothing that was "
    "stored is lost."
)


@dataclass(frozen=True)
class Arrived:
    """A file that lies whole in the inbox."""

    index: int
    name: str
    size_bytes: int


@dataclass(frozen=True)
class Inbox:
    """Folders of uploads under `root`."""

    root: Path
    max_file_bytes: int
    max_files: int

    def open(self, upload_id: str) -> None:
        """Make the folder of a new upload."""
        make_private_dir(self._files(upload_id))

    def check_room(self, size_bytes: int) -> None:
        """Refuse a file that is too large or that the disk has no room for.

        Raises
        ------
        InputRefused
            The message says which, in words.
        """
        if size_bytes > self.max_file_bytes:
            raise InputRefused(f"A file is larger than the {_size(self.max_file_bytes)} that are taken here.")
        self.check_space(size_bytes)

    def check_space(self, size_bytes: int) -> None:
        """Refuse what the disk has no room for.

        Raises
        ------
        InputRefused
            The disk would be full.
        """
        with plain_os_errors("The inbox"):
            free = shutil.disk_usage(self.root).free
        if size_bytes + RESERVE_BYTES > free:
            raise InputRefused("The disk has no room for this; free some space and try again.")

    def trouble(self) -> str:
        """Why nothing can be received for now, in words; "" where nothing speaks against it."""
        if self.root.is_dir() and not os.access(self.root, os.W_OK):
            return READ_ONLY
        with plain_os_errors("The inbox"):
            free = shutil.disk_usage(self.root).free
        return NEARLY_FULL if free < RESERVE_BYTES else ""

    def part(self, upload_id: str, index: int) -> BinaryIO:
        """Open the place where a file's bytes go until it is whole; close it before :meth:`keep`."""
        self._check_index(index)
        with plain_os_errors("The inbox"):
            return self._part(upload_id, index).open("wb")

    def drop_part(self, upload_id: str, index: int) -> None:
        """Forget a file that did not arrive whole."""
        with plain_os_errors("The inbox"):
            self._part(upload_id, index).unlink(missing_ok=True)

    def keep(self, upload_id: str, files: Iterable[Arrived]) -> None:
        """Count files, whose bytes lie in their parts, as arrived."""
        folder = self._files(upload_id)
        lines = []
        with plain_os_errors("The inbox"):
            for file in files:
                self._part(upload_id, file.index).replace(folder / str(file.index))
                line = {"index": file.index, "name": clean_name(file.name), "size": file.size_bytes}
                lines.append(json.dumps(line) + "\n")
            _append(folder.parent / NAMES_FILE, "".join(lines).encode())

    def arrived(self, upload_id: str) -> tuple[Arrived, ...]:
        """Whole files in order of their number."""
        path = self._dir(upload_id) / NAMES_FILE
        if not path.exists():
            return ()
        with plain_os_errors("The inbox"):
            text = path.read_text(encoding="utf-8")
        found: dict[int, Arrived] = {}
        for line in text.splitlines():
            try:
                item = json.loads(line)
            except ValueError as error:
                raise RecordsError("An upload is damaged; drop the files again.") from error
            found[item["index"]] = Arrived(item["index"], item["name"], item["size"])
        return tuple(found[index] for index in sorted(found))

    def files(self, upload_id: str) -> tuple[DroppedFile, ...]:
        """Whole files, as ingest reads them."""
        folder = self._files(upload_id)
        return tuple(DroppedFile(file.name, folder / str(file.index)) for file in self.arrived(upload_id))

    def copy_in(self, upload_id: str, files: Iterable[DroppedFile]) -> None:
        """Put local files into an upload."""
        arrived = []
        for index, file in enumerate(files):
            with plain_os_errors("A file of this drop"):
                size = file.path.stat().st_size
            self.check_room(size)
            with (
                plain_os_errors("A file of this drop"),
                file.path.open("rb") as source,
                self.part(upload_id, index) as part,
            ):
                shutil.copyfileobj(source, part, COPY_BYTES)
            arrived.append(Arrived(index, file.name, size))
        self.keep(upload_id, arrived)

    def flush(self, upload_id: str) -> tuple[int, int]:
        """Wait until everything that arrived is on the disk; return the number of files and of bytes."""
        arrived = self.arrived(upload_id)
        folder = self._files(upload_id)
        paths = [folder / str(file.index) for file in arrived]
        flush([*paths, folder.parent / NAMES_FILE, folder, folder.parent, self.root] if arrived else [])
        return len(arrived), sum(file.size_bytes for file in arrived)

    def remove(self, upload_id: str) -> None:
        """Delete an upload's files."""
        with plain_os_errors("The inbox"):
            if self.exists(upload_id):
                shutil.rmtree(self._dir(upload_id))

    def exists(self, upload_id: str) -> bool:
        """Whether an upload's files still lie here."""
        return self._dir(upload_id).is_dir()

    def changed_at(self, upload_id: str) -> datetime:
        """When something last arrived."""
        with plain_os_errors("The inbox"):
            return datetime.fromtimestamp(self._files(upload_id).stat().st_mtime, UTC)

    def upload_ids(self) -> tuple[str, ...]:
        """Ids of all uploads whose files lie here."""
        with plain_os_errors("The inbox"):
            return (
                tuple(sorted(path.name for path in self.root.iterdir() if ID.fullmatch(path.name)))
                if self.root.is_dir()
                else ()
            )

    def _check_index(self, index: int) -> None:
        if not 0 <= index < self.max_files:
            raise InputRefused(f"More than {self.max_files} files in one drop; send them as a ZIP or in several drops.")

    def _dir(self, upload_id: str) -> Path:
        return self.root / checked_id(upload_id)

    def _files(self, upload_id: str) -> Path:
        return self._dir(upload_id) / "files"

    def _part(self, upload_id: str, index: int) -> Path:
        return self._dir(upload_id) / f"{index}.part"


def _append(path: Path, lines: bytes) -> None:
    """Add `lines` whole or not at all; requests that end at the same time wait for one another."""
    with path.open("ab", buffering=0) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        before = file.seek(0, os.SEEK_END)
        # A disk that fills up takes what it has room for, and says no more than how much that was.
        if file.write(lines) != len(lines):
            file.truncate(before)
            raise RecordsUnavailable(DISK_FULL)


def clean_name(name: str) -> str:
    """Name of a dropped file made fit to keep and show: "/" between parts, nothing that climbs or does not print."""
    printable = "".join(character if character.isprintable() else "_" for character in name)
    parts = [part for part in printable.replace("\\", "/").split("/") if part not in ("", ".", "..")]
    return "/".join(parts)[-LONGEST_NAME:] or "file"


def _size(count: int) -> str:
    for unit in ("bytes", "KiB", "MiB"):
        if count < 1024:
            return f"{count} {unit}"
        count //= 1024
    return f"{count} GiB"
