"""Administrators' work on users."""

from collections.abc import Callable

import pytest

from dashboard.errors import NotAllowed
from dashboard.records import Records, Role, ShareState, audit_entries
from dashboard.sharing import (
    STRANGER,
    LinkKind,
    Person,
    change_role,
    check_link,
    disable,
    enable,
    links_of,
    make_link,
    open_link,
    recognise,
    team,
)
from tests.sharing.conftest import NOW, claims_of

Member = Callable[..., Person]


def seen(records: Records, subject: str) -> Person:
    assert records.settings.sign_in is not None
    return recognise(records, claims_of(subject), records.settings.sign_in, NOW)


def test_a_role_counts_at_once(records: Records, member: Member) -> None:
    admin, other = member(Role.ADMIN), member(Role.NONE)
    change_role(records, admin, other.id, Role.READER, NOW)
    assert seen(records, "a none").role is Role.READER


def test_access_is_ended_and_given_back(records: Records, member: Member) -> None:
    admin, other = member(Role.ADMIN), member(Role.READER)
    disable(records, admin, other.id, NOW)
    assert seen(records, "a reader").disabled
    enable(records, admin, other.id, NOW)
    assert seen(records, "a reader") == other


def test_whose_access_ends_leaves_no_link_open(records: Records, member: Member, study_id: str) -> None:
    admin, other = member(Role.ADMIN), member(Role.READER)
    share, token = make_link(records, other, study_id, LinkKind.PUBLICATION, False, NOW)
    kept, _ = make_link(records, admin, study_id, LinkKind.PUBLICATION, False, NOW)
    disable(records, admin, other.id, NOW)
    enable(records, admin, other.id, NOW)
    for attempt in (
        lambda: open_link(records, STRANGER, token, NOW),
        lambda: check_link(records, STRANGER, share.id, NOW),
    ):
        with pytest.raises(NotAllowed):
            attempt()
    assert check_link(records, STRANGER, kept.id, NOW).study_id == study_id
    with records.reading() as session:
        (noted,) = audit_entries(session, action="revoke_share")
    assert (noted.actor, noted.subject_id, noted.details) == (admin.id, study_id, {"share": share.id})


@pytest.mark.parametrize(
    ("role", "state"),
    [
        (Role.NONE, ShareState.REVOKED),
        (Role.VIEWER, ShareState.REVOKED),
        (Role.READER, ShareState.ACTIVE),
        (Role.ADMIN, ShareState.ACTIVE),
    ],
)
def test_a_role_that_may_not_share_leaves_no_link_open(
    records: Records, member: Member, study_id: str, role: Role, state: ShareState
) -> None:
    admin, other = member(Role.ADMIN), member(Role.READER)
    make_link(records, other, study_id, LinkKind.PUBLICATION, False, NOW)
    change_role(records, admin, other.id, role, NOW)
    assert [share.state for share in links_of(records, admin, NOW)] == [state]


@pytest.mark.parametrize("role", [Role.NONE, Role.VIEWER, Role.READER])
def test_nobody_else_may(records: Records, member: Member, role: Role) -> None:
    person, other = member(role), member(Role.VIEWER, "other")
    for attempt in (
        lambda: team(records, person),
        lambda: change_role(records, person, other.id, Role.ADMIN, NOW),
        lambda: change_role(records, person, person.id, Role.ADMIN, NOW),
        lambda: disable(records, person, other.id, NOW),
        lambda: enable(records, person, other.id, NOW),
    ):
        with pytest.raises(NotAllowed):
            attempt()


def test_nobody_changes_their_own_access(records: Records, member: Member) -> None:
    admin = member(Role.ADMIN)
    member(Role.ADMIN, "another")
    with pytest.raises(NotAllowed, match="another administrator"):
        change_role(records, admin, admin.id, Role.READER, NOW)
    with pytest.raises(NotAllowed, match="another administrator"):
        disable(records, admin, admin.id, NOW)


def test_each_change_is_noted(records: Records, member: Member) -> None:
    admin, other = member(Role.ADMIN), member(Role.VIEWER)
    change_role(records, admin, other.id, Role.READER, NOW)
    disable(records, admin, other.id, NOW)
    enable(records, admin, other.id, NOW)
    with records.reading() as session:
        found = audit_entries(session, limit=3)
    assert [(entry.action, entry.actor, entry.subject_id) for entry in reversed(found)] == [
        ("set_role", admin.id, other.id),
        ("disable_user", admin.id, other.id),
        ("enable_user", admin.id, other.id),
    ]
