"""The gate before everything the server answers, web sockets included.

In order: does the request come from where it may (this machine, or the site's own pages); is the address one of
:mod:`dashboard.sharing.doors`; may the person who asks. The same person is looked up again by whoever handles the
request (:func:`allow`), and by every screen: nobody relies on having been asked before.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, PlainTextResponse, Response

from dashboard.errors import NotAllowed, RecordsError
from dashboard.records import CANNOT_BE_OPENED, Records
from dashboard.sharing.access import CONSOLE, STRANGER, Person, Right, may, require
from dashboard.sharing.doors import SOCKET, Door, Doors
from dashboard.sharing.links import check_link
from dashboard.sharing.loopback import OWN_FETCH_SITES, READING_METHODS, check_request
from dashboard.sharing.passes import HEADER, read_pass
from dashboard.sharing.refusals import Refusals
from dashboard.sharing.returning import COOKIE, SECONDS, own_address
from dashboard.sharing.signing_in import Claims, leave, recognise

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

PERSON = "triage.person"
LOGIN, LOGOUT, CALLBACK = "/auth/login", "/auth/logout", "/oauth2callback"
NOTHING_HERE = "There is nothing at this address."
SIGN_IN_FIRST = "Sign in first."
BUSY = "Who asks could not be looked up; try again."
HEADERS = {
    # The address of one of our pages names an opaque id; only our own sign-in may see it.
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "frame-ancestors 'none'; object-src 'none'; base-uri 'self'",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def who_asks(connection: HTTPConnection) -> Person:
    """Whom the gate has let in; a stranger where no gate stood before the route."""
    person: Person = connection.scope.get(PERSON, STRANGER)
    return person


def allow(right: Right) -> Callable[[HTTPConnection], None]:
    """What a route asks before it does anything: whether the gate has let somebody in who has this right."""

    def check(connection: HTTPConnection) -> None:
        require(who_asks(connection), right)

    return check


class Gate:
    """ASGI middleware; see the module.

    Parameters
    ----------
    pages
        Paths of the screens, without slash.
    own
        Doors of our own routes.
    read_cookie
        Claims of an identity cookie from a request's cookies, None unless its signature holds.
    """

    def __init__(
        self,
        app: "ASGIApp",
        records: Records,
        pages: Iterable[str],
        own: Iterable[Door],
        read_cookie: Callable[[Mapping[str, str]], Claims | None],
    ) -> None:
        self._app, self._records, self._read_cookie = app, records, read_cookie
        self._sign_in = records.settings.sign_in
        self._pages = tuple(pages)
        self._doors = Doors(self._pages, own, self._sign_in is not None)
        self._refusals = Refusals(records)

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        socket = scope["type"] == "websocket"
        method = SOCKET if socket else scope["method"]
        door = self._doors.find(scope["path"], method)
        refusal = await self._refusal(scope, door, method)
        if refusal is None:
            if scope["path"] == LOGOUT:
                await run_in_threadpool(self._note_leaving, HTTPConnection(scope).cookies)
            await self._app(scope, receive, self._answering(scope, door, send))
        elif socket:
            await send({"type": "websocket.close", "code": 1008, "reason": refusal[1]})
        else:
            await _refused(scope, *refusal)(scope, receive, self._answering(scope, None, send))

    async def _refusal(self, scope: "Scope", door: Door | None, method: str) -> tuple[int, str] | None:
        """Status and words, or None for a request that may pass; who asks is left in the scope."""
        scope[PERSON] = STRANGER
        try:
            self._check_origin(scope, door, method)
        except NotAllowed as error:
            return 403, str(error)
        if door is None:
            return 404, NOTHING_HERE
        if self._sign_in is None:
            scope[PERSON] = CONSOLE
        if door.guests or (door.right is not None and self._sign_in is not None):
            try:
                scope[PERSON] = await run_in_threadpool(self._person, HTTPConnection(scope), door)
            except NotAllowed as error:
                return 403, str(error)
            except RecordsError:
                return 503, BUSY
        if door.right is None or may(scope[PERSON], door.right, scope[PERSON].study_id):
            return None
        with suppress(RecordsError):
            await run_in_threadpool(self._refusals.note, scope[PERSON], f"{method} {door.path}")
        if scope[PERSON] == STRANGER:
            return 401, SIGN_IN_FIRST
        return 403, f"You may not {door.right.value}."

    def _check_origin(self, scope: "Scope", door: Door | None, method: str) -> None:
        headers = Headers(scope=scope)
        socket = method == SOCKET
        if self._sign_in is None:
            peer = scope["client"][0] if scope.get("client") else None
            check_request(headers, peer, scope.get("method", "GET"), socket)
            return
        if not (door and door.any_host):
            check_site(headers, scope["path"], scope.get("method", "GET"), socket, self._sign_in.public_url)

    def _person(self, connection: HTTPConnection, door: Door) -> Person:
        """Who asks: the team by its cookie, the holder of a share link by the pass that the page was given."""
        now = datetime.now(UTC)
        person = CONSOLE
        if self._sign_in is not None:
            person = recognise(self._records, self._read_cookie(connection.cookies), self._sign_in, now)
        if not door.guests or HEADER not in connection.headers:
            return person
        share_id = read_pass(self._records.keys, connection.headers[HEADER])
        if share_id is None:
            raise NotAllowed(CANNOT_BE_OPENED)
        return check_link(self._records, person, share_id, now)

    def _note_leaving(self, cookies: Mapping[str, str]) -> None:
        assert self._sign_in is not None
        # Nobody is kept from signing out because the database is busy.
        with suppress(RecordsError):
            leave(self._records, self._read_cookie(cookies), self._sign_in, datetime.now(UTC))

    def _answering(self, scope: "Scope", door: Door | None, send: "Send") -> Callable[["Message"], Awaitable[None]]:
        """`send` that adds what every answer carries, and finds the way back after a sign-in."""

        async def answer(message: "Message") -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                if door is None or door.right is not None:
                    headers["Cache-Control"] = "no-store"
                if self._sign_in is not None:
                    self._find_back(scope, headers)
                    _secure_cookies(message, self._sign_in.public_url)
            await send(message)

        return answer

    def _find_back(self, scope: "Scope", headers: MutableHeaders) -> None:
        """Keep the page that somebody signs in from, and lead there once they have."""
        assert self._sign_in is not None
        public, path = self._sign_in.public_url, scope.get("path")
        if path == LOGIN:
            back = own_address(Headers(scope=scope).get("referer", ""), public, self._pages)
            headers.append("Set-Cookie", _return_cookie(back, SECONDS if back else 0))
        elif path == CALLBACK:
            back = own_address(unquote(HTTPConnection(scope).cookies.get(COOKIE, "")), public, self._pages)
            if back and headers.get("location") == "/":
                headers["Location"] = back
            headers.append("Set-Cookie", _return_cookie("", 0))


def check_site(headers: Mapping[str, str], path: str, method: str, socket: bool, public_url: str) -> None:
    """Let the site's own pages pass where people sign in.

    Raises
    ------
    NotAllowed
        The server is asked under another name, or by another site's page.
    """
    public = urlsplit(public_url)
    standard = ":443" if public.scheme == "https" else ":80"
    if headers.get("host", "").lower().removesuffix(standard) != public.netloc.removesuffix(standard):
        raise NotAllowed(f"This server is not known by that name. Open {public_url} instead.")
    changes = socket or method not in READING_METHODS
    if not changes and path not in (LOGIN, LOGOUT):
        return
    origin = headers.get("origin", "").lower().removesuffix(standard)
    if (origin or socket) and origin != public_url.removesuffix(standard):
        raise NotAllowed("Another site's page may not do this.")
    if headers.get("sec-fetch-site", "") not in OWN_FETCH_SITES:
        raise NotAllowed("Another site's page may not do this.")


def _refused(scope: "Scope", status: int, words: str) -> Response:
    if scope["path"].startswith("/api/"):
        return JSONResponse({"error": words}, status)
    return PlainTextResponse(words, status)


def _return_cookie(address: str, seconds: int) -> str:
    cookie: SimpleCookie = SimpleCookie()
    cookie[COOKIE] = quote(address, safe="")
    cookie[COOKIE].update({"path": CALLBACK, "max-age": str(seconds), "samesite": "Lax"})
    cookie[COOKIE]["httponly"] = True
    return cookie[COOKIE].OutputString()


def _secure_cookies(message: "Message", public_url: str) -> None:
    """Streamlit cannot know that a proxy speaks TLS for it, so its cookies would travel without it as well."""
    if not public_url.startswith("https://"):
        return
    message["headers"] = [
        (name, value + b"; Secure" if name.lower() == b"set-cookie" and b"; secure" not in value.lower() else value)
        for name, value in message["headers"]
    ]
