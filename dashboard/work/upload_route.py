"""The way files take from a browser to the inbox: streamed to disk, counted, then read by the worker.

::

    POST /api/uploads                          {"bytes": total}?  -> {"upload": id, "token": secret}
    PUT  /api/uploads/<id>/files?index=N       one file as the body; header X-Triage-Name: percent-encoded name
    PUT  /api/uploads/<id>/batch?index=N       many files in one body (dashboard.work.framing), numbered from N
    POST /api/uploads/<id>/complete            {"files": count}   -> {"state": "received", ...}, or 409 {"missing"}
    GET  /api/uploads/<id>                     how far it has come

All but the first need the header ``X-Triage-Token``. Errors answer ``{"error": words}``. Names may identify a patient
and therefore travel in a header or body, never in an address. A PUT may be repeated: the same number replaces itself.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dashboard.errors import InputRefused, NotAllowed, RecordsError, TriageError
from dashboard.records import Records, Upload, UploadState, add_upload, check_token, get_upload
from dashboard.work.receiving import ManyFiles, OneFile, Receiver

PREFIX = "/api/uploads"
TOKEN_HEADER = "X-Triage-Token"
NAME_HEADER = "X-Triage-Name"
# Pieces of a body are gathered to this size before a thread writes them, which costs less than a thread a piece.
WRITE_BYTES = 1024**2
LONGEST_JSON_BYTES = 4096
STATUS_OF_ERROR: tuple[tuple[type[TriageError], int], ...] = (
    (NotAllowed, 403),
    (InputRefused, 400),
    (RecordsError, 503),
)
Handler = Callable[[Request], Awaitable[Response]]


def upload_methods() -> tuple[tuple[str, frozenset[str]], ...]:
    """Every address of an upload with its methods, for whoever decides who may ask; ``*`` stands for any id."""
    return ((PREFIX, frozenset({"POST"})), (f"{PREFIX}/*", frozenset({"GET", "PUT", "POST"})))


@dataclass(frozen=True)
class UploadRoutes:
    """The handlers; `allow` raises :class:`NotAllowed` for whoever may not ask."""

    records: Records
    allow: Callable[[HTTPConnection], None]

    def routes(self) -> list[Route]:
        """Routes for the application."""
        return [
            Route(PREFIX, self._guarded(self.start), methods=["POST"]),
            Route(PREFIX + "/{upload}", self._guarded(self.progress), methods=["GET"]),
            Route(PREFIX + "/{upload}/files", self._guarded(self.put_file), methods=["PUT"]),
            Route(PREFIX + "/{upload}/batch", self._guarded(self.put_batch), methods=["PUT"]),
            Route(PREFIX + "/{upload}/complete", self._guarded(self.complete), methods=["POST"]),
        ]

    async def start(self, request: Request) -> Response:
        """Open an upload."""
        announced = _whole_number((await _json(request)).get("bytes", 0), "bytes")
        upload, token = await run_in_threadpool(self._start, announced)
        return JSONResponse({"upload": upload.id, "token": token}, status_code=201)

    async def put_file(self, request: Request) -> Response:
        """Take one file."""
        upload = await self._receiving(request)
        name = unquote(request.headers.get(NAME_HEADER, ""), errors="replace")
        length = request.headers.get("content-length")
        size = None if length is None else _whole_number(length, "Content-Length")
        receiver = await run_in_threadpool(OneFile, self.records.inbox, upload.id, _index(request), name, size)
        return await _receive(request, receiver)

    async def put_batch(self, request: Request) -> Response:
        """Take many files."""
        upload = await self._receiving(request)
        return await _receive(request, ManyFiles(self.records.inbox, upload.id, _index(request)))

    async def complete(self, request: Request) -> Response:
        """Mark the upload received, once every file of it is on the disk."""
        upload = await self._known(request)
        if upload.state is UploadState.RECEIVING:
            count = _whole_number((await _json(request)).get("files"), "files")
            present = {file.index for file in await run_in_threadpool(self.records.inbox.arrived, upload.id)}
            missing = sorted(set(range(min(count, self.records.inbox.max_files))) - present)
            if missing or count == 0:
                return JSONResponse({"error": "Files are missing; send them again.", "missing": missing}, 409)
            upload = await run_in_threadpool(self._complete, upload.id)
        return JSONResponse(_progress(upload))

    async def progress(self, request: Request) -> Response:
        """Say how far the upload has come."""
        upload = await self._known(request)
        body = _progress(upload)
        if upload.state is UploadState.RECEIVING:
            arrived = await run_in_threadpool(self.records.inbox.arrived, upload.id)
            body |= {"files_received": len(arrived), "bytes_received": sum(file.size_bytes for file in arrived)}
        return JSONResponse(body)

    def _guarded(self, handler: Handler) -> Handler:
        """Check who asks, and answer our errors in words."""

        async def answer(request: Request) -> Response:
            try:
                self.allow(request)
                return await handler(request)
            except ClientDisconnect:
                return Response(status_code=400)
            except TriageError as error:
                for kind, status in STATUS_OF_ERROR:
                    if isinstance(error, kind):
                        return JSONResponse({"error": str(error)}, status_code=status)
                raise

        return answer

    async def _known(self, request: Request) -> Upload:
        return await run_in_threadpool(
            self._check, request.path_params["upload"], request.headers.get(TOKEN_HEADER, "")
        )

    async def _receiving(self, request: Request) -> Upload:
        upload = await self._known(request)
        if upload.state is not UploadState.RECEIVING:
            raise InputRefused("This upload is closed; start another one.")
        return upload

    def _check(self, upload_id: str, token: str) -> Upload:
        with self.records.reading() as session:
            return check_token(session, upload_id, token)

    def _start(self, announced_bytes: int) -> tuple[Upload, str]:
        self.records.inbox.check_space(announced_bytes)
        with self.records.writing() as session:
            upload, token = add_upload(session, datetime.now(UTC))
            self.records.inbox.open(upload.id)
        return upload, token

    def _complete(self, upload_id: str) -> Upload:
        self.records.inbox.flush(upload_id)
        with self.records.writing() as session:
            if get_upload(session, upload_id).state is UploadState.RECEIVING:
                return self.records.receive(session, upload_id, datetime.now(UTC))
            return get_upload(session, upload_id)


async def _receive(request: Request, receiver: Receiver) -> Response:
    """Stream the body into `receiver`."""
    gathered = bytearray()
    try:
        async for piece in request.stream():
            gathered += piece
            if len(gathered) >= WRITE_BYTES:
                await run_in_threadpool(receiver.write, bytes(gathered))
                gathered.clear()
        await run_in_threadpool(receiver.write, bytes(gathered))
        arrived = await run_in_threadpool(receiver.finish)
    except BaseException:
        # A cancelled request must not leave its half a file behind either: what cancels it does not reach the thread.
        await asyncio.shield(asyncio.get_running_loop().run_in_executor(None, receiver.abort))
        raise
    return JSONResponse({"files": len(arrived), "bytes": sum(file.size_bytes for file in arrived)})


async def _json(request: Request) -> dict[str, Any]:
    """Small JSON body; an empty one is an empty object."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > LONGEST_JSON_BYTES:
            raise InputRefused("The request is too long.")
    try:
        parsed = json.loads(body or b"{}")
    except ValueError:
        raise InputRefused("The request is not JSON.") from None
    if not isinstance(parsed, dict):
        raise InputRefused("The request is not a JSON object.")
    return parsed


def _index(request: Request) -> int:
    return _whole_number(request.query_params.get("index", ""), "index")


def _whole_number(value: object, name: str) -> int:
    """Number from JSON or text; bounded, since whole numbers of a text are not."""
    text = str(value)
    if isinstance(value, bool) or not text.isascii() or not text.isdigit() or len(text) > 18:
        raise InputRefused(f"{name} must be a whole number.")
    return int(text)


def _progress(upload: Upload) -> dict[str, object]:
    """What the page shows; counts only, no names."""
    return {
        "upload": upload.id,
        "state": upload.state.value,
        "files_received": upload.files_received,
        "bytes_received": upload.bytes_received,
        "files_done": upload.files_done,
        "bytes_done": upload.bytes_done,
        "accepted": upload.accepted,
        "rejected": upload.rejected,
        "duplicates": upload.duplicates,
        "studies": upload.studies,
        "reason": upload.reason,
    }
