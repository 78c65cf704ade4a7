"""Damaged files through the whole path, one by one at the command line and all at once on the page."""

import io
import json
from pathlib import Path

import pytest

from dashboard.records import Records, StudyState, UploadState, get_identity, worklist
from dashboard.settings import Settings
from dashboard.work import command
from dashboard.work.command import triage_paths
from dashboard.work.engine import Engine
from tests.work.test_worker import drop

pytestmark = [pytest.mark.shared_data, pytest.mark.slow]


@pytest.fixture
def malformed(shared_data: Path) -> list[Path]:
    return sorted(path for path in (shared_data / "malformed").rglob("*") if path.is_file())


def test_each_gets_a_document_with_a_reason_at_the_command_line(
    malformed: list[Path], settings: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "load_engine", lambda models_dir: engine)
    for path in malformed:
        out, err = io.StringIO(), io.StringIO()
        status = triage_paths([path], None, settings, out, err)
        documents = [json.loads(line) for line in out.getvalue().splitlines()]
        assert len(documents) == 1, path.name
        (document,) = documents
        rejected = [item["reason"] for item in document["rejected"]]
        assert (document["status"], all(rejected), bool(document["reasons"])) == ("not_analysed", True, True), path.name
        assert status == (2 if rejected else 0), path.name


def test_one_drop_of_all_ends_with_every_file_accepted_or_listed(
    malformed: list[Path], records: Records, engine: Engine
) -> None:
    upload = drop(records, engine, *malformed)
    assert upload.state is UploadState.DONE
    assert upload.accepted + upload.duplicates + upload.rejected == len(malformed)
    with records.reading() as session:
        names = get_identity(session, records.keys, upload.id).details.names
        assert {study.state for study in worklist(session)} == {StudyState.NOT_ANALYSED}
    assert all(item.reason and item.name in names for item in upload.rejections)
