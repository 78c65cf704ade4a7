"""The worklist as a table that the keyboard and a screen reader can use."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from dashboard.screens.parts import register

_element = register("worklist_table", scripts=("library", "worklist_table"))


@dataclass(frozen=True)
class StudyLine:
    """One study as the table shows it; all of it text, times as ISO 8601 or empty."""

    id: str
    href: str
    tier: str
    tier_words: str
    mark: str
    grade: str
    band: str
    p_high: str
    where: str
    patient: str
    patient_detail: str
    synthetic: bool
    why: str
    why_more: str
    received_at: str
    acquired_at: str
    clock_ends_at: str
    status: str
    status_detail: str
    unread: bool
    spoken: str


def worklist_table(studies: Sequence[StudyLine], library: str = "", key: str = "worklist") -> str | None:
    """Draw the table; return the id of the study that was just opened.

    `library` is the address of what the next screen draws with; the browser loads it when it has nothing to do.
    """
    data = {"studies": [asdict(study) for study in studies], "library": library}
    result = _element(key=key, data=data, on_open_change=_nothing)
    opened: str | None = result.open
    return opened


def _nothing() -> None:
    """Streamlit offers a trigger's value only where a callback is named."""
