"""Uploads: from the first byte to the studies they became."""

import hmac
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from dashboard.errors import NotAllowed, RecordsError
from dashboard.ingest import ReadProgress
from dashboard.records.model import StoredRejection, Upload, UploadState, new_id
from dashboard.records.tables import UploadRow
from dashboard.records.tokens import new_token, token_hash


def add_upload(session: Session, now: datetime, synthetic: bool = False) -> tuple[Upload, str]:
    """Open an upload; return it with the secret its sender must show. Only the secret's hash is kept."""
    token = new_token()
    row = UploadRow(
        id=new_id(),
        token_hash=token_hash(token),
        state=UploadState.RECEIVING,
        synthetic=synthetic,
        created_at=now,
        rejections=[],
    )
    session.add(row)
    session.flush()
    return _upload(row), token


def get_upload(session: Session, upload_id: str) -> Upload:
    """Look an upload up.

    Raises
    ------
    RecordsError
        There is none of this id.
    """
    return _upload(_row(session, upload_id))


def find_upload(session: Session, upload_id: str) -> Upload | None:
    """The upload of this id, or None."""
    row = session.get(UploadRow, upload_id)
    return None if row is None else _upload(row)


def check_token(session: Session, upload_id: str, token: str) -> Upload:
    """Look an upload up for its sender.

    Raises
    ------
    NotAllowed
        The upload does not exist or the token is not its token; a stranger cannot tell which.
    """
    row = session.get(UploadRow, upload_id)
    expected = row.token_hash if row is not None else token_hash("")
    if not hmac.compare_digest(expected, token_hash(token)) or row is None:
        raise NotAllowed("This upload is not known here; start it again.")
    return _upload(row)


def list_uploads(session: Session, states: Iterable[UploadState] = (), limit: int = 50) -> tuple[Upload, ...]:
    """Newest uploads first, of the given states or of all."""
    query = select(UploadRow).order_by(UploadRow.created_at.desc(), UploadRow.id).limit(limit)
    wanted = [state.value for state in states]
    if wanted:
        query = query.where(UploadRow.state.in_(wanted))
    return tuple(_upload(row) for row in session.scalars(query))


def mark_received(session: Session, upload_id: str, files: int, size_bytes: int, now: datetime) -> Upload:
    """All bytes are on the disk."""
    row = _row(session, upload_id)
    row.state = UploadState.RECEIVED
    row.files_received, row.bytes_received, row.received_at = files, size_bytes, now
    return _upload(row)


def note_progress(session: Session, upload_id: str, progress: ReadProgress) -> None:
    """Keep how far reading has come."""
    session.execute(
        update(UploadRow)
        .where(UploadRow.id == upload_id)
        .values(
            state=UploadState.READING.value,
            files_done=progress.files_done,
            bytes_done=progress.bytes_done,
            accepted=progress.accepted,
            rejected=progress.rejected,
        )
    )


def mark_done(
    session: Session,
    upload_id: str,
    now: datetime,
    *,
    studies: int,
    accepted: int,
    duplicates: int,
    rejections: Sequence[StoredRejection],
) -> Upload:
    """Reading is over and every study it found is in the database."""
    row = _row(session, upload_id)
    row.state, row.finished_at = UploadState.DONE, now
    row.files_done, row.bytes_done = row.files_received, row.bytes_received
    row.studies, row.accepted, row.duplicates = studies, accepted, duplicates
    row.rejected = len(rejections)
    row.rejections = [asdict(item) for item in rejections]
    row.reason = "" if studies else "None of these files belongs to a study that could be read."
    return _upload(row)


def mark_failed(session: Session, upload_id: str, reason: str, now: datetime) -> Upload:
    """The upload ended without being read."""
    row = _row(session, upload_id)
    row.state, row.reason, row.finished_at = UploadState.FAILED, reason, now
    return _upload(row)


def _row(session: Session, upload_id: str) -> UploadRow:
    row = session.get(UploadRow, upload_id)
    if row is None:
        raise RecordsError("This upload is not known here; start it again.")
    return row


def _upload(row: UploadRow) -> Upload:
    return Upload(
        id=row.id,
        state=UploadState(row.state),
        synthetic=row.synthetic,
        created_at=row.created_at,
        received_at=row.received_at,
        finished_at=row.finished_at,
        files_received=row.files_received or 0,
        bytes_received=row.bytes_received or 0,
        files_done=row.files_done or 0,
        bytes_done=row.bytes_done or 0,
        accepted=row.accepted or 0,
        rejected=row.rejected or 0,
        duplicates=row.duplicates or 0,
        studies=row.studies or 0,
        reason=row.reason or "",
        rejections=tuple(StoredRejection(**item) for item in row.rejections),
    )
