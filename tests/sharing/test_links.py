"""Share links: who makes, opens and closes them, and what a stranger learns by trying."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from dashboard.errors import NotAllowed
from dashboard.records import Records, Role, ShareState, audit_entries, set_role
from dashboard.sharing import (
    CONSOLE,
    LIFETIMES,
    STRANGER,
    LinkKind,
    Person,
    Right,
    check_link,
    close_link,
    links_of,
    make_link,
    may,
    open_link,
)
from tests.sharing.conftest import NOW

Member = Callable[[Role], Person]


def link(records: Records, person: Person, study_id: str, team_only: bool = False) -> tuple[str, str]:
    share, token = make_link(records, person, study_id, LinkKind.INSTANT, team_only, NOW)
    return share.id, token


def test_a_link_opens_its_study_and_nothing_else(records: Records, study_id: str) -> None:
    share, token = link(records, CONSOLE, study_id)
    visitor = open_link(records, STRANGER, token, NOW)
    assert visitor.id == f"share:{share}"
    assert [right for right in Right if may(visitor, right, study_id)] == [Right.SEE_STUDY]
    assert not any(may(visitor, right, "0" * 32) for right in Right)


@pytest.mark.parametrize("kind", list(LinkKind))
def test_each_kind_ends_by_the_server_s_clock(records: Records, study_id: str, kind: LinkKind) -> None:
    share, token = make_link(records, CONSOLE, study_id, kind, False, NOW)
    last, end = NOW + LIFETIMES[kind] - timedelta(seconds=1), NOW + LIFETIMES[kind]
    open_link(records, STRANGER, token, last)
    check_link(records, STRANGER, share.id, last)
    with pytest.raises(NotAllowed):
        open_link(records, STRANGER, token, end)
    with pytest.raises(NotAllowed):
        check_link(records, STRANGER, share.id, end)


def test_instant_means_minutes_and_publication_days() -> None:
    assert {LinkKind.INSTANT: timedelta(minutes=15), LinkKind.PUBLICATION: timedelta(days=7)} == LIFETIMES


def test_a_revoked_link_ends_for_those_who_have_it_open(records: Records, study_id: str) -> None:
    share, token = link(records, CONSOLE, study_id)
    open_link(records, STRANGER, token, NOW)
    close_link(records, CONSOLE, share, NOW)
    with pytest.raises(NotAllowed):
        check_link(records, STRANGER, share, NOW)


def test_every_link_that_does_not_open_looks_alike_to_a_stranger(
    records: Records, study_id: str, member: Member
) -> None:
    revoked, revoked_token = link(records, CONSOLE, study_id)
    close_link(records, CONSOLE, revoked, NOW)
    _, team_token = link(records, CONSOLE, study_id, team_only=True)
    _, expired_token = link(records, CONSOLE, study_id)
    said = []
    for token, when in (
        ("unknown" * 5, NOW),
        ("", NOW),
        ("\ud800", NOW),
        (revoked_token, NOW),
        (team_token, NOW),
        (expired_token, NOW + timedelta(days=1)),
    ):
        with pytest.raises(NotAllowed) as refusal:
            open_link(records, STRANGER, token, when)
        said.append(str(refusal.value))
    assert set(said) == {"This link cannot be opened."}


def test_the_owner_tells_them_apart(records: Records, study_id: str) -> None:
    revoked, _ = link(records, CONSOLE, study_id)
    close_link(records, CONSOLE, revoked, NOW)
    make_link(records, CONSOLE, study_id, LinkKind.PUBLICATION, False, NOW)
    link(records, CONSOLE, study_id)
    found = links_of(records, CONSOLE, NOW + timedelta(hours=1), study_id)
    assert {(share.kind, share.state) for share in found} == {
        ("instant", ShareState.REVOKED),
        ("instant", ShareState.EXPIRED),
        ("publication", ShareState.ACTIVE),
    }


@pytest.mark.parametrize(("role", "opens"), [(Role.NONE, False), (Role.VIEWER, True), (Role.READER, True)])
def test_a_team_link_opens_for_the_team(
    records: Records, study_id: str, member: Member, role: Role, opens: bool
) -> None:
    share, token = link(records, CONSOLE, study_id, team_only=True)
    person = member(role)
    if opens:
        assert open_link(records, person, token, NOW).study_id == study_id
        assert check_link(records, person, share, NOW).study_id == study_id
        with pytest.raises(NotAllowed):
            check_link(records, STRANGER, share, NOW)
    else:
        with pytest.raises(NotAllowed):
            open_link(records, person, token, NOW)
        (left,) = links_of(records, CONSOLE, NOW, study_id)
        assert left.opened_count == 0


@pytest.mark.parametrize("role", [Role.NONE, Role.VIEWER])
def test_who_may_not_share_can_neither_make_nor_see_links(
    records: Records, study_id: str, member: Member, role: Role
) -> None:
    person = member(role)
    for attempt in (
        lambda: link(records, person, study_id),
        lambda: links_of(records, person, NOW),
        lambda: close_link(records, person, "x", NOW),
    ):
        with pytest.raises(NotAllowed):
            attempt()


def test_a_reader_sees_and_closes_their_own_links_only(records: Records, study_id: str, member: Member) -> None:
    reader = member(Role.READER)
    others, _ = link(records, CONSOLE, study_id)
    own, _ = link(records, reader, study_id)
    assert [share.id for share in links_of(records, reader, NOW)] == [own]
    said = []
    for share in (others, "0" * 32):
        with pytest.raises(NotAllowed) as refusal:
            close_link(records, reader, share, NOW)
        said.append(str(refusal.value))
    assert len(set(said)) == 1
    close_link(records, reader, own, NOW)
    assert len(links_of(records, CONSOLE, NOW)) == 2
    close_link(records, CONSOLE, others, NOW)


@pytest.mark.parametrize("role", [Role.NONE, Role.VIEWER])
def test_a_link_does_not_outlive_its_author_s_right_to_share(
    records: Records, study_id: str, member: Member, role: Role
) -> None:
    """Whichever way the right went: also where nobody closed the link."""
    reader = member(Role.READER)
    share, token = link(records, reader, study_id)
    with records.writing() as session:
        set_role(session, reader.id, role, NOW)
    for attempt in (
        lambda: open_link(records, STRANGER, token, NOW),
        lambda: check_link(records, STRANGER, share, NOW),
    ):
        with pytest.raises(NotAllowed, match="cannot be opened"):
            attempt()


def test_each_step_is_noted_without_the_token(records: Records, study_id: str, member: Member) -> None:
    reader = member(Role.READER)
    share, token = link(records, reader, study_id)
    open_link(records, STRANGER, token, NOW)
    close_link(records, reader, share, NOW)
    with records.reading() as session:
        found = audit_entries(session, limit=3)
    assert [(entry.action, entry.actor, entry.subject_id) for entry in reversed(found)] == [
        ("share", reader.id, study_id),
        ("open_share", f"share:{share}", study_id),
        ("revoke_share", reader.id, study_id),
    ]
    assert token not in repr(found)
