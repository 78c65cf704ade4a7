"""Users: persons who have signed in, and what each may do. Who they are is stored encrypted."""

import hashlib
import hmac
import json
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dashboard.errors import NotAllowed, RecordsError
from dashboard.records.keys import Keys
from dashboard.records.model import Role, User, new_id
from dashboard.records.tables import UserRow

LAST_ADMIN = "The last administrator stays one: make somebody else an administrator first."


def sign_in(
    session: Session,
    keys: Keys,
    issuer: str,
    subject: str,
    name: str,
    email: str,
    issued_at: datetime,
    first_role: Role,
) -> User:
    """The user who signed in; made on the first time with `first_role`, which later times do not change.

    Parameters
    ----------
    issuer, subject
        What the identity provider calls itself and the person; kept as one keyed hash.
    name, email
        As the provider tells them now; they replace the former ones.
    issued_at
        When this sign-in was by the provider's clock, by which alone it is told from the former one.

    Raises
    ------
    RecordsError
        The provider names nobody.
    """
    if not issuer or not subject:
        raise RecordsError("The sign-in names nobody; sign in again, or have the identity provider checked.")
    login_hash = _login_hash(keys, issuer, subject)
    person = keys.encrypt(json.dumps({"name": name, "email": email}))
    row = _by_login(session, login_hash)
    if row is None:
        row = _add(session, login_hash, person, issued_at, first_role)
    row.person, row.seen_at = person, issued_at
    session.flush()
    return _user(keys, row)


def get_user(session: Session, keys: Keys, user_id: str) -> User | None:
    """The user of this id, or None."""
    row = session.get(UserRow, user_id)
    return None if row is None else _user(keys, row)


def find_user(session: Session, keys: Keys, issuer: str, subject: str) -> User | None:
    """The user whom a provider calls `subject`, or None for somebody who has never signed in."""
    row = _by_login(session, _login_hash(keys, issuer, subject))
    return None if row is None else _user(keys, row)


def list_users(session: Session, keys: Keys) -> tuple[User, ...]:
    """All users in the order of their first sign-in."""
    return tuple(_user(keys, row) for row in session.scalars(select(UserRow).order_by(UserRow.created_at, UserRow.id)))


def set_role(session: Session, user_id: str, role: Role, now: datetime) -> None:
    """Change what a user may do.

    Raises
    ------
    NotAllowed
        Nobody could administer the site any more.
    RecordsError
        There is no such user.
    """
    row = _row(session, user_id)
    if role is not Role.ADMIN:
        _refuse_if_last_admin(session, row)
    row.role = role.value
    session.flush()


def disable_user(session: Session, user_id: str, now: datetime) -> None:
    """Shut a user out; who they are and what they did stays on record.

    Raises
    ------
    NotAllowed
        Nobody could administer the site any more.
    RecordsError
        There is no such user.
    """
    row = _row(session, user_id)
    _refuse_if_last_admin(session, row)
    row.disabled_at = row.disabled_at or now
    session.flush()


def enable_user(session: Session, user_id: str, now: datetime) -> None:
    """Let a user in again, with the role they had.

    Raises
    ------
    RecordsError
        There is no such user.
    """
    _row(session, user_id).disabled_at = None
    session.flush()


def _login_hash(keys: Keys, issuer: str, subject: str) -> str:
    return hmac.new(keys.site_secret, f"{issuer}\0{subject}".encode(), hashlib.sha256).hexdigest()


def _by_login(session: Session, login_hash: str) -> UserRow | None:
    return session.scalar(select(UserRow).where(UserRow.login_hash == login_hash))


def _add(session: Session, login_hash: str, person: bytes, at: datetime, role: Role) -> UserRow:
    row = UserRow(id=new_id(), login_hash=login_hash, person=person, role=role.value, created_at=at, seen_at=at)
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        # Signed in for the first time twice at once.
        other = _by_login(session, login_hash)
        if other is None:
            raise
        return other
    return row


def _row(session: Session, user_id: str) -> UserRow:
    row = session.get(UserRow, user_id)
    if row is None:
        raise RecordsError("This user is not known here.")
    return row


def _refuse_if_last_admin(session: Session, row: UserRow) -> None:
    # Locked together, so that two administrators cannot take each other's place away at once.
    query = (
        select(UserRow)
        .where(UserRow.role == Role.ADMIN.value, UserRow.disabled_at.is_(None))
        .order_by(UserRow.id)
        .with_for_update()
    )
    if [admin.id for admin in session.scalars(query)] == [row.id]:
        raise NotAllowed(LAST_ADMIN)


def _user(keys: Keys, row: UserRow) -> User:
    person = json.loads(keys.decrypt(row.person))
    return User(
        id=row.id,
        name=person["name"],
        email=person["email"],
        role=Role(row.role),
        created_at=row.created_at,
        seen_at=row.seen_at,
        disabled_at=row.disabled_at,
    )
