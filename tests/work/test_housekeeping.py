"""What broke off is cleared in time, and nothing else is."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dashboard.records import (
    JobKind,
    Records,
    UploadState,
    add_job,
    add_upload,
    claim_job,
    get_upload,
    mark_failed,
    new_id,
    open_jobs,
    worklist,
)
from dashboard.work import housekeeping
from dashboard.work.engine import Engine
from dashboard.work.housekeeping import FAILED_KEPT_FOR, tidy
from dashboard.work.local_files import find_files
from tests.work.test_worker import drop, work

NOW = datetime.now(UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def upload(records: Records, created: datetime) -> str:
    with records.writing() as session:
        added, _ = add_upload(session, created)
    records.inbox.open(added.id)
    return added.id


def age(folder: Path, by: timedelta) -> None:
    moment = (NOW - by).timestamp()
    os.utime(folder, (moment, moment))


def test_an_upload_that_broke_off_is_ended_and_cleared(records: Records) -> None:
    old, fresh = upload(records, NOW - DAY - HOUR), upload(records, NOW - HOUR)
    tidy(records, NOW)
    with records.reading() as session:
        assert get_upload(session, old).state is UploadState.FAILED
        assert get_upload(session, fresh).state is UploadState.RECEIVING
    assert records.inbox.upload_ids() == (fresh,)


def test_a_failed_uploads_files_stay_for_another_try(records: Records) -> None:
    upload_id = upload(records, NOW)
    with records.writing() as session:
        mark_failed(session, upload_id, "broken", NOW)
    tidy(records, NOW + FAILED_KEPT_FOR / 2)
    assert records.inbox.exists(upload_id)
    tidy(records, NOW + FAILED_KEPT_FOR)
    assert not records.inbox.exists(upload_id)


def test_files_of_nobody_are_cleared_once_they_are_old(records: Records) -> None:
    upload_id = new_id()
    records.inbox.open(upload_id)
    tidy(records, NOW)
    assert records.inbox.exists(upload_id)
    tidy(records, NOW + 2 * HOUR)
    assert not records.inbox.exists(upload_id)


def test_leftovers_of_the_store_are_cleared_and_studies_stay(
    records: Records, engine: Engine, demonstration: Path
) -> None:
    drop(records, engine, demonstration)
    with records.reading() as session:
        (study,) = worklist(session)
    store = records.store
    kept = sorted(path for path in store.root.rglob("*") if path.is_file())
    left = {
        store.incoming_dir(new_id()): 2 * HOUR,
        store.finding_dir(study.id, new_id()): 2 * HOUR,
        store.root / new_id(): 31 * DAY,
    }
    for folder, old in left.items():
        store.fresh_dir(folder)
        age(folder, old)
    lost = store.fresh_dir(store.root / new_id())
    age(lost, 29 * DAY)
    young = store.fresh_dir(store.incoming_dir(new_id()))
    tidy(records, NOW)
    assert [folder for folder in left if folder.exists()] == []
    assert young.exists()
    assert lost.exists(), "the backup of a database may be older than its files"
    assert sorted(path for path in store.root.rglob("*") if path.is_file()) == kept


@pytest.mark.parametrize("claimed", [True, False])
def test_what_a_worker_reads_an_upload_into_is_no_leftover_however_long_it_takes(
    records: Records, claimed: bool
) -> None:
    with records.writing() as session:
        add_job(session, JobKind.READ_UPLOAD, new_id(), NOW)
        job = claim_job(session, "a worker", NOW)
    assert job is not None
    folder = records.store.fresh_dir(records.store.incoming_dir(job.id if claimed else new_id()))
    age(folder, 3 * HOUR)
    tidy(records, NOW)
    assert folder.exists() is claimed


def test_what_one_step_meets_does_not_keep_the_others_from_their_work(
    records: Records, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def stumble(*_: object) -> None:
        raise UnicodeDecodeError("ascii", b"M\xfcller", 1, 2, "a name")

    monkeypatch.setattr(housekeeping, "sweep_contents", stumble)
    looked_back: list[Records] = []
    monkeypatch.setattr(housekeeping, "remember_audit", looked_back.append)
    tidy(records, NOW)
    assert looked_back == [records]
    assert "UnicodeDecodeError" in caplog.text and "ller" not in caplog.text


def test_an_upload_whose_files_were_not_settled_is_read_again(
    records: Records, engine: Engine, demonstration: Path
) -> None:
    """As after a power cut between the commit and the moment the stored files reached the disk."""
    done = drop(records, engine, demonstration)
    with records.reading() as session:
        (study,) = worklist(session)
    lost = next(records.store.instances_dir(study.id).iterdir())
    lost.unlink()
    records.inbox.open(done.id)
    records.inbox.copy_in(done.id, find_files([demonstration]).files)
    tidy(records, datetime.now(UTC) + 2 * HOUR)
    with records.reading() as session:
        assert open_jobs(session) == 1
    work(records, engine)
    assert lost.exists()
    with records.reading() as session:
        again = get_upload(session, done.id)
    assert (again.state, again.accepted, again.duplicates) == (UploadState.DONE, 49, 0)
    assert records.inbox.upload_ids() == ()
