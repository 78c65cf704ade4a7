"""Back to where one wanted to go, after signing in: the address waits in a cookie of the browser itself."""

import re
from collections.abc import Iterable
from urllib.parse import parse_qsl, urlencode, urlsplit

COOKIE = "triage_return"
SECONDS = 600
# Opaque ids and places in a study, and nothing else, travel in our addresses.
QUERY = {"study": r"[0-9a-f]{32}", "upload": r"[0-9a-f]{32}", "view": r"[a-z0-9_.*-]{1,400}"}


def own_address(url: str, public_url: str, pages: Iterable[str]) -> str:
    """Path and query of `url` if it is one of our pages with a query of ours; "" otherwise.

    Nothing that came from outside is ever handed back as it was: the address is put together anew.
    """
    try:
        parts = urlsplit(url)
        query = parse_qsl(parts.query, max_num_fields=8)
    except ValueError:
        return ""
    if parts.netloc and f"{parts.scheme}://{parts.netloc.lower()}" != public_url:
        return ""
    page = next((page for page in ("", *pages) if parts.path == f"/{page}"), None)
    if page is None:
        return ""
    kept = [(key, value) for key, value in query if key in QUERY and re.fullmatch(QUERY[key], value, re.ASCII)]
    address = f"/{page}?{urlencode(kept, safe='*')}" if kept else f"/{page}"
    return "" if address == "/" else address
