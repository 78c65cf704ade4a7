"""Names of the levels of the spine: vertebrae and the discs between them, head to foot."""

from itertools import pairwise

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
