"""Where a study's grade comes from, in words."""

from collections.abc import Mapping
from typing import Any

UNCERTAIN, UNKNOWN = "level uncertain", "level unknown"


def level_words(entry: Mapping[str, Any]) -> str:
    """Level of an entry of a result document as screens show it: "T8", "T8 (level uncertain)", or empty.

    Parameters
    ----------
    entry
        Of ``slices``, ``levels`` or ``worst_slice``; results of before levels had names hold none.
    """
    level = entry.get("level")
    if not level:
        return ""
    name = str(level)[:16]
    return f"{name} ({UNCERTAIN})" if entry.get("level_certain") is False else name


def place_words(document: Mapping[str, Any]) -> str:
    """Level of the worst slice of a result document, or its number counted from the head; empty where none was graded.

    A level's name is the software's own; nothing here is text from a file.
    """
    worst = document.get("worst_slice")
    if not isinstance(worst, Mapping):
        return ""
    if worst.get("level"):
        return level_words(worst)
    uid = worst.get("series_instance_uid")
    count = sum(one.get("series_instance_uid") == uid for one in document.get("slices") or [])
    return f"slice {worst.get('number')} of {count}"
