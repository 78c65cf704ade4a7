"""Text from outside made fit to be shown: it is data, whatever it says.

Everything shown as HTML goes through :func:`markup`, which escapes it. Nothing from a file is ever put into
Markdown.
"""

import html
import unicodedata

LONGEST = 120
MISSING = "–"


def plain(text: str, longest: int = LONGEST) -> str:
    """`text` on one line, without control and direction marks, shortened with an ellipsis."""
    # Marks that turn the direction of text, or hide, could make one name look like another.
    kept = (" " if character.isspace() else character for character in text[: longest * 4])
    shown = " ".join("".join(c for c in kept if unicodedata.category(c)[0] != "C").split())
    return shown if len(shown) <= longest else shown[: longest - 1].rstrip() + "…"


def markup(text: str, longest: int = LONGEST) -> str:
    """:func:`plain` text escaped for HTML."""
    return html.escape(plain(text, longest))


def person_name(text: str) -> str:
    """DICOM person name as people write it: ``Family, Given``; the first of its scripts that is not empty."""
    group = next((part for part in text.split("=") if part.strip("^ ")), "")
    family, *given = [part.strip() for part in group.split("^")]
    rest = " ".join(part for part in given if part)
    return plain(", ".join(part for part in (family, rest) if part))


def date(text: str) -> str:
    """DICOM date as year-month-day; anything else as it stands."""
    return f"{text[:4]}-{text[4:6]}-{text[6:]}" if len(text) == 8 and text.isdigit() else plain(text, 20)


def probability(value: float | None) -> str:
    """Probability with two digits, which never claims 0 or 1."""
    if value is None:
        return MISSING
    if value < 0.01:
        return "< 0.01"
    return "> 0.99" if value > 0.99 else f"{value:.2f}"


def counted(number: int, noun: str, plural: str = "") -> str:
    """``1 file``, ``2 files``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
