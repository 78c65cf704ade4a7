"""A site with sign-in configured, and people of every role on it."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dashboard.records import Records, Role, add_study, open_records, set_role
from dashboard.settings import Settings, load_settings
from dashboard.sharing import Claims, Person, admit

PUBLIC_URL = "https://triage.example.org"
ISSUER = "https://login.example.org"
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SIGN_IN = {
    "TRIAGE_OIDC_METADATA_URL": f"{ISSUER}/.well-known/openid-configuration",
    "TRIAGE_OIDC_CLIENT_ID": "spine-triage",
    "TRIAGE_OIDC_CLIENT_SECRET": "not a secret",
    "TRIAGE_PUBLIC_URL": PUBLIC_URL,
    "TRIAGE_ADMINS": "chief, Verified@example.org",
}


def team_settings(folder: Path, **more: str) -> Settings:
    """Settings of a site where people sign in."""
    return load_settings({"TRIAGE_DATA_DIR": str(folder), **SIGN_IN, **more})


def claims_of(subject: str, email: str = "", verified: bool = True, issued_at: datetime = NOW) -> Claims:
    """What the provider says of somebody."""
    return Claims(ISSUER, subject, subject.title(), email, verified, issued_at)


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    """An empty site with sign-in."""
    opened = open_records(team_settings(tmp_path / "data"))
    yield opened
    opened.close()


@pytest.fixture
def member(records: Records) -> Callable[[Role], Person]:
    """Somebody of a role, who has signed in."""

    def make(role: Role, subject: str = "") -> Person:
        settings = records.settings.sign_in
        assert settings is not None
        claims = claims_of(subject or f"a {role.value}")
        person = admit(records, claims, settings, NOW)
        with records.writing() as session:
            set_role(session, person.id, role, NOW)
        return admit(records, claims, settings, NOW)

    return make


@pytest.fixture
def study_id(records: Records) -> str:
    """A study without images."""
    with records.writing() as session:
        return add_study(session, "2.25.1", "somebody", NOW).id
