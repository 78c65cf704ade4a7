"""The README names every setting, package and command there is, and no other."""

import ast
import re
import sys
from importlib.metadata import packages_distributions
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


def test_every_package_that_is_imported_is_pinned(repository: Path) -> None:
    pinned = {name.lower() for name, _ in PIN.findall((repository / "requirements.txt").read_text(encoding="utf-8"))}
    imported = {
        module.split(".")[0]
        for path in (repository / "dashboard").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for module in imported_by(node)
    }
    packages = packages_distributions()
    foreign = imported - sys.stdlib_module_names - {"dashboard"}
    assert foreign
    loose = {name for name in foreign if not {one.lower().replace("_", "-") for one in packages[name]} & pinned}
    assert loose == set()


def imported_by(node: ast.AST) -> list[str]:
    """Names of the modules that a statement imports; none of them is relative in this house."""
    if isinstance(node, ast.ImportFrom):
        return [node.module or ""]
    return [alias.name for alias in node.names] if isinstance(node, ast.Import) else []


def test_the_two_commands_stand_first(readme: str) -> None:
    commands = re.findall(r"^python3 -m .*$", readme, re.MULTILINE)
    assert commands[:2] == ["python3 -m dashboard start", "python3 -m tests"]


def test_every_room_of_the_house_is_named(repository: Path, readme: str) -> None:
    rooms = {path.parent.name for path in (repository / "dashboard").glob("*/__init__.py")}
    assert {room for room in rooms if f"dashboard/{room}" not in readme} == set()
