"""Share links: making, opening, looking again at every turn, closing. Each step is noted in the audit log."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from dashboard.errors import NotAllowed
from dashboard.records import (
    CANNOT_BE_OPENED,
    Keys,
    Records,
    Session,
    Share,
    ShareState,
    add_share,
    get_share,
    get_user,
    list_shares,
    note,
    open_share,
    revoke_share,
)
from dashboard.sharing.access import CONSOLE, STRANGER, Person, Right, guest, may, person_of, require


class LinkKind(StrEnum):
    """How long a link is for."""

    INSTANT = "instant"
    PUBLICATION = "publication"


LIFETIMES: Mapping[LinkKind, timedelta] = {
    LinkKind.INSTANT: timedelta(minutes=15),
    LinkKind.PUBLICATION: timedelta(days=7),
}


def make_link(
    records: Records, person: Person, study_id: str, kind: LinkKind, team_only: bool, now: datetime
) -> tuple[Share, str]:
    """Make a link to a study; return it with its token, which nobody can look up again.

    Raises
    ------
    NotAllowed
        The person may not share.
    RecordsError
        There is no such study.
    """
    require(person, Right.SHARE)
    with records.writing() as session:
        share, token = add_share(session, study_id, kind.value, team_only, person.id, now, LIFETIMES[kind])
        details = {"share": share.id, "kind": kind.value, "team_only": team_only}
        note(session, records.keys, person.id, "share", study_id, details, now)
    return share, token


def open_link(records: Records, person: Person, token: str, now: datetime) -> Person:
    """The guest that the holder of `token` becomes.

    Raises
    ------
    NotAllowed
        The token is unknown, expired, revoked, its author may not share any more, or it is for the team and `person`
        is not of it: always the same words.
    """
    with records.writing() as session:
        share = open_share(session, token, now)
        # Leaving the block by an error takes the counted opening back, too.
        _require_open(session, records.keys, share, person)
        details = {"share": share.id, **({"by": person.id} if person.id else {})}
        note(session, records.keys, f"share:{share.id}", "open_share", share.study_id, details, now)
    return guest(share.id, share.study_id)


def check_link(records: Records, person: Person, share_id: str, now: datetime) -> Person:
    """Look again whether an opened link still opens: at every turn, by the server's clock.

    Raises
    ------
    NotAllowed
        It does not any more.
    """
    with records.reading() as session:
        share = get_share(session, share_id, now)
        if share is None or share.state is not ShareState.ACTIVE:
            raise NotAllowed(CANNOT_BE_OPENED)
        _require_open(session, records.keys, share, person)
    return guest(share.id, share.study_id)


def links_of(records: Records, person: Person, now: datetime, study_id: str | None = None) -> tuple[Share, ...]:
    """Links to one study, or to all: an administrator sees everybody's, others their own.

    Raises
    ------
    NotAllowed
        The person may not share.
    """
    require(person, Right.SHARE)
    author = None if may(person, Right.ADMINISTER) else person.id
    with records.reading() as session:
        return list_shares(session, study_id, now, author)


def close_link(records: Records, person: Person, share_id: str, now: datetime) -> None:
    """Revoke a link of one's own; an administrator revokes anybody's.

    Raises
    ------
    NotAllowed
        The link is somebody else's, or not here: the same words.
    """
    require(person, Right.SHARE)
    with records.writing() as session:
        share = get_share(session, share_id, now)
        if share is None or (share.author != person.id and not may(person, Right.ADMINISTER)):
            raise NotAllowed("This link is not yours to revoke.")
        _close(session, records.keys, person, share, now)


def close_links_of(session: Session, keys: Keys, person: Person, author_id: str, now: datetime) -> None:
    """Revoke every link of somebody who may not share any more, on behalf of `person`."""
    for share in list_shares(session, None, now, author_id):
        if share.state is ShareState.ACTIVE:
            _close(session, keys, person, share, now)


def _close(session: Session, keys: Keys, person: Person, share: Share, now: datetime) -> None:
    revoke_share(session, share.id, now)
    note(session, keys, person.id, "revoke_share", share.study_id, {"share": share.id}, now)


def _require_open(session: Session, keys: Keys, share: Share, person: Person) -> None:
    """Refuse a link that is for the team only to others, and one whose author may not share any more to everybody."""
    if not may(_author(session, keys, share), Right.SHARE) or (share.team_only and not may(person, Right.SEE_STUDY)):
        raise NotAllowed(CANNOT_BE_OPENED)


def _author(session: Session, keys: Keys, share: Share) -> Person:
    if share.author == CONSOLE.id:
        return CONSOLE
    user = get_user(session, keys, share.author)
    return STRANGER if user is None else person_of(user)
