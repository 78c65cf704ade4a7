"""Files and folders that only their owner may open, and that outlive a power cut."""

import errno
import fcntl
import os
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from dashboard.errors import RecordsError, RecordsUnavailable

PRIVATE_DIR = 0o700
PRIVATE_FILE = 0o600
# A flush waits for the disk, not for us; waiting for several at once lets the disk order them.
FLUSH_THREADS = 8
DISK_FULL = "The disk is full; free some space and try again. Nothing that was stored is lost."
READ_ONLY = "The data folder may only be read: give it back its write permission. Nothing that was stored is lost."
FOR_NOW = {errno.ENOSPC: DISK_FULL, errno.EDQUOT: DISK_FULL, errno.EROFS: READ_ONLY}


@contextmanager
def plain_os_errors(what: str) -> Iterator[None]:
    """Tell failures of the file system in words; paths are left out, a name may identify."""
    try:
        yield
    except OSError as error:
        if error.errno in FOR_NOW:
            raise RecordsUnavailable(FOR_NOW[error.errno]) from error
        reason = error.strerror or type(error).__name__
        raise RecordsError(
            f"{what} cannot be read or written: {reason}. Check the data folder and its disk."
        ) from error


def make_private_dir(folder: Path) -> None:
    """Make `folder` and those above it; new ones may be opened by their owner only."""
    with plain_os_errors("The data folder"):
        missing = []
        while not folder.is_dir():
            missing.append(folder)
            folder = folder.parent
        for new in reversed(missing):
            new.mkdir(mode=PRIVATE_DIR, exist_ok=True)


def create_private_file(path: Path, content: bytes) -> bytes:
    """Write `path` unless it exists, and return what it holds, whichever process was first."""
    with plain_os_errors("The data folder"):
        if path.exists():
            return path.read_bytes()
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".writing-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(name, path)
            except FileExistsError:
                return path.read_bytes()
        finally:
            Path(name).unlink(missing_ok=True)
    flush([path.parent])
    return content


def flush(paths: Iterable[Path]) -> None:
    """Wait until files or folders are on the disk."""
    with plain_os_errors("The data folder"), ThreadPoolExecutor(FLUSH_THREADS) as pool:
        for _ in pool.map(_flush_one, paths):
            pass


def _flush_one(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def only_one_process(lock_file: Path | None) -> Iterator[None]:
    """Hold `lock_file` for the block; others wait. None locks nothing."""
    if lock_file is None:
        yield
        return
    with plain_os_errors("The data folder"):
        handle = os.open(lock_file, os.O_RDWR | os.O_CREAT, PRIVATE_FILE)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
