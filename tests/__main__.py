"""Runs every check of the project: ``python3 -m tests [--fast] [pytest arguments]``.

Makes the environment it needs, then: ruff, mypy --strict on dashboard/, pytest with the browser tests. Chromium,
dcmtk and the PostgreSQL server come from Debian; as administrator they are installed when missing, otherwise the
tests that need them are skipped with a reason (and fail where the variable CI is set). ``--fast`` leaves out
browser and slow tests.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from dashboard.bootstrap import (
    REPOSITORY,
    RUNTIME_REQUIREMENTS,
    BootstrapError,
    install_debian_packages,
    run_in_environment,
)

TEST_REQUIREMENTS = REPOSITORY / "tests" / "requirements.txt"
# Program -> Debian package that brings it.
PROGRAMS = {"chromium": "chromium", "dcmdump": "dcmtk", "initdb": "postgresql"}
# Debian keeps the programs of the PostgreSQL server out of the search path.
SERVER_PROGRAMS = Path("/usr/lib/postgresql")
# Whole files to one process each, which makes their fixtures once. The page is driven by one: it wants the machine.
APART = ["-n", "auto", "--maxprocesses", "8", "--dist", "loadfile"]
FAST, PAGE, NO_PAGE = (["-m", marks] for marks in ("not browser and not slow", "browser", "not browser"))


def main(arguments: list[str]) -> int:
    """Run all checks; return the first failing step's exit status, or 0."""
    try:
        run_in_environment(["-m", "tests", *arguments], [RUNTIME_REQUIREMENTS, TEST_REQUIREMENTS])
    except BootstrapError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    fast = "--fast" in arguments
    rest = [argument for argument in arguments if argument != "--fast"]
    search_path = os.pathsep.join([os.environ.get("PATH", ""), *map(str, SERVER_PROGRAMS.glob("*/bin"))])
    missing = [package for program, package in PROGRAMS.items() if shutil.which(program, path=search_path) is None]
    if missing and not fast and os.geteuid() == 0 and shutil.which("apt-get"):
        install_debian_packages(missing)
    steps = [
        ["ruff", "check", "."],
        ["ruff", "format", "--check", "."],
        ["mypy"],
        *(["pytest", *step] for step in _tests(fast, rest)),
    ]
    for name, *step in steps:
        sys.stderr.write(f"\n== {name} {' '.join(step)}\n")
        sys.stderr.flush()
        status = subprocess.run([sys.executable, "-m", name, *step], cwd=REPOSITORY, check=False).returncode
        if status != 0:
            return status
    return 0


def _tests(fast: bool, rest: list[str]) -> list[list[str]]:
    """Arguments of each run of pytest; what the caller asks for is run in one process, as asked."""
    if rest:
        return [[*(FAST if fast else []), *rest]]
    if fast:
        return [[*APART, *FAST]]
    return [[*APART, *NO_PAGE], PAGE]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
