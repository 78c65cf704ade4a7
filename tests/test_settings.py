"""Settings that decide who may ask are taken whole or not at all."""

import re
from pathlib import Path

import pytest

from dashboard.errors import SettingsError
from dashboard.settings import NAMES, load_settings

WHOLE = {
    "TRIAGE_OIDC_METADATA_URL": "https://login.example.org/.well-known/openid-configuration",
    "TRIAGE_OIDC_CLIENT_ID": "spine-triage",
    "TRIAGE_OIDC_CLIENT_SECRET": "remarkable",
    "TRIAGE_PUBLIC_URL": "https://Triage.example.org/",
}


def test_without_any_of_them_nobody_signs_in() -> None:
    assert load_settings({}).sign_in is None


def test_all_four_make_a_sign_in() -> None:
    sign_in = load_settings(WHOLE | {"TRIAGE_ADMINS": " a , b@example.org,,"}).sign_in
    assert sign_in is not None
    assert sign_in.public_url == "https://triage.example.org"
    assert sign_in.redirect_url == "https://triage.example.org/oauth2callback"
    assert sign_in.admins == {"a", "b@example.org"}
    assert (sign_in.default_role, sign_in.session_hours) == ("none", 12)


def test_the_secret_is_in_no_repr() -> None:
    assert "remarkable" not in repr(load_settings(WHOLE))


@pytest.mark.parametrize("missing", list(WHOLE))
def test_a_part_of_them_is_refused_by_name(missing: str) -> None:
    with pytest.raises(SettingsError, match=missing):
        load_settings({name: value for name, value in WHOLE.items() if name != missing})


@pytest.mark.parametrize(
    "changes",
    [
        {"TRIAGE_PUBLIC_URL": "http://triage.example.org"},
        {"TRIAGE_PUBLIC_URL": "https://triage.example.org/app"},
        {"TRIAGE_PUBLIC_URL": "https://triage.example.org?x=1"},
        {"TRIAGE_PUBLIC_URL": "triage.example.org"},
        {"TRIAGE_PUBLIC_URL": "https://"},
        {"TRIAGE_PUBLIC_URL": "https://triage.example.org:port"},
        {"TRIAGE_PUBLIC_URL": "https://user@triage.example.org"},
        {"TRIAGE_OIDC_METADATA_URL": "http://login.example.org/x"},
        {"TRIAGE_OIDC_METADATA_URL": "file:///etc/passwd"},
        {"TRIAGE_DEFAULT_ROLE": "admin"},
        {"TRIAGE_DEFAULT_ROLE": "root"},
        {"TRIAGE_SESSION_HOURS": "0"},
    ],
)
def test_what_would_be_unsafe_is_refused(changes: dict[str, str]) -> None:
    (name,) = changes
    with pytest.raises(SettingsError, match=name):
        load_settings(WHOLE | changes)


@pytest.mark.parametrize("host", ["localhost:8501", "127.0.0.1:8501", "[::1]:8501"])
def test_this_machine_needs_no_tls(host: str) -> None:
    sign_in = load_settings(WHOLE | {"TRIAGE_PUBLIC_URL": f"http://{host}"}).sign_in
    assert sign_in is not None
    assert sign_in.public_url == f"http://{host}"


@pytest.mark.parametrize(
    ("misspelt", "meant"),
    [("TRIAGE_KEEP_IDENTITES", "TRIAGE_KEEP_IDENTITY"), ("TRIAGE_RETENTION_DAY", "TRIAGE_RETENTION_DAYS")],
)
def test_a_misspelt_name_is_refused(misspelt: str, meant: str) -> None:
    with pytest.raises(SettingsError, match=f"{misspelt} .* {meant} "):
        load_settings({misspelt: "0"})


@pytest.mark.parametrize("name", ["TRIAGE_PORT", "TRIAGE_SERVICE_HOST", "TRIAGE_SCHEDULER_PORT", "TRIAGE_SHARED_DATA"])
def test_names_of_others_are_let_be(name: str) -> None:
    load_settings({name: "tcp://10.0.0.7:8501"})


def test_every_name_is_known(repository: Path) -> None:
    source = (repository / "dashboard" / "settings.py").read_text(encoding="utf-8")
    # Once among the names, and at least once where it is read.
    assert all(source.count(f'"{name}"') > 1 for name in NAMES)
    assert set(re.findall(r'"(TRIAGE_[A-Z_]+)"', source)) == NAMES


@pytest.mark.parametrize("value", ["x", "-1", "1.5", "9" * 5000])
def test_a_number_that_is_none_is_refused(value: str) -> None:
    with pytest.raises(SettingsError, match="TRIAGE_WORKERS"):
        load_settings({"TRIAGE_WORKERS": value})
