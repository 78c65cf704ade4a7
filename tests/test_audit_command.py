"""``python -m dashboard audit``: the log is checked and exported."""

import contextlib
import json
import sqlite3
from pathlib import Path

import pytest

from dashboard.command_line import run


def test_the_audit_log_is_checked_and_exported(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TRIAGE_DATA_DIR", str(tmp_path / "data"))
    assert run(["audit", "export"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["action"] == "export"
    assert run(["audit", "check"]) == 0
    assert capsys.readouterr().out == "The audit log is whole: 1 line, every one as it was written.\n"
    with contextlib.closing(sqlite3.connect(tmp_path / "data" / "triage.sqlite3")) as database, database:
        database.execute("DROP TRIGGER audit_refuses_update")
        database.execute("UPDATE audit SET actor = 'nobody'")
    assert run(["audit", "check"]) == 2
    assert "broken at line 1: it was altered" in capsys.readouterr().out


def test_an_audit_log_that_cannot_be_read_is_status_1(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "triage.sqlite3").write_bytes(b"this is no database" * 1000)
    monkeypatch.setenv("TRIAGE_DATA_DIR", str(tmp_path))
    assert run(["audit", "check"]) == 1
    assert "damaged" in capsys.readouterr().err
