"""Where the slice viewer fetches pictures from.

::

    GET /api/pictures/<finding>/scene                             planes, windows, annotations (dashboard.viewing.scene)
    GET /api/pictures/<finding>/<view>/outlines                   lines of every plane
    GET /api/pictures/<finding>/<view>/thumbnails                 one JPEG with every plane
    GET /api/pictures/<finding>/<view>/<plane>/lossless           stored values, little endian, type in the scene
    GET /api/pictures/<finding>/<view>/<plane>/preview            JPEG of 256 grey levels

Members of the team are known by their cookie, the holder of a share link by the header ``X-Triage-Pass``. Addresses
hold opaque ids. Nothing is kept by the browser beyond the page: what somebody may not see any more is not there.
"""

import gzip
from collections.abc import Callable
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dashboard.errors import NotAllowed, RecordsError
from dashboard.screens.desk_pictures import Opened, Pictures
from dashboard.sharing import Door, Person, Right, who_asks
from dashboard.viewing import Window
from dashboard.viewing.frames import lossless, preview, thumbnails
from dashboard.viewing.picture import Picture
from dashboard.viewing.views import View

PREFIX = "/api/pictures"
DOOR = Door(f"{PREFIX}/*", Right.SEE_STUDY, guests=True)
# The fastest level: on a hospital's network the line is quicker than any better one.
LEVEL = 1
THUMBNAIL_FIELD_MM = 60.0
NO_PICTURE = "There is no such picture."
Answer = tuple[str, bytes, bool]


def pictures_address(finding_id: str) -> str:
    """Where the pictures of a finding are."""
    return f"{PREFIX}/{finding_id}"


@dataclass(frozen=True)
class PictureRoutes:
    """The handlers."""

    pictures: Pictures

    def routes(self) -> list[Route]:
        """Routes for the application."""
        found: dict[str, Callable[..., Answer]] = {
            "/{finding}/scene": _scene,
            "/{finding}/{view}/outlines": _outlines,
            "/{finding}/{view}/thumbnails": _thumbnails,
            "/{finding}/{view}/{plane:int}/lossless": _lossless,
            "/{finding}/{view}/{plane:int}/preview": _preview,
        }
        return [Route(PREFIX + path, self._handler(answer), methods=["GET"]) for path, answer in found.items()]

    def _handler(self, answer: Callable[..., Answer]) -> Callable[[Request], object]:
        async def handle(request: Request) -> Response:
            try:
                kind, body, packed = await run_in_threadpool(self._answer, answer, request)
            except NotAllowed as error:
                return JSONResponse({"error": str(error)}, 403)
            except IndexError:
                return JSONResponse({"error": NO_PICTURE}, 404)
            except RecordsError as error:
                return JSONResponse({"error": str(error)}, 410)
            return Response(body, media_type=kind, headers={"Content-Encoding": "gzip"} if packed else None)

        return handle

    def _answer(self, answer: Callable[..., Answer], request: Request) -> Answer:
        visitor: Person = who_asks(request)
        opened = self.pictures.look_at(visitor, request.path_params["finding"])
        kind, body, packs = answer(opened, request.path_params)
        packed = packs and "gzip" in request.headers.get("accept-encoding", "")
        return kind, gzip.compress(body, LEVEL, mtime=0) if packed else body, packed


def _scene(opened: Opened, _params: dict[str, object]) -> Answer:
    return "application/json", opened.scene, True


def _outlines(opened: Opened, params: dict[str, object]) -> Answer:
    return "application/json", opened.outlines(_view(opened, params)[0]), True


def _thumbnails(opened: Opened, params: dict[str, object]) -> Answer:
    view, windows = _view(opened, params)
    pictures = [_thumbnail(view, index) for index in range(len(view))]
    return "image/jpeg", thumbnails(pictures, next(iter(windows.values()))), False


def _lossless(opened: Opened, params: dict[str, object]) -> Answer:
    view, _ = _view(opened, params)
    return "application/octet-stream", lossless(view.picture(_plane(params)), view.code), True


def _preview(opened: Opened, params: dict[str, object]) -> Answer:
    view, windows = _view(opened, params)
    return "image/jpeg", preview(view.picture(_plane(params)), list(windows.values())[-1]), False


def _view(opened: Opened, params: dict[str, object]) -> tuple[View, dict[str, Window]]:
    found = opened.view(str(params["view"]))
    if found is None:
        raise IndexError(NO_PICTURE)
    return found[0], dict(found[1])


def _plane(params: dict[str, object]) -> int:
    plane = params["plane"]
    assert isinstance(plane, int)
    return plane


def _thumbnail(view: View, index: int) -> Picture:
    """The surroundings of the canal where it was found, otherwise the whole plane."""
    picture, found = view.picture(index), view.slice(index)
    if found is None or found.result is None:
        return picture
    across, down = picture.project(found.centre_mm[None])[0]
    return picture.around((float(across), float(down)), THUMBNAIL_FIELD_MM)
