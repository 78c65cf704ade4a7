"""Holds the house: which package may import which, and what lies at the top level."""

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

# Each layer may import the layers above it in this table, never its own neighbours or those below.
LAYERS = (
    {"bootstrap", "errors"},
    {"settings"},
    {"study"},
    {"grading", "viewing", "inference", "ingest"},
    {"records", "exchange"},
    {"sharing", "work"},
    {"screens"},
    {"app", "command_line"},
    {"__main__"},
)
STREAMLIT_ALLOWED = {"screens", "app"}
DATASET_ALLOWED = {"ingest", "exchange"}
TOP_LEVEL = {"dashboard", "models", "tests", "requirements.txt", "README.md", "pyproject.toml", "LICENSE"}
PACKAGE = Path(__file__).resolve().parent.parent / "dashboard"
MODULES = sorted(PACKAGE.rglob("*.py"))


def room_of(path: Path) -> str:
    """First name under dashboard/ that `path` belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def layer_of(room: str) -> int:
    """Place of a room in the table, or a failure that says it has none."""
    for place, rooms in enumerate(LAYERS):
        if room in rooms:
            return place
    raise AssertionError(f"dashboard/{room} has no place in the import rule")


def imports_of(path: Path) -> Iterator[tuple[int, str]]:
    """Line and full name of everything `path` imports, at any depth."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} imports relatively"
            module = node.module or ""
            yield node.lineno, module
            yield from ((node.lineno, f"{module}.{alias.name}") for alias in node.names)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_one_way(path: Path) -> None:
    room = room_of(path)
    if room == "__init__":
        return
    for line, name in imports_of(path):
        parts = name.split(".")
        if parts[0] != "dashboard" or len(parts) < 2 or parts[1] == room or parts[1] == "__version__":
            continue
        assert layer_of(parts[1]) < layer_of(room), f"{path.name}:{line} imports {name} against the rule"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_streamlit_and_datasets_stay_in_their_rooms(path: Path) -> None:
    room = room_of(path)
    for line, name in imports_of(path):
        library = name.split(".")[0]
        if library == "streamlit":
            assert room in STREAMLIT_ALLOWED, f"{path.name}:{line} imports streamlit"
        if library == "sqlalchemy":
            assert room == "records", f"{path.name}:{line} imports sqlalchemy"
        if library == "onnxruntime":
            assert room == "inference", f"{path.name}:{line} imports onnxruntime"
        if library in {"pydicom", "highdicom"}:
            assert room in DATASET_ALLOWED, f"{path.name}:{line} imports {library}"


def test_every_room_has_a_place() -> None:
    for room in {room_of(path) for path in MODULES} - {"__init__"}:
        layer_of(room)


def test_top_level_holds_what_the_design_names(repository: Path) -> None:
    listing = subprocess.run(["git", "ls-files"], cwd=repository, capture_output=True, text=True, check=True).stdout
    top = {line.split("/")[0] for line in listing.splitlines()}
    assert {name for name in top if not name.startswith(".")} <= TOP_LEVEL
