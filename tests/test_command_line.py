"""``python -m dashboard triage``: one document a study, exit statuses, files written, and nothing left behind."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pydicom
import pytest

from dashboard.command_line import make_parser, run
from dashboard.exchange.demonstration import write_demonstration
from dashboard.settings import REPOSITORY
from dashboard.work import command
from dashboard.work import triage as work_triage


@pytest.fixture(scope="session")
def models_dir(repository: Path) -> Path:
    return repository / "models"


@pytest.fixture(scope="session")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A synthetic study; not to be changed."""
    folder = tmp_path_factory.mktemp("studies") / "demonstration"
    write_demonstration(folder)
    return folder


@pytest.fixture(autouse=True)
def environment(models_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Settings of a machine without data folder; returns the folder for temporary files."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setenv("TRIAGE_MODELS_DIR", str(models_dir))
    monkeypatch.setenv("TRIAGE_DATA_DIR", str(tmp_path / "never made"))
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    return scratch


class Outcome:
    """What a run printed."""

    def __init__(self, status: int, out: str, err: str) -> None:
        self.status, self.out, self.err = status, out, err
        self.documents: list[dict[str, Any]] = [json.loads(line) for line in out.splitlines()]


def triage(capsys: pytest.CaptureFixture[str], *arguments: Path | str) -> Outcome:
    status = run(["triage", *(str(argument) for argument in arguments)])
    captured = capsys.readouterr()
    return Outcome(status, captured.out, captured.err)


def copy_of(demonstration: Path, folder: Path, suffix: str = "", kept: slice = slice(0, 3)) -> Path:
    """Some files of the study, under UIDs of their own with a `suffix`."""
    folder.mkdir(parents=True)
    for path in sorted(demonstration.iterdir())[kept]:
        if not suffix:
            shutil.copy(path, folder)
            continue
        dataset = pydicom.dcmread(path)
        for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
            setattr(dataset, keyword, dataset[keyword].value + suffix)
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        dataset.save_as(folder / path.name)
    return folder


def reasons(outcome: Outcome) -> dict[str, str]:
    return {item["name"]: item["reason"] for document in outcome.documents for item in document["rejected"]}


def test_a_folder_gives_one_document_with_its_own_uids(capsys: pytest.CaptureFixture[str], demonstration: Path) -> None:
    outcome = triage(capsys, demonstration)
    (document,) = outcome.documents
    original = pydicom.dcmread(next(demonstration.iterdir()), stop_before_pixels=True)
    assert outcome.status == 0
    assert document["schema"] == "spine-triage/1"
    assert document["study_instance_uid"] == original.StudyInstanceUID
    assert set(document["timings_s"]) == {"read", "inference", "grading", "total"}
    names = [model["name"] for model in document["model"]]
    assert names == ["canal", "compression", "sagittal", "sagittal_findings"]


def test_two_runs_differ_in_timings_only(
    capsys: pytest.CaptureFixture[str], demonstration: Path, tmp_path: Path
) -> None:
    runs = []
    for number in range(2):
        out = tmp_path / str(number)
        (document,) = triage(capsys, demonstration, "--out", out).documents
        document.pop("timings_s")
        masks = {path.name: path.read_bytes() for path in out.rglob("*.dcm")}
        runs.append((document, masks))
    assert runs[0] == runs[1]


def test_zip_folder_and_single_file_are_read(
    capsys: pytest.CaptureFixture[str], demonstration: Path, tmp_path: Path
) -> None:
    archive = shutil.make_archive(str(tmp_path / "study"), "zip", copy_of(demonstration, tmp_path / "a", ".1"))
    single = next(copy_of(demonstration, tmp_path / "b", ".2", slice(0, 1)).iterdir())
    folder = copy_of(demonstration, tmp_path / "c", ".3")
    outcome = triage(capsys, archive, single, folder)
    assert outcome.status == 0
    assert len({document["study_instance_uid"] for document in outcome.documents}) == 3


def test_a_study_spread_over_two_folders_is_one(
    capsys: pytest.CaptureFixture[str], demonstration: Path, tmp_path: Path
) -> None:
    one = copy_of(demonstration, tmp_path / "one", kept=slice(0, 20))
    two = copy_of(demonstration, tmp_path / "two", kept=slice(20, None))
    (whole,), (spread,) = triage(capsys, demonstration).documents, triage(capsys, one, two).documents
    for document in (whole, spread):
        document.pop("timings_s")
    assert whole == spread


def test_out_holds_result_and_masks(capsys: pytest.CaptureFixture[str], demonstration: Path, tmp_path: Path) -> None:
    outcome = triage(capsys, demonstration, "--out", tmp_path / "out")
    folder = tmp_path / "out" / outcome.documents[0]["study_instance_uid"]
    assert (folder / "result.json").read_text() == outcome.out
    masks = pydicom.dcmread(folder / "masks.dcm")
    assert masks.Modality == "SEG"
    assert masks.StudyInstanceUID == outcome.documents[0]["study_instance_uid"]
    assert {one.SegmentLabel for one in masks.SegmentSequence} & {"Cord", "cord", "Spinal cord"}
    spine = pydicom.dcmread(folder / "spine.dcm")
    assert {one.SegmentLabel.lower() for one in spine.SegmentSequence} & {"vertebra", "vertebrae"}
    assert spine.ReferencedSeriesSequence[0].SeriesInstanceUID != masks.ReferencedSeriesSequence[0].SeriesInstanceUID


def test_former_results_are_replaced(capsys: pytest.CaptureFixture[str], demonstration: Path, tmp_path: Path) -> None:
    outcome = triage(capsys, demonstration, "--out", tmp_path / "out")
    folder = tmp_path / "out" / outcome.documents[0]["study_instance_uid"]
    (folder / "masks-7.dcm").write_bytes(b"of a former run")
    (folder / "spine-7.dcm").write_bytes(b"of a former run")
    triage(capsys, demonstration, "--out", tmp_path / "out")
    assert sorted(path.name for path in folder.iterdir()) == ["masks.dcm", "result.json", "spine.dcm"]


@pytest.mark.parametrize("uid", ["../../escaped", "..", "", "1." * 40, "a/b"])
def test_a_hostile_study_uid_stays_in_its_folder(uid: str, tmp_path: Path) -> None:
    report = command._Report(tmp_path, sys.stdout, sys.stderr)
    name = report._folder_name(uid)
    assert (tmp_path / name).resolve().parent == tmp_path.resolve()
    assert report._folder_name(uid) != name


def test_nothing_readable_is_one_document_and_status_2(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no image")
    outcome = triage(capsys, tmp_path / "notes.txt")
    (document,) = outcome.documents
    assert outcome.status == 2
    assert (document["study_instance_uid"], document["status"]) == (None, "not_analysed")
    assert document["reasons"]
    assert document["urgency"]["tier"] == "not analysed"
    assert set(reasons(outcome)) == {"notes.txt"}


def test_what_cannot_be_opened_is_listed(
    capsys: pytest.CaptureFixture[str], demonstration: Path, tmp_path: Path
) -> None:
    folder = copy_of(demonstration, tmp_path / "study")
    os.mkfifo(folder / "pipe")
    (folder / "circle").symlink_to(folder)
    (folder / "nowhere").symlink_to(folder / "gone")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(folder / "socket"))
        outcome = triage(capsys, folder)
    assert outcome.status == 0
    listed = reasons(outcome)
    assert "pipe" in listed["study/pipe"]
    assert "socket" in listed["study/socket"]
    assert "link" in listed["study/circle"]
    assert "no such file" in listed["study/nowhere"]


def test_one_bad_path_does_not_stop_the_others(
    capsys: pytest.CaptureFixture[str], demonstration: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    folder = copy_of(demonstration, tmp_path / "study")
    outcome = triage(capsys, tmp_path / "absent", tmp_path / "empty", folder)
    (document,) = outcome.documents
    assert outcome.status == 2
    assert document["study_instance_uid"] is not None
    assert set(reasons(outcome)) == {"absent", "empty"}
    assert "absent: nothing" in outcome.err


def test_copies_of_what_was_read_already_count_as_read(
    capsys: pytest.CaptureFixture[str], demonstration: Path, tmp_path: Path
) -> None:
    one = copy_of(demonstration, tmp_path / "one")
    two = copy_of(demonstration, tmp_path / "two")
    assert triage(capsys, one, two).status == 0


def test_an_image_with_impossible_pixels_stops_no_other(
    capsys: pytest.CaptureFixture[str], demonstration: Path, tmp_path: Path
) -> None:
    folder = copy_of(demonstration, tmp_path / "study")
    path = sorted(folder.iterdir())[0]
    dataset = pydicom.dcmread(path)
    dataset.PixelData = b"\xff" * len(dataset.PixelData)
    dataset.save_as(path)
    outcome = triage(capsys, folder)
    assert outcome.status == 0
    assert "BitsStored" in reasons(outcome)[f"study/{path.name}"]
    assert sum(series["frames"] for series in outcome.documents[0]["series"]) == 2


def test_a_study_that_fails_unexpectedly_says_so_and_stops_no_other(
    capsys: pytest.CaptureFixture[str], demonstration: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = work_triage.build_studies, []

    def fail_once(*arguments: Any) -> Any:
        calls.append(arguments)
        if len(calls) == 1:
            raise ValueError("SYNTHETIC^DEMONSTRATION")
        return real(*arguments)

    monkeypatch.setattr(work_triage, "build_studies", fail_once)
    outcome = triage(
        capsys, copy_of(demonstration, tmp_path / "one", ".1"), copy_of(demonstration, tmp_path / "two", ".2")
    )
    failed, fine = outcome.documents
    assert failed["status"] == "not_analysed"
    assert "stopped unexpectedly" in failed["reasons"][0]
    assert fine["series"]
    assert "SYNTHETIC^" not in outcome.out + outcome.err


def test_a_missing_model_is_status_1(
    capsys: pytest.CaptureFixture[str], demonstration: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIAGE_MODELS_DIR", str(tmp_path / "none"))
    outcome = triage(capsys, demonstration)
    assert (outcome.status, outcome.out) == (1, "")
    assert "Model" in outcome.err


def test_an_out_folder_that_cannot_be_made_is_status_1_and_the_results_are_printed(
    capsys: pytest.CaptureFixture[str], demonstration: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    outcome = triage(capsys, demonstration, "--out", tmp_path / "file")
    assert outcome.status == 1
    assert len(outcome.documents) == 1
    assert "--out" in outcome.err


def test_masks_that_cannot_be_made_are_status_1_and_stop_no_other_study(
    capsys: pytest.CaptureFixture[str], demonstration: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ValueError("SYNTHETIC^DEMONSTRATION")

    monkeypatch.setattr(command, "write_study_masks", fail)
    one, two = copy_of(demonstration, tmp_path / "one", ".1"), copy_of(demonstration, tmp_path / "two", ".2")
    outcome = triage(capsys, one, two, "--out", tmp_path / "out")
    assert outcome.status == 1
    assert len(outcome.documents) == len(list((tmp_path / "out").rglob("result.json"))) == 2
    assert "ValueError" in outcome.err
    assert "SYNTHETIC^" not in outcome.err


def test_neither_database_nor_temporary_files_remain(
    capsys: pytest.CaptureFixture[str], demonstration: Path, environment: Path, tmp_path: Path
) -> None:
    triage(capsys, demonstration)
    assert list(environment.iterdir()) == []
    assert not (tmp_path / "never made").exists()


def start(arguments: Sequence[str], scratch: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "dashboard", *arguments],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "TMPDIR": str(scratch)},
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_leaves_no_temporary_files(demonstration: Path, environment: Path, number: signal.Signals) -> None:
    process = start(["triage", str(demonstration)], environment)
    while process.poll() is None and not any(environment.glob("spine-triage-*")):
        time.sleep(0.002)
    process.send_signal(number)
    process.communicate()
    assert process.returncode == 128 + number
    assert list(environment.iterdir()) == []


@pytest.mark.parametrize("while_it_is", ["made", "deleted"])
def test_a_signal_while_the_folder_is_made_or_deleted_waits(
    environment: Path, monkeypatch: pytest.MonkeyPatch, while_it_is: str
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(environment))
    name = {"made": "mkdtemp", "deleted": "_rmtree"}[while_it_is]
    home = {"made": tempfile, "deleted": tempfile.TemporaryDirectory}[while_it_is]
    doing = getattr(home, name)

    def interrupted(*given: object, **more: object) -> object:
        out = doing(*given, **more)
        if while_it_is == "made":
            assert list(environment.iterdir())
        os.kill(os.getpid(), signal.SIGTERM)
        return out

    monkeypatch.setattr(home, name, staticmethod(interrupted))
    with pytest.raises(SystemExit) as ended, command._Signals() as signals, signals.folder():
        pass
    assert ended.value.code == 128 + signal.SIGTERM
    assert list(environment.iterdir()) == []


def test_a_reader_that_goes_away_is_no_error(demonstration: Path, environment: Path) -> None:
    process = start(["triage", str(demonstration)], environment)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    errors = process.stderr.read()
    process.stderr.close()
    assert process.wait() == 0
    assert b"Traceback" not in errors
    assert b"BrokenPipe" not in errors


def test_help_needs_no_package_beyond_the_standard_library() -> None:
    probe = (
        "import sys; from dashboard.command_line import make_parser; make_parser().format_help(); "
        "sys.exit(len({'numpy', 'pydicom', 'sqlalchemy', 'onnxruntime', 'streamlit'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", probe], cwd=REPOSITORY, check=False).returncode == 0


def test_a_command_is_required(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run([])
    assert ended.value.code == 2
    with contextlib.suppress(SystemExit):
        make_parser().parse_args(["triage", "--help"])
    assert "PATH" in capsys.readouterr().out
