"""A drop becomes studies and findings, once, whatever is dropped twice, added later or goes wrong."""

import json
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
import pytest

from dashboard.errors import RecordsError
from dashboard.grading import GradingThresholds, canonical_json
from dashboard.records import (
    MAX_ATTEMPTS,
    Details,
    Document,
    Records,
    StudyRecord,
    StudyState,
    Upload,
    UploadState,
    get_finding,
    get_people,
    get_upload,
    list_findings,
    open_jobs,
    read_masks,
    read_predictions,
    read_study,
    worklist,
)
from dashboard.settings import Settings
from dashboard.study import Series, SeriesPrediction
from dashboard.work import receive_files, study_job, upload_job, worker
from dashboard.work.command import triage_paths
from dashboard.work.engine import Engine
from dashboard.work.worker import Worker
from tests.postgresql import BOTH_DATABASES


def drive(worker: Worker, until: Callable[[], bool]) -> None:
    """What the dispatcher has a worker do, without a cluster: look after others, and one job after another."""
    worker.open()
    try:
        while True:
            worker.look_after_others()
            while worker.turn():
                pass
            if until():
                return
            time.sleep(0.02)
    finally:
        worker.close()


def work(records: Records, engine: Engine) -> None:
    """Run a worker until nothing is left to do."""

    def idle() -> bool:
        with records.reading() as session:
            return open_jobs(session) == 0

    drive(Worker(records, engine), until=idle)


def drop(records: Records, engine: Engine, *paths: Path) -> Upload:
    upload = receive_files(records, paths)
    work(records, engine)
    with records.reading() as session:
        return get_upload(session, upload.id)


def studies(records: Records) -> tuple[StudyRecord, ...]:
    with records.reading() as session:
        return worklist(session)


def exported(records: Records, study: StudyRecord) -> dict[str, Any]:
    with records.reading() as session:
        finding = get_finding(session, study.current_finding_id)
        assert finding is not None
        return with_identity(finding.document, records.identity(session, study.id).details)


def with_identity(document: Document, details: Details) -> dict[str, Any]:
    """A stored result as the command line gives it for the same files: their own UIDs and names put back."""
    restored = {key: restore_uids(value, details.original_uids, key) for key, value in document.items()}
    for item in restored["rejected"]:
        item["name"] = details.names.get(item["name"], item["name"])
    return restored


def restore_uids(value: Any, original_uids: Mapping[str, str], key: str) -> Any:
    if isinstance(value, dict):
        return {name: restore_uids(item, original_uids, name) for name, item in value.items()}
    if isinstance(value, list):
        return [restore_uids(item, original_uids, key) for item in value]
    if isinstance(value, str) and key.endswith(("_uid", "_uids")):
        return original_uids.get(value, value)
    return value


def findings(records: Records, study: StudyRecord) -> int:
    with records.reading() as session:
        return len(list_findings(session, study.id))


def some_files(demonstration: Path, folder: Path, kept: slice) -> Path:
    folder.mkdir()
    for path in sorted(demonstration.iterdir())[kept]:
        shutil.copy(path, folder / path.name)
    return folder


class Printed(list[str]):
    """Stands for a terminal."""

    def write(self, text: str) -> int:
        self.append(text)
        return len(text)

    def flush(self) -> None:
        """Nothing is held back."""


def test_page_and_command_line_give_the_same_result(
    records: Records, engine: Engine, settings: Settings, demonstration: Path, tmp_path: Path
) -> None:
    folder = some_files(demonstration, tmp_path / "patient", slice(None))
    (folder / "notes.txt").write_text("no image")
    out, err = Printed(), Printed()
    assert triage_paths([folder], None, settings, out, err) == 0  # type: ignore[arg-type]
    drop(records, engine, folder)
    (study,) = studies(records)
    printed, stored = json.loads("".join(out)), exported(records, study)
    assert printed.pop("timings_s").keys() == stored.pop("timings_s").keys()
    assert canonical_json(printed) == canonical_json(stored)
    assert stored["rejected"][0]["name"] == "patient/notes.txt"


def test_what_is_stored_does_not_name_the_patient(records: Records, engine: Engine, demonstration: Path) -> None:
    drop(records, engine, demonstration)
    (study,) = studies(records)
    with records.reading() as session:
        person = get_people(session, records.keys, [study.id])[study.id]
    assert person.patient_name
    for path in records.settings.data_dir.rglob("*"):
        assert not path.is_file() or person.patient_name.encode() not in path.read_bytes()
    original = pydicom.dcmread(next(demonstration.iterdir()), stop_before_pixels=True)
    assert study.study_instance_uid != original.StudyInstanceUID


def test_identity_is_dropped_when_the_setting_says_so(records: Records, engine: Engine, demonstration: Path) -> None:
    forgetful = replace(records, settings=replace(records.settings, keep_identity=False))
    drop(forgetful, engine, demonstration)
    (study,) = studies(records)
    with records.reading() as session:
        stored = records.identity(session, study.id)
    assert (stored.person, stored.details.original_uids, stored.details.names) == (None, {}, {})


