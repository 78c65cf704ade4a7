"""Unfolding archives: everything is read or accounted for, nothing hostile is unfolded."""

import io
import os
import random
import stat
import struct
import zipfile
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dashboard.ingest import DroppedFile
from dashboard.ingest.archives import expand
from dashboard.settings import ArchiveLimits
from dashboard.study import Rejection
from tests.ingest.builders import write_image

KIB = 1024


def packed(entries: Iterable[tuple[str | zipfile.ZipInfo, bytes]], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in entries:
            archive.writestr(name, data, compress_type=method)
    return buffer.getvalue()


@pytest.fixture
def image(tmp_path: Path) -> bytes:
    return write_image(tmp_path / "image").read_bytes()


def unfold(
    data: bytes, folder: Path, limits: ArchiveLimits | None = None, name: str = "drop.zip"
) -> tuple[dict[str, bytes], dict[str, str]]:
    """Contents of the files found, and reasons of the others, by name."""
    path, scratch = folder / "dropped", folder / "scratch"
    path.write_bytes(data)
    scratch.mkdir(exist_ok=True)
    files: dict[str, bytes] = {}
    reasons: dict[str, str] = {}
    for item in expand([DroppedFile(name, path)], scratch, limits or ArchiveLimits()):
        if isinstance(item, Rejection):
            reasons[item.name] = item.reason
        else:
            files[item.name] = item.path.read_bytes()
    assert path.read_bytes() == data
    assert list(scratch.iterdir()) == []
    return files, reasons


def test_a_file_that_is_no_archive_stays_where_it_is(image: bytes, tmp_path: Path) -> None:
    assert unfold(image, tmp_path, name="IM1") == ({"IM1": image}, {})


def test_folders_and_archives_inside_archives_are_unfolded(image: bytes, tmp_path: Path) -> None:
    inner = packed([("deep/er/IM2", image)])
    files, reasons = unfold(packed([("a/IM1", image), ("a/inner.zip", inner)]), tmp_path)
    assert files == {"drop.zip/a/IM1": image, "drop.zip/a/inner.zip/deep/er/IM2": image}
    assert reasons == {}


def test_archives_are_told_by_content_not_by_name(image: bytes, tmp_path: Path) -> None:
    assert list(unfold(packed([("IM1", image)]), tmp_path, name="export")[0]) == ["export/IM1"]


@pytest.mark.parametrize("name", [".DS_Store", "__MACOSX/._IM1", "a/Thumbs.db", "a/._IM1", "desktop.ini"])
def test_litter_is_named_and_skipped(image: bytes, tmp_path: Path, name: str) -> None:
    files, reasons = unfold(packed([("IM1", image), (name, b"x" * 200)]), tmp_path)
    assert list(files) == ["drop.zip/IM1"]
    assert "operating system" in reasons[f"drop.zip/{name}"]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"\0" * 4096, "nothing but zeros"),
        (b"Rar!\x1a\x07\x00" + b"x" * 600, "RAR"),
        (b"7z\xbc\xaf\x27\x1c" + b"x" * 600, "7z"),
        (b"\0" * 257 + b"ustar" + b"\0" * 300, "TAR"),
        (b"%PDF-1.7" + b"x" * 600, "PDF"),
        (b"\xff\xd8\xff\xe0" + b"x" * 600, "JPEG"),
        (b"hello", "not a DICOM, NIfTI or ZIP file"),
    ],
)
def test_strangers_are_refused_by_name(tmp_path: Path, data: bytes, words: str) -> None:
    files, reasons = unfold(data, tmp_path, name="thing")
    assert files == {}
    assert words in reasons["thing"]


