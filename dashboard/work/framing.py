"""Many files in one request body, taken apart as it streams in.

Each file is: uint32 length of the name, the name in UTF-8, uint64 number of bytes, the bytes. Numbers are
big-endian (JavaScript: ``DataView.setUint32(at, n)`` and ``setBigUint64(at, n)``); a body holds any number of files.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from dashboard.errors import InputRefused

LONGEST_NAME_BYTES = 4096
NAME_LENGTH = struct.Struct(">I")
FILE_SIZE = struct.Struct(">Q")


@dataclass(frozen=True)
class FileStart:
    """A file begins."""

    name: str
    size_bytes: int


@dataclass(frozen=True)
class FileEnd:
    """The file is whole."""


Event = FileStart | bytes | FileEnd


class BatchParser:
    """Turns pieces of a body, cut anywhere, into files. Holds one header at most, never a file."""

    def __init__(self) -> None:
        self._header = bytearray()
        self._left: int | None = None

    def feed(self, piece: bytes) -> Iterator[Event]:
        """Yield what `piece` completes.

        Raises
        ------
        InputRefused
            A name is longer than a path can be, or is not UTF-8.
        """
        at = 0
        while at < len(piece) or self._left == 0:
            if self._left == 0:
                self._left = None
                yield FileEnd()
            elif self._left is not None:
                taken = piece[at : at + self._left]
                at += len(taken)
                self._left -= len(taken)
                yield taken
            else:
                wanted = self._wanted() - len(self._header)
                self._header += piece[at : at + wanted]
                at += min(wanted, len(piece) - at)
                if start := self._start():
                    self._header.clear()
                    self._left = start.size_bytes
                    yield start

    def finish(self) -> None:
        """Check that the body ended between two files.

        Raises
        ------
        InputRefused
            It ended within one.
        """
        if self._header or self._left is not None:
            raise InputRefused("The upload broke off within a file; send it again.")

    def _wanted(self) -> int:
        """Bytes of header needed to go on."""
        if len(self._header) < NAME_LENGTH.size:
            return NAME_LENGTH.size
        (length,) = NAME_LENGTH.unpack_from(self._header)
        if length > LONGEST_NAME_BYTES:
            raise InputRefused("A file's name is too long; shorten it and try again.")
        return NAME_LENGTH.size + int(length) + FILE_SIZE.size

    def _start(self) -> FileStart | None:
        if len(self._header) < NAME_LENGTH.size or len(self._header) < self._wanted():
            return None
        end = len(self._header) - FILE_SIZE.size
        try:
            name = self._header[NAME_LENGTH.size : end].decode("utf-8")
        except UnicodeDecodeError:
            raise InputRefused("A file's name is not UTF-8; rename it and try again.") from None
        (size,) = FILE_SIZE.unpack_from(self._header, end)
        return FileStart(name, int(size))
