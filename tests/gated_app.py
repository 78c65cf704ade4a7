"""The server's own routes behind its own gate, each answered by a stand-in that says it was reached."""

import asyncio
import runpy
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.types import Message, Scope
from starlette.websockets import WebSocket
from streamlit.web.server.starlette.starlette_app import create_streamlit_routes

from dashboard.sharing import Gate
from tests.work.asgi import Answer, request

REACHED = b"reached"


class Site:
    """The application's routes and gate. `ask` answers like the server; `as_whom` is whom the cookie names."""

    def __init__(self, app: Any, gate: Mapping[str, Any]) -> None:
        # As the application puts them together when it starts.
        routes = [*app._user_routes, *create_streamlit_routes(MagicMock())]
        self.paths = [getattr(route, "path", "") for route in routes]
        self.gate = gate
        routes = [_stand_in(route) for route in routes]
        self.inner = Starlette(routes=routes)
        self.outer = Starlette(routes=routes, middleware=[Middleware(Gate, **gate)])

    def ask(self, method: str, path: str, headers: Mapping[str, str], peer: str = "10.0.0.9") -> Answer:
        if method == "SOCKET":
            return open_socket(self.outer, path, headers, peer)
        return request(self.outer, method, path, headers=headers, peer=peer)


def _stand_in(route: Any) -> Any:
    if isinstance(route, WebSocketRoute):

        async def accept(socket: WebSocket) -> None:
            await socket.accept()
            await socket.close()

        return WebSocketRoute(route.path, accept)
    if isinstance(route, Mount):
        return Mount(route.path, app=PlainTextResponse(REACHED))
    return Route(route.path, lambda _request: PlainTextResponse(REACHED), methods=list(route.methods or ()))


def open_socket(app: Any, path: str, headers: Mapping[str, str], peer: str) -> Answer:
    sent: list[Message] = []
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope: Scope = {
        "type": "websocket",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": raw,
        "client": (peer, 1),
        "subprotocols": [],
    }

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    accepted = sent[0]["type"] == "websocket.accept"
    return Answer(200 if accepted else 403, REACHED if accepted else b"")


def load_app(monkeypatch: pytest.MonkeyPatch, repository: Path, environment: Mapping[str, str]) -> dict[str, Any]:
    """``app.py`` as ``streamlit run`` loads it."""
    monkeypatch.chdir(repository)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return runpy.run_path(str(repository / "dashboard" / "app.py"), run_name="app")
