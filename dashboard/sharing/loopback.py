"""Who may ask while no sign-in is configured: this machine only, and only its own pages.

Three doors are shut: other machines (by the peer's address), other names for this machine (a hostile page whose
name suddenly resolves to 127.0.0.1), and other sites open in the same browser (by Origin and Sec-Fetch-Site).
"""

import ipaddress
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse

from dashboard.errors import NotAllowed

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection
    from starlette.types import ASGIApp, Receive, Scope, Send

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


def allow_loopback(connection: "HTTPConnection") -> None:
    """Apply :func:`check_request` to a Starlette request or web socket.

    Raises
    ------
    NotAllowed
        It does not come from this machine's own pages.
    """
    peer = connection.client.host if connection.client else None
    scope = connection.scope
    check_request(connection.headers, peer, scope.get("method", "GET"), scope["type"] == "websocket")


class LoopbackOnly:
    """ASGI middleware that refuses everything :func:`check_request` refuses, web sockets included."""

    def __init__(self, app: "ASGIApp") -> None:
        self._app = app

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        peer = scope["client"][0] if scope.get("client") else None
        try:
            check_request(Headers(scope=scope), peer, scope.get("method", "GET"), scope["type"] == "websocket")
        except NotAllowed as error:
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008, "reason": str(error)})
            else:
                await PlainTextResponse(str(error), status_code=403)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _host_name(host: str) -> str:
    """Host header without its port."""
    return urlsplit(f"//{host}").hostname or "" if host else ""
