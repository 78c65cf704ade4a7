"""Every address the server answers, and who may ask it. What is not listed here is open to nobody."""

from collections.abc import Iterable
from dataclasses import dataclass

from dashboard.sharing.access import Right

READING = frozenset({"GET", "HEAD"})
SOCKET = "SOCKET"


@dataclass(frozen=True)
class Door:
    """An address, or with a last ``*`` everything below it.

    Attributes
    ----------
    right
        What one must be allowed to do; None opens the door to everybody whom the server answers at all.
    methods
        HTTP methods; ``SOCKET`` is a web socket.
    any_host
        Answered under any name, as a load balancer asks.
    guests
        The holder of a share link may come this far, too; what lies behind asks which study it is about.
    """

    path: str
    right: Right | None = None
    methods: frozenset[str] = READING
    any_host: bool = False
    guests: bool = False

    def fits(self, path: str, method: str) -> bool:
        """Whether a request is for this door."""
        if method not in self.methods:
            return False
        return path.startswith(self.path[:-1]) and path != self.path[:-1] if self.path[-1] == "*" else path == self.path


# Streamlit's own addresses. Behind the open ones lies nothing but the programs of the page: what a page shows comes
# over the web socket, from screens that each check who asks.
STREAMLIT_DOORS = (
    Door("/"),
    Door("/favicon.png"),
    Door("/manifest.json"),
    Door("/static/*"),
    Door("/_stcore/health", any_host=True),
    Door("/_stcore/host-config"),
    Door("/_stcore/bidi-components/*"),
    Door("/_stcore/stream", methods=frozenset({SOCKET})),
    # Files that a screen hands out, such as exports; each has an address that cannot be guessed.
    Door("/media/*", Right.SEE_STUDY),
    Door("/_stcore/metrics", Right.ADMINISTER),
)
SIGN_IN_DOORS = (Door("/auth/login"), Door("/auth/logout"), Door("/oauth2callback"))


class Doors:
    """All doors of one server."""

    def __init__(self, pages: Iterable[str], own: Iterable[Door], sign_in: bool) -> None:
        self._doors = (
            *STREAMLIT_DOORS,
            *(Door(f"/{page}") for page in pages),
            *own,
            *(SIGN_IN_DOORS if sign_in else ()),
        )

    def find(self, path: str, method: str) -> Door | None:
        """The door of a request, or None where there is none."""
        if ".." in path or "//" in path or "\\" in path or "\0" in path:
            return None
        return next((door for door in self._doors if door.fits(path, method)), None)
