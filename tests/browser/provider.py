"""A real OpenID Connect provider on a free port, with people who sign in by one click."""

import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

PEOPLE = {
    "chief-1": {"name": "Ada Chief", "email": "ada@example.org", "email_verified": True},
    "reader-1": {"name": "Rosa Reader", "email": "rosa@example.org", "email_verified": True},
    "viewer-1": {"name": "Victor Viewer", "email": "victor@example.org", "email_verified": True},
}
START_S = 60


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


class Provider:
    """`oidc-provider-mock` in a process of its own."""

    def __init__(self) -> None:
        self.port = free_port()

    @property
    def url(self) -> str:
        """Address of the provider."""
        return f"http://localhost:{self.port}"

    @property
    def metadata_url(self) -> str:
        """Where it describes itself."""
        return f"{self.url}/.well-known/openid-configuration"

    def start(self) -> None:
        """Start, and wait until it answers."""
        command = [sys.executable, "-m", "oidc_provider_mock", "--port", str(self.port)]
        for subject, claims in PEOPLE.items():
            command += ["--user-claims", json.dumps({"sub": subject, **claims})]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                with urllib.request.urlopen(self.metadata_url, timeout=5) as answer:
                    if answer.status == 200:
                        return
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
        raise RuntimeError("the identity provider did not start")

    def stop(self) -> None:
        """End the provider."""
        self._process.kill()
        self._process.wait()
