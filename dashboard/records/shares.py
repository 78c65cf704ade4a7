"""Share links: one study, read-only, for a while. Of a link's token only a hash is kept."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from dashboard.errors import NotAllowed, RecordsError
from dashboard.records.model import Share, ShareState, new_id
from dashboard.records.studies import study_row
from dashboard.records.tables import ShareRow
from dashboard.records.tokens import new_token, token_hash

LONGEST_KIND = 16
LONGEST_LIFETIME = timedelta(days=366)
# The same words for every reason: a stranger learns nothing by trying.
CANNOT_BE_OPENED = "This link cannot be opened."


def add_share(
    session: Session, study_id: str, kind: str, team_only: bool, author: str, now: datetime, lifetime: timedelta
) -> tuple[Share, str]:
    """Make a link to a study.

    Parameters
    ----------
    kind
        A word for the list of links, such as "instant" or "publication".
    team_only
        Whether whoever opens it must be signed in; checked by the caller of :func:`open_share`.
    lifetime
        How long it opens, a year at most.

    Returns
    -------
    share, token
        The token is told once and cannot be looked up again.

    Raises
    ------
    RecordsError
        There is no such study, or the lifetime is none.
    """
    if not timedelta(0) < lifetime <= LONGEST_LIFETIME:
        raise RecordsError(f"A link opens for a while, {LONGEST_LIFETIME.days} days at most; choose another time.")
    if not 0 < len(kind) <= LONGEST_KIND:
        raise RecordsError("A link needs its kind, in one short word.")
    study_row(session, study_id)
    token = new_token()
    row = ShareRow(
        id=new_id(),
        token_hash=token_hash(token),
        study_id=study_id,
        kind=kind,
        team_only=team_only,
        author=author,
        created_at=now,
        expires_at=now + lifetime,
        opened_count=0,
    )
    session.add(row)
    session.flush()
    return _share(row, now), token


def open_share(session: Session, token: str, now: datetime) -> Share:
    """The share of a token, counted as opened.

    Raises
    ------
    NotAllowed
        The token is unknown, expired or revoked; a stranger cannot tell which.
    """
    row = session.scalar(select(ShareRow).where(ShareRow.token_hash == token_hash(token)))
    if row is None or _state(row, now) is not ShareState.ACTIVE:
        raise NotAllowed(CANNOT_BE_OPENED)
    row.opened_at, row.opened_count = now, row.opened_count + 1
    session.flush()
    return _share(row, now)


def get_share(session: Session, share_id: str, now: datetime) -> Share | None:
    """The link of this id, or None."""
    row = session.get(ShareRow, share_id)
    return None if row is None else _share(row, now)


def list_shares(session: Session, study_id: str | None, now: datetime, author: str | None = None) -> tuple[Share, ...]:
    """Links to one study, or to all, newest first; of one author where one is named."""
    query = select(ShareRow).order_by(ShareRow.created_at.desc(), ShareRow.id)
    if study_id is not None:
        query = query.where(ShareRow.study_id == study_id)
    if author is not None:
        query = query.where(ShareRow.author == author)
    return tuple(_share(row, now) for row in session.scalars(query))


def revoke_share(session: Session, share_id: str, now: datetime) -> Share:
    """Close a link for good; closing it again changes nothing.

    Raises
    ------
    RecordsError
        There is no such link.
    """
    row = session.get(ShareRow, share_id)
    if row is None:
        raise RecordsError("This link is not here; its study may have been deleted.")
    row.revoked_at = row.revoked_at or now
    session.flush()
    return _share(row, now)


def _state(row: ShareRow, now: datetime) -> ShareState:
    if row.revoked_at is not None:
        return ShareState.REVOKED
    return ShareState.ACTIVE if now < row.expires_at else ShareState.EXPIRED


def _share(row: ShareRow, now: datetime) -> Share:
    return Share(
        id=row.id,
        study_id=row.study_id,
        kind=row.kind,
        team_only=row.team_only,
        author=row.author,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        opened_at=row.opened_at,
        opened_count=row.opened_count,
        state=_state(row, now),
    )
