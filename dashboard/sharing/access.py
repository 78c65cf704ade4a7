"""Persons and rights: who may do what. Whoever is not named here may do nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from dashboard.errors import NotAllowed
from dashboard.records import Role, User


class Right(StrEnum):
    """Something a person may be allowed to do; the value completes "You may not ...".

    ``SEE_IDENTITY`` is apart from ``SEE_STUDY``: a viewer works with studies whose patients are not named.
    """

    SEE_LIST = "see the worklist"
    SEE_STUDY = "see this study"
    SEE_IDENTITY = "see who the patient is"
    UPLOAD = "add studies"
    READ = "give a reading"
    SHARE = "share studies"
    EXPORT = "export studies"
    DELETE = "delete studies"
    ADMINISTER = "manage users"
    SEE_AUDIT = "see the audit log"


_VIEWER = frozenset({Right.SEE_LIST, Right.SEE_STUDY})
_READER = _VIEWER | {Right.SEE_IDENTITY, Right.UPLOAD, Right.READ, Right.SHARE, Right.EXPORT}
RIGHTS: Mapping[Role, frozenset[Right]] = {
    Role.NONE: frozenset(),
    Role.VIEWER: _VIEWER,
    Role.READER: _READER,
    Role.ADMIN: _READER | {Right.DELETE, Right.ADMINISTER, Right.SEE_AUDIT},
}


@dataclass(frozen=True)
class Person:
    """Who asks.

    Attributes
    ----------
    id
        What the audit log calls them: "console", a user's id, or "share:" and a share's id; empty for a stranger.
    name
        For the screen; empty where there is none.
    study_id
        The only study the holder of a share link may see; None for everybody else.
    disabled
        An administrator has ended their access.
    """

    id: str
    name: str = field(repr=False)
    role: Role
    study_id: str | None = None
    disabled: bool = False


CONSOLE = Person("console", "", Role.ADMIN)
STRANGER = Person("", "", Role.NONE)


def person_of(user: User) -> Person:
    """Somebody who has signed in, with the role they have at this moment."""
    return Person(user.id, user.name or user.email, user.role, disabled=user.disabled_at is not None)


def guest(share_id: str, study_id: str) -> Person:
    """The holder of a share link: sees one study, and not who the patient is."""
    return Person(f"share:{share_id}", "", Role.NONE, study_id)


def may(person: Person, right: Right, study_id: str | None = None) -> bool:
    """Whether `person` may; name the study where the right is about one, since a guest may see one only."""
    if person.disabled:
        return False
    if person.study_id is not None:
        return right is Right.SEE_STUDY and study_id == person.study_id
    return right in RIGHTS[person.role]


def require(person: Person, right: Right, study_id: str | None = None) -> None:
    """Let `person` pass.

    Raises
    ------
    NotAllowed
        They may not; the message says what, and nothing of what there is to see.
    """
    if not may(person, right, study_id):
        raise NotAllowed(f"You may not {right.value}.")
