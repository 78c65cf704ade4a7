"""Scripts that run before Streamlit's in every page: the person's theme from the first thing drawn, and words when the
server no longer answers."""

import uuid
from collections.abc import Iterable
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders

from dashboard.screens.parts import FOLDER

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEAD = b"<head>"
# What would have Streamlit answer with a page kept from before, with part of one, or packed.
NOT_PASSED_ON = frozenset((b"if-none-match", b"if-modified-since", b"if-range", b"range", b"accept-encoding"))
# Tells one run of the server from the next, and nothing else.
SERVER = uuid.uuid4().hex
HEALTH, SERVER_HEADER = "/_stcore/health", "Triage-Server"
SCRIPTS = f'<script>window.triageServer = "{SERVER}";</script>'.encode() + b"".join(
    b"<script>" + (FOLDER / name).read_bytes() + b"</script>" for name in ("first_paint.js", "connection.js")
)


class PageHead:
    """ASGI middleware that puts our scripts at the head of Streamlit's page, which has no call for it.

    Parameters
    ----------
    pages
        Paths of the screens, without slash.
    """

    def __init__(self, app: "ASGIApp", pages: Iterable[str]) -> None:
        self._app = app
        self._paths = frozenset(("/", *(f"/{page}" for page in pages)))

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Answer a request."""
        if scope["type"] == "http" and scope["path"] == HEALTH:
            await self._app(scope, receive, _naming_server(send))
            return
        if scope["type"] != "http" or scope["method"] != "GET" or scope["path"] not in self._paths:
            await self._app(scope, receive, send)
            return
        whole = [(name, value) for name, value in scope["headers"] if name.lower() not in NOT_PASSED_ON]
        start: Message = {}
        parts: list[bytes] = []

        async def answer(message: "Message") -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
                return
            parts.append(message.get("body", b""))
            if message.get("more_body"):
                return
            page = b"".join(parts)
            if Headers(raw=start["headers"]).get("content-type", "").startswith("text/html"):
                page = page.replace(HEAD, HEAD + SCRIPTS, 1)
                headers = MutableHeaders(raw=start["headers"])
                headers["Content-Length"] = str(len(page))
                for name in ("ETag", "Last-Modified", "Accept-Ranges"):
                    del headers[name]
                start = {**start, "headers": headers.raw}
            await send(start)
            await send({"type": "http.response.body", "body": page})

        await self._app({**scope, "headers": whole}, receive, answer)


def _naming_server(send: "Send") -> "Send":
    """`send`, with the name of this run of the server in the head of the answer."""

    async def answer(message: "Message") -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message)[SERVER_HEADER] = SERVER
        await send(message)

    return answer
