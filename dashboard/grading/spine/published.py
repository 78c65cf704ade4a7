"""The spine in the published document, and the same document after a person corrected a level."""

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from dashboard.errors import NotAnalysed
from dashboard.grading.spine.evidence import ORDER
from dashboard.study.geometry import Array
from dashboard.study.spine import NamedSegment, Spine

PROBABILITY_DIGITS, LENGTH_DIGITS = 4, 2
CORRECTED, CONFIRMED = "levels corrected by a reader", "levels confirmed by a reader"


def spine_document(spine: Spine, group: int = 0) -> dict[str, Any]:
    """The ``spine`` block; `group` numbers the volumes whose levels were named together."""
    return {
        "series_instance_uid": spine.series_instance_uid,
        "volume_index": spine.volume_index,
        "group": group,
        "counted_from": spine.counted_from,
        "certain": spine.certain,
        "note": spine.note,
        "alternatives": [
            {"level_of_first": name, "probability": round(chance, PROBABILITY_DIGITS)}
            for name, chance in spine.alternatives
        ],
        "segments": [_segment_document(one) for one in spine.named],
    }


def corrected_document(document: Mapping[str, Any], index: int, level: str) -> dict[str, Any]:
    """The result document with every level moved so that one segment has the level that a person gave it.

    Parameters
    ----------
    document
        As published; it is not changed.
    index
        Of the segment in ``document["spine"]["segments"]``.
    level
        Its true level.

    Returns
    -------
    dict
        Levels of all volumes that were named together, of the slices, entries and findings that cite them, now certain;
        a level without a name is null.

    Raises
    ------
    NotAnalysed
        There is no spine or no such segment, or a disc was given a vertebra's name or the other way round.
    """
    changed = copy.deepcopy(dict(document))
    spine: dict[str, Any] = changed.get("spine") or {}
    segments = spine.get("segments") or []
    if not 0 <= index < len(segments) or level not in ORDER:
        raise NotAnalysed(f"There is no such segment or level: a level is one of {ORDER[0]} to {ORDER[-1]}.")
    shift = ORDER.index(level) - ORDER.index(segments[index]["level"])
    if shift % 2:
        raise NotAnalysed(f"{segments[index]['level']} and {level} are not both vertebrae or both discs.")
    spines = [spine, *(changed.get("spines") or [])]
    together = {one["series_instance_uid"] for one in spines if one.get("group") == spine.get("group")}
    # One object may stand in both places.
    for one in {id(one): one for one in spines if one["series_instance_uid"] in together}.values():
        _correct_spine(one, shift)
    _correct_citations(changed, together, shift)
    return changed


def levels_to_choose(document: Mapping[str, Any], index: int) -> tuple[str, ...]:
    """Levels that a segment of ``document["spine"]`` may be given without leaving another without a name.

    Parameters
    ----------
    document
        As published.
    index
        Of the segment; out of range, or without a spine, there is nothing to choose.
    """
    segments = (document.get("spine") or {}).get("segments") or []
    if not 0 <= index < len(segments):
        return ()
    places = [ORDER.index(one["level"]) for one in segments]
    lowest, highest = places[index] - min(places), places[index] + len(ORDER) - 1 - max(places)
    return tuple(ORDER[place] for place in range(lowest, highest + 1) if (place - places[index]) % 2 == 0)


def _correct_spine(spine: dict[str, Any], shift: int) -> None:
    spine.update(counted_from="correction", certain=True, note=CORRECTED if shift else CONFIRMED, alternatives=[])
    for segment in spine["segments"]:
        segment["level"] = _moved(segment["level"], shift)
        segment["probability"] = 1.0


def _correct_citations(document: dict[str, Any], together: set[str], shift: int) -> None:
    worst = document.get("worst_slice")
    for one in [*document.get("slices", ()), *document.get("levels", ()), *([worst] if worst else ())]:
        if one.get("level") and one.get("level_series_instance_uid") in together:
            one["level"], one["level_certain"] = _moved(one["level"], shift), True
    sagittal = document.get("sagittal")
    cited = [one for one in document.get("findings", ()) if one.get("series_instance_uid") in together]
    if sagittal and sagittal.get("series_instance_uid") in together:
        cited += [sagittal, *sagittal.get("canal", ())]
    for one in cited:
        one["level"] = _moved(one.get("level"), shift)


def _moved(level: str | None, shift: int) -> str | None:
    if level not in ORDER:
        return level
    place = ORDER.index(level) + shift
    return ORDER[place] if 0 <= place < len(ORDER) else None


def _segment_document(one: NamedSegment) -> dict[str, Any]:
    corners: Array = one.segment.corners_mm
    return {
        "kind": one.segment.kind,
        "level": one.level,
        "probability": round(one.probability, PROBABILITY_DIGITS),
        "centre_mm": _point(one.segment.centre_mm),
        "corners_mm": None if np.isnan(corners).any() else [_point(corner) for corner in corners],
        "complete": one.segment.complete,
    }


def _point(position_mm: Sequence[float] | Array) -> list[float]:
    # Adding 0.0 turns -0.0 into 0.0, which would be another spelling of the same number.
    return [round(float(value), LENGTH_DIGITS) + 0.0 for value in position_mm]
