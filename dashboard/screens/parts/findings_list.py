"""Other findings as a list by level, whose lines lead to their place in the viewer's pictures."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from dashboard.screens.parts import register
from dashboard.screens.parts.plot import Save

if TYPE_CHECKING:
    from dashboard.screens.finding_lines import FindingLine

KEY = "findings_list"

_element = register("findings_list")


def findings_list(title: str, note: str, counts: str, lines: Sequence["FindingLine"], save: Save | None = None) -> None:
    """Draw the list.

    Parameters
    ----------
    note
        What a reader must know before the first line, or "".
    counts
        How many lines there are of each kind, whatever the filter hides.
    save
        A file to make of it now.
    """
    data: dict[str, Any] = {
        "title": title,
        "note": note,
        "counts": counts,
        "lines": [asdict(line) for line in lines],
        "save": None if save is None else asdict(save),
    }
    _element(key=KEY, data=data)
