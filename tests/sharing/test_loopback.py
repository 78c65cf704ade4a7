"""Without sign-in, this machine's own pages may ask, and nobody else. The gate that holds it: tests/test_routes.py."""

import pytest

from dashboard.errors import NotAllowed
from dashboard.sharing import check_request, is_loopback

OWN = {"host": "localhost:8501"}


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST.", "127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
def test_names_of_this_machine(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["", "example.org", "localhost.example.org", "10.0.0.1", "0.0.0.0", "::", "fe80::1"])
def test_names_of_others(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize("host", ["localhost:8501", "127.0.0.1:8501", "[::1]:8501", "localhost"])
def test_own_pages_pass(host: str) -> None:
    check_request({"host": host}, "127.0.0.1", "GET")
    check_request({"host": host, "origin": f"http://{host}", "sec-fetch-site": "same-origin"}, "::1", "POST")


@pytest.mark.parametrize("peer", [None, "10.0.0.1", "192.168.1.4", ""])
def test_other_machines_are_refused(peer: str | None) -> None:
    with pytest.raises(NotAllowed, match="this machine only"):
        check_request(OWN, peer, "GET")


@pytest.mark.parametrize("host", ["", "evil.example", "evil.example:8501", "10.0.0.1:8501"])
def test_other_names_for_this_machine_are_refused(host: str) -> None:
    with pytest.raises(NotAllowed, match="this machine only"):
        check_request({"host": host}, "127.0.0.1", "GET")


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "http://localhost:9999"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
@pytest.mark.parametrize(("method", "socket"), [("POST", False), ("PUT", False), ("GET", True)])
def test_other_sites_in_the_same_browser_are_refused(headers: dict[str, str], method: str, socket: bool) -> None:
    with pytest.raises(NotAllowed, match="Another site"):
        check_request({**OWN, **headers}, "127.0.0.1", method, socket)
