"""Files named by what they hold: the same content is kept once, wherever and however often it is named.

::

    store/blobs/<first two digits>/<sha256>      here, hard links to the files of studies: equal files share one place
    TRIAGE_STORE_URL/<first two digits>/<sha256> elsewhere, where that setting says so; here is then the local copy

A file that is linked here stays where it was written, so that memory maps stay memory maps. Nothing in the store is
ever written to again, so that one content may serve many names.
"""

import errno
import hashlib
import os
import re
import secrets
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dashboard.errors import RecordsError, SettingsError
from dashboard.records.files import make_private_dir, plain_os_errors

NAME = re.compile(r"[0-9a-f]{64}")
READ_ONLY_FILE = 0o400
# What a file system says that knows no hard links, or no more of them: then each name keeps a copy of its own.
NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK, errno.EXDEV, errno.ENOSYS)
TRANSFERS = 8


@dataclass(frozen=True)
class Content:
    """What a file holds: its name here, and how much it is."""

    sha256: str
    size_bytes: int


class Blobs:
    """Content-addressed files under a local folder, and elsewhere where an address is given.

    Parameters
    ----------
    root
        Folder of the local files.
    url
        Address of a file system as fsspec knows it, or "" for none.

    Raises
    ------
    SettingsError
        The address is not one of a file system that can be reached from here.
    """

    def __init__(self, root: Path, url: str = "") -> None:
        self.root = root
        self._remote: Any = None
        self._prefix = ""
        if url:
            self._remote, self._prefix = _open(url)

    @property
    def elsewhere(self) -> bool:
        """Whether files are kept elsewhere too, and may have to be fetched."""
        return self._remote is not None

    def keep(self, path: Path) -> Content:
        """Keep what a finished file holds; the file stays, and shares its place on the disk with its equals.

        Raises
        ------
        RecordsError
            It cannot be read, or not be stored.
        """
        with plain_os_errors("The store"):
            content = Content(_sha256(path), path.stat().st_size)
            self._share(path, self._path(content.sha256))
        if self._remote is not None:
            self._send(path, content)
        return content

    def keep_all(self, paths: Iterable[Path], kept: dict[Path, Content] | None = None) -> dict[Path, Content]:
        """Keep several files, some at a time; `kept` tells what was kept even where one of them fails.

        Raises
        ------
        RecordsError
            One of them cannot be read, or not be stored; the others have been tried all the same.
        """
        kept = {} if kept is None else kept
        with ThreadPoolExecutor(TRANSFERS) as pool:
            tried = {path: pool.submit(self.keep, path) for path in paths}
        kept |= {path: future.result() for path, future in tried.items() if future.exception() is None}
        for future in tried.values():
            future.result()
        return kept

    def fetch(self, content: Content, path: Path) -> None:
        """Have a file of this content at `path`.

        Raises
        ------
        RecordsError
            It is not in the store, or what is there is not what was stored.
        """
        blob = self._path(content.sha256)
        with plain_os_errors("The store"):
            make_private_dir(path.parent)
            if not blob.exists():
                self._receive(content, blob)
            self._link(blob, path)

    def remove(self, names: Iterable[str]) -> None:
        """Delete contents that nothing names any more, those elsewhere some at a time."""
        names = list(names)
        with plain_os_errors("The store"):
            for name in names:
                self._path(name).unlink(missing_ok=True)
        if self._remote is not None:
            with ThreadPoolExecutor(TRANSFERS) as pool:
                list(pool.map(self._remove_elsewhere, names))

    def _remove_elsewhere(self, name: str) -> None:
        with _told(), suppress(FileNotFoundError):
            self._remote.rm_file(self._address(name))

    def names(self) -> Iterator[str]:
        """Names of everything kept, here and elsewhere."""
        found = set()
        with plain_os_errors("The store"):
            found |= {path.name for path in self.root.glob("??/*")}
        if self._remote is not None:
            with _told(), suppress(FileNotFoundError):
                found |= {str(path).rsplit("/", 1)[-1] for path in self._remote.find(self._prefix)}
        return (name for name in sorted(found) if NAME.fullmatch(name))

    def _path(self, name: str) -> Path:
        if not NAME.fullmatch(name):
            raise RecordsError("This is not the name of a stored file.")
        return self.root / name[:2] / name

    def _address(self, name: str) -> str:
        return f"{self._prefix}/{name[:2]}/{name}"

    def _share(self, path: Path, blob: Path) -> None:
        """Make `path` and `blob` one file."""
        if blob.exists():
            if not blob.samefile(path):
                self._link(blob, path)
            return
        make_private_dir(blob.parent)
        try:
            os.link(path, blob)
            blob.chmod(READ_ONLY_FILE)
        except FileExistsError:
            self._share(path, blob)
        except OSError as error:
            if error.errno not in NO_LINKS:
                raise

    def _link(self, blob: Path, path: Path) -> None:
        """Put a link to `blob` in the place of `path`, in one step; a copy where there are no links."""
        part = path.with_name(f".{secrets.token_hex(8)}")
        try:
            os.link(blob, part)
        except OSError as error:
            if error.errno not in NO_LINKS:
                raise
            part.write_bytes(blob.read_bytes())
        part.replace(path)

    def _is_elsewhere(self, content: Content) -> bool:
        if self._remote is None:
            return True
        with _told():
            try:
                return bool(self._remote.size(self._address(content.sha256)) == content.size_bytes)
            except FileNotFoundError:
                return False

    def _send(self, path: Path, content: Content) -> None:
        # Of another size: a transfer that broke off.
        if self._remote is None or self._is_elsewhere(content):
            return
        address = self._address(content.sha256)
        with _told():
            self._remote.makedirs(address.rsplit("/", 1)[0], exist_ok=True)
            self._remote.put_file(str(path), address)

    def _receive(self, content: Content, blob: Path) -> None:
        if self._remote is None:
            raise RecordsError("A stored file is missing; drop the study again.")
        make_private_dir(blob.parent)
        part = blob.with_name(f".{secrets.token_hex(8)}")
        try:
            with _told():
                self._remote.get_file(self._address(content.sha256), str(part))
            if _sha256(part) != content.sha256:
                raise RecordsError("A stored file was altered where it is kept; drop the study again.")
            part.chmod(READ_ONLY_FILE)
            part.replace(blob)
        except FileNotFoundError:
            raise RecordsError("A stored file is missing where it should be kept; drop the study again.") from None
        finally:
            part.unlink(missing_ok=True)


def _open(url: str) -> tuple[Any, str]:
    # Imported here: a store in the data folder needs none of it.
    import fsspec

    try:
        system, path = fsspec.core.url_to_fs(url)
    except (ValueError, ImportError) as error:
        raise SettingsError(
            "TRIAGE_STORE_URL is not an address of a store, or the package that fsspec needs for it is not installed."
        ) from error
    return system, str(path).rstrip("/")


@contextmanager
def _told() -> Iterator[None]:
    """Tell failures of the store elsewhere in words; what it says itself may hold addresses and keys."""
    try:
        yield
    except (FileNotFoundError, RecordsError):
        raise
    except Exception as error:  # each kind of store has its own errors
        raise RecordsError(
            f"The store at TRIAGE_STORE_URL does not answer as it should ({type(error).__name__}); check that it "
            "can be reached and written to. Nothing that was received is lost."
        ) from error


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
