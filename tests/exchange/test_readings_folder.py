"""The folder of confirmed readings: whole or without an index, for its owner only, never over another."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from dashboard.errors import RecordsError
from dashboard.exchange.readings_folder import INDEX, ConfirmedSlice, make_folder, write_readings

MODEL = {"name": "compression", "version": "1", "sha256": "ab" * 32}


def confirmed(grade: str, value: float) -> ConfirmedSlice:
    return ConfirmedSlice("person-1", "study-1", grade, np.full((96, 96), value, np.float32))


def test_every_slice_lies_in_a_file_that_the_index_names(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "export"
    make_folder(folder)
    assert write_readings(folder, MODEL, [confirmed("0", 0.25), confirmed("3", 0.5)]) == 2
    index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
    assert index["model"] == MODEL
    assert [(one["grade"], np.load(folder / one["crop"])[0, 0]) for one in index["readings"]] == [
        ("0", 0.25),
        ("3", 0.5),
    ]
    assert len({one["id"] for one in index["readings"]}) == 2
    assert folder.stat().st_mode & 0o077 == (folder / INDEX).stat().st_mode & 0o077 == 0


def test_a_folder_with_something_in_it_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine", encoding="ascii")
    with pytest.raises(RecordsError, match="not empty"):
        make_folder(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_an_export_that_broke_off_has_no_index(tmp_path: Path) -> None:
    def broken() -> Iterator[ConfirmedSlice]:
        yield confirmed("0", 0.25)
        raise RecordsError("gone")

    with pytest.raises(RecordsError, match="gone"):
        write_readings(tmp_path, MODEL, broken())
    assert not (tmp_path / INDEX).exists()


def test_a_folder_that_cannot_be_made_is_said_to_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="ascii")
    with pytest.raises(RecordsError, match=r"cannot be written to: .+\.$"):
        make_folder(tmp_path / "file")
