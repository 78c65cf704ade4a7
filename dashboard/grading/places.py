"""Where in the spine something lies, in words: the level, how sure it is, or the place in millimetres."""

from collections.abc import Mapping, Sequence
from typing import Any

from dashboard.study import UNKNOWN, level_is_certain, level_words

AXIAL_NEEDED = "axial images needed"


def place_words(document: Mapping[str, Any]) -> str:
    """Level of the worst slice of a result document, or its number counted from the head; empty where none was graded.

    Without a graded slice it is the level at which sagittal images alone raise suspicion. A level's name is the
    software's own; nothing here is text from a file.
    """
    worst = document.get("worst_slice")
    if not isinstance(worst, Mapping):
        return sagittal_place_words(document)
    uid = worst.get("series_instance_uid")
    own = [one for one in document.get("slices") or [] if one.get("series_instance_uid") == uid]
    found = next((one for one in own if all(one.get(key) == worst.get(key) for key in _PLACE)), worst)
    level = worst.get("level") or found.get("level")
    if level:
        return level_words(str(level)[:16], level_is_certain(document, found))
    return f"slice {worst.get('number')} of {len(own)}"


_PLACE = ("volume_index", "slice_index")


def position_words(position_mm: Sequence[float] | None) -> str:
    """``H 12.0 mm``: how far to the head (H) or foot (F) of the scanner's centre; empty where there is no position."""
    if position_mm is None:
        return ""
    z = float(position_mm[2])
    return f"{'H' if z > 0 else 'F'} {abs(z):.1f} mm"


def sagittal_words(document: Mapping[str, Any]) -> str:
    """What sagittal images raise suspicion of that no graded axial slice shows; empty where nothing. Never a grade."""
    sagittal = document.get("sagittal") or {}
    if not sagittal.get("needs"):
        return ""
    where = sagittal_place_words(document)
    of = f" of the {sagittal['of']}" if sagittal.get("of") else ""
    return f"suspected compression{of}{f' at {where}' if where else ''}, {AXIAL_NEEDED}"


def sagittal_place_words(document: Mapping[str, Any]) -> str:
    """Level at which sagittal images raise suspicion; empty where they raise none."""
    sagittal = document.get("sagittal") or {}
    if not sagittal.get("suspected"):
        return ""
    level = sagittal.get("level")
    return level_words(str(level)[:16], level_is_certain(document, sagittal)) if level else UNKNOWN
