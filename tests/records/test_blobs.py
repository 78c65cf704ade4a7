"""Equal files are kept once, wherever they are named, and go when nothing names them any more."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import fsspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from dashboard.errors import RecordsError, SettingsError
from dashboard.records import Records, add_study, contents, delete_study, open_records
from dashboard.records.blobs import Blobs, Content
from dashboard.records.contents import fetch_files, keep_files, sweep_contents
from dashboard.records.stored_files import stored_files
from dashboard.settings import load_settings
from tests.records.helpers import NOW

DAY = timedelta(days=1)


@pytest.fixture(params=["", "memory", "file"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Blobs:
    url = {"": "", "memory": f"memory://{tmp_path.name}", "file": f"file://{tmp_path}/elsewhere"}[request.param]
    return Blobs(tmp_path / "blobs", url)


@pytest.fixture(params=["", "memory", "file"])
def records(request: pytest.FixtureRequest, tmp_path: Path, database_url: str) -> Iterator[Records]:
    url = {"": "", "memory": f"memory://{tmp_path.name}", "file": f"file://{tmp_path}/elsewhere"}[request.param]
    opened = open_records(
        load_settings(
            {
                "TRIAGE_DATA_DIR": str(tmp_path / "data"),
                "TRIAGE_DATABASE_URL": database_url,
                "TRIAGE_STORE_URL": url,
            }
        )
    )
    yield opened
    opened.close()


def write(path: Path, content: bytes = b"pixels") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def study(records: Records, uid: str, **files: bytes) -> str:
    """A study with kept files."""
    with records.writing() as session:
        study_id = add_study(session, uid, "patient", NOW).id
    folder = records.store.instances_dir(study_id)
    keep_files(records, study_id, [write(folder / name, content) for name, content in files.items()])
    return study_id


def test_equal_files_share_one_place_and_stay_where_they_are(blobs: Blobs, tmp_path: Path) -> None:
    one, two, other = write(tmp_path / "1"), write(tmp_path / "2"), write(tmp_path / "3", b"other")
    kept = blobs.keep_all([one, two, other])
    assert kept[one] == kept[two] != kept[other]
    assert one.samefile(two)
    assert not one.samefile(other)
    assert (one.read_bytes(), other.read_bytes()) == (b"pixels", b"other")
    assert len(list(blobs.names())) == 2


def test_a_memory_map_outlives_its_file_being_shared(blobs: Blobs, tmp_path: Path) -> None:
    for name in ("1.npy", "2.npy"):
        np.save(tmp_path / name, np.arange(10))
    opened = np.load(tmp_path / "2.npy", mmap_mode="r")
    blobs.keep_all([tmp_path / "1.npy", tmp_path / "2.npy"])
    assert isinstance(opened, np.memmap)
    assert opened.tolist() == list(range(10))


def test_what_is_kept_is_never_written_to_by_mistake(blobs: Blobs, tmp_path: Path) -> None:
    path = write(tmp_path / "1")
    blobs.keep(path)
    assert path.stat().st_mode & 0o222 == 0


def test_a_file_system_without_links_keeps_copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> None:
        raise OSError(95, "Operation not supported")

    blobs = Blobs(tmp_path / "blobs", f"file://{tmp_path}/elsewhere")
    monkeypatch.setattr(os, "link", refuse)
    content = blobs.keep(write(tmp_path / "1"))
    blobs.fetch(content, tmp_path / "2")
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes() == b"pixels"


def test_an_address_of_nothing_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="TRIAGE_STORE_URL"):
        Blobs(tmp_path, "nosuch://bucket")


def test_what_is_not_there_or_was_altered_elsewhere_is_named(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path / "blobs", f"file://{tmp_path}/elsewhere")
    content = blobs.keep(write(tmp_path / "1"))
    fresh = Blobs(tmp_path / "fresh", f"file://{tmp_path}/elsewhere")
    (elsewhere,) = (path for path in (tmp_path / "elsewhere").rglob("*") if path.is_file())
    elsewhere.chmod(0o600)
    elsewhere.write_bytes(b"sixels")
    with pytest.raises(RecordsError, match="altered"):
        fresh.fetch(content, tmp_path / "2")
    elsewhere.unlink()
    with pytest.raises(RecordsError, match="missing"):
        fresh.fetch(content, tmp_path / "2")
    assert [path for path in (tmp_path / "fresh").rglob("*") if path.is_file()] == []
    assert not (tmp_path / "2").exists()


def test_a_transfer_that_broke_off_is_made_good(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path / "blobs", f"file://{tmp_path}/elsewhere")
    blobs.keep(write(tmp_path / "1"))
    (elsewhere,) = (path for path in (tmp_path / "elsewhere").rglob("*") if path.is_file())
    elsewhere.chmod(0o600)
    elsewhere.write_bytes(b"pix")
    blobs.keep(tmp_path / "1")
    assert elsewhere.read_bytes() == b"pixels"


def test_a_store_that_does_not_answer_is_named_without_its_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blobs = Blobs(tmp_path / "blobs", "memory://gone")

    def refuse(*arguments: object, **named: object) -> None:
        raise RuntimeError("secret key AKIA4711")

    monkeypatch.setattr(fsspec.implementations.memory.MemoryFileSystem, "put_file", refuse)
    with pytest.raises(RecordsError, match="does not answer") as told:
        blobs.keep(write(tmp_path / "1"))
    assert "4711" not in str(told.value)


@given(st.text(max_size=70))
def test_no_name_leaves_the_folder(name: str) -> None:
    with pytest.raises(RecordsError, match="not the name"):
        Blobs(Path("nowhere")).remove([name])


def test_a_content_goes_with_the_last_study_that_names_it(records: Records) -> None:
    one, two = study(records, "1", a=b"same", b=b"one"), study(records, "2", a=b"same")
    assert len(list(records.store.blobs.names())) == 2
    delete_study(records, one, "console", NOW)
    with records.reading() as session:
        (content,) = stored_files(session, two).values()
    assert list(records.store.blobs.names()) == [content.sha256]
    assert (records.store.instances_dir(two) / "a").read_bytes() == b"same"
    delete_study(records, two, "console", NOW)
    assert list(records.store.blobs.names()) == []
    everything = [path for path in records.settings.data_dir.parent.rglob("*") if path.is_file()]
    assert [path for path in everything if path.read_bytes() == b"same"] == []


def test_files_of_a_study_that_was_deleted_meanwhile_do_not_stay(records: Records) -> None:
    study_id = study(records, "1", a=b"same")
    folder = records.store.instances_dir(study_id)
    delete_study(records, study_id, "console", NOW)
    with pytest.raises(RecordsError):
        keep_files(records, study_id, [write(folder / "b", b"late")])
    assert list(records.store.blobs.names()) == []


def test_contents_without_a_name_go_after_a_day_and_named_ones_never(records: Records, tmp_path: Path) -> None:
    study_id = study(records, "1", a=b"named")
    records.store.blobs.keep(write(tmp_path / "nobody's", b"nobody's"))
    later = NOW.replace(year=2100)
    sweep_contents(records, later)
    assert len(list(records.store.blobs.names())) == 2
    sweep_contents(records, NOW)
    assert len(list(records.store.blobs.names())) == 2
    sweep_contents(records, later + DAY)
    with records.reading() as session:
        (content,) = stored_files(session, study_id).values()
    assert list(records.store.blobs.names()) == [content.sha256]


def test_files_kept_elsewhere_are_fetched_where_they_are_not(records: Records) -> None:
    study_id = study(records, "1", a=b"pixels")
    if not records.store.blobs.elsewhere:
        return
    records.store.remove_study(study_id)
    for path in list(records.store.blobs.root.rglob("*")):
        if path.is_file():
            path.unlink()
    fetch_files(records, study_id, "instances/")
    assert (records.store.instances_dir(study_id) / "a").read_bytes() == b"pixels"


def test_a_local_content_that_is_gone_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecordsError, match="missing"):
        Blobs(tmp_path).fetch(Content("0" * 64, 1), tmp_path / "1")


def test_others_write_between_the_contents_that_a_deletion_lets_go_of(
    records: Records, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contents, "AT_A_TIME", 2)
    blobs, left = records.store.blobs, []
    for number in range(5):
        blobs.keep(write(tmp_path / str(number), b"%d" % number))

    @contextmanager
    def writing() -> Iterator[Session]:
        left.append(len(list(blobs.names())))
        with records.writing() as session:
            yield session

    contents.let_go(cast("Records", SimpleNamespace(store=records.store, writing=writing)), list(blobs.names()))
    assert (left, list(blobs.names())) == ([5, 3, 1], [])
