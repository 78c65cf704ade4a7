"""A plotly figure that changes in place, and the route its library comes from."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from starlette.responses import FileResponse
from starlette.routing import Route

from dashboard.screens.parts import nothing, register
from dashboard.viewing.theme import light_colours

if TYPE_CHECKING:
    import plotly.graph_objects as go
    from starlette.requests import Request

# The library that belongs to the package that builds the figures; the version makes it safe to keep for good.
LIBRARY = f"/api/plotly-{version('plotly')}.js"
KEEP = {"Cache-Control": "public, max-age=31536000, immutable"}
# Buttons are named one by one: plotly's own set can hand a figure to a service outside, and its camera saves a picture
# that no audit log knows of.
BUTTONS = [["zoom2d", "pan2d", "zoomIn2d", "zoomOut2d", "resetScale2d"]]
CONFIG: dict[str, dict[str, Any]] = {
    "picture": {"displaylogo": False, "scrollZoom": True, "modeBarButtons": BUTTONS},
    "profile": {"displayModeBar": False, "doubleClick": False},
    "chart": {"displaylogo": False, "modeBarButtons": BUTTONS},
}

_element = register("plot", scripts=("library", "plot"), isolate_styles=False)


@dataclass(frozen=True)
class Save:
    """A file that the page makes once for each `number`.

    Attributes
    ----------
    words
        Written below the picture: what made it, and what it is not.
    text
        Contents; empty saves a picture of the figure.
    """

    number: str
    name: str
    words: str
    text: str = ""


def library_route() -> Route:
    """Serves plotly's own script from the installed package: nothing is fetched from the internet."""

    async def library(_request: "Request") -> FileResponse:
        path = Path(str(files("plotly") / "package_data" / "plotly.min.js"))
        return FileResponse(path, media_type="text/javascript", headers=KEEP)

    return Route(LIBRARY, library, methods=["GET"])


def plot(
    figure: "go.Figure",
    kind: Literal["picture", "profile", "chart"],
    label: str,
    key: str,
    on_pick: Callable[[], None] | None = None,
    height: int | None = None,
    save: Save | None = None,
) -> None:
    """Draw a figure, or change the one that is there.

    Parameters
    ----------
    label
        What the figure shows, for those who cannot see it.
    on_pick
        Called when a point that carries a whole number as `customdata` is clicked; :func:`picked` tells which.
    height
        px; None for the usual height of the kind.
    save
        A file to make of it now.
    """
    data = {
        "figure": figure.to_json(),
        "kind": kind,
        "label": label,
        "config": CONFIG[kind],
        "library": LIBRARY,
        "height": height,
        # Pictures lie on black in both themes.
        "light": {} if kind == "picture" else light_colours(),
        "save": None if save is None else asdict(save),
    }
    _element(key=key, data=data, on_picked_change=on_pick or nothing)


def picked(state: Any) -> int | None:
    """Number of the point that was just clicked, from the session state of a plot."""
    value = state.get("picked") if hasattr(state, "get") else None
    return int(value) if isinstance(value, int | float) else None
