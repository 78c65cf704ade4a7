"""From a provider's claims to a person: who becomes what, and for how long."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from dashboard.records import Records, Role, audit_entries, disable_user, list_users, open_records
from dashboard.sharing import STRANGER, Person, admit, provider_secrets, read_claims, recognise
from dashboard.sharing.signing_in import Claims, cookie_secret
from tests.sharing.conftest import ISSUER, NOW, PUBLIC_URL, claims_of, team_settings

COOKIE: dict[str, Any] = {
    "is_logged_in": True,
    "iss": ISSUER,
    "sub": "s1",
    "iat": NOW.timestamp(),
    "name": "Ngozi Okafor",
    "email": "ngozi@example.org",
    "email_verified": True,
}


def enter(records: Records, claims: Claims | None, later: timedelta = timedelta(0)) -> Person:
    assert records.settings.sign_in is not None
    return admit(records, claims, records.settings.sign_in, NOW + later)


def known(records: Records, claims: Claims | None, later: timedelta = timedelta(0)) -> Person:
    assert records.settings.sign_in is not None
    return recognise(records, claims, records.settings.sign_in, NOW + later)


def actions(records: Records) -> list[str]:
    with records.reading() as session:
        return [entry.action for entry in reversed(audit_entries(session))]


def test_a_cookie_names_somebody() -> None:
    claims = read_claims(COOKIE)
    assert claims == Claims(ISSUER, "s1", "Ngozi Okafor", "ngozi@example.org", True, NOW)
    assert "Okafor" not in repr(claims)
    assert "s1" not in repr(claims)


@pytest.mark.parametrize(
    "changes",
    [
        {"is_logged_in": False},
        {"is_logged_in": "true"},
        {"iss": ""},
        {"iss": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": "x" * 501},
        {"iat": None},
        {"iat": True},
        {"iat": "now"},
        {"iat": float("inf")},
        {"iat": float("nan")},
    ],
)
def test_a_cookie_that_lacks_something_names_nobody(changes: dict[str, Any]) -> None:
    assert read_claims(COOKIE | changes) is None
    assert read_claims({}) is None


def test_a_first_visitor_is_nobody_special(records: Records) -> None:
    person = enter(records, claims_of("s1"))
    assert person.role is Role.NONE
    assert actions(records) == ["sign_in"]


@pytest.mark.parametrize("role", ["viewer", "reader"])
def test_everybody_may_be_given_a_first_role(tmp_path: Path, role: str) -> None:
    records = open_records(team_settings(tmp_path, TRIAGE_DEFAULT_ROLE=role))
    assert enter(records, claims_of("s1")).role is Role(role)
    records.close()


def test_administrators_are_named_by_subject(records: Records) -> None:
    assert enter(records, claims_of("chief")).role is Role.ADMIN


@pytest.mark.parametrize(("verified", "role"), [(True, Role.ADMIN), (False, Role.NONE)])
def test_an_address_counts_only_if_the_provider_has_verified_it(records: Records, verified: bool, role: Role) -> None:
    assert enter(records, claims_of("s1", "VERIFIED@example.org", verified)).role is role


def test_a_subject_that_looks_like_an_address_is_no_address(records: Records) -> None:
    assert enter(records, claims_of("s1", "chief")).role is Role.NONE


def test_whom_the_settings_name_later_is_raised_at_the_next_sign_in(records: Records, tmp_path: Path) -> None:
    person = enter(records, claims_of("s1"))
    later = open_records(team_settings(tmp_path / "data", TRIAGE_ADMINS="s1"))
    assert enter(later, claims_of("s1")).role is Role.NONE
    again = claims_of("s1", issued_at=NOW + timedelta(hours=1))
    assert enter(later, again, timedelta(hours=1)) == Person(person.id, "S1", Role.ADMIN)
    assert actions(later) == ["sign_in", "set_role", "sign_in"]
    later.close()


def test_a_sign_in_is_noted_once_however_many_tabs_there_are(records: Records) -> None:
    for minutes in range(3):
        enter(records, claims_of("s1"), timedelta(minutes=minutes))
    assert actions(records) == ["sign_in"]


def test_a_provider_whose_clock_is_ahead_fills_no_log(records: Records) -> None:
    ahead = claims_of("s1", issued_at=NOW + timedelta(minutes=2))
    for seconds in range(5):
        enter(records, ahead, timedelta(seconds=seconds))
    assert actions(records) == ["sign_in"]


def test_a_provider_whose_clock_is_behind_hides_no_sign_in(records: Records) -> None:
    """Two within two minutes, each looked at twice."""
    for seconds in (0, 60):
        again = claims_of("s1", issued_at=NOW + timedelta(minutes=-2, seconds=seconds))
        enter(records, again, timedelta(seconds=seconds))
        enter(records, again, timedelta(seconds=seconds + 1))
    assert actions(records) == ["sign_in", "sign_in"]


def test_a_sign_in_counts_for_a_shift(records: Records) -> None:
    enter(records, claims_of("chief"))
    for look in (enter, known):
        assert look(records, claims_of("chief"), timedelta(hours=11, minutes=59)).role is Role.ADMIN
        assert look(records, claims_of("chief"), timedelta(hours=12, seconds=1)) == STRANGER
        assert look(records, claims_of("chief"), timedelta(hours=-1)) == STRANGER


def test_a_route_admits_nobody(records: Records) -> None:
    assert known(records, claims_of("chief")) == STRANGER
    assert known(records, None) == STRANGER
    with records.reading() as session:
        assert list_users(session, records.keys) == ()


def test_another_provider_s_person_of_that_number_is_somebody_else(records: Records) -> None:
    enter(records, claims_of("s1"))
    other = Claims("https://evil.example", "s1", "", "", True, NOW)
    assert known(records, other) == STRANGER


def test_a_disabled_user_is_known_and_shut_out(records: Records, member: Callable[..., Person]) -> None:
    person = member(Role.READER)
    with records.writing() as session:
        disable_user(session, person.id, NOW)
    assert known(records, claims_of("a reader")).disabled
    again = claims_of("a reader", issued_at=NOW + timedelta(hours=1))
    assert enter(records, again, timedelta(hours=1)).disabled
    assert actions(records)[-1] == "refuse"


def test_what_streamlit_is_told(records: Records) -> None:
    assert records.settings.sign_in is not None
    told = provider_secrets(records.settings.sign_in, records.keys)
    assert told["redirect_uri"] == f"{PUBLIC_URL}/oauth2callback"
    assert told["cookie_secret"] == cookie_secret(records.keys)
    assert len(told["cookie_secret"]) == 64


def test_no_subject_lies_in_the_database_or_the_log(records: Records, tmp_path: Path) -> None:
    enter(records, claims_of("remarkable-subject", "remarkable@example.org"))
    with records.reading() as session:
        said = json.dumps([dict(entry.details) for entry in audit_entries(session)])
    written = b"".join(path.read_bytes() for path in (tmp_path / "data").glob("triage.sqlite3*"))
    assert "remarkable" not in said
    assert b"remarkable" not in written
