"""File headers and deflated files."""

import zlib
from pathlib import Path

import pydicom
import pytest
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian

from dashboard.errors import FileRefused, SyntaxRefused
from dashboard.ingest import container
from dashboard.ingest.container import looks_like_dicom, open_container, read_file_header
from tests.ingest.builders import image, save


@pytest.fixture
def plain(tmp_path: Path) -> bytes:
    return save(image(), tmp_path / "plain").read_bytes()


@pytest.fixture
def deflated(tmp_path: Path) -> bytes:
    return save(image(TransferSyntaxUID=DeflatedExplicitVRLittleEndian), tmp_path / "deflated").read_bytes()


def opened(data: bytes, folder: Path) -> str:
    path = folder / "in"
    path.write_bytes(data)
    with open_container(path) as found:
        return found.transfer_syntax_uid


def test_the_file_header_is_read(plain: bytes) -> None:
    header = read_file_header(plain)
    assert header.transfer_syntax_uid == ExplicitVRLittleEndian
    assert header.warnings == ()
    assert plain[header.start : header.start + 2] == b"\x08\x00"


def test_a_false_length_of_the_header_changes_nothing_and_is_noted(plain: bytes) -> None:
    damaged = plain[:140] + b"\x01\0\0\0" + plain[144:]
    header = read_file_header(damaged)
    assert header.start == read_file_header(plain).start
    assert header.warnings == ("The file header gives a wrong length for itself.",)


@pytest.mark.parametrize("vr", [b"ZZ", b"\0\0", b"\xff\xff", b"ui"])
def test_an_unknown_type_in_the_header_is_refused(plain: bytes, vr: bytes) -> None:
    damaged = plain.replace(b"\x02\x00\x10\x00UI", b"\x02\x00\x10\x00" + vr)
    with pytest.raises(FileRefused, match="TransferSyntaxUID in the file header is of no known type"):
        read_file_header(damaged)


def test_a_field_twice_in_the_header_is_refused(plain: bytes) -> None:
    with pytest.raises(FileRefused, match="fields twice"):
        read_file_header(plain.replace(b"\x02\x00\x03\x00UI", b"\x02\x00\x02\x00UI"))


def test_a_header_and_nothing_else_is_refused(plain: bytes) -> None:
    with pytest.raises(FileRefused, match="ends after its header"):
        read_file_header(plain[: read_file_header(plain).start])


def test_a_foreign_syntax_is_refused(plain: bytes) -> None:
    with pytest.raises(SyntaxRefused, match="not one of the DICOM standard"):
        read_file_header(plain.replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.99999.1.2.1\0"))


def test_dicom_is_told_by_its_first_bytes(plain: bytes) -> None:
    assert looks_like_dicom(plain[:560])
    assert looks_like_dicom(plain[132:700])
    assert looks_like_dicom(plain[read_file_header(plain).start :][:560])
    assert not looks_like_dicom(b"\x08\x00 is how this text begins" * 30)
    assert not looks_like_dicom(b"")


def test_a_deflated_file_is_inflated(deflated: bytes, tmp_path: Path) -> None:
    assert opened(deflated, tmp_path) == ExplicitVRLittleEndian
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("tmp")] == []


def test_a_deflated_file_cut_short_is_refused(deflated: bytes, tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match="cut short"):
        opened(deflated[:-40], tmp_path)


def test_a_damaged_deflated_file_is_refused(deflated: bytes, tmp_path: Path) -> None:
    start = read_file_header(deflated).start
    with pytest.raises(FileRefused, match="damaged"):
        opened(deflated[:start] + b"\xff" * 100 + deflated[start + 100 :], tmp_path)


def test_a_deflated_bomb_is_refused(deflated: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container, "INFLATE_FREE", 2**20)
    engine = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    bomb = engine.compress(b"\0" * 2**24) + engine.flush()
    with pytest.raises(FileRefused, match="far more than an image"):
        opened(deflated[: read_file_header(deflated).start] + bomb, tmp_path)


def test_large_files_are_mapped_and_hold_the_same(
    plain: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(container, "MAPPED_BYTES", 10)
    path = tmp_path / "in"
    path.write_bytes(plain)
    with open_container(path) as found:
        element = found.outline.elements[0x7FE00010]
        assert bytes(found.data[element.start : element.end]) == pydicom.dcmread(path).PixelData
