"""Every address of the real server, asked by everybody: what is not classified is open to nobody.

The routes are read from the application itself, Streamlit's own among them; their handlers are replaced by one that
says it was reached, so that what is tested is the gate and nothing behind it.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import Message, Scope

from dashboard.records import Role, add_study, audit_entries, list_users, open_records, set_role
from dashboard.screens import pages
from dashboard.sharing import Gate, LinkKind, Person, admit, close_link, disable, make_link, make_pass
from dashboard.sharing.signing_in import Claims
from tests.gated_app import REACHED, Site, load_app, open_socket
from tests.sharing.conftest import SIGN_IN, claims_of, team_settings
from tests.work.asgi import request

PUBLIC_URL, HOST = SIGN_IN["TRIAGE_PUBLIC_URL"], "triage.example.org"
ID = "0123456789abcdef" * 2
EVERYBODY = ("anonymous", "no role", "disabled", "viewer", "reader", "admin")
TEAM = ("viewer", "reader", "admin")
READERS = ("reader", "admin")
ADMINS = ("admin",)
NOBODY: tuple[str, ...] = ()
# Route of the application -> an address of it, the method, and who may reach it. A route without a line fails a test.
ROUTES: Mapping[str, tuple[tuple[str, str, tuple[str, ...]], ...]] = {
    "/api/uploads": (("POST", "/api/uploads", READERS), ("GET", "/api/uploads", NOBODY)),
    "/api/uploads/{upload}": (("GET", f"/api/uploads/{ID}", READERS),),
    "/api/uploads/{upload}/files": (("PUT", f"/api/uploads/{ID}/files", READERS),),
    "/api/uploads/{upload}/batch": (("PUT", f"/api/uploads/{ID}/batch", READERS),),
    "/api/uploads/{upload}/complete": (("POST", f"/api/uploads/{ID}/complete", READERS),),
    **{
        f"/api/pictures/{{finding}}/{path}": (
            ("GET", f"/api/pictures/{ID}/{example}", TEAM),
            ("POST", f"/api/pictures/{ID}/{example}", NOBODY),
        )
        for path, example in (
            ("scene", "scene"),
            ("{view}/outlines", "1/outlines"),
            ("{view}/thumbnails", "1/thumbnails"),
            ("{view}/{plane:int}/lossless", "1/0/lossless"),
            ("{view}/{plane:int}/preview", "1/0/preview"),
        )
    },
    "/api/plotly": (("GET", "/api/plotly", EVERYBODY),),
    "/_stcore/health": (("GET", "/_stcore/health", EVERYBODY), ("OPTIONS", "/_stcore/health", NOBODY)),
    "/_stcore/metrics": (("GET", "/_stcore/metrics", ADMINS), ("OPTIONS", "/_stcore/metrics", NOBODY)),
    "/_stcore/host-config": (("GET", "/_stcore/host-config", EVERYBODY),),
    "/media/{file_id:path}": (("GET", "/media/abc.jsonl", TEAM), ("OPTIONS", "/media/abc.jsonl", NOBODY)),
    "/_stcore/upload_file/{session_id}/{file_id}": (
        ("PUT", "/_stcore/upload_file/a/b", NOBODY),
        ("DELETE", "/_stcore/upload_file/a/b", NOBODY),
        ("OPTIONS", "/_stcore/upload_file/a/b", NOBODY),
    ),
    "/component/{path:path}": (("GET", "/component/a/b.js", NOBODY), ("OPTIONS", "/component/a", NOBODY)),
    "/_stcore/bidi-components/{path:path}": (
        ("GET", "/_stcore/bidi-components/a/b.js", EVERYBODY),
        ("OPTIONS", "/_stcore/bidi-components/a/b.js", NOBODY),
    ),
    "/_stcore/stream": (("SOCKET", "/_stcore/stream", EVERYBODY),),
    "/auth/login": (("GET", "/auth/login", EVERYBODY),),
    "/auth/logout": (("GET", "/auth/logout", EVERYBODY),),
    "/oauth2callback": (("GET", "/oauth2callback", EVERYBODY),),
    "/_stcore/agent/interact": (("POST", "/_stcore/agent/interact", NOBODY),),
    "/_stcore/agent/openapi.json": (("GET", "/_stcore/agent/openapi.json", NOBODY),),
    "/_stcore/agent/mcp": (("POST", "/_stcore/agent/mcp", NOBODY), ("GET", "/_stcore/agent/mcp", NOBODY)),
    # The programs of the page; what is shown comes over the web socket, from screens that ask for themselves.
    "": (
        ("GET", "/", EVERYBODY),
        ("GET", "/static/js/index.js", EVERYBODY),
        ("GET", "/favicon.png", EVERYBODY),
        ("GET", "/manifest.json", EVERYBODY),
        *(("GET", f"/{page}", EVERYBODY) for page in pages.SCREENS),
        ("POST", "/", NOBODY),
        ("GET", "/study/", NOBODY),
        ("GET", "/secret", NOBODY),
        ("GET", "/dashboard/app.py", NOBODY),
        ("GET", "/static/../app.py", NOBODY),
        ("GET", "/api/", NOBODY),
        ("GET", "//evil.example", NOBODY),
        ("SOCKET", "/study", NOBODY),
    ),
}
TABLE = [(method, path, who) for lines in ROUTES.values() for method, path, who in lines]
PEOPLE = {"no role": Role.NONE, "viewer": Role.VIEWER, "reader": Role.READER, "admin": Role.ADMIN}


@pytest.fixture(scope="module")
def module_patch() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="module")
def site(
    module_patch: pytest.MonkeyPatch, repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """The server of a team, with one person of each kind; a header stands for the cookie, whose signature
    ``tests/browser`` tries."""
    folder = tmp_path_factory.mktemp("team")
    records = open_records(team_settings(folder))
    sign_in = records.settings.sign_in
    assert sign_in is not None
    now = datetime.now(UTC)
    found: dict[str, Claims] = {}
    admin: Person | None = None
    for name, role in [("admin", Role.ADMIN), *PEOPLE.items(), ("disabled", Role.ADMIN)]:
        found[name] = claims_of(name, issued_at=now)
        person = admit(records, found[name], sign_in, now)
        with records.writing() as session:
            set_role(session, person.id, role, now)
        if admin is None:
            admin = admit(records, found[name], sign_in, now)
        elif name == "disabled":
            disable(records, admin, person.id, now)
    loaded = load_app(module_patch, repository, {"TRIAGE_DATA_DIR": str(folder), **SIGN_IN})
    gate = dict(loaded["app"]._user_middleware[0].kwargs)
    gate["read_cookie"] = lambda cookies: found.get(cookies.get("who", "").replace("_", " "))
    yield Site(loaded["app"], gate)
    records.close()


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch, repository: Path, tmp_path: Path) -> Site:
    """The server of one machine, without sign-in."""
    for name in SIGN_IN:
        monkeypatch.delenv(name, raising=False)
    loaded = load_app(monkeypatch, repository, {"TRIAGE_DATA_DIR": str(tmp_path)})
    return Site(loaded["app"], loaded["app"]._user_middleware[0].kwargs)


def headers_of(who: str, **more: str) -> dict[str, str]:
    cookie = {} if who == "anonymous" else {"cookie": f"who={who.replace(' ', '_')}"}
    return {"host": HOST, "origin": PUBLIC_URL, **cookie, **more}


def listed(path: str) -> str:
    """A route's path as the table calls it: the version in the library's address may change."""
    return "/api/plotly" if path.startswith("/api/plotly-") else path


def real(site: Site, path: str) -> str:
    return next(path for path in site.paths if listed(path) == "/api/plotly") if path == "/api/plotly" else path


def test_every_route_of_the_server_has_its_line(site: Site) -> None:
    assert {listed(path) for path in site.paths} == set(ROUTES)


@pytest.mark.parametrize("who", EVERYBODY)
@pytest.mark.parametrize(("method", "path", "allowed"), TABLE, ids=[f"{method} {path}" for method, path, _ in TABLE])
def test_who_reaches_what(site: Site, method: str, path: str, allowed: tuple[str, ...], who: str) -> None:
    answer = site.ask(method, real(site, path), headers_of(who))
    assert (answer.body == REACHED) is (who in allowed)
    if who not in allowed:
        assert answer.status in (401, 403, 404)
        assert (answer.status == 401) is (who == "anonymous" and bool(allowed))


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "SOCKET"])
@pytest.mark.parametrize("who", EVERYBODY)
def test_a_route_that_nobody_classified_is_open_to_nobody(site: Site, who: str, method: str) -> None:
    async def handler(_request: Any) -> PlainTextResponse:
        return PlainTextResponse(REACHED)

    new = Route("/api/new", handler, methods=["GET", "POST", "PUT", "DELETE"])
    app = Starlette(routes=[new], middleware=[Middleware(Gate, **site.gate)])
    if method == "SOCKET":
        answer = open_socket(app, "/api/new", headers_of(who), "10.0.0.9")
    else:
        answer = request(app, method, "/api/new", headers=headers_of(who))
    assert answer.body != REACHED
    assert answer.status in (403, 404)


@pytest.mark.parametrize("path", ["/api/pictures/" + ID + "/scene", "/api/uploads", "/media/x", "/_stcore/metrics"])
def test_a_forged_pass_opens_nothing(site: Site, path: str) -> None:
    for forged in ("", ".", f"{ID}.", f"{ID}.{'0' * 64}", "é.é"):
        headers = headers_of("anonymous", **{"x-triage-pass": forged})
        assert site.ask("GET", path, headers).status in (401, 403, 404)


def test_a_link_s_pass_reaches_the_pictures_and_no_other_route(site: Site) -> None:
    records = site.gate["records"]
    now = datetime.now(UTC)
    with records.writing() as session:
        study = add_study(session, "2.25.77", "somebody", now)
        admin = next(
            user for user in list_users(session, records.keys) if user.role is Role.ADMIN and user.disabled_at is None
        )
    person = Person(admin.id, "", Role.ADMIN)
    share, _ = make_link(records, person, study.id, LinkKind.INSTANT, False, now)
    headers = headers_of("anonymous", **{"x-triage-pass": make_pass(records.keys, share.id)})
    reached = {(method, path) for method, path, _ in TABLE if site.ask(method, path, headers).body == REACHED}
    anonymous = {(method, path) for method, path, who in TABLE if "anonymous" in who} - {("GET", "/api/plotly")}
    pictures = {(method, path) for method, path, who in TABLE if path.startswith("/api/pictures/") and who}
    assert reached == anonymous | pictures
    close_link(records, person, share.id, now)
    assert site.ask("GET", f"/api/pictures/{ID}/scene", headers).status == 403


def test_to_a_stranger_every_upload_looks_alike(site: Site) -> None:
    answers = {site.ask("GET", f"/api/uploads/{name}", headers_of("anonymous")) for name in (ID, "x", "../etc")}
    assert len(answers - {site.ask("GET", "/api/uploads/../etc", headers_of("anonymous"))}) == 1


@pytest.mark.parametrize(("method", "path", "allowed"), TABLE, ids=[f"{method} {path}" for method, path, _ in TABLE])
def test_the_console_reaches_what_an_administrator_does_and_nobody_else_anything(
    alone: Site, method: str, path: str, allowed: tuple[str, ...]
) -> None:
    signs_in = path in ("/auth/login", "/auth/logout", "/oauth2callback")
    own = {"host": "localhost:8501", "origin": "http://localhost:8501"}
    answer = alone.ask(method, real(alone, path), own, "127.0.0.1")
    assert (answer.body == REACHED) is ("admin" in allowed and not signs_in)
    for headers, peer in (
        (own, "10.0.0.9"),
        ({"host": HOST}, "127.0.0.1"),
        ({"host": HOST}, "10.0.0.9"),
    ):
        assert alone.ask(method, real(alone, path), headers, peer).status in (403, 404)


@pytest.mark.parametrize("headers", [{"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}])
@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/api/uploads"), ("SOCKET", "/_stcore/stream"), ("GET", "/auth/logout")]
)
def test_another_site_s_page_changes_nothing(site: Site, method: str, path: str, headers: dict[str, str]) -> None:
    assert site.ask(method, path, headers_of("admin", **headers)).status == 403


def test_a_socket_without_origin_is_refused(site: Site) -> None:
    assert open_socket(site.outer, "/_stcore/stream", {"host": HOST}, "10.0.0.9").status == 403


@pytest.mark.parametrize("host", ["", "evil.example", "10.0.0.9", f"{HOST}:8501", f"{HOST}.evil.example"])
def test_another_name_of_the_server_is_refused(site: Site, host: str) -> None:
    assert site.ask("GET", "/", {"host": host}).status == 403
    assert site.ask("GET", "/_stcore/health", {"host": host}).status == 200


@pytest.mark.parametrize("path", ["/", "/api/uploads", "/nothing", "/media/x"])
def test_every_answer_forbids_frames_and_foreign_referers(site: Site, path: str) -> None:
    headers = _headers(site, path)
    assert headers["x-frame-options"] == "DENY"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["referrer-policy"] == "same-origin"
    assert headers["x-content-type-options"] == "nosniff"
    if path != "/":
        assert headers["cache-control"] == "no-store"


def test_a_refused_person_is_noted_by_route_and_not_by_address(site: Site) -> None:
    site.ask("GET", "/_stcore/metrics", headers_of("reader"))
    with site.gate["records"].reading() as session:
        found = audit_entries(session, action="refuse", limit=1)
    assert found[0].action == "refuse"
    assert ID not in repr(found)


def test_signing_out_is_noted(site: Site) -> None:
    for who in ("reader", "anonymous"):
        site.ask("GET", "/auth/logout", headers_of(who))
    with site.gate["records"].reading() as session:
        found = audit_entries(session, action="sign_out")
    assert "" not in {entry.actor for entry in found}
    assert found


def test_one_comes_back_to_the_page_one_signed_in_from(site: Site) -> None:
    path = f"/study?study={ID}&view=1-1*0-1.3.zc"
    cookie = _headers(site, "/auth/login", referer=f"{PUBLIC_URL}{path}")["set-cookie"]
    assert {"HttpOnly", "Path=/oauth2callback", "SameSite=Lax", "Secure"} <= set(cookie.split("; "))
    kept = cookie.split(";")[0]
    callback = _headers(site, "/oauth2callback", cookie=kept, redirects=True)
    assert callback["location"] == path
    assert "Max-Age=0" in callback["set-cookie"]


@pytest.mark.parametrize("kept", ["https%3A%2F%2Fevil.example", "%2F%2Fevil.example", "%2Fauth%2Flogout", "x"])
def test_a_forged_way_back_leads_to_the_start(site: Site, kept: str) -> None:
    assert _headers(site, "/oauth2callback", cookie=f"triage_return={kept}", redirects=True)["location"] == "/"


def _headers(site: Site, path: str, redirects: bool = False, **headers: str) -> Headers:
    """Headers of the answer to a GET of an administrator; with `redirects` the route sends to the start."""
    sent: list[Message] = []

    async def inner(scope: Scope, receive: Callable[[], Any], send: Callable[[Message], Any]) -> None:
        if redirects:
            await send({"type": "http.response.start", "status": 302, "headers": [(b"location", b"/")]})
            await send({"type": "http.response.body", "body": b""})
        else:
            await site.inner(scope, receive, send)

    async def ask() -> None:
        async def receive() -> Message:
            return {"type": "http.request", "body": b""}

        async def send(message: Message) -> None:
            sent.append(message)

        raw = [(b"host", HOST.encode()), *((name.encode(), value.encode()) for name, value in headers.items())]
        scope = {
            "type": "http",
            "method": "GET",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": raw,
            "client": ("10.0.0.9", 1),
            "app": site.inner,
        }
        await Gate(inner, **site.gate)(scope, receive, send)

    asyncio.run(ask())
    return Headers(raw=sent[0]["headers"])
