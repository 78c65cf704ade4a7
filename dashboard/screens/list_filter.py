"""Which studies of the list are shown: choices that live in the address, and words that do not. Pure."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dashboard.grading import standing_tier
from dashboard.records import StudyRecord, StudyState, WorklistEntry
from dashboard.screens.text import person_name
from dashboard.screens.tiers import TIERS
from dashboard.study import REGIONS

NOT_STATED = "not stated"
STATUSES = ("on its way", "new", "opened", "read")
# Filter -> its choices, in the order of the toolbar.
CHOICES: Mapping[str, Sequence[str]] = {
    "tier": tuple(TIERS),
    "status": STATUSES,
    "band": ("low", "watch", "high", "none"),
    "region": (*REGIONS, NOT_STATED),
}


@dataclass(frozen=True)
class Wanted:
    """What the list is narrowed to; an empty choice narrows nothing.

    `words` may be a name: they never go into an address or a log.
    """

    tier: frozenset[str] = frozenset()
    status: frozenset[str] = frozenset()
    band: frozenset[str] = frozenset()
    region: frozenset[str] = frozenset()
    words: str = field(default="", repr=False)

    @property
    def narrows(self) -> bool:
        """Whether anything is left out."""
        return bool(self.tier or self.status or self.band or self.region or self.words.strip())


def status_of(study: StudyRecord) -> str:
    """How far a study has come."""
    if study.state in (StudyState.RECEIVED, StudyState.RUNNING):
        return "on its way"
    if study.read_at is not None:
        return "read"
    return "opened" if study.opened_at is not None else "new"


def narrowed(entries: Sequence[WorklistEntry], wanted: Wanted, names: bool) -> Sequence[WorklistEntry]:
    """The entries that are wanted, in the same order. Only with `names` are the patients searched."""
    if not wanted.narrows:
        return entries
    words = _bare(wanted.words).split()
    return [
        entry for entry in entries if _chosen(entry.study, wanted) and (not words or _says(_text(entry, names), words))
    ]


def _chosen(study: StudyRecord, wanted: Wanted) -> bool:
    return (
        (not wanted.tier or bool(wanted.tier & _tiers(study)))
        and (not wanted.status or status_of(study) in wanted.status)
        and (not wanted.band or (study.band or "none") in wanted.band)
        and (not wanted.region or bool(wanted.region & frozenset(study.regions or (NOT_STATED,))))
    )


def _tiers(study: StudyRecord) -> frozenset[str]:
    """The tier of the pictures, and the one among whose studies it is read: whoever asks for urgent ones gets both."""
    return frozenset((study.tier or "waiting", standing_tier(study.tier, study.flags, study.read_grade) or "waiting"))


def _says(text: str, words: Sequence[str]) -> bool:
    return all(word in text for word in words)


def _text(entry: WorklistEntry, names: bool) -> str:
    study, person = entry.study, entry.person
    parts = [study.description, study.level, study.place, study.id]
    if names and person is not None:
        # As it is shown and as it was sent: people type either.
        parts += [person_name(person.patient_name), person.patient_name, person.patient_id, person.accession_number]
    return _bare("\n".join(parts))


def _bare(text: str) -> str:
    """Text without case and accents: an accent may be one letter with what stands below it or two, or not be typed."""
    if text.isascii():
        return text.casefold()
    return "".join(
        letter for letter in unicodedata.normalize("NFKD", text).casefold() if not unicodedata.combining(letter)
    )
