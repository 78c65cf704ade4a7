"""Other findings of a result as the lines of a panel, in words. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dashboard.grading.norms import COMPARISONS, SOURCE, TOLD_Z
from dashboard.screens.scales import scale_words
from dashboard.screens.text import counted, plain, probability
from dashboard.study import UNCERTAIN, UNKNOWN, level_is_certain

# Status -> (sign, words); a colour is never the only sign.
STATUSES = {
    "suspected": ("◆", "suspected"),
    "measured": ("–", "measured"),
    "not_flagged": ("○", "not flagged"),
    "not_analysed": ("?", "not analysed"),
}
DIGITS = {"mm": 1, "mm2": 0, "%": 0, "ratio": 2, "z": 1}
UNITS = {"ratio": "", "mm2": "mm²"}
LONGEST = 300


@dataclass(frozen=True)
class FindingLine:
    """One line; all of it text fit to be shown.

    Attributes
    ----------
    level
        Its name, "" where it is unknown.
    measure
        Grade or value with its unit, as far as `what` does not tell it already.
    status
        Key of :data:`STATUSES`.
    detail
        What a click on the `scale` tells of it and its source.
    view, at
        Where in the pictures it is, LPS mm; "" and None where there is no picture of it.
    """

    level: str
    certain: bool
    what: str
    measure: str
    status: str
    sign: str
    status_words: str
    probability: str
    scale: str
    detail: str
    view: str
    at: tuple[float, float, float] | None


ROMAN = {"1": "I", "2": "II", "3": "III", "4": "IV", "5": "V"}


def finding_lines(document: Mapping[str, Any], views: Mapping[str, str]) -> list[FindingLine]:
    """The findings in their order, head to foot.

    Parameters
    ----------
    views
        Id of the view that shows each series best, by series_instance_uid.
    """
    return [_line(one, document, views) for one in document.get("findings") or []]


def counts_words(lines: Sequence[FindingLine]) -> str:
    """How many lines there are of each status: nothing is left out unsaid."""
    numbers = {status: sum(line.status == status for line in lines) for status in STATUSES}
    return " · ".join(f"{number} {STATUSES[status][1]}" for status, number in numbers.items() if number)


def head_words(document: Mapping[str, Any]) -> str:
    """What a reader must know of the levels before the first line; empty where they are sure."""
    spine: Mapping[str, Any] = document.get("spine") or {}
    if not spine:
        return f"{UNKNOWN.capitalize()}: no sagittal series in which levels could be counted." if _any(document) else ""
    if spine.get("correction"):
        before = str(spine.get("note_before_correction") or "")
        return plain(f"Noted by the software before the levels were corrected: {before}", LONGEST) if before else ""
    note = str(spine.get("note") or "")
    if not spine.get("certain"):
        others = " or ".join(_alternative(one) for one in spine.get("alternatives") or [])
        told = [note if UNCERTAIN in note.casefold() else f"{UNCERTAIN}{f': {note}' if note else ''}"]
        told += [f"the first could also be {others}"] if others else []
        note = "; ".join(told)
    return plain(note[:1].upper() + note[1:], LONGEST)


def _any(document: Mapping[str, Any]) -> bool:
    return bool(document.get("findings"))


def _alternative(one: Mapping[str, Any]) -> str:
    return f"{one.get('level_of_first')} ({probability(one.get('probability'))})"


def _line(one: Mapping[str, Any], document: Mapping[str, Any], views: Mapping[str, str]) -> FindingLine:
    status = str(one.get("status"))
    sign, words = STATUSES.get(status, ("?", plain(status.replace("_", " "), 30)))
    if status == "not_analysed" and "because" not in str(one.get("text")):
        words = f"not analysed, because {plain(str(one.get('reason') or 'no reason was given'), LONGEST)}"
    what = plain(str(one.get("text") or one.get("kind") or "").replace("_", " ").replace("mm2", "mm²"), LONGEST)
    level, norms = plain(str(one.get("level") or ""), 16), _norm_words(one, document)
    what = f"{what}; {norms}" if norms else what
    scale, position = plain(str(one.get("scale") or ""), 60), one.get("position_mm")
    view = views.get(str(one.get("series_instance_uid")), "")
    told = scale_words(scale, str(one.get("source_status") or "")) if scale else ""
    return FindingLine(
        level=level,
        certain=level_is_certain(document, one),
        what=what[:1].upper() + what[1:],
        measure=_measure(one, what),
        status=status,
        sign=sign,
        status_words=words,
        probability="" if one.get("probability") is None else probability(one["probability"]),
        scale=scale,
        detail=f"{told} Norms: {SOURCE}".strip() if norms else told,
        view=view if position else "",
        at=(float(position[0]), float(position[1]), float(position[2])) if position and view else None,
    )


def _norm_words(one: Mapping[str, Any], document: Mapping[str, Any]) -> str:
    """Cord and canal where they are far below the norm of the level; of a finding along the canal only."""
    if one.get("kind") != "canal_narrowing":
        return ""
    canal: Sequence[Mapping[str, Any]] = (document.get("sagittal") or {}).get("canal") or []
    place = next((at for at in canal if at.get("position_mm") == one.get("position_mm")), {})
    return ", ".join(
        f"{measure.split('_')[0]} {-place[name]:.1f} SD below the norm of the level"
        for name, measure in COMPARISONS.items()
        if place.get(name) is not None and place[name] <= TOLD_Z
    )


def _measure(one: Mapping[str, Any], what: str) -> str:
    """Grade and value, but for what the words say already."""
    parts = []
    grade, value, unit = one.get("grade"), one.get("value"), str(one.get("unit") or "")
    # Pfirrmann's grades are digits in the result and Roman numerals in words.
    spelt = "|".join(re.escape(one) for one in (str(grade), ROMAN.get(str(grade), str(grade))))
    if grade is not None and not re.search(rf"(?<![\w.])(?:{spelt})(?![\w.]|,\d)", what):
        parts.append(f"grade {plain(str(grade), 8)}")
    if value is not None:
        number = f"{float(value):.{DIGITS.get(unit, 2)}f}"
        if number not in what:
            parts.append(f"{number} {UNITS.get(unit, plain(unit, 8))}".strip())
    return ", ".join(parts)


def spoken(lines: Sequence[FindingLine]) -> str:
    """The panel's name for those who cannot see it."""
    return f"Other findings by level: {counted(len(lines), 'line')}"
