"""A client for our own routes: calls the application without a network, and streams bodies of any size."""

import asyncio
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.types import ASGIApp, Message

OWN_HEADERS = {"host": "localhost:8501"}


@dataclass(frozen=True)
class Answer:
    """Status and body of a response."""

    status: int
    body: bytes

    @property
    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)


def request(
    app: ASGIApp,
    method: str,
    path: str,
    body: bytes | Iterable[bytes] = b"",
    headers: Mapping[str, str] | None = None,
    peer: str = "127.0.0.1",
    broken_off: bool = False,
) -> Answer:
    """Send one request; with `broken_off` the client goes away after its last piece instead of ending the body."""
    raw_path, _, query = path.partition("?")
    sent = {**OWN_HEADERS, **(headers or {})}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": raw_path,
        "raw_path": raw_path.encode(),
        "query_string": query.encode(),
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in sent.items()],
        "client": (peer, 50_000),
        "server": ("127.0.0.1", 8501),
    }
    pieces: Iterator[bytes] = iter([body] if isinstance(body, bytes) else body)
    answers: list[Message] = []

    async def receive() -> Message:
        piece = next(pieces, None)
        if piece is None:
            return {"type": "http.disconnect"} if broken_off else {"type": "http.request", "body": b""}
        return {"type": "http.request", "body": piece, "more_body": True}

    async def send(message: Message) -> None:
        answers.append(message)

    asyncio.run(app(scope, receive, send))
    content = b"".join(message.get("body", b"") for message in answers[1:])
    return Answer(answers[0]["status"], content)
