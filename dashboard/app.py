"""Entry of the page: ``streamlit run dashboard/app.py`` from the repository root.

Starts the embedded worker, adds our own routes beside Streamlit's, puts the gate before all of them, and leaves
navigation to ``screens/main.py``. Without sign-in the server answers this machine only, and listens nowhere else.
"""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import streamlit as st
from starlette.middleware import Middleware

# Streamlit puts this file's folder on the search path, not the repository's.
ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from dashboard.errors import TriageError  # noqa: E402 - found only after the line above
from dashboard.screens import desk, pages, server, worker  # noqa: E402
from dashboard.screens.desk_pictures import pictures_of  # noqa: E402
from dashboard.screens.page_head import PageHead  # noqa: E402
from dashboard.screens.parts.plot import LIBRARY, library_route  # noqa: E402
from dashboard.screens.picture_route import DOOR, PictureRoutes  # noqa: E402
from dashboard.sharing import Door, Gate, Right, allow  # noqa: E402
from dashboard.work import UploadRoutes, upload_methods  # noqa: E402

try:
    server.prepare()
    RECORDS = desk.records()
except TriageError as error:
    sys.exit(str(error))


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[dict[str, Any]]:
    """Have a worker from before the first visit until after the last."""
    worker.start()
    try:
        yield {}
    finally:
        worker.stop()


# Our own routes: each has a door here, and a door that is missing is shut to everybody.
OWN_DOORS = (Door(LIBRARY), DOOR, *(Door(path, Right.UPLOAD, methods) for path, methods in upload_methods()))
app = st.App(
    ROOT / "dashboard" / "screens" / "main.py",
    lifespan=lifespan,
    secrets=server.secrets(RECORDS),
    routes=[
        *UploadRoutes(RECORDS, allow(Right.UPLOAD)).routes(),
        *PictureRoutes(pictures_of(RECORDS)).routes(),
        library_route(),
    ],
    middleware=[
        Middleware(
            Gate, records=RECORDS, pages=pages.SCREENS, own=OWN_DOORS, read_cookie=server.cookie_reader(RECORDS)
        ),
        Middleware(PageHead, pages=pages.SCREENS),
    ],
)
