"""Uploads over the route: whole or not at all, bounded, for their sender only, flat in memory."""

import asyncio
import resource
import shutil
import threading
from collections.abc import Iterator
from contextlib import suppress
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import anyio
import pytest
from starlette.applications import Starlette
from starlette.requests import HTTPConnection, Request
from starlette.types import Message

from dashboard.errors import NotAllowed
from dashboard.records import Arrived, Records, UploadState, get_upload, open_jobs
from dashboard.records.inbox import Inbox
from dashboard.work import UploadRoutes
from dashboard.work.upload_route import _receive
from tests.work.asgi import Answer, request
from tests.work.test_framing import framed

MIB = 1024**2


def allow_all(connection: HTTPConnection) -> None:
    """Everybody may ask."""


@pytest.fixture
def app(records: Records) -> Starlette:
    return Starlette(routes=UploadRoutes(records, allow_all).routes())


class Sender:
    """One upload as a browser would send it."""

    def __init__(self, app: Starlette) -> None:
        self.app = app
        opened = request(app, "POST", "/api/uploads")
        assert opened.status == 201
        self.id, self.token = opened.json["upload"], opened.json["token"]

    def put(self, index: int, body: Any, name: str = "IM1", **more: Any) -> Answer:
        headers = {"x-triage-token": self.token, "x-triage-name": quote(name)}
        return request(self.app, "PUT", f"/api/uploads/{self.id}/files?index={index}", body, headers, **more)

    def batch(self, index: int, body: bytes, **more: Any) -> Answer:
        headers = {"x-triage-token": self.token}
        return request(self.app, "PUT", f"/api/uploads/{self.id}/batch?index={index}", body, headers, **more)

    def complete(self, files: int) -> Answer:
        body = b'{"files": %d}' % files
        return request(self.app, "POST", f"/api/uploads/{self.id}/complete", body, {"x-triage-token": self.token})

    def progress(self) -> Answer:
        return request(self.app, "GET", f"/api/uploads/{self.id}", headers={"x-triage-token": self.token})


def test_a_file_arrives_under_its_name(app: Starlette, records: Records) -> None:
    sender = Sender(app)
    assert sender.put(0, b"bytes", "Wirbelsäule/Müller 1/IM1").json == {"files": 1, "bytes": 5}
    (file,) = records.inbox.files(sender.id)
    assert (file.name, file.path.read_bytes()) == ("Wirbelsäule/Müller 1/IM1", b"bytes")


def test_many_files_arrive_in_one_request(app: Starlette, records: Records) -> None:
    sender = Sender(app)
    body = b"".join(framed(f"folder/IM{number}", bytes([number]) * number) for number in range(5))
    assert sender.batch(10, body).json == {"files": 5, "bytes": 10}
    arrived = records.inbox.arrived(sender.id)
    assert [(file.index, file.name, file.size_bytes) for file in arrived] == [
        (10 + number, f"folder/IM{number}", number) for number in range(5)
    ]


def test_completion_queues_the_reading_once(app: Starlette, records: Records) -> None:
    sender = Sender(app)
    sender.put(0, b"bytes")
    assert sender.complete(1).json["state"] == "received"
    assert sender.complete(1).status == 200
    with records.reading() as session:
        upload = get_upload(session, sender.id)
        assert open_jobs(session) == 1
    assert (upload.state, upload.files_received, upload.bytes_received) == (UploadState.RECEIVED, 1, 5)


def test_missing_files_are_asked_for_again(app: Starlette) -> None:
    sender = Sender(app)
    sender.put(1, b"bytes")
    answer = sender.complete(3)
    assert (answer.status, answer.json["missing"]) == (409, [0, 2])


def test_an_empty_upload_is_not_received(app: Starlette) -> None:
    assert Sender(app).complete(0).status == 409


def test_progress_counts_what_arrived(app: Starlette) -> None:
    sender = Sender(app)
    sender.put(0, b"bytes")
    shown = sender.progress().json
    assert (shown["state"], shown["files_received"], shown["bytes_received"]) == ("receiving", 1, 5)


