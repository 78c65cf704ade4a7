"""Files and folders of this machine as a drop."""

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from dashboard.errors import InputRefused
from dashboard.ingest import DroppedFile, RejectedFile
from dashboard.records import Records, Upload, add_upload

MISSING = "There is no such file or folder."
UNREADABLE = "This cannot be opened: {}."
EMPTY = "The folder holds no file."
SPECIAL = "This is a pipe, a socket or a device, not a file."
LINKED_FOLDER = "A link to a folder is not followed; give the folder itself."


@dataclass(frozen=True)
class Found:
    """What paths lead to. `names` are what the files of each path are called by, one a path."""

    files: tuple[DroppedFile, ...]
    rejected: tuple[RejectedFile, ...]
    names: tuple[str, ...]


def find_files(paths: Iterable[Path]) -> Found:
    """Every file of `paths` in a fixed order; what is no readable file is listed with its reason.

    Links to files are followed, links to folders only where given as a path: they may lead in a circle.
    """
    files: list[DroppedFile] = []
    rejected: list[RejectedFile] = []
    names: list[str] = []
    for path in paths:
        name = path.resolve().name or str(path)
        names.append(str(path) if name in names else name)
        for found in _walk(path, names[-1]):
            if isinstance(found, DroppedFile):
                files.append(found)
            else:
                rejected.append(found)
    return Found(tuple(files), tuple(rejected), tuple(names))


def receive_files(records: Records, paths: Iterable[Path], synthetic: bool = False) -> Upload:
    """Make an upload of local files, as if they had been dropped on the page, and have it read.

    Raises
    ------
    InputRefused
        `paths` hold no file, or the disk has no room.
    RecordsError
        The inbox or the database cannot be written.
    """
    found = find_files(paths)
    if not found.files:
        raise InputRefused(found.rejected[0].reason if found.rejected else EMPTY)
    with records.writing() as session:
        upload, _ = add_upload(session, datetime.now(UTC), synthetic)
        records.inbox.open(upload.id)
    records.inbox.copy_in(upload.id, found.files)
    records.inbox.flush(upload.id)
    with records.writing() as session:
        return records.receive(session, upload.id, datetime.now(UTC))


def _walk(path: Path, name: str, given: bool = True) -> Iterator[DroppedFile | RejectedFile]:
    try:
        mode = path.stat().st_mode
        if stat.S_ISREG(mode):
            yield DroppedFile(name, path)
        elif not stat.S_ISDIR(mode):
            yield RejectedFile(name, SPECIAL)
        elif path.is_symlink() and not given:
            yield RejectedFile(name, LINKED_FOLDER)
        else:
            entries = sorted(os.scandir(path), key=lambda entry: entry.name)
            if given and not entries:
                yield RejectedFile(name, EMPTY)
            for entry in entries:
                yield from _walk(Path(entry.path), f"{name}/{entry.name}", given=False)
    except FileNotFoundError:
        yield RejectedFile(name, MISSING)
    except OSError as error:
        yield RejectedFile(name, UNREADABLE.format((error.strerror or "unknown error").lower()))
