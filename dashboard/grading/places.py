"""Where a study's grade comes from, in words."""

from collections.abc import Mapping
from typing import Any

from dashboard.study import level_words


def place_words(document: Mapping[str, Any]) -> str:
    """Level of the worst slice of a result document, or its number counted from the head; empty where none was graded.

    A level's name is the software's own; nothing here is text from a file.
    """
    worst = document.get("worst_slice")
    if not isinstance(worst, Mapping):
        return ""
    if worst.get("level"):
        return level_words(str(worst["level"])[:16], worst.get("level_certain"))
    uid = worst.get("series_instance_uid")
    count = sum(one.get("series_instance_uid") == uid for one in document.get("slices") or [])
    return f"slice {worst.get('number')} of {count}"
