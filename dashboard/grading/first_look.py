"""The one line of a result that a list shows: where to look first, and why."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dashboard.grading.places import AXIAL_NEEDED, place_words, sagittal_place_words, sagittal_words
from dashboard.grading.result import GRADED
from dashboard.study import level_is_certain, level_words, looks_elsewhere, suspicion_first


@dataclass(frozen=True)
class FirstLook:
    """Where to look first and why.

    Attributes
    ----------
    level
        Name of the level of the study's grade, where that is the place; else empty.
    place
        The place in words, as sure as it is.
    reasons
        Why the study stands where it does, the first reason first.
    """

    level: str
    place: str
    reasons: tuple[str, ...]


def first_look(document: Mapping[str, Any]) -> FirstLook:
    """Read the line off a result document.

    The place is the slice that sets the tier, mostly the worst one, or where nothing is flagged on that and sagittal
    images raise suspicion, the place of that suspicion.
    """
    graded, elsewhere = document.get("status") == GRADED, looks_elsewhere(document)
    place = place_words(document)
    words = sagittal_place_words(document) if suspicion_first(document) else place
    entry = _entry_of_grade(document) if graded and words == place and not elsewhere else {}
    level = str(entry.get("level") or "")[:16]
    # A result may name the level of a group of slices and none of a single one.
    named = not level or level in words.split()
    place = words if named else level_words(level, level_is_certain(document, entry))
    return FirstLook(level, place, _reasons(document, graded=graded))


def _reasons(document: Mapping[str, Any], *, graded: bool) -> tuple[str, ...]:
    urgency: Mapping[str, Any] = document.get("urgency") or {}
    reasons = [str(one) for one in (urgency.get("reasons") if graded else None) or document.get("reasons") or []]
    suspected = sagittal_words(document)
    if suspected and graded:
        # Reasons name no level, and this one lies elsewhere than the worst slice.
        return tuple(dict.fromkeys(suspected if _is_of(one, document) else one for one in reasons))
    if suspected:
        # Why a study that cannot be graded is to be seen before others.
        return (suspected, *(one for one in reasons if not _is_of(one, document)))
    return tuple(reasons)


def _is_of(reason: str, document: Mapping[str, Any]) -> bool:
    """Whether a reason is the suspicion of the published sagittal block; other volumes may have others."""
    what = (document.get("sagittal") or {}).get("of") or ""
    return AXIAL_NEEDED in reason and what in reason


def _entry_of_grade(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """The entry of the level that carries the study's grade, that of the worst slice first; empty where none does."""
    entries: list[Mapping[str, Any]] = document.get("levels") or []
    worst = document.get("worst_slice") or {}
    alike = [one for one in entries if one.get("grade") == document.get("grade")]
    return next((one for one in alike if one.get("level") == worst.get("level")), alike[0] if alike else {})
