"""Uploads answer to their token only."""

from datetime import UTC, datetime

import pytest

from dashboard.errors import NotAllowed, RecordsError
from dashboard.ingest import ReadProgress
from dashboard.records import (
    Records,
    StoredRejection,
    UploadState,
    add_upload,
    check_token,
    claim_job,
    get_upload,
    list_uploads,
    mark_done,
    mark_failed,
    new_id,
    note_progress,
)
from dashboard.records.tables import UploadRow

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_token_opens_its_upload_only(records: Records) -> None:
    with records.writing() as session:
        upload, token = add_upload(session, NOW)
        _, other_token = add_upload(session, NOW)
    with records.reading() as session:
        assert check_token(session, upload.id, token).id == upload.id
        for upload_id, wrong in ((upload.id, other_token), (upload.id, ""), (new_id(), token), (new_id(), "")):
            with pytest.raises(NotAllowed, match="not known"):
                check_token(session, upload_id, wrong)


def test_token_is_not_stored(records: Records) -> None:
    with records.writing() as session:
        upload, token = add_upload(session, NOW)
    with records.reading() as session:
        row = session.get(UploadRow, upload.id)
        assert row is not None
        assert token not in str(vars(row))


def test_receiving_queues_the_reading(records: Records) -> None:
    with records.writing() as session:
        upload, _ = add_upload(session, NOW, synthetic=True)
        records.inbox.open(upload.id)
        received = records.receive(session, upload.id, NOW)
        job = claim_job(session, "worker", NOW)
    assert (received.state, received.synthetic, received.received_at) == (UploadState.RECEIVED, True, NOW)
    assert job is not None
    assert job.subject_id == upload.id


def test_progress_and_end_are_kept(records: Records) -> None:
    with records.writing() as session:
        upload, _ = add_upload(session, NOW)
        note_progress(session, upload.id, ReadProgress(3, 300, 2, 1))
    with records.reading() as session:
        assert get_upload(session, upload.id).state is UploadState.READING
        assert get_upload(session, upload.id).accepted == 2
    lost = StoredRejection("file 1", "damaged")
    with records.writing() as session:
        mark_done(session, upload.id, NOW, studies=1, accepted=2, duplicates=1, rejections=[lost])
    with records.reading() as session:
        (done,) = list_uploads(session, [UploadState.DONE])
    assert (done.studies, done.duplicates, done.rejected, done.rejections) == (1, 1, 1, (lost,))


def test_an_upload_without_a_study_says_so(records: Records) -> None:
    with records.writing() as session:
        upload, _ = add_upload(session, NOW)
        done = mark_done(session, upload.id, NOW, studies=0, accepted=0, duplicates=0, rejections=[])
    assert "None of these files" in done.reason


def test_failure_is_kept_in_words(records: Records) -> None:
    with records.writing() as session:
        upload, _ = add_upload(session, NOW)
        assert mark_failed(session, upload.id, "broke off", NOW).reason == "broke off"


def test_unknown_upload_is_named(records: Records) -> None:
    with pytest.raises(RecordsError, match="not known"), records.reading() as session:
        get_upload(session, new_id())