@pytest.mark.parametrize("name", ["../IM1", "a/../../IM1", "/etc/IM1", "C:/IM1", "..\\IM1", "C:\\IM1"])
def test_an_archive_that_leaves_its_folder_is_refused_whole(image: bytes, tmp_path: Path, name: str) -> None:
    files, reasons = unfold(packed([("IM1", image), (name, image)]), tmp_path)
    assert files == {}
    assert reasons == {"drop.zip": "The archive tries to write outside its folder; it is refused."}


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFBLK, stat.S_IFIFO])
def test_links_and_devices_are_refused(image: bytes, tmp_path: Path, kind: int) -> None:
    entry = zipfile.ZipInfo("link")
    entry.external_attr = (kind | 0o777) << 16
    files, reasons = unfold(packed([("IM1", image), (entry, b"/etc/passwd")]), tmp_path)
    assert files == {}
    assert "links or devices" in reasons["drop.zip"]


def test_encrypted_archives_are_refused(image: bytes, tmp_path: Path) -> None:
    data = bytearray(packed([("IM1", image)]))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + offset] |= 1
    assert "password" in unfold(bytes(data), tmp_path)[1]["drop.zip"]


def test_other_compressions_are_refused_by_name(image: bytes, tmp_path: Path) -> None:
    assert "bzip2" in unfold(packed([("IM1", image)], zipfile.ZIP_BZIP2), tmp_path)[1]["drop.zip"]
    assert "LZMA" in unfold(packed([("IM1", image)], zipfile.ZIP_LZMA), tmp_path)[1]["drop.zip"]


def test_too_many_entries_are_refused(tmp_path: Path) -> None:
    limits = ArchiveLimits(max_entries=10)
    data = packed([(f"IM{number}", b"x") for number in range(11)])
    assert "more than 10 files" in unfold(data, tmp_path, limits)[1]["drop.zip"]


def test_entries_of_archives_inside_count_too(tmp_path: Path) -> None:
    limits = ArchiveLimits(max_entries=10)
    inner = packed([(f"IM{number}", b"x") for number in range(9)])
    reasons = unfold(packed([("a.zip", inner), ("b.zip", inner)]), tmp_path, limits)[1]
    assert "more than 10 files" in reasons["drop.zip/a.zip"] + reasons["drop.zip/b.zip"]


def test_a_total_beyond_the_bound_is_refused(tmp_path: Path) -> None:
    limits = ArchiveLimits(max_total_bytes=100 * KIB)
    data = packed([("a", os.urandom(60 * KIB)), ("b", os.urandom(60 * KIB))])
    assert "unfolds to more than" in unfold(data, tmp_path, limits)[1]["drop.zip"]


def test_a_large_entry_is_refused(tmp_path: Path) -> None:
    limits = ArchiveLimits(max_entry_bytes=100 * KIB)
    assert "larger than" in unfold(packed([("a", os.urandom(101 * KIB))]), tmp_path, limits)[1]["drop.zip"]


def test_a_bomb_is_refused_before_it_unfolds(tmp_path: Path) -> None:
    reasons = unfold(packed([("a", b"\0" * (40 * KIB * KIB))]), tmp_path)[1]
    assert "far more than an image" in reasons["drop.zip"]


def test_blank_slices_are_no_bomb(image: bytes, tmp_path: Path) -> None:
    assert len(unfold(packed([("IM1", image + b"\0" * (512 * KIB))]), tmp_path)[0]) == 1


def test_archives_too_deep_are_refused(image: bytes, tmp_path: Path) -> None:
    data = packed([("IM1", image)])
    for _ in range(3):
        data = packed([("a.zip", data)])
    files, reasons = unfold(data, tmp_path)
    assert files == {}
    assert "more than 3 deep" in next(iter(reasons.values()))


def test_overlapping_entries_are_refused(image: bytes, tmp_path: Path) -> None:
    data = bytearray(packed([("IM1", image), ("IM2", image)]))
    second = data.rindex(b"PK\x01\x02")
    data[second + 42 : second + 46] = struct.pack("<L", 0)
    assert "lie over each other" in unfold(bytes(data), tmp_path)[1]["drop.zip"]


def test_one_damaged_entry_costs_only_itself(image: bytes, tmp_path: Path) -> None:
    data = bytearray(packed([("IM1", image), ("IM2", image)], zipfile.ZIP_STORED))
    data[200] ^= 0xFF
    files, reasons = unfold(bytes(data), tmp_path)
    assert list(files) == ["drop.zip/IM2"]
    assert "damaged inside its archive" in reasons["drop.zip/IM1"]