def test_a_broken_off_file_leaves_nothing(app: Starlette, records: Records) -> None:
    sender = Sender(app)
    assert sender.put(0, b"half", broken_off=True).status == 400
    assert sender.batch(1, framed("IM1", b"whole") + framed("IM2", b"half")[:-1]).status == 400
    assert records.inbox.arrived(sender.id) == ()
    assert [path.name for path in records.settings.inbox_dir.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("cancelled", [False, True])
def test_a_request_that_ends_early_cleans_up_off_the_event_loop(
    app: Starlette, records: Records, monkeypatch: pytest.MonkeyPatch, cancelled: bool
) -> None:
    threads = []
    drop_part = Inbox.drop_part

    def noted(inbox: Inbox, upload_id: str, index: int) -> None:
        threads.append(threading.current_thread())
        drop_part(inbox, upload_id, index)

    monkeypatch.setattr(Inbox, "drop_part", noted)
    sender = Sender(app)

    def pieces() -> Iterator[bytes]:
        yield b"half"
        if cancelled:
            raise asyncio.CancelledError

    with suppress(asyncio.CancelledError):
        sender.put(0, pieces(), broken_off=True)
    assert threads
    assert threading.main_thread() not in threads
    assert [path for path in records.settings.inbox_dir.rglob("*") if path.is_file()] == []


def test_what_cancels_a_request_again_does_not_keep_it_from_cleaning_up(records: Records) -> None:
    """As a task group does it: whatever the request waits for is cancelled, however often."""

    class Half:
        gone = threading.Event()

        def write(self, piece: bytes) -> None: ...

        def finish(self) -> tuple[Arrived, ...]:
            raise AssertionError

        def abort(self) -> None:
            self.gone.set()

    async def ask() -> None:
        with anyio.CancelScope() as scope:

            async def receive() -> Message:
                scope.cancel()
                await anyio.sleep_forever()
                raise AssertionError

            await _receive(Request({"type": "http", "method": "PUT", "headers": []}, receive), Half())

    asyncio.run(ask())
    assert Half.gone.is_set()


def test_a_file_of_another_length_than_announced_is_refused(app: Starlette, records: Records) -> None:
    sender = Sender(app)
    for length in ("3", "7"):
        headers = {"x-triage-token": sender.token, "content-length": length}
        assert request(app, "PUT", f"/api/uploads/{sender.id}/files?index=0", b"bytes", headers).status == 400
    assert records.inbox.arrived(sender.id) == ()


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("PUT", "/files?index=0"),
        ("PUT", "/batch?index=0"),
        ("POST", "/complete"),
    ],
)
def test_strangers_learn_nothing(app: Starlette, method: str, path: str) -> None:
    sender, other = Sender(app), Sender(app)
    answers = {
        request(app, method, f"/api/uploads/{upload}{path}", headers=headers).body
        for upload, headers in (
            (sender.id, {}),
            (sender.id, {"x-triage-token": other.token}),
            ("0" * 32, {"x-triage-token": sender.token}),
            ("..%2f..", {"x-triage-token": sender.token}),
        )
    }
    assert len(answers) == 1
    assert b"not known" in answers.pop()


def test_every_route_asks_who_is_there(records: Records) -> None:
    def refuse(connection: HTTPConnection) -> None:
        raise NotAllowed("Sign in first.")

    guarded = UploadRoutes(records, refuse).routes()
    app = Starlette(routes=guarded)
    for route in guarded:
        for method in (route.methods or set()) - {"HEAD"}:
            answer = request(app, method, route.path.replace("{upload}", "0" * 32))
            assert (answer.status, answer.json) == (403, {"error": "Sign in first."})


def test_a_closed_upload_takes_no_more(app: Starlette) -> None:
    sender = Sender(app)
    sender.put(0, b"bytes")
    sender.complete(1)
    answer = sender.put(1, b"more")
    assert answer.status == 400
    assert "closed" in answer.json["error"]


@pytest.mark.parametrize("index", ["", "-1", "1.5", "٣", "1" * 40, "50000"])
def test_numbers_are_checked(app: Starlette, index: str) -> None:
    sender = Sender(app)
    path = f"/api/uploads/{sender.id}/files?index={quote(index)}"
    assert request(app, "PUT", path, b"", {"x-triage-token": sender.token}).status == 400


@pytest.mark.parametrize("body", [b"[]", b"{", b'{"files": true}', b'{"files": "x"}', b" " * 5000])
def test_malformed_requests_are_refused(app: Starlette, body: bytes) -> None:
    sender = Sender(app)
    path = f"/api/uploads/{sender.id}/complete"
    assert request(app, "POST", path, body, {"x-triage-token": sender.token}).status == 400


def test_too_large_a_file_is_refused_however_it_comes(records: Records) -> None:
    small = Records(
        records.settings, records.database, records.keys, records.store, Inbox(records.settings.inbox_dir, 10, 5)
    )
    sender = Sender(Starlette(routes=UploadRoutes(small, allow_all).routes()))
    for answer in (sender.put(0, [b"x" * 6, b"x" * 6]), sender.batch(0, framed("IM1", b"x" * 11))):
        assert answer.status == 400
        assert "larger" in answer.json["error"]


def test_no_room_is_said_before_the_first_byte(app: Starlette, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=0))
    answer = request(app, "POST", "/api/uploads", b'{"bytes": 1000}')
    assert answer.status == 400
    assert "no room" in answer.json["error"]


def test_memory_stays_flat(app: Starlette, records: Records) -> None:
    """300 MiB in pieces of 256 KiB raise the process's peak by less than 50 MiB."""
    piece, count = bytes(MIB // 4), 4 * 300

    def pieces() -> Iterator[bytes]:
        for _ in range(count):
            yield piece

    sender = Sender(app)
    sender.put(0, b"warm")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert sender.put(1, pieces()).json == {"files": 1, "bytes": 300 * MIB}
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50 * 1024
    records.inbox.remove(sender.id)
