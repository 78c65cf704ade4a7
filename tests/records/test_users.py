"""A user is made at the first sign-in, keeps the role somebody gives, and lies encrypted."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from dashboard.errors import NotAllowed, RecordsError
from dashboard.records import (
    Records,
    Role,
    User,
    disable_user,
    enable_user,
    get_user,
    list_users,
    new_id,
    set_role,
    sign_in,
)
from dashboard.records.tables import UserRow
from tests.records.helpers import NOW

LATER = NOW + timedelta(hours=1)


def enter(records: Records, subject: str, first_role: Role = Role.NONE, name: str = "Grace Hopper") -> User:
    with records.writing() as session:
        return sign_in(session, records.keys, "https://id", subject, name, "grace@navy.mil", NOW, first_role)


def test_the_first_sign_in_makes_the_user_and_the_next_finds_it(records: Records) -> None:
    first = enter(records, "4711", Role.READER)
    with records.writing() as session:
        again = sign_in(session, records.keys, "https://id", "4711", "G. Hopper", "", LATER, Role.ADMIN)
    assert (again.id, again.role, again.created_at, again.seen_at) == (first.id, Role.READER, NOW, LATER)
    with records.reading() as session:
        assert list_users(session, records.keys) == (again,)
        assert get_user(session, records.keys, first.id) == again
        assert again.name == "G. Hopper"
        assert get_user(session, records.keys, new_id()) is None


def test_subjects_and_issuers_are_told_apart(records: Records) -> None:
    """Also where issuer and subject joined would be the same text."""
    with records.writing() as session:
        for issuer, subject in (("a", "b"), ("ab", "c"), ("a", "bc"), ("b", "a")):
            sign_in(session, records.keys, issuer, subject, "", "", NOW, Role.NONE)
    with records.reading() as session:
        assert len(list_users(session, records.keys)) == 4


@pytest.mark.parametrize(("issuer", "subject"), [("", "4711"), ("https://id", "")])
def test_a_sign_in_that_names_nobody_is_refused(records: Records, issuer: str, subject: str) -> None:
    with pytest.raises(RecordsError, match="names nobody"), records.writing() as session:
        sign_in(session, records.keys, issuer, subject, "", "", NOW, Role.NONE)


def test_who_a_user_is_lies_encrypted_and_is_not_shown(records: Records) -> None:
    user = enter(records, "subject-4711")
    with records.reading() as session:
        row = session.scalars(select(UserRow)).one()
        stored = str(vars(row))
    for secret in ("Hopper", "navy", "4711", "https://id"):
        assert secret not in stored
        assert secret not in repr(user)


def test_roles_are_given_and_users_shut_out_and_let_in_again(records: Records) -> None:
    enter(records, "admin", Role.ADMIN)
    user = enter(records, "user")
    with records.writing() as session:
        set_role(session, user.id, Role.READER, NOW)
        disable_user(session, user.id, NOW)
        disable_user(session, user.id, LATER)
    with records.reading() as session:
        shut = get_user(session, records.keys, user.id)
    assert shut is not None
    assert (shut.role, shut.disabled_at) == (Role.READER, NOW)
    with records.writing() as session:
        enable_user(session, user.id, LATER)
        assert get_user(session, records.keys, user.id) == replace(user, role=Role.READER)


def test_the_last_administrator_stays(records: Records) -> None:
    first, second = enter(records, "first", Role.ADMIN), enter(records, "second", Role.ADMIN)
    with records.writing() as session:
        disable_user(session, second.id, NOW)
    with pytest.raises(NotAllowed, match="last administrator"), records.writing() as session:
        set_role(session, first.id, Role.READER, NOW)
    with pytest.raises(NotAllowed, match="last administrator"), records.writing() as session:
        disable_user(session, first.id, NOW)
    with records.writing() as session:
        enable_user(session, second.id, NOW)
        set_role(session, first.id, Role.NONE, NOW)


def test_an_unknown_user_is_named(records: Records) -> None:
    with pytest.raises(RecordsError, match="not known"), records.writing() as session:
        set_role(session, new_id(), Role.ADMIN, NOW)
