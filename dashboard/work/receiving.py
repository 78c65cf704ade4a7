"""Bytes of a request on their way into the inbox. Blocking, to be called off the event loop; memory stays flat."""

from contextlib import suppress
from typing import BinaryIO, Protocol

from dashboard.errors import InputRefused
from dashboard.records import Arrived, Inbox
from dashboard.records.files import plain_os_errors
from dashboard.work.framing import BatchParser, FileStart

# The inbox looks at the free space of the disk once in so many bytes.
ROOM_STEP_BYTES = 64 * 1024**2


class Receiver(Protocol):
    """Takes a body piece by piece; :meth:`finish` when it is whole, :meth:`abort` otherwise."""

    def write(self, piece: bytes) -> None:
        """Take the next piece."""

    def finish(self) -> tuple[Arrived, ...]:
        """Count what came as arrived."""

    def abort(self) -> None:
        """Forget what came."""


class OneFile:
    """A body that is one file."""

    def __init__(self, inbox: Inbox, upload_id: str, index: int, name: str, size_bytes: int | None = None) -> None:
        self._inbox, self._upload_id, self._index, self._name = inbox, upload_id, index, name
        self._promised, self._size, self._checked = size_bytes, 0, 0
        inbox.check_room(size_bytes or 0)
        self._part: BinaryIO = inbox.part(upload_id, index)

    def write(self, piece: bytes) -> None:
        """Append to the file; refused when it outgrows the limits or what was announced."""
        self._size += len(piece)
        if self._promised is not None and self._size > self._promised:
            raise InputRefused("A file is longer than announced; send it again.")
        if self._promised is None and self._size > self._checked:
            self._inbox.check_room(self._size)
            self._checked = self._size + ROOM_STEP_BYTES
        with plain_os_errors("The inbox"):
            self._part.write(piece)

    def close(self) -> Arrived:
        """End the file's bytes without counting it yet."""
        if self._promised is not None and self._size != self._promised:
            raise InputRefused("The upload broke off within a file; send it again.")
        with plain_os_errors("The inbox"):
            self._part.close()
        return Arrived(self._index, self._name, self._size)

    def finish(self) -> tuple[Arrived, ...]:
        """Count the file as arrived."""
        arrived = (self.close(),)
        self._inbox.keep(self._upload_id, arrived)
        return arrived

    def abort(self) -> None:
        """Forget the file."""
        # Closing writes what is buffered, which a full disk refuses; the file goes either way.
        with suppress(OSError):
            self._part.close()
        self._inbox.drop_part(self._upload_id, self._index)


class ManyFiles:
    """A body that is many files one after the other (:mod:`dashboard.work.framing`), numbered from `first`."""

    def __init__(self, inbox: Inbox, upload_id: str, first: int) -> None:
        self._inbox, self._upload_id, self._first = inbox, upload_id, first
        self._parser = BatchParser()
        self._whole: list[Arrived] = []
        self._current: OneFile | None = None

    def write(self, piece: bytes) -> None:
        """Take the next piece, wherever it was cut."""
        for event in self._parser.feed(piece):
            if isinstance(event, FileStart):
                index = self._first + len(self._whole)
                self._current = OneFile(self._inbox, self._upload_id, index, event.name, event.size_bytes)
            elif self._current is None:
                raise InputRefused("The upload is garbled; send it again.")
            elif isinstance(event, bytes):
                self._current.write(event)
            else:
                self._whole.append(self._current.close())
                self._current = None

    def finish(self) -> tuple[Arrived, ...]:
        """Count all files as arrived."""
        self._parser.finish()
        self._inbox.keep(self._upload_id, self._whole)
        return tuple(self._whole)

    def abort(self) -> None:
        """Forget all files of this body."""
        if self._current is not None:
            self._current.abort()
        for arrived in self._whole:
            self._inbox.drop_part(self._upload_id, arrived.index)
