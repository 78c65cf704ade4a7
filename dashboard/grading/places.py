"""Where in the spine something lies, in words: the level, how sure it is, or the place in millimetres."""

from collections.abc import Mapping, Sequence
from typing import Any

from dashboard.grading.result import NOT_ANALYSED
from dashboard.study import UNKNOWN, level_is_certain, level_words, same_slice, slice_to_show

AXIAL_NEEDED = "axial images needed"
NOT_GRADED = "not graded"


def place_words(document: Mapping[str, Any]) -> str:
    """Level of the slice to look at first, or its number counted from the head; empty where none stands out.

    Without such a slice it is the level at which sagittal images alone raise suspicion. That the slice could not be
    graded is said. A level's name is the software's own; nothing here is text from a file.
    """
    worst = slice_to_show(document)
    if not worst:
        return sagittal_place_words(document)
    uid = worst.get("series_instance_uid")
    own = [one for one in document.get("slices") or [] if one.get("series_instance_uid") == uid]
    found = next((one for one in own if same_slice(one, worst)), worst)
    level = worst.get("level") or found.get("level")
    words = f"slice {worst.get('number')} of {len(own)}"
    if level:
        words = level_words(str(level)[:16], level_is_certain(document, found))
    if found.get("status") == NOT_ANALYSED:
        place, _, doubt = words.partition(" (")
        words = f"{place} ({NOT_GRADED}{f', {doubt}' if doubt else ')'}"
    return words


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