def test_a_false_size_is_noticed(image: bytes, tmp_path: Path) -> None:
    data = bytearray(packed([("IM1", image)]))
    entry = data.index(b"PK\x01\x02")
    data[entry + 24 : entry + 28] = struct.pack("<L", len(image) - 10)
    assert "damaged inside its archive" in unfold(bytes(data), tmp_path)[1]["drop.zip/IM1"]


@pytest.mark.parametrize("cut", [30, 100])
def test_an_archive_cut_short_is_refused(image: bytes, tmp_path: Path, cut: int) -> None:
    files, reasons = unfold(packed([("IM1", image)])[:-cut], tmp_path)
    assert files == {}
    assert "cut short" in reasons["drop.zip"]


def test_an_empty_archive_is_named(tmp_path: Path) -> None:
    assert unfold(packed([]), tmp_path)[1] == {"drop.zip": "The archive is empty."}


def test_a_directory_that_hides_files_is_refused(image: bytes, tmp_path: Path) -> None:
    data = bytearray(packed([("IM1", image), ("IM2", image)]))
    end = data.index(b"PK\x05\x06")
    (size,) = struct.unpack_from("<L", data, end + 12)
    # The offset makes up for the size, as a reader of self-extracting archives would have it.
    struct.pack_into("<L", data, end + 12, size // 2)
    assert "does not list all" in unfold(bytes(data), tmp_path)[1]["drop.zip"]


def test_an_archive_of_folders_is_named(tmp_path: Path) -> None:
    assert "empty folders only" in unfold(packed([("a/", b"")]), tmp_path)[1]["drop.zip"]


def test_an_office_document_is_named(tmp_path: Path) -> None:
    data = packed([("[Content_Types].xml", b"<x/>"), ("word/document.xml", b"<x/>")])
    assert "office document" in unfold(data, tmp_path)[1]["drop.zip"]


def test_a_directory_of_absurd_size_is_refused_unread(image: bytes, tmp_path: Path) -> None:
    data = bytearray(packed([("IM1", image)]))
    end = data.rindex(b"PK\x05\x06")
    record = b"PK\x06\x06" + struct.pack("<QHHLLQQQQ", 44, 45, 45, 0, 0, 10**7, 10**7, 10**9, 0)
    locator = b"PK\x06\x07" + struct.pack("<LQL", 0, end, 1)
    data[end:end] = record + locator
    assert "more than 50,000 files" in unfold(bytes(data), tmp_path)[1]["drop.zip"]


def test_an_entry_without_a_name_is_read(image: bytes, tmp_path: Path) -> None:
    data = bytearray(packed([("X", image)]))
    for mark, length, name in ((b"PK\x03\x04", 26, 30), (b"PK\x01\x02", 28, 46)):
        place = data.index(mark)
        data[place + length : place + length + 2] = b"\0\0"
        del data[place + name]
    end = data.index(b"PK\x05\x06")
    size, start = struct.unpack_from("<LL", data, end + 12)
    struct.pack_into("<LL", data, end + 12, size - 1, start - 1)
    assert unfold(bytes(data), tmp_path) == ({"drop.zip/": image}, {})


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(chance=st.randoms(use_true_random=False))
def test_a_damaged_archive_never_raises(image: bytes, tmp_path: Path, chance: random.Random) -> None:
    inner = packed([("IM2", image)])
    data = bytearray(packed([("IM1", image), ("inner.zip", inner)]))
    for _ in range(chance.choice((1, 2, 5))):
        from_end = chance.random() < 0.6
        place = len(data) - 1 - chance.randrange(200) if from_end else chance.randrange(len(data))
        data[place] = chance.randrange(256)
    files, reasons = unfold(bytes(data), tmp_path)
    assert files or reasons


def test_a_pipe_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (item,) = expand([DroppedFile("pipe", tmp_path / "pipe")], tmp_path, ArchiveLimits())
    assert isinstance(item, Rejection)
    assert "device or a pipe" in item.reason
