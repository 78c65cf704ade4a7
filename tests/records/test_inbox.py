"""The inbox keeps what arrived whole, bounded, and nothing else."""

import resource
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.errors import InputRefused, RecordsError, RecordsUnavailable
from dashboard.ingest import DroppedFile
from dashboard.records import Arrived, Inbox, clean_name, new_id


@pytest.fixture
def inbox(tmp_path: Path) -> Inbox:
    (tmp_path / "inbox").mkdir()
    return Inbox(tmp_path / "inbox", max_file_bytes=1000, max_files=10)


def put(inbox: Inbox, upload_id: str, index: int, content: bytes) -> None:
    with inbox.part(upload_id, index) as part:
        part.write(content)


def test_a_file_counts_once_it_is_kept(inbox: Inbox) -> None:
    upload_id = new_id()
    inbox.open(upload_id)
    put(inbox, upload_id, 0, b"half")
    assert inbox.files(upload_id) == ()
    inbox.keep(upload_id, [Arrived(0, "folder/IM1", 4)])
    (file,) = inbox.files(upload_id)
    assert (file.name, file.path.read_bytes()) == ("folder/IM1", b"half")
    assert inbox.flush(upload_id) == (1, 4)


def test_a_file_sent_twice_replaces_itself(inbox: Inbox) -> None:
    upload_id = new_id()
    inbox.open(upload_id)
    for content in (b"first", b"second"):
        put(inbox, upload_id, 3, content)
        inbox.keep(upload_id, [Arrived(3, "IM1", len(content))])
    assert inbox.arrived(upload_id) == (Arrived(3, "IM1", 6),)


def test_files_stand_in_the_order_of_their_numbers(inbox: Inbox) -> None:
    upload_id = new_id()
    inbox.open(upload_id)
    for index in (2, 0, 1):
        put(inbox, upload_id, index, b"")
        inbox.keep(upload_id, [Arrived(index, f"IM{index}", 0)])
    assert [file.name for file in inbox.files(upload_id)] == ["IM0", "IM1", "IM2"]


def test_too_large_a_file_is_refused(inbox: Inbox) -> None:
    with pytest.raises(InputRefused, match="larger"):
        inbox.check_room(1001)


def test_too_many_files_are_refused(inbox: Inbox) -> None:
    upload_id = new_id()
    inbox.open(upload_id)
    with pytest.raises(InputRefused, match="More than 10 files"):
        inbox.part(upload_id, 10)


def test_a_full_disk_is_refused_before_it_is_full(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=100))
    with pytest.raises(InputRefused, match="no room"):
        inbox.check_room(10)


def test_a_disk_that_fills_up_within_a_line_takes_none_of_it(inbox: Inbox) -> None:
    upload_id = new_id()
    inbox.open(upload_id)
    for index in (0, 1):
        put(inbox, upload_id, index, b"")
    inbox.keep(upload_id, [Arrived(0, "IM0", 0)])
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    room = (inbox.root / upload_id / "names.jsonl").stat().st_size + 10
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))
    try:
        with pytest.raises(RecordsUnavailable, match="disk is full"):
            inbox.keep(upload_id, [Arrived(1, "IM1", 0)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert inbox.arrived(upload_id) == (Arrived(0, "IM0", 0),)
    put(inbox, upload_id, 1, b"")
    inbox.keep(upload_id, [Arrived(1, "IM1", 0)])
    assert [file.name for file in inbox.files(upload_id)] == ["IM0", "IM1"]


def test_ids_cannot_leave_the_folder(inbox: Inbox) -> None:
    for upload_id in ("..", "../../etc", "", "0" * 31 + "/"):
        with pytest.raises(RecordsError, match="not an id"):
            inbox.open(upload_id)


def test_removed_means_gone(inbox: Inbox) -> None:
    upload_id = new_id()
    inbox.open(upload_id)
    assert inbox.upload_ids() == (upload_id,)
    inbox.remove(upload_id)
    inbox.remove(upload_id)
    assert inbox.upload_ids() == ()


def test_local_files_are_copied_in(inbox: Inbox, tmp_path: Path) -> None:
    (tmp_path / "IM1").write_bytes(b"bytes")
    upload_id = new_id()
    inbox.open(upload_id)
    inbox.copy_in(upload_id, [DroppedFile("folder/IM1", tmp_path / "IM1")])
    (file,) = inbox.files(upload_id)
    assert file.path.read_bytes() == b"bytes"
    assert (tmp_path / "IM1").exists()


@given(st.text(max_size=60))
def test_names_never_climb_and_always_print(name: str) -> None:
    cleaned = clean_name(name)
    assert cleaned
    assert cleaned.isprintable()
    assert ".." not in cleaned.split("/")
    assert not cleaned.startswith("/")


def test_an_ordinary_name_stays() -> None:
    assert clean_name("Folder 1/Bildgebung Wirbelsäule/IM0001") == "Folder 1/Bildgebung Wirbelsäule/IM0001"
