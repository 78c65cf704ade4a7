"""Makes the private Python environment that every README command runs in. Standard library only.

A pinned package that is missing or of another version in the interpreter at hand means: use, and if need be
make, the environment in ``.venv``. A stamp file holds the hash of the requirement files it was made from.
"""

import hashlib
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
RUNTIME_REQUIREMENTS = REPOSITORY / "requirements.txt"
ENVIRONMENT = REPOSITORY / ".venv"
OLDEST_PYTHON = (3, 11)
PIN = re.compile(r"^([A-Za-z0-9_.-]+)(?:\[[^\]]*\])?==([^\s;#]+)", re.MULTILINE)


class BootstrapError(RuntimeError):
    """The environment cannot be made; the message says what to install or to free."""


def satisfied(requirements: Sequence[Path]) -> bool:
    """Whether the running interpreter holds every pinned package of the files at its pinned version."""
    for path in requirements:
        for name, version in PIN.findall(path.read_text(encoding="utf-8")):
            try:
                found = importlib.metadata.version(name)
            except importlib.metadata.PackageNotFoundError:
                return False
            if found.split("+")[0] != version:
                return False
    return True


def run_in_environment(arguments: Sequence[str], requirements: Sequence[Path] = (RUNTIME_REQUIREMENTS,)) -> None:
    """Go on in an interpreter that has the requirements: return if this one has, else replace the process.

    Parameters
    ----------
    arguments
        What follows the interpreter when it starts again, such as ``["-m", "dashboard", "start"]``.

    Raises
    ------
    BootstrapError
        The environment cannot be made.
    """
    if sys.version_info < OLDEST_PYTHON:
        raise BootstrapError(f"Python {'.'.join(map(str, OLDEST_PYTHON))} or newer is needed.")
    if satisfied(requirements):
        return
    python = ensure_environment(ENVIRONMENT, requirements)
    if Path(sys.prefix).resolve() == ENVIRONMENT.resolve():
        raise BootstrapError(f"{ENVIRONMENT.name} lacks a pinned package after installing: delete it and try again.")
    search_path = os.pathsep.join(filter(None, [str(REPOSITORY), os.environ.get("PYTHONPATH", "")]))
    os.execve(python, [str(python), *arguments], {**os.environ, "PYTHONPATH": search_path})


def ensure_environment(folder: Path, requirements: Sequence[Path]) -> Path:
    """Make or update the virtual environment in `folder`; return its interpreter."""
    python = folder / "bin" / "python"
    stamp = folder / f"{'-'.join(sorted({path.parent.name for path in requirements}))}.stamp"
    wanted = hashlib.sha256(b"\0".join(path.read_bytes() for path in requirements)).hexdigest()
    if python.exists() and stamp.exists() and stamp.read_text(encoding="ascii") == wanted:
        return python
    if not python.exists():
        _say(f"Making the Python environment in {folder.name} (once, about a minute) ...")
        _make(folder)
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    for path in requirements:
        command += ["-r", str(path)]
    _say("Installing the pinned packages ...")
    # Standard output belongs to the command's own result.
    if subprocess.run(command, stdout=sys.stderr, check=False).returncode != 0:
        raise BootstrapError("The packages could not be installed; pip's own message above says why.")
    stamp.write_text(wanted, encoding="ascii")
    return python


def _make(folder: Path) -> None:
    if _has_ensurepip() or _install_ensurepip():
        result = subprocess.run([sys.executable, "-m", "venv", str(folder)], check=False)
        if result.returncode == 0:
            return
        shutil.rmtree(folder, ignore_errors=True)
        raise BootstrapError(f"The environment in {folder.name} could not be made; the message above says why.")
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    raise BootstrapError(f"Python's venv module is not complete. Install it: apt-get install python{version}-venv")


def _has_ensurepip() -> bool:
    return subprocess.run([sys.executable, "-c", "import ensurepip, venv"], capture_output=True).returncode == 0


def _install_ensurepip() -> bool:
    # Debian splits ensurepip off its Python; only the administrator may add it.
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        return False
    return install_debian_packages(["python3-venv"]) and _has_ensurepip()


def install_debian_packages(packages: Sequence[str]) -> bool:
    """Install Debian packages as the administrator; False when apt-get fails."""
    _say(f"Installing {', '.join(packages)} with apt-get ...")
    quiet = {"DEBIAN_FRONTEND": "noninteractive", **os.environ}
    for command in (["update", "-q"], ["install", "-y", "-q", "--no-install-recommends", *packages]):
        if subprocess.run(["apt-get", *command], env=quiet, stdout=subprocess.DEVNULL, check=False).returncode != 0:
            return False
    return True


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()
