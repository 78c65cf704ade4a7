"""A stored result with the person's own UIDs and file names put back."""

from collections.abc import Mapping
from typing import Any

from dashboard.records.model import Details, Document


def with_identity(document: Document, details: Details) -> Document:
    """The result as the command line gives it for the same files.

    Only UIDs and names of rejected files change; where identities are not kept, nothing does.
    """
    restored = {key: _restore_uids(value, details.original_uids, key) for key, value in document.items()}
    if "rejected" in restored:
        restored["rejected"] = [
            {**item, "name": details.names.get(item["name"], item["name"])} for item in document["rejected"]
        ]
    return restored


def _restore_uids(value: Any, original_uids: Mapping[str, str], key: str) -> Any:
    if isinstance(value, dict):
        return {name: _restore_uids(item, original_uids, name) for name, item in value.items()}
    if isinstance(value, list):
        return [_restore_uids(item, original_uids, key) for item in value]
    if isinstance(value, str) and key.endswith(("_uid", "_uids")):
        return original_uids.get(value, value)
    return value
