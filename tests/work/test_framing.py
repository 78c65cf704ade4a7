"""Many files in one body come out as they went in, wherever the body is cut."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.errors import InputRefused
from dashboard.work.framing import BatchParser, FileEnd, FileStart

FILES = st.lists(st.tuples(st.text(max_size=20), st.binary(max_size=60)), max_size=5)


def framed(name: str | bytes, content: bytes) -> bytes:
    raw = name.encode() if isinstance(name, str) else name
    return struct.pack(">I", len(raw)) + raw + struct.pack(">Q", len(content)) + content


def parsed(pieces: list[bytes]) -> list[tuple[str, bytes]]:
    parser, files = BatchParser(), []
    for piece in pieces:
        for event in parser.feed(piece):
            if isinstance(event, FileStart):
                files.append((event.name, b"", event.size_bytes))
            elif isinstance(event, FileEnd):
                assert len(files[-1][1]) == files[-1][2]
            else:
                name, content, size = files[-1]
                files[-1] = (name, content + event, size)
    parser.finish()
    return [(name, content) for name, content, _ in files]


@given(FILES, st.lists(st.integers(1, 40), min_size=1, max_size=8))
def test_files_come_out_as_they_went_in(files: list[tuple[str, bytes]], cuts: list[int]) -> None:
    body = b"".join(framed(name, content) for name, content in files)
    pieces, at, turn = [], 0, 0
    while at < len(body):
        size = cuts[turn % len(cuts)]
        pieces.append(body[at : at + size])
        at, turn = at + size, turn + 1
    assert parsed(pieces) == files


def test_an_empty_file_is_a_file() -> None:
    assert parsed([framed("empty", b"")]) == [("empty", b"")]


@pytest.mark.parametrize("kept", [1, 5, 12, -1])
def test_a_body_that_breaks_off_is_refused(kept: int) -> None:
    with pytest.raises(InputRefused, match="broke off"):
        parsed([framed("name", b"content")[:kept]])


def test_an_endless_name_is_refused() -> None:
    with pytest.raises(InputRefused, match="too long"):
        parsed([struct.pack(">I", 2**31)])


def test_a_name_that_is_no_text_is_refused() -> None:
    with pytest.raises(InputRefused, match="UTF-8"):
        parsed([framed(b"\xff\xfe", b"")])
