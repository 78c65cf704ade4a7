"""Two machines with one database and one store: what one receives the other analyses, and both can show."""

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from dashboard.records import (
    Finding,
    Records,
    UploadState,
    claim_job,
    delete_study,
    get_finding,
    get_upload,
    open_records,
    read_masks,
    read_study,
    settle_upload,
)
from dashboard.records.keys import IDENTITY_KEY_FILE, SITE_SECRET_FILE
from dashboard.settings import load_settings
from dashboard.work import receive_files
from dashboard.work.engine import Engine
from dashboard.work.housekeeping import tidy
from dashboard.work.upload_job import read_upload
from dashboard.work.worker import Worker
from tests.postgresql import BOTH_DATABASES
from tests.work.test_worker import studies, work

NOW = datetime.now(UTC)


@pytest.fixture
def machines(tmp_path: Path, models_dir: Path, database_url: str) -> Iterator[list[Records]]:
    opened = []
    for name in ("one", "two"):
        data_dir = tmp_path / name
        data_dir.mkdir()
        if opened:
            for key in (SITE_SECRET_FILE, IDENTITY_KEY_FILE):
                shutil.copy(opened[0].settings.data_dir / key, data_dir)
        environment = {
            "TRIAGE_DATA_DIR": str(data_dir),
            "TRIAGE_MODELS_DIR": str(models_dir),
            "TRIAGE_DATABASE_URL": database_url or f"sqlite:///{tmp_path}/shared.sqlite3",
            "TRIAGE_STORE_URL": f"file://{tmp_path}/elsewhere",
        }
        opened.append(open_records(load_settings(environment)))
    yield opened
    for one in opened:
        one.close()


def finding_of(records: Records) -> Finding:
    (study,) = studies(records)
    with records.reading() as session:
        finding = get_finding(session, study.current_finding_id)
    assert finding is not None
    return finding


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@BOTH_DATABASES
def test_what_was_dropped_is_read_where_it_lies(machines: list[Records], engine: Engine, demonstration: Path) -> None:
    one, two = machines
    upload = receive_files(one, [demonstration])
    worker = Worker(two, engine)
    worker.open()
    try:
        assert not worker.turn()
    finally:
        worker.close()
    with two.reading() as session:
        assert get_upload(session, upload.id).state is UploadState.RECEIVED
    work(one, engine)
    with one.reading() as session:
        assert get_upload(session, upload.id).studies == len(studies(two)) == 1


@BOTH_DATABASES
def test_what_one_machine_receives_another_analyses_and_both_show(
    machines: list[Records], engine: Engine, demonstration: Path, tmp_path: Path
) -> None:
    one, two = machines
    upload = receive_files(one, [demonstration])
    with one.writing() as session:
        job = claim_job(session, "one", NOW)
    assert job is not None
    read_upload(one, job, engine)
    settle_upload(one, upload.id)
    assert files_below(two.settings.store_dir) == []
    work(two, engine)
    shown = []
    for machine in machines:
        folder = machine.finding_dir(finding_of(machine))
        volumes = [volume.voxels for series in read_study(folder).series for volume in series.volumes]
        assert all(isinstance(voxels, np.memmap) for voxels in volumes)
        shown.append([np.array(item) for item in (*volumes, *next(iter(read_masks(folder).values())))])
    assert all(np.array_equal(here, there) for here, there in zip(*shown, strict=True))

    (study,) = studies(one)
    delete_study(one, study.id, "console", NOW)
    assert files_below(tmp_path / "elsewhere") == files_below(one.settings.store_dir) == []
    # The other machine's copies go with its housekeeping, whenever that comes round.
    for hours in (2, 27, 54):
        for path in two.settings.store_dir.iterdir():
            os.utime(path, (0, 0))
        tidy(two, NOW + timedelta(hours=hours))
    assert files_below(two.settings.store_dir) == []
