"""A deleted study is gone from every table but the audit log, and nothing else goes with it."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from dashboard.errors import RecordsError
from dashboard.ingest import Identity
from dashboard.records import (
    JobKind,
    Records,
    Said,
    Verdict,
    add_content,
    add_job,
    add_reading,
    add_share,
    add_upload,
    claim_job,
    delete_expired,
    delete_study,
    end_job,
    find_upload,
    get_study,
    keep_identity,
    mark_done,
    mark_failed,
    new_id,
    open_records,
    set_flag,
    worklist,
)
from dashboard.records.audit import entries, find_fault
from dashboard.records.contents import keep_files
from dashboard.records.tables import AuditHeadRow, AuditRow, Base
from dashboard.settings import load_settings
from tests.postgresql import ONLY_SQLITE
from tests.records.helpers import NOW, found_study

DAY = timedelta(days=1)


def rows(records: Records) -> dict[str, int]:
    """How many rows each table has, the audit log's left out."""
    with records.reading() as session:
        return {
            name: session.scalar(select(func.count()).select_from(table)) or 0
            for name, table in Base.metadata.tables.items()
            if name not in (AuditRow.__tablename__, AuditHeadRow.__tablename__)
        }


def brought(records: Records, *studies: str, received: timedelta = timedelta(0)) -> str:
    """Id of an upload that is done and brought something to each study."""
    with records.writing() as session:
        upload, _ = add_upload(session, NOW + received)
        for study_id in studies:
            add_content(session, study_id, upload.id, [], [])
        mark_done(session, upload.id, NOW + received, studies=1, accepted=1, duplicates=0, rejections=[])
        names = {f"file {study_id}": f"Hopper/{study_id}" for study_id in studies}
        keep_identity(session, records.keys, upload.id, names=names)
        for study_id in studies:
            own = {f"file {study_id}": f"Hopper/{study_id}"}
            keep_identity(session, records.keys, study_id, Identity(patient_name="HOPPER"), names=own)
    records.inbox.open(upload.id)
    for study_id in studies:
        records.store.instances_dir(study_id).mkdir(parents=True, exist_ok=True)
    return upload.id


def complete(records: Records, uid: str = "2.25.1") -> str:
    """Id of a study that has a row of every kind."""
    study_id, finding_id = found_study(records, uid=uid)
    with records.writing() as session:
        add_reading(session, records.keys, study_id, finding_id, "console", Said(Verdict.AGREED), NOW)
        set_flag(session, study_id, "known_cancer", "yes", "console", NOW)
        add_share(session, study_id, "instant", False, "console", NOW, DAY)
    brought(records, study_id)
    path = records.store.instances_dir(study_id) / "1.dcm"
    path.write_bytes(uid.encode())
    keep_files(records, study_id, [path])
    return study_id


def test_everything_of_a_study_goes_and_everything_of_another_stays(records: Records) -> None:
    complete(records)
    before = rows(records)
    assert {name for name, count in before.items() if count == 0} == {"users"}
    other = complete(records, "2.25.2")
    delete_study(records, other, "console", NOW)
    assert rows(records) == before
    with pytest.raises(RecordsError, match="not here"):
        delete_study(records, other, "console", NOW)


def test_one_line_of_the_audit_log_stays(records: Records) -> None:
    study_id = complete(records)
    delete_study(records, study_id, "console", NOW)
    with records.reading() as session:
        (line,) = entries(session)
        assert find_fault(session, records.keys) is None
    assert (line.actor, line.action, line.subject_id) == ("console", "delete_study", study_id)
    assert line.details == {"findings": 1, "readings": 1, "flags": 1, "links": 1, "uploads": 1, "files": 1}


def test_nothing_happens_to_a_study_that_is_not_there(records: Records) -> None:
    with pytest.raises(RecordsError, match="not here"):
        delete_study(records, new_id(), "console", NOW)
    with records.reading() as session:
        assert entries(session) == ()


def test_an_upload_shared_with_another_study_stays_without_the_names_of_the_deleted_one(records: Records) -> None:
    gone, stays = found_study(records)[0], found_study(records, uid="2.25.2")[0]
    upload_id = brought(records, gone, stays)
    delete_study(records, gone, "console", NOW)
    with records.reading() as session:
        assert find_upload(session, upload_id) is not None
        names = records.identity(session, upload_id).details.names
    assert names == {f"file {stays}": f"Hopper/{stays}"}
    delete_study(records, stays, "console", NOW)
    with records.reading() as session:
        assert find_upload(session, upload_id) is None
    assert records.inbox.upload_ids() == ()


