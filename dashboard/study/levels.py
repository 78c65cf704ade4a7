"""Names of the levels of the spine: vertebrae and the discs between them, head to foot."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

VERTEBRAE = (
    *(f"C{number}" for number in range(1, 8)),
    *(f"T{number}" for number in range(1, 13)),
    *(f"L{number}" for number in range(1, 6)),
    "S1",
)


def disc_between(above: str, below: str) -> str:
    """Name of the disc between two neighbouring vertebrae: T8/9, T12/L1."""
    return f"{above}/{below[1:] if above[0] == below[0] else below}"


UNCERTAIN, UNKNOWN = "level uncertain", "level unknown"


def level_words(level: str | None, certain: bool | None = True) -> str:
    """A level as screens show it: "T8", "T8 (level uncertain)", or empty where it is unknown.

    Parameters
    ----------
    level
        Its name, the software's own.
    certain
        False where the levels were guessed; None where nothing is said of it, as in results of a person's own naming.
    """
    if not level:
        return ""
    return f"{level} ({UNCERTAIN})" if certain is False else level


def _levels() -> tuple[str, ...]:
    named = [VERTEBRAE[0]]
    for above, below in pairwise(VERTEBRAE):
        # There is no disc between C1 and C2.
        named += [below] if above == "C1" else [disc_between(above, below), below]
    return tuple(named)


LEVELS = _levels()
DISCS = tuple(level for level in LEVELS if "/" in level)


def steps_between(was: str, now: str) -> int | None:
    """How many vertebrae `now` lies below `was`, negative above; None unless both are vertebrae or both are discs."""
    for row in (VERTEBRAE, DISCS):
        if was in row and now in row:
            return row.index(now) - row.index(was)
    return None


def shifted(level: str, steps: int) -> str | None:
    """The vertebra or disc `steps` vertebrae below a level, above where negative; None beyond C1 and S1."""
    row = VERTEBRAE if level in VERTEBRAE else DISCS
    place = row.index(level) + steps
    return row[place] if 0 <= place < len(row) else None


def level_is_certain(document: Mapping[str, Any], entry: Mapping[str, Any]) -> bool:
    """Whether the level of an entry of a result is sure: as it says itself, else as the whole spine was counted."""
    told = entry.get("level_certain")
    return bool((document.get("spine") or {"certain": True}).get("certain")) if told is None else bool(told)
