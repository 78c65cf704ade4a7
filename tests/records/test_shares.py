"""A link opens one study for a while; whoever holds no link learns nothing."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from dashboard.errors import NotAllowed, RecordsError
from dashboard.records import Records, Share, ShareState, add_share, list_shares, new_id, open_share, revoke_share
from dashboard.records.database import Database
from dashboard.records.tables import ShareRow
from tests.records.helpers import NOW, found_study

HOUR = timedelta(hours=1)
INSTANT = timedelta(microseconds=1)


def share(records: Records, study_id: str, lifetime: timedelta = HOUR) -> tuple[Share, str]:
    with records.writing() as session:
        return add_share(session, study_id, "instant", False, "console", NOW, lifetime)


def refusal(records: Records, token: str, now: timedelta = timedelta(0)) -> str:
    with pytest.raises(NotAllowed) as refused, records.writing() as session:
        open_share(session, token, NOW + now)
    return str(refused.value)


def test_a_link_opens_its_study_and_counts(records: Records) -> None:
    study_id, _ = found_study(records)
    made, token = share(records, study_id)
    for _ in range(2):
        with records.writing() as session:
            opened = open_share(session, token, NOW + HOUR - INSTANT)
    assert (opened.id, opened.study_id, opened.opened_count) == (made.id, study_id, 2)
    assert opened.opened_at == NOW + HOUR - INSTANT


def test_unknown_expired_revoked_and_lost_links_are_refused_in_the_same_words(records: Records) -> None:
    study_id, _ = found_study(records)
    _, expired = share(records, study_id)
    closed, revoked = share(records, study_id)
    with records.writing() as session:
        revoke_share(session, closed.id, NOW)
    said = {refusal(records, expired, HOUR), refusal(records, revoked), refusal(records, "unknown")}
    assert said == {"This link cannot be opened."}
    with records.reading() as session:
        assert [one.opened_count for one in list_shares(session, study_id, NOW)] == [0, 0]


@pytest.mark.parametrize("token", ["", "\udc80", "x" * 10_000, "' OR 1=1 --"])
def test_whatever_is_tried_as_a_token_is_refused(records: Records, token: str) -> None:
    share(records, found_study(records)[0])
    assert refusal(records, token) == "This link cannot be opened."


def test_only_a_hash_of_the_token_is_stored(records: Records) -> None:
    made, token = share(records, found_study(records)[0])
    with records.reading() as session:
        row = session.scalars(select(ShareRow)).one()
        assert token not in str(vars(row))
    assert token not in repr(made)
    assert refusal(records, row.token_hash) == "This link cannot be opened."


def test_states_are_as_of_the_moment_asked(records: Records) -> None:
    study_id, _ = found_study(records)
    first, _ = share(records, study_id)
    share(records, found_study(records, uid="2.25.2")[0], 3 * HOUR)
    with records.writing() as session:
        assert revoke_share(session, first.id, NOW + HOUR / 2).revoked_at == NOW + HOUR / 2
        assert revoke_share(session, first.id, NOW + HOUR).revoked_at == NOW + HOUR / 2
    with records.reading() as session:
        assert [one.state for one in list_shares(session, study_id, NOW)] == [ShareState.REVOKED]
        states = {one.state for one in list_shares(session, None, NOW + 2 * HOUR)}
        assert states == {ShareState.REVOKED, ShareState.ACTIVE}
        assert ShareState.EXPIRED in {one.state for one in list_shares(session, None, NOW + 3 * HOUR)}


@pytest.mark.parametrize("lifetime", [timedelta(0), -HOUR, timedelta(days=367)])
def test_a_link_opens_for_a_bounded_while(records: Records, lifetime: timedelta) -> None:
    study_id, _ = found_study(records)
    with pytest.raises(RecordsError, match="for a while"):
        share(records, study_id, lifetime)


def test_what_is_not_there_cannot_be_shared_or_revoked(records: Records) -> None:
    with pytest.raises(RecordsError, match="not here"):
        share(records, new_id())
    with pytest.raises(RecordsError, match="not here"), records.writing() as session:
        revoke_share(session, new_id(), NOW)


@given(st.text(max_size=80))
def test_no_guess_opens_a_link(guess: str) -> None:
    database = Database("sqlite://")
    try:
        with pytest.raises(NotAllowed), database.writing() as session:
            open_share(session, guess, NOW)
    finally:
        database.close()
