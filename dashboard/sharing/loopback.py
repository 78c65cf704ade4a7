"""Who may ask while no sign-in is configured: this machine only, and only its own pages.

Three doors are shut: other machines (by the peer's address), other names for this machine (a hostile page whose
name suddenly resolves to 127.0.0.1), and other sites open in the same browser (by Origin and Sec-Fetch-Site).
"""

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit

from dashboard.errors import NotAllowed

LOOPBACK_NAMES = frozenset({"localhost", "ip6-localhost"})
READING_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
# What a browser says of a request that the page itself, or the address bar, has made.
OWN_FETCH_SITES = frozenset({"", "same-origin", "none"})
REFUSAL = "This server answers this machine only, because no sign-in is configured."


def is_loopback(host: str) -> bool:
    """Whether `host`, a name or an address without port, can only mean this machine."""
    if host.lower().rstrip(".") in LOOPBACK_NAMES:
        return True
    try:
        address = ipaddress.ip_address(host.split("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)


def check_request(headers: Mapping[str, str], peer: str | None, method: str, socket: bool = False) -> None:
    """Let this machine's own pages pass.

    Parameters
    ----------
    headers
        By lower-case name.
    peer
        Address of the other end; None (a local socket without address) is refused.
    method, socket
        A request that changes something, or a web socket, must come from a page of this server.

    Raises
    ------
    NotAllowed
        Anybody else asks.
    """
    host = headers.get("host", "")
    if peer is None or not is_loopback(peer) or not is_loopback(_host_name(host)):
        raise NotAllowed(REFUSAL)
    if method in READING_METHODS and not socket:
        return
    origin = headers.get("origin", "")
    if origin and urlsplit(origin).netloc.lower() != host.lower():
        raise NotAllowed("Another site's page may not do this.")
    if headers.get("sec-fetch-site", "") not in OWN_FETCH_SITES:
        raise NotAllowed("Another site's page may not do this.")


def _host_name(host: str) -> str:
    """Host header without its port."""
    return urlsplit(f"//{host}").hostname or "" if host else ""
