"""A study that was dropped, read and analysed leaves no file behind when it is deleted, whatever comes in between."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pydicom
import pytest

from dashboard.errors import RecordsError
from dashboard.records import (
    Records,
    UploadState,
    delete_study,
    find_upload,
    get_finding,
    get_people,
    get_upload,
    open_jobs,
    read_study,
    worklist,
)
from dashboard.records import retention as records_retention
from dashboard.work import receive_files, study_job
from dashboard.work.engine import Engine
from dashboard.work.housekeeping import tidy
from dashboard.work.local_files import find_files
from tests.postgresql import BOTH_DATABASES
from tests.work.test_worker import drop, some_files, studies, work

NOW = datetime.now(UTC)
LATER = NOW + timedelta(hours=2)


def files_below(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def nothing_is_left(records: Records, study_id: str, secrets: list[bytes]) -> None:
    """Walk the whole data folder."""
    data_dir = records.settings.data_dir
    for folder in (records.settings.store_dir, records.settings.inbox_dir):
        assert files_below(folder) == []
    named = [path for path in data_dir.rglob("*") if study_id in path.name]
    # The note by which housekeeping would finish the deletion, empty by now.
    assert [path for path in named if path.parent.name != "leaving" or path.read_bytes()] == []
    for path in files_below(data_dir):
        content = path.read_bytes()
        assert not any(secret in content for secret in secrets), path.name


@BOTH_DATABASES
def test_a_deleted_study_leaves_no_file_and_no_word(records: Records, engine: Engine, demonstration: Path) -> None:
    drop(records, engine, demonstration)
    (study,) = studies(records)
    with records.reading() as session:
        person = get_people(session, records.keys, [study.id])[study.id]
    assert len(files_below(records.settings.store_dir)) > 49
    delete_study(records, study.id, "console", NOW)
    secrets = [study.study_instance_uid.encode(), person.patient_name.encode(), person.patient_id.encode()]
    nothing_is_left(records, study.id, secrets)


def test_the_same_images_sent_again_are_a_new_study(records: Records, engine: Engine, demonstration: Path) -> None:
    drop(records, engine, demonstration)
    (first,) = studies(records)
    delete_study(records, first.id, "console", NOW)
    again = drop(records, engine, demonstration)
    (second,) = studies(records)
    assert (again.duplicates, again.accepted) == (0, 49)
    assert second.id != first.id


def test_identified_files_that_were_not_settled_go_too(records: Records, engine: Engine, demonstration: Path) -> None:
    """As after a power cut between the commit and the removal of the upload's files."""
    done = drop(records, engine, demonstration)
    records.inbox.open(done.id)
    records.inbox.copy_in(done.id, find_files([demonstration]).files)
    (study,) = studies(records)
    delete_study(records, study.id, "console", NOW)
    nothing_is_left(records, study.id, [study.study_instance_uid.encode()])


def test_a_repair_of_an_upload_does_not_bring_a_deleted_study_back(
    records: Records, engine: Engine, demonstration: Path, tmp_path: Path
) -> None:
    """Two studies came with one upload whose files are still there; one of the studies is deleted, one damaged."""
    folder = some_files(demonstration, tmp_path / "two", slice(0, 6))
    another_study(demonstration, folder)
    done = drop(records, engine, folder)
    deleted, damaged = sorted(studies(records), key=lambda study: study.description)
    records.inbox.open(done.id)
    records.inbox.copy_in(done.id, find_files([folder]).files)
    lost = next(records.store.instances_dir(damaged.id).iterdir())
    lost.unlink()
    with pytest.raises(RecordsError, match="is deleted"):
        delete_study(records, deleted.id, "console", NOW)
    assert records.inbox.exists(done.id), "the files are still needed"
    tidy(records, LATER)
    work(records, engine)
    assert [study.id for study in studies(records)] == [damaged.id]
    assert lost.exists()
    assert records.inbox.upload_ids() == ()


def another_study(demonstration: Path, folder: Path) -> None:
    for path in sorted(demonstration.iterdir())[:3]:
        dataset = pydicom.dcmread(path)
        for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
            setattr(dataset, keyword, f"{dataset[keyword].value}.1")
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        dataset.save_as(folder / f"other-{path.name}")


@pytest.mark.parametrize("moment", ["before decoding", "after decoding"])
def test_a_study_deleted_while_it_is_analysed_is_gone_in_the_end(
    records: Records, engine: Engine, demonstration: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    real = study_job.triage_study

    def deleted_meanwhile(*arguments: Any) -> Any:
        (study,) = studies(records)
        if moment == "before decoding":
            delete_study(records, study.id, "console", NOW)
        result = real(*arguments)
        if moment == "after decoding":
            delete_study(records, study.id, "console", NOW)
        return result

    monkeypatch.setattr(study_job, "triage_study", deleted_meanwhile)
    monkeypatch.setattr("dashboard.work.worker.BEAT_S", 0.01)
    upload = receive_files(records, [demonstration])
    work(records, engine)
    with records.reading() as session:
        assert (worklist(session), open_jobs(session), find_upload(session, upload.id)) == ((), 0, None)
    tidy(records, LATER)
    assert files_below(records.settings.store_dir) == []
    (note,) = records.settings.leaving_dir.iterdir()
    tidy(records, LATER + timedelta(days=1))
    assert not note.exists()


def age(path: Path) -> None:
    moment = (NOW - timedelta(hours=3)).timestamp()
    os.utime(path, (moment, moment))


def test_a_deletion_that_dies_half_way_is_finished_by_housekeeping(
    records: Records, engine: Engine, demonstration: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = drop(records, engine, demonstration)
    (study,) = studies(records)
    records.inbox.open(done.id)

    def die(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(records_retention, "_delete_files", die)
    with pytest.raises(KeyboardInterrupt):
        delete_study(records, study.id, "console", NOW)
    assert files_below(records.settings.store_dir) != []
    for path in [*records.settings.store_dir.iterdir(), *records.settings.inbox_dir.rglob("*")]:
        age(path)
    tidy(records, LATER)
    nothing_is_left(records, study.id, [study.study_instance_uid.encode()])
    assert records.inbox.upload_ids() == ()


def test_files_of_a_young_upload_are_left_to_it(records: Records, engine: Engine, demonstration: Path) -> None:
    """Deleting one study takes nothing from an upload that is being received."""
    drop(records, engine, demonstration)
    (study,) = studies(records)
    waiting = receive_files(records, [demonstration])
    delete_study(records, study.id, "console", NOW)
    work(records, engine)
    with records.reading() as session:
        assert get_upload(session, waiting.id).state is UploadState.DONE
    assert len(studies(records)) == 1


def test_pictures_on_screen_outlive_the_deletion(records: Records, engine: Engine, demonstration: Path) -> None:
    """Whoever looks at a study when it is deleted sees it to the end: memory maps do not break."""
    drop(records, engine, demonstration)
    (study,) = studies(records)
    with records.reading() as session:
        finding = get_finding(session, study.current_finding_id)
    assert finding is not None
    opened = read_study(records.finding_dir(finding))
    delete_study(records, study.id, "console", NOW)
    assert opened.series[0].volumes[0].voxels.sum() >= 0
