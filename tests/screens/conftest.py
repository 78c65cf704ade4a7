"""The visitor of these tests sits at this machine."""

import pytest

from dashboard.screens import desk


@pytest.fixture(autouse=True)
def at_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """AppTest knows no address of the other end."""
    monkeypatch.setattr(desk, "peer", lambda: None)
