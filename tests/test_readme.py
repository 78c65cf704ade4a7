"""The README names every setting, package and command there is, and no other."""

import re
from pathlib import Path

import pytest

from dashboard.bootstrap import PIN


@pytest.fixture(scope="module")
def readme(repository: Path) -> str:
    return (repository / "README.md").read_text(encoding="utf-8")


def test_every_setting_is_documented_and_every_documented_setting_exists(repository: Path, readme: str) -> None:
    read = set()
    for path in (repository / "dashboard").rglob("*.py"):
        read |= set(re.findall(r"[\"'](TRIAGE_[A-Z_]+)[\"']", path.read_text(encoding="utf-8")))
    documented = set(re.findall(r"^\| `(TRIAGE_[A-Z_]+)` \|", readme, re.MULTILINE))
    assert read == documented


def test_every_package_is_pinned_and_has_its_reason(repository: Path, readme: str) -> None:
    lines = (repository / "requirements.txt").read_text(encoding="utf-8").split()
    pinned = {name for name, _ in PIN.findall("\n".join(lines))}
    assert len(pinned) == len(lines), "a line of requirements.txt is not pinned with =="
    table = readme.split("## Packages, and why each")[1].split("\n## ")[0]
    explained = {name for row in table.splitlines() if row.startswith("| `") for name in re.findall(r"`([^`]+)`", row)}
    assert explained == pinned


def test_the_two_commands_stand_first(readme: str) -> None:
    commands = re.findall(r"^python3 -m .*$", readme, re.MULTILINE)
    assert commands[:2] == ["python3 -m dashboard start", "python3 -m tests"]


def test_every_room_of_the_house_is_named(repository: Path, readme: str) -> None:
    rooms = {path.parent.name for path in (repository / "dashboard").glob("*/__init__.py")}
    assert {room for room in rooms if f"dashboard/{room}" not in readme} == set()
