"""The private environment that the README's commands make."""

import sys
from pathlib import Path

import pytest

from dashboard import bootstrap


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_an_interpreter_with_the_pinned_packages_is_used_as_it_is(repository: Path) -> None:
    assert bootstrap.satisfied([repository / "requirements.txt", repository / "tests" / "requirements.txt"])


def test_another_version_of_a_package_does_not_satisfy(tmp_path: Path) -> None:
    assert not bootstrap.satisfied([write(tmp_path / "requirements.txt", "numpy==0.0.1\n")])


def test_a_missing_package_does_not_satisfy(tmp_path: Path) -> None:
    assert not bootstrap.satisfied([write(tmp_path / "requirements.txt", "no-such-package-here==1\n")])


def test_an_environment_is_made_once_and_again_when_the_pins_change(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    requirements = write(tmp_path / "requirements.txt", "")
    python = bootstrap.ensure_environment(tmp_path / "venv", [requirements])
    assert python.exists()
    assert "Making the Python environment" in capfd.readouterr().err
    bootstrap.ensure_environment(tmp_path / "venv", [requirements])
    assert capfd.readouterr().err == ""
    write(requirements, "# changed\n")
    bootstrap.ensure_environment(tmp_path / "venv", [requirements])
    said = capfd.readouterr()
    assert "Installing" in said.err
    assert said.out == "", "standard output belongs to the command's own result"


def test_a_package_that_cannot_be_installed_is_an_error_in_words(tmp_path: Path) -> None:
    requirements = write(tmp_path / "requirements.txt", f"{tmp_path}/absent.whl\n")
    with pytest.raises(bootstrap.BootstrapError, match="could not be installed"):
        bootstrap.ensure_environment(tmp_path / "venv", [requirements])


def test_an_old_python_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 0))
    with pytest.raises(bootstrap.BootstrapError, match=r"3\.11 or newer"):
        bootstrap.run_in_environment(["-m", "dashboard"])