def test_the_inbox_is_empty_afterwards(records: Records, engine: Engine, demonstration: Path) -> None:
    upload = drop(records, engine, demonstration)
    assert (upload.state, upload.studies, upload.accepted) == (UploadState.DONE, 1, 49)
    assert records.inbox.upload_ids() == ()
    assert list((records.settings.store_dir / "incoming").iterdir()) == []


def test_a_finding_opens_without_decoding(records: Records, engine: Engine, demonstration: Path) -> None:
    drop(records, engine, demonstration)
    (study,) = studies(records)
    with records.reading() as session:
        finding = get_finding(session, study.current_finding_id)
    assert finding is not None
    folder = records.finding_dir(finding)
    read = read_study(folder)
    seen, masks = read_predictions(folder), read_masks(folder)
    assert [series.series_instance_uid for series in read.series] == [
        series["series_instance_uid"] for series in finding.document["series"]
    ]
    (analysed,) = (series for series in read.series if series.series_instance_uid in seen)
    assert len(seen[analysed.series_instance_uid].slices) == len(finding.document["slices"])
    assert masks[analysed.series_instance_uid][0].shape == analysed.volumes[0].voxels.shape


def test_masks_are_stored_as_far_as_the_result_stands_by_them(
    records: Records, engine: Engine, demonstration: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []

    def nothing_trusted(series: Series, seen: SeriesPrediction, slices: object) -> tuple[npt.NDArray[np.uint8], ...]:
        asked.append(slices)
        return tuple(np.zeros_like(labels) for labels in seen.native_labels)

    monkeypatch.setattr("dashboard.work.triage.trusted_labels", nothing_trusted)
    drop(records, engine, demonstration)
    (study,) = studies(records)
    with records.reading() as session:
        finding = get_finding(session, study.current_finding_id)
    assert finding is not None
    assert asked == [finding.document["slices"]]
    masks = read_masks(records.finding_dir(finding))
    assert masks
    assert not any(labels.any() for one in masks.values() for labels in one)


def test_the_same_files_again_change_nothing(records: Records, engine: Engine, demonstration: Path) -> None:
    drop(records, engine, demonstration)
    again = drop(records, engine, demonstration)
    (study,) = studies(records)
    assert (again.duplicates, again.studies, findings(records, study)) == (49, 1, 1)


def test_more_images_of_a_study_are_merged_and_graded_anew(
    records: Records, engine: Engine, demonstration: Path, tmp_path: Path
) -> None:
    drop(records, engine, some_files(demonstration, tmp_path / "one", slice(0, 30)))
    second = drop(records, engine, some_files(demonstration, tmp_path / "two", slice(25, None)))
    (merged,) = studies(records)
    assert (second.duplicates, findings(records, merged)) == (5, 2)
    frames = sum(series["frames"] for series in exported(records, merged)["series"])
    assert frames == 49


def test_a_damaged_image_keeps_a_study_out_of_the_routine_ones_until_it_comes_again(
    records: Records, engine: Engine, demonstration: Path, tmp_path: Path
) -> None:
    whole = some_files(demonstration, tmp_path / "whole", slice(0, None))
    damaged = some_files(demonstration, tmp_path / "damaged", slice(0, None))
    axial = (path for path in sorted(damaged.iterdir()) if pydicom.dcmread(path).SeriesDescription.startswith("AX"))
    cut_short = next(axial)
    cut_short.write_bytes(cut_short.read_bytes()[:-4000])
    drop(records, engine, damaged)
    (study,) = studies(records)
    assert any("could not be read" in one for one in exported(records, study)["urgency"]["reasons"])
    drop(records, engine, whole)
    (study,) = studies(records)
    assert not any("could not be read" in one for one in exported(records, study)["urgency"]["reasons"])


@pytest.mark.parametrize("damaged_first", [False, True])
def test_a_damaged_image_that_comes_alone_is_missing_in_its_patient_s_study(
    records: Records, engine: Engine, demonstration: Path, tmp_path: Path, damaged_first: bool
) -> None:
    axial = [path for path in sorted(demonstration.iterdir()) if pydicom.dcmread(path).SeriesDescription[:2] == "AX"]
    damaged = some_files(demonstration, tmp_path / "damaged", slice(0, 0))
    (damaged / axial[0].name).write_bytes(axial[0].read_bytes()[:-4000])
    others = some_files(demonstration, tmp_path / "others", slice(0, None))
    (others / axial[0].name).unlink()
    for folder in (damaged, others) if damaged_first else (others, damaged):
        drop(records, engine, folder)
    (study,) = studies(records)
    assert (study.study_date, study.description) == ("20240101", "MRI SPINE SYNTHETIC")
    assert [one["name"] for one in exported(records, study)["rejected"]] == [f"damaged/{axial[0].name}"]
    assert any("could not be read" in one for one in exported(records, study)["urgency"]["reasons"])
    with records.reading() as session:
        (person,) = get_people(session, records.keys, [study.id]).values()
    assert person.patient_name == "SYNTHETIC^DEMONSTRATION"


def test_an_image_that_contradicts_a_stored_one_is_rejected(
    records: Records, engine: Engine, demonstration: Path, tmp_path: Path
) -> None:
    drop(records, engine, demonstration)
    folder = some_files(demonstration, tmp_path / "changed", slice(0, 1))
    path = next(folder.iterdir())
    dataset = pydicom.dcmread(path)
    dataset.InstanceNumber = 4711
    dataset.save_as(path)
    upload = drop(records, engine, folder)
    (study,) = studies(records)
    assert "other content" in upload.rejections[0].reason
    assert "other content" in exported(records, study)["rejected"][0]["reason"]


def test_another_model_grades_known_studies_anew(records: Records, engine: Engine, demonstration: Path) -> None:
    drop(records, engine, demonstration)
    drop(records, Engine(None, GradingThresholds(), "Model canal: missing."), demonstration)
    (study,) = studies(records)
    assert findings(records, study) == 2
    assert any("Model canal: missing" in reason for reason in study.reasons)


def test_a_drop_without_a_study_says_why(records: Records, engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no image")
    upload = drop(records, engine, tmp_path / "notes.txt")
    assert (upload.state, upload.studies, upload.rejected) == (UploadState.DONE, 0, 1)
    assert "None of these files" in upload.reason


def failing(error: Exception, calls: list[object]) -> Any:
    def fail(*arguments: object, **named: object) -> None:
        calls.append(arguments)
        raise error

    return fail


def test_a_study_that_always_fails_is_not_analysed_in_the_end(
    records: Records, engine: Engine, demonstration: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[object] = []
    monkeypatch.setattr(study_job, "triage_study", failing(ValueError("HOPPER^GRACE"), calls))
    drop(records, engine, demonstration)
    (study,) = studies(records)
    assert len(calls) == MAX_ATTEMPTS
    assert study.state is StudyState.NOT_ANALYSED
    assert "stopped unexpectedly" in study.reasons[0]
    assert findings(records, study) == 1


def test_an_upload_that_always_fails_says_so_and_keeps_its_files(
    records: Records, engine: Engine, demonstration: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload_job, "read_drop", failing(ValueError("broken"), []))
    upload = drop(records, engine, demonstration)
    assert upload.state is UploadState.FAILED
    assert "stopped unexpectedly" in upload.reason
    assert records.inbox.upload_ids() == (upload.id,)


def test_failures_are_logged_without_their_words(
    records: Records,
    engine: Engine,
    demonstration: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(study_job, "triage_study", failing(ValueError("HOPPER^GRACE"), []))
    drop(records, engine, demonstration)
    assert "ValueError" in caplog.text
    assert "HOPPER" not in caplog.text


def test_records_that_fail_for_a_while_only_delay(
    records: Records, engine: Engine, demonstration: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "BEAT_S", 0.01)
    real, calls = upload_job.read_drop, []

    def once(*arguments: Any) -> Any:
        calls.append(arguments)
        if len(calls) == 1:
            raise RecordsError("The disk is full.")
        return real(*arguments)

    monkeypatch.setattr(upload_job, "read_drop", once)
    assert drop(records, engine, demonstration).state is UploadState.DONE
    assert len(calls) == 2


def test_a_job_that_could_not_be_let_go_of_is_found_again(
    records: Records, engine: Engine, demonstration: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "BEAT_S", 0.01)
    monkeypatch.setattr(worker, "release_job", failing(RecordsError("The disk is full."), []))
    calls: list[object] = []
    monkeypatch.setattr(study_job, "triage_study", failing(RecordsError("The disk is full."), calls))
    drop(records, engine, demonstration)
    (study,) = studies(records)
    assert (len(calls), findings(records, study)) == (MAX_ATTEMPTS, 1)


@BOTH_DATABASES
def test_two_workers_share_the_work_and_each_study_gets_one_finding(
    records: Records, engine: Engine, demonstration: Path, tmp_path: Path
) -> None:
    for number in range(3):
        folder = some_files(demonstration, tmp_path / f"copy {number}", slice(40, None))
        for path in folder.iterdir():
            dataset = pydicom.dcmread(path)
            dataset.StudyInstanceUID += f".{number}"
            dataset.SeriesInstanceUID += f".{number}"
            dataset.SOPInstanceUID += f".{number}"
            dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
            dataset.save_as(path)
        receive_files(records, [folder])
    threads = [threading.Thread(target=work, args=(records, engine)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [findings(records, study) for study in studies(records)] == [1, 1, 1]


def test_an_upload_whose_files_are_gone_says_so(records: Records, engine: Engine, demonstration: Path) -> None:
    upload = receive_files(records, [demonstration])
    records.inbox.remove(upload.id)
    work(records, engine)
    with records.reading() as session:
        found = get_upload(session, upload.id)
    assert (found.state, found.reason) == (UploadState.FAILED, upload_job.FILES_GONE)
