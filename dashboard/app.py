"""Entry of the page: ``streamlit run dashboard/app.py`` from the repository root.

Starts the embedded worker, adds our own routes beside Streamlit's, and leaves navigation to ``screens/main.py``.
Without sign-in, everything answers this machine only.
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

from dashboard.errors import TriageError  # noqa: E402
from dashboard.screens import desk, worker  # noqa: E402 - found only after the line above
from dashboard.screens.parts.plot import library_route  # noqa: E402
from dashboard.sharing import LoopbackOnly, allow_loopback  # noqa: E402
from dashboard.work import UploadRoutes  # noqa: E402


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[dict[str, Any]]:
    """Have a worker from before the first visit until after the last."""
    worker.start()
    try:
        yield {}
    finally:
        worker.stop()


try:
    uploads = UploadRoutes(desk.records(), allow_loopback).routes()
except TriageError as error:
    # Before there is a page: the terminal is where it is told, in words and without a traceback.
    sys.exit(str(error))

app = st.App(
    "screens/main.py",
    lifespan=lifespan,
    routes=[*uploads, library_route()],
    middleware=[Middleware(LoopbackOnly)],
)
