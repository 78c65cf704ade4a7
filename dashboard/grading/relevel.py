"""A person names one level of a result, and every other level that it cites follows. The result stays as it was.

Levels stand in fields of their own: no text of a result names one, so that none has to be rewritten. One does, that the
pictures show other levels than a header says, and goes with the names it was made of.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dashboard.errors import LevelRefused
from dashboard.grading.norms import COMPARISONS, comparisons
from dashboard.grading.spine.study import PICTURES_SHOW
from dashboard.study import LEVELS, VERTEBRAE, shifted, steps_between


@dataclass(frozen=True)
class LevelCorrection:
    """What the software calls `was` is `now`: both vertebrae, or both discs."""

    was: str
    now: str


def relevel(document: Mapping[str, Any], correction: LevelCorrection) -> dict[str, Any]:
    """The result with every level moved as far as the corrected one; `document` itself is not changed.

    Levels of volumes that were not named together with the study's own (another `group`) stay.

    Levels so named are certain: `spine.counted_from` is ``correction``, and what was noted of the software's own
    counting stands under `spine.note_before_correction`. A level outside the named segments that would lie beyond C1 or
    S1 becomes unknown (None). Comparisons with norms are those of the level as it is called now.

    Raises
    ------
    LevelRefused
        The result names no such level, the two are of different kinds, or a segment would lie above C2 or below S1.
    """
    steps = _steps(named_levels(document), correction)
    together = _together(document)
    moved: dict[str, Any] = _moved(dict(document), steps, together)
    named = {"was": correction.was, "now": correction.now}
    moved["spine"] = _corrected(moved["spine"], document["spine"], named)
    if steps:
        moved["series"] = [_without_contradictions(one, together) for one in moved.get("series") or []]
    if "spines" in moved:
        moved["spines"] = [
            _corrected(one, before, named) if together[before["series_instance_uid"]] else one
            for one, before in zip(moved["spines"], document["spines"], strict=True)
        ]
    return moved


def _without_contradictions(series: Mapping[str, Any], together: Mapping[str, bool]) -> dict[str, Any]:
    if "warnings" not in series or not together.get(str(series.get("series_instance_uid")), True):
        return dict(series)
    return {**series, "warnings": [one for one in series["warnings"] if PICTURES_SHOW not in one]}


def _corrected(spine: Mapping[str, Any], before: Mapping[str, Any], named: Mapping[str, str]) -> dict[str, Any]:
    return {
        **spine,
        "counted_from": "correction",
        "certain": True,
        "note": "",
        "note_before_correction": before.get("note") or "",
        "alternatives": [],
        "segments": [segment | {"probability": None} for segment in spine["segments"]],
        "correction": dict(named),
    }


def correction_of(document: Mapping[str, Any]) -> LevelCorrection | None:
    """The correction that :func:`relevel` applied to a document; None where the levels are the software's."""
    found = (document.get("spine") or {}).get("correction")
    return LevelCorrection(str(found["was"]), str(found["now"])) if isinstance(found, Mapping) else None


def named_levels(document: Mapping[str, Any]) -> tuple[str, ...]:
    """Levels of the vertebrae and discs that were named together with the study's own, head to foot."""
    together = _together(document)
    found = {
        str(segment.get("level"))
        for spine in _spines(document)
        if together[spine["series_instance_uid"]]
        for segment in spine["segments"]
    }
    return tuple(level for level in LEVELS if level in found)


def _spines(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    own = document.get("spine")
    return [own, *(document.get("spines") or [])] if own else []


def _together(document: Mapping[str, Any]) -> dict[str, bool]:
    """Whether the volumes of each series were named together with the study's own."""
    spines = _spines(document)
    return {one["series_instance_uid"]: one.get("group") == spines[0].get("group") for one in reversed(spines)}


def _steps(names: Sequence[str], correction: LevelCorrection) -> int:
    if correction.was not in names:
        raise LevelRefused("This result names no such vertebra or disc; choose one of those in the pictures.")
    steps = steps_between(correction.was, correction.now)
    if steps is None:
        raise LevelRefused(f"{correction.was} is named as what it is: a vertebra as a vertebra, a disc as a disc.")
    for name in names:
        moved = shifted(name, steps)
        if moved in (None, VERTEBRAE[0]):
            beyond = f"above {VERTEBRAE[1]}" if steps < 0 else f"below {VERTEBRAE[-1]}"
            raise LevelRefused(
                f"If {correction.was} were {correction.now}, what is now called {name} would lie {beyond}. "
                "Choose the vertebra again, or name the level of your reading alone."
            )
    return steps


def _moved(value: Any, steps: int, together: Mapping[str, bool], moves: bool = True, key: str = "") -> Any:
    """`value` with its levels moved, where they are of volumes that were named together with the study's own."""
    if isinstance(value, Mapping):
        cited = value.get("level_series_instance_uid") or value.get("series_instance_uid")
        moves = together.get(str(cited), moves)
        moved = {name: _moved(item, steps, together, moves, name) for name, item in value.items()}
        if moves and "level_certain" in moved:
            moved["level_certain"] = moved.get("level") is not None
        if moves and COMPARISONS.keys() & moved.keys():
            moved |= comparisons(moved, moved.get("level"))
        return moved
    if isinstance(value, list | tuple):
        return [_moved(item, steps, together, moves, key) for item in value]
    if not moves:
        return value
    return shifted(value, steps) if key == "level" and value in LEVELS else value
