"""``python -m dashboard readings``: what persons confirmed goes into a folder that the model can be adapted from."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from dashboard.command_line import run
from dashboard.ingest import Identity
from dashboard.records import Records, Said, Verdict, add_reading, audit_entries, get_study
from dashboard.study import SlicePlace
from dashboard.work.engine import load_engine
from models.training.readings import read_readings
from tests.screens.site import AXIAL_UID, add_result, open_site

PATIENT = Identity(patient_name="OKAFOR^ADA", patient_id="QX-4711")
AGREED = Said(Verdict.AGREED)


@pytest.fixture
def site(tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch) -> Records:
    monkeypatch.setenv("TRIAGE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("TRIAGE_MODELS_DIR", str(repository / "models"))
    return open_site(tmp_path / "data")


@pytest.fixture(scope="session")
def model(repository: Path) -> dict[str, str]:
    """The installed model of the grade, as results cite it."""
    return next(one for one in load_engine(repository / "models").describe() if one["name"] == "compression")


def read(site: Records, said: Said, grade: str | None, model: dict[str, str], synthetic: bool = False) -> str:
    """Id of a study with this suggested grade that was read."""
    study = add_result(site, grade, PATIENT, changes={"model": [model]}, synthetic=synthetic)
    with site.writing() as session:
        finding = get_study(session, study).current_finding_id
        assert finding is not None
        add_reading(session, site.keys, study, finding, "console", said, datetime.now(UTC))
    return study


def test_an_export_is_read_by_the_training(
    site: Records, model: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(13):
        read(site, AGREED, "0", model)
    agreed = read(site, AGREED, "3", model)
    read(site, Said(Verdict.CHANGED, "2", at=SlicePlace(AXIAL_UID, 0, 4, 5), marks_hidden=True), "0", model)
    out = tmp_path / "export"
    assert run(["readings", "--out", str(out)]) == 0
    said = capsys.readouterr().err
    assert said == (
        "Slices written: 41. Studies: 15. People: 15. Readings given with the software's marks hidden: 1.\n"
    )
    found = read_readings(out, model["version"], model["sha256"])
    assert [sum(one.rank == rank for one in found) for rank in (0, 4, 5)] == [39, 1, 1]
    assert len({one.person for one in found}) == len({one.study for one in found}) == 15
    assert all(np.unique(one.image).tolist() == np.array([0.4, 1], np.float32).tolist() for one in found)
    text = (out / "readings.json").read_text(encoding="utf-8")
    with site.reading() as session:
        study = get_study(session, agreed)
        (entry,) = audit_entries(session, limit=1)
    assert (entry.action, dict(entry.details)) == ("export", {"what": "readings", "studies": 15})
    for word in ("OKAFOR", "4711", study.id, study.patient_key, study.study_instance_uid, AXIAL_UID):
        assert word not in text


def test_what_is_left_out_is_said(
    site: Records, model: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    read(site, AGREED, "3", model)
    read(site, AGREED, "3", model, synthetic=True)
    read(site, Said(Verdict.CHANGED, "2", reason="smaller"), "3", model)
    read(site, Said(Verdict.NOT_GRADABLE, reason="metal"), "3", model)
    read(site, AGREED, "3", model | {"sha256": "cd" * 32})
    add_result(site, "3", PATIENT, changes={"model": [model]})
    assert run(["readings", "--out", str(tmp_path / "export")]) == 0
    said = capsys.readouterr().err
    assert "Slices written: 1. Studies: 1. People: 1." in said
    for why in ("naming no slice", "cannot be graded", "another model"):
        assert re.search(rf"Readings left out, [^:]*{why}[^:]*: 1\.", said)
    (entry,) = json.loads((tmp_path / "export" / "readings.json").read_text(encoding="utf-8"))["readings"]
    assert entry["grade"] == "3"


def test_a_folder_in_use_is_refused_before_the_log_tells_of_an_export(
    site: Records, model: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    read(site, AGREED, "3", model)
    assert run(["readings", "--out", str(tmp_path)]) == 1
    assert "not empty" in capsys.readouterr().err
    with site.reading() as session:
        assert not audit_entries(session, limit=1)


def test_without_readings_nothing_is_written(
    site: Records, model: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add_result(site, "3", PATIENT, changes={"model": [model]})
    assert run(["readings", "--out", str(tmp_path / "export")]) == 1
    assert "There is no reading to export" in capsys.readouterr().err
    assert not (tmp_path / "export").exists()
    with site.reading() as session:
        assert not audit_entries(session, limit=1)