def test_jobs_of_a_deleted_study_are_nobodys(records: Records) -> None:
    study_id, _ = found_study(records)
    with records.writing() as session:
        add_job(session, JobKind.TRIAGE_STUDY, study_id, NOW)
        running = claim_job(session, "worker", NOW)
        add_job(session, JobKind.TRIAGE_STUDY, study_id, NOW)
    assert running is not None
    delete_study(records, study_id, "console", NOW)
    with records.writing() as session:
        assert not end_job(session, running, NOW)
        assert claim_job(session, "worker", NOW) is None


@ONLY_SQLITE
def test_what_was_deleted_cannot_be_read_in_the_database_file_or_beside_it(records: Records) -> None:
    study_id = complete(records, "2.25.4711")
    with records.reading() as session:
        secrets = [study_id.encode(), b"2.25.4711"]
        person = session.scalars(select(Base.metadata.tables["identities"].c.person)).all()
    delete_study(records, study_id, "console", NOW)
    found = b"".join(path.read_bytes() for path in records.settings.data_dir.glob("triage.sqlite3*"))
    # Its id stands in the one line that stays.
    assert found.count(secrets[0]) <= 2
    assert secrets[1] not in found
    assert all(bytes(token) not in found for token in person)


def policy(records: Records, days: int) -> Records:
    return open_records(
        load_settings(
            {
                "TRIAGE_DATA_DIR": str(records.settings.data_dir),
                "TRIAGE_DATABASE_URL": records.settings.database_url,
                "TRIAGE_RETENTION_DAYS": str(days),
            }
        )
    )


def test_without_a_policy_everything_stays(records: Records) -> None:
    complete(records)
    assert delete_expired(records, NOW + 10_000 * DAY) == 0
    with records.reading() as session:
        assert len(worklist(session)) == 1


def test_the_policy_deletes_what_is_older_and_says_that_it_did(records: Records) -> None:
    study_id = complete(records)
    site = policy(records, 30)
    try:
        assert delete_expired(site, NOW + 30 * DAY) == 0
        assert delete_expired(site, NOW + 30 * DAY + timedelta(seconds=1)) == 1
        with site.reading() as session:
            assert worklist(session) == ()
            assert [(line.actor, line.subject_id) for line in entries(session)] == [("system", study_id)]
    finally:
        site.close()


def test_images_that_came_later_keep_their_study(records: Records) -> None:
    study_id = complete(records)
    brought(records, study_id, received=20 * DAY)
    site = policy(records, 30)
    try:
        assert delete_expired(site, NOW + 31 * DAY) == 0
        assert delete_expired(site, NOW + 51 * DAY) == 1
    finally:
        site.close()


def test_uploads_that_gave_no_study_go_with_the_policy(records: Records) -> None:
    with records.writing() as session:
        failed, done, receiving = (add_upload(session, NOW)[0].id for _ in range(3))
        mark_failed(session, failed, "broken", NOW)
        mark_done(session, done, NOW, studies=0, accepted=0, duplicates=0, rejections=[])
        keep_identity(session, records.keys, done, names={"file 1": "Hopper/IM1"})
    records.inbox.open(failed)
    site = policy(records, 30)
    try:
        delete_expired(site, NOW + 31 * DAY)
        with site.reading() as session:
            assert [find_upload(session, upload_id) is None for upload_id in (failed, done, receiving)] == [
                True,
                True,
                False,
            ]
            assert site.identity(session, done).details.names == {}
        assert site.inbox.upload_ids() == ()
    finally:
        site.close()


def test_a_study_whose_files_cannot_be_removed_yet_is_deleted_and_says_so(
    records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    study_id = complete(records)

    def refuse(*arguments: object) -> None:
        raise RecordsError("The store cannot be read or written: read-only.")

    monkeypatch.setattr("dashboard.records.store.Store.remove_study", refuse)
    with pytest.raises(RecordsError, match=r"is deleted\. Some of its files"):
        delete_study(records, study_id, "console", NOW)
    with pytest.raises(RecordsError, match="not here"), records.reading() as session:
        get_study(session, study_id)
