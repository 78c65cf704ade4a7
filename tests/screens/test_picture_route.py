"""The pictures as a browser asks for them: bytes that are the stored values, and who gets none."""

import gc
import gzip
import io
import json
import weakref
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send

from dashboard.records import Records, delete_study, get_finding, get_study, read_study
from dashboard.screens.desk_pictures import KEPT, Pictures
from dashboard.screens.picture_route import PREFIX, PictureRoutes
from dashboard.sharing import CONSOLE, STRANGER, Person, guest
from dashboard.sharing.gate import PERSON
from tests.screens.site import add_result, open_site
from tests.work.asgi import Answer, request


class As:
    """Stands for the gate: whoever asks is `person`."""

    def __init__(self, app: ASGIApp, person: Person) -> None:
        self.app, self.person = app, person

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app({**scope, PERSON: self.person}, receive, send)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Records]:
    records = open_site(tmp_path)
    yield records
    records.close()


def finding_of(site: Records, study: str) -> str:
    with site.reading() as session:
        return str(get_study(session, study).current_finding_id)


def ask(site: Records, path: str, person: Person = CONSOLE, **headers: str) -> Answer:
    routes = PictureRoutes(Pictures(site)).routes()
    return request(
        Starlette(routes=routes, middleware=[Middleware(As, person=person)]), "GET", PREFIX + path, headers=headers
    )


def test_a_plane_arrives_as_it_is_stored_and_as_it_is_shown(site: Records) -> None:
    finding_id = finding_of(site, add_result(site, "3"))
    told = ask(site, f"/{finding_id}/scene").json
    (view,) = [one for one in told["views"] if one["id"] == "1"]
    grid = view["grids"][0]
    with site.reading() as session:
        finding = get_finding(session, finding_id)
    assert finding is not None
    stored = next(one for one in read_study(site.finding_dir(finding)).series if one.role == "axial_t2").volumes[0]
    answer = ask(site, f"/{finding_id}/1/4/lossless")
    assert view["code"] == "u2"
    shown = np.frombuffer(answer.body, "<u2").reshape(grid["rows"], grid["columns"])
    np.testing.assert_array_equal(shown, stored.voxels[4])


def test_what_compresses_is_compressed_for_those_who_can_read_it(site: Records) -> None:
    finding_id = finding_of(site, add_result(site, "3"))
    for path in ("scene", "1/outlines", "1/0/lossless"):
        plain = ask(site, f"/{finding_id}/{path}").body
        packed = ask(site, f"/{finding_id}/{path}", **{"accept-encoding": "br, gzip"}).body
        assert len(packed) < len(plain)
        assert gzip.decompress(packed) == plain


def test_previews_and_thumbnails_are_pictures(site: Records) -> None:
    finding_id = finding_of(site, add_result(site, "3"))
    assert Image.open(io.BytesIO(ask(site, f"/{finding_id}/1/0/preview").body)).size == (128, 128)
    assert Image.open(io.BytesIO(ask(site, f"/{finding_id}/1/thumbnails").body)).size == (12 * 64, 64)
    assert Image.open(io.BytesIO(ask(site, f"/{finding_id}/2/thumbnails").body)).size == (5 * 64, 64)


@pytest.mark.parametrize("path", ["9/0/lossless", "1/12/lossless", "1/99999/preview", "x/outlines", "1r/128/lossless"])
def test_what_is_not_there_is_told(site: Records, path: str) -> None:
    answer = ask(site, f"/{finding_of(site, add_result(site, '3'))}/{path}")
    assert answer.status == 404
    assert answer.json == {"error": "There is no such picture."}


@pytest.mark.parametrize("path", ["1/-1/lossless", "1/x/lossless", "../../etc/passwd", "1/0/lossless/more"])
def test_what_is_no_address_leads_nowhere(site: Records, path: str) -> None:
    assert ask(site, f"/{finding_of(site, add_result(site, '3'))}/{path}").status == 404


def test_a_guest_sees_the_study_of_the_link_and_no_other(site: Records) -> None:
    own, other = add_result(site, "3"), add_result(site, "2")
    visitor = guest("0" * 32, own)
    assert ask(site, f"/{finding_of(site, own)}/scene", visitor).status == 200
    assert ask(site, f"/{finding_of(site, own)}/1/0/lossless", visitor).status == 200
    refused = {
        ask(site, f"/{name}/{path}", visitor)
        for name in (finding_of(site, other), "0" * 32)
        for path in ("scene", "1/0/lossless")
    }
    assert {(answer.status, answer.body) for answer in refused} == {(403, b'{"error":"You may not see this study."}')}


def test_a_stranger_sees_nothing(site: Records) -> None:
    finding_id = finding_of(site, add_result(site, "3"))
    for path in ("scene", "1/outlines", "1/thumbnails", "1/0/lossless", "1/0/preview"):
        assert ask(site, f"/{finding_id}/{path}", STRANGER).status == 403


def test_a_deleted_study_is_gone_at_once(site: Records) -> None:
    study = add_result(site, "3")
    finding_id = finding_of(site, study)
    pictures = Pictures(site)
    opened = pictures.look_at(CONSOLE, finding_id)
    assert pictures.look_at(CONSOLE, finding_id) is opened
    delete_study(site, study, "console", datetime.now(UTC))
    assert ask(site, f"/{finding_id}/scene").status == 410
    app = Starlette(routes=PictureRoutes(pictures).routes(), middleware=[Middleware(As, person=CONSOLE)])
    assert request(app, "GET", f"{PREFIX}/{finding_id}/1/0/lossless").status == 410


def test_opening_another_study_lets_go_of_a_deleted_one(site: Records) -> None:
    study, other = add_result(site, "3"), add_result(site, "2")
    pictures = Pictures(site)
    held = weakref.ref(pictures.open(finding_of(site, study)))
    assert held() is not None
    delete_study(site, study, "console", datetime.now(UTC))
    pictures.open(finding_of(site, other))
    gc.collect()
    assert held() is None


def test_only_so_many_findings_are_kept_open(site: Records) -> None:
    pictures = Pictures(site)
    findings = [finding_of(site, add_result(site, "0")) for _ in range(KEPT + 2)]
    opened = [pictures.open(one) for one in findings]
    assert pictures.open(findings[-1]) is opened[-1]
    assert pictures.open(findings[0]) is not opened[0]


def test_nothing_told_names_the_patient_or_a_uid(site: Records) -> None:
    finding_id = finding_of(site, add_result(site, "3"))
    told = json.dumps(ask(site, f"/{finding_id}/scene").json)
    assert "2.25." not in told
