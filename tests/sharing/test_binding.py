"""Where the server may listen."""

from pathlib import Path

import pytest

from dashboard.errors import SettingsError
from dashboard.sharing import check_binding
from tests.sharing.conftest import team_settings


@pytest.mark.parametrize("address", ["127.0.0.1", "localhost", "::1", "127.0.0.5"])
def test_this_machine_needs_no_sign_in(address: str) -> None:
    check_binding(address, None)


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "", None, "10.0.0.4", "triage.example.org"])
def test_other_machines_need_one(address: str | None, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="TRIAGE_OIDC_METADATA_URL"):
        check_binding(address, None)
    check_binding(address, team_settings(tmp_path).sign_in)
