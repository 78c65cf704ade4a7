"""A PostgreSQL server of our own for the tests: made, started, killed and thrown away."""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

# Debian keeps the server's programs out of the search path.
DEBIAN = Path("/usr/lib/postgresql")
# For tests of the fixture `database_url` that hold for each kind of database.
BOTH_DATABASES = pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
ONLY_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
PATIENCE_S = 60.0
POLL_S = 0.02


def programs() -> Path | None:
    """Folder of the server's programs, the newest where there are several; None where there is none."""
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).resolve().parent
    installed = sorted(DEBIAN.glob("*/bin/initdb"), key=lambda path: int(path.parent.parent.name))
    return installed[-1].parent if installed else None


def needed_programs() -> Path:
    """Folder of the server's programs; without them the test is skipped with a reason, and fails where CI is set."""
    found = programs()
    if found is None:
        reason = "PostgreSQL is absent: install Debian's package postgresql"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found


class Server:
    """A server on a port of its own that answers this machine only, with a password."""

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        # Not below pytest's folder: the server refuses to be root, and pytest's folder is for its owner only.
        self.folder = Path(tempfile.mkdtemp(prefix="spine-triage-postgresql-"))
        self._user = "nobody" if os.geteuid() == 0 else None
        self._password = secrets.token_hex(8)
        self._process: subprocess.Popen[bytes] | None = None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        if self._user is not None:
            shutil.chown(self.folder, self._user)
        self._init()

    def start(self) -> None:
        """Start, and wait until it answers."""
        self._process = subprocess.Popen(
            [
                *[self._programs / "postgres", "-D", self.folder / "data", "-p", str(self.port)],
                # Nothing here must outlive a power cut.
                *[
                    "-c",
                    "fsync=off",
                    "-c",
                    "listen_addresses=127.0.0.1",
                    "-c",
                    f"unix_socket_directories={self.folder}",
                ],
            ],
            user=self._user,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self.folder,
        )
        deadline = time.monotonic() + PATIENCE_S
        while subprocess.run([self._programs / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]).returncode:
            assert self._process.poll() is None, "the PostgreSQL server ended at once"
            assert time.monotonic() < deadline, "the PostgreSQL server does not answer"
            time.sleep(POLL_S)

    def kill(self) -> None:
        """End the server as a power cut would, with all its processes."""
        assert self._process is not None
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        for pid in (self._process.pid, *map(int, children)):
            os.kill(pid, signal.SIGKILL)
        self._process.wait()
        (self.folder / "data" / "postmaster.pid").unlink()

    def stop(self) -> None:
        """End the server and remove everything of it."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait()
        shutil.rmtree(self.folder)

    def address(self, database: str) -> str:
        """The database's address, as TRIAGE_DATABASE_URL takes it."""
        return f"postgresql://triage:{self._password}@127.0.0.1:{self.port}/{database}"

    def run(self, statement: str) -> None:
        """Run one statement as the server's administrator."""
        environment = {**os.environ, "PGPASSWORD": self._password, "PGOPTIONS": "-c client_min_messages=warning"}
        command = [
            self._programs / "psql",
            "-q",
            "-h",
            "127.0.0.1",
            "-p",
            str(self.port),
            "-U",
            "triage",
            "-d",
            "postgres",
        ]
        subprocess.run([*command, "-c", statement], env=environment, check=True, stdout=subprocess.DEVNULL)

    def _init(self) -> None:
        secret = self.folder / "password"
        secret.write_text(self._password)
        if self._user is not None:
            shutil.chown(secret, self._user)
        options = [
            "--username=triage",
            f"--pwfile={secret}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--no-locale",
            "--no-sync",
        ]
        subprocess.run(
            [self._programs / "initdb", "-D", self.folder / "data", *options],
            user=self._user,
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=self.folder,
        )
