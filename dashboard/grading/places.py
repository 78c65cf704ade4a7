"""Where in the spine something lies, in words: the level, how sure it is, or the place in millimetres."""

from collections.abc import Mapping, Sequence
from typing import Any

from dashboard.grading.bilsky import Band
from dashboard.study import UNKNOWN, level_is_certain, level_words

AXIAL_NEEDED = "axial images needed"


def place_words(document: Mapping[str, Any]) -> str:
    """Level of the worst slice of a result document, or its number counted from the head; empty where none was graded.

    Without a graded slice it is the level at which sagittal images alone raise suspicion. A level's name is the
    software's own; nothing here is text from a file.
    """
    worst = document.get("worst_slice")
    if not isinstance(worst, Mapping):
        return _sagittal_place(document)
    uid = worst.get("series_instance_uid")
    own = [one for one in document.get("slices") or [] if one.get("series_instance_uid") == uid]
    found = next((one for one in own if all(one.get(key) == worst.get(key) for key in _PLACE)), worst)
    level = worst.get("level") or found.get("level")
    if level:
        return level_words(str(level)[:16], level_is_certain(document, found))
    return f"slice {worst.get('number')} of {len(own)}"


_PLACE = ("volume_index", "slice_index")


def first_look_words(document: Mapping[str, Any]) -> str:
    """Where to look first: the worst slice, or where nothing is flagged on it and sagittal images raise suspicion."""
    asks = bool((document.get("sagittal") or {}).get("needs"))
    return _sagittal_place(document) if asks and document.get("band") == Band.LOW.value else place_words(document)


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
    where = _sagittal_place(document)
    of = f" of the {sagittal['of']}" if sagittal.get("of") else ""
    return f"suspected compression{of}{f' at {where}' if where else ''}, {AXIAL_NEEDED}"


def _sagittal_place(document: Mapping[str, Any]) -> str:
    sagittal = document.get("sagittal") or {}
    if not sagittal.get("suspected"):
        return ""
    level = sagittal.get("level")
    return level_words(str(level)[:16], level_is_certain(document, sagittal)) if level else UNKNOWN
