"""Administrators' work on users: roles, and ending or restoring access. Each change is noted in the audit log."""

from datetime import datetime

from dashboard.errors import NotAllowed
from dashboard.records import Records, Role, User, disable_user, enable_user, list_users, note, set_role
from dashboard.sharing.access import RIGHTS, Person, Right, require
from dashboard.sharing.links import close_links_of

OWN_ACCESS = "You cannot change your own access; another administrator can."


def team(records: Records, person: Person) -> tuple[User, ...]:
    """Everybody who has ever signed in.

    Raises
    ------
    NotAllowed
        The person is no administrator.
    """
    require(person, Right.ADMINISTER)
    with records.reading() as session:
        return list_users(session, records.keys)


def change_role(records: Records, person: Person, user_id: str, role: Role, now: datetime) -> None:
    """Give a user another role; it counts from their next click on, and ends their links unless it may share.

    Raises
    ------
    NotAllowed
        The person is no administrator, changes their own role, or would leave nobody to administer.
    """
    _check(person, user_id)
    with records.writing() as session:
        set_role(session, user_id, role, now)
        note(session, records.keys, person.id, "set_role", user_id, {"role": role.value}, now)
        if Right.SHARE not in RIGHTS[role]:
            close_links_of(session, records.keys, person, user_id, now)


def disable(records: Records, person: Person, user_id: str, now: datetime) -> None:
    """End a user's access and their links; it counts from their next click on.

    Raises
    ------
    NotAllowed
        The person is no administrator, or ends their own access.
    """
    _check(person, user_id)
    with records.writing() as session:
        disable_user(session, user_id, now)
        note(session, records.keys, person.id, "disable_user", user_id, {}, now)
        close_links_of(session, records.keys, person, user_id, now)


def enable(records: Records, person: Person, user_id: str, now: datetime) -> None:
    """Restore a user's access with the role they had; links stay closed.

    Raises
    ------
    NotAllowed
        The person is no administrator.
    """
    _check(person, user_id)
    with records.writing() as session:
        enable_user(session, user_id, now)
        note(session, records.keys, person.id, "enable_user", user_id, {}, now)


def _check(person: Person, user_id: str) -> None:
    require(person, Right.ADMINISTER)
    if person.id == user_id:
        raise NotAllowed(OWN_ACCESS)
