"""What the holder of a share link shows when the browser fetches pictures: a link's token stays with the page.

A pass names the share and is signed by this site. It opens nothing by itself: whoever shows it is looked up again,
so that it ends with the link.
"""

import hmac

from dashboard.records import Keys

HEADER = "X-Triage-Pass"


def make_pass(keys: Keys, share_id: str) -> str:
    """Pass of an opened link; the same each time."""
    return f"{share_id}.{_signature(keys, share_id)}"


def read_pass(keys: Keys, text: str) -> str | None:
    """The share that a pass names, or None unless this site signed it."""
    share_id, _, signature = text.partition(".")
    expected = _signature(keys, share_id)
    return share_id if hmac.compare_digest(signature.encode("utf-8", "replace"), expected.encode()) else None


def _signature(keys: Keys, share_id: str) -> str:
    return keys.keyed_hash("picture pass", share_id)
