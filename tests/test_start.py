"""``python -m dashboard start``: where it serves, and that without sign-in it does not serve beyond this machine."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from streamlit import config

from dashboard.command_line import run
from dashboard.errors import SettingsError
from dashboard.screens import server
from tests.sharing.conftest import SIGN_IN


@pytest.mark.slow
@pytest.mark.parametrize("address", ["0.0.0.0", ""])
def test_streamlit_run_refuses_other_addresses(repository: Path, tmp_path: Path, address: str) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    command = [sys.executable, "-m", "streamlit", "run", "dashboard/app.py", "--server.port", port]
    environment = {**os.environ, "TRIAGE_DATA_DIR": str(tmp_path), "STREAMLIT_SERVER_ADDRESS": address}
    ended = subprocess.run(
        [*command, "--server.address", address], cwd=repository, env=environment, capture_output=True, timeout=240
    )
    said = (ended.stdout + ended.stderr).decode()
    assert ended.returncode != 0
    assert "no sign-in is configured" in said
    assert "TRIAGE_OIDC_METADATA_URL" in said
    assert "Traceback" not in said
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(port)), 5)


def test_the_start_command_refuses_other_addresses(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TRIAGE_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(os, "execv", lambda program, command: pytest.fail("it was started"))
    assert run(["start", "--address", "0.0.0.0"]) == 1
    assert "no sign-in is configured" in capsys.readouterr().err


def test_with_sign_in_it_starts_and_its_public_name_is_let_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    started: list[list[str]] = []
    monkeypatch.chdir(tmp_path)
    for name, value in {**SIGN_IN, "TRIAGE_DATA_DIR": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(os, "execv", lambda program, command: started.append(command))
    run(["start", "--address", "0.0.0.0"])
    assert started[0][started[0].index("--server.address") + 1] == "0.0.0.0"
    told: dict[str, object] = {}
    monkeypatch.setattr(config, "set_option", told.__setitem__)
    server.prepare()
    assert "triage.example.org" in str(told["server.allowedHosts"])


def test_a_second_place_for_sign_in_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Secrets(dict[str, object]):
        def load_if_toml_exists(self) -> bool:
            return True

    monkeypatch.setenv("TRIAGE_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(server, "secrets_singleton", Secrets(auth={}))
    with pytest.raises(SettingsError, match="auth"):
        server.prepare()


def test_start_runs_the_page_with_the_folders_given_here(
    repository: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    started: list[list[str]] = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRIAGE_DATA_DIR", "data")
    monkeypatch.setattr(os, "execv", lambda program, command: started.append(command))
    run(["start", "--port", "8600"])
    assert started[0][1:4] == ["-m", "streamlit", "run"]
    assert started[0][-2:] == ["--server.port", "8600"]
    assert os.environ["TRIAGE_DATA_DIR"] == str(tmp_path / "data")
    assert Path.cwd() == repository


@pytest.mark.parametrize("port", ["0", "65536", "x", "-1"])
def test_start_refuses_what_is_no_port(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run(["start", "--port", port])
    assert "--port" in capsys.readouterr().err
