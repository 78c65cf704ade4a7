"""The order in which studies are read: the urgency tier, moved up by what a person knows of the patient.

The rule, in words for people (:data:`RULE`): pictures set the tier; clinical flags only ever move a study up, and
change no grade. A new deficit or a change of sphincter function is what NICE NG234 (2023) asks to be acted on at once
in a patient with cancer (CLINICAL.md 3b), so such a study stands at least with the urgent ones, and first among its
tier; known cancer, and a stated onset of symptoms, come before none. What is left is decided by waiting time. Among
the studies that were read, one to which a person gave a 2 or 3 stands at least with the urgent ones.
"""

from collections.abc import Mapping
from enum import StrEnum

from dashboard.grading.bilsky import BAND_OF_GRADE, Band
from dashboard.grading.urgency import TIERS, Tier


class Flag(StrEnum):
    """What a person may know that the pictures do not show."""

    KNOWN_CANCER = "known_cancer"
    NEW_DEFICIT = "new_deficit"
    SPHINCTER_CHANGE = "sphincter_change"
    SYMPTOM_ONSET = "symptom_onset"


FLAG_WORDS: Mapping[str, str] = {
    Flag.KNOWN_CANCER: "known cancer",
    Flag.NEW_DEFICIT: "new deficit",
    Flag.SPHINCTER_CHANGE: "sphincter change",
    Flag.SYMPTOM_ONSET: "symptom onset",
}
DEFICITS = (Flag.NEW_DEFICIT, Flag.SPHINCTER_CHANGE)
RULE = (
    "Studies still to be read first; among them tier, then clinical flags, then the longest wait. A new deficit or "
    "sphincter change puts a study at least "
    "among the urgent ones, and first in its tier, before all where cancer is known too; known cancer, then a stated "
    "symptom onset, come before no flag. Flags never move a study down and never change a grade. Studies that a person "
    "has read follow in the same order, those read as 2 or 3 at least among the urgent ones."
)
# A study still on its way may be anything: it stands above what was graded and found less than urgent.
ORDER: tuple[str | None, ...] = (*TIERS[: TIERS.index(Tier.NOT_ANALYSED) + 1], None, Tier.SOON, Tier.ROUTINE)


def standing_tier(tier: str | None, flags: Mapping[str, str], read_grade: str | None = None) -> str | None:
    """The tier among whose studies one stands; None while on its way.

    It is the study's own, or urgent where that is lower and a deficit is known or a person graded it 2 or 3.
    """
    if (any(flags.get(flag) for flag in DEFICITS) or _is_high(read_grade)) and _place(tier) > _place(Tier.URGENT):
        return Tier.URGENT
    return tier


def reading_rank(tier: str | None, flags: Mapping[str, str], read_grade: str | None = None) -> tuple[int, int]:
    """Sort key of a study, lowest first; studies of one key are read in order of waiting."""
    deficit = any(flags.get(flag) for flag in DEFICITS)
    cancer = bool(flags.get(Flag.KNOWN_CANCER))
    if deficit:
        group = 0 if cancer else 1
    elif cancer:
        group = 2
    else:
        group = 3 if flags.get(Flag.SYMPTOM_ONSET) else 4
    return _place(standing_tier(tier, flags, read_grade)), group


def moved_words(tier: str | None, flags: Mapping[str, str], read_grade: str | None = None) -> str:
    """Why a study stands above its tier's others; empty where nothing moves it."""
    named = [FLAG_WORDS[flag] for flag in Flag if flags.get(flag)]
    if standing_tier(tier, {}, read_grade) != tier:
        named.insert(0, f"a person's grade {read_grade}")
    if not named:
        return ""
    moved = "read with urgent" if standing_tier(tier, flags, read_grade) != tier else "moved up"
    return f"{moved}: {', '.join(named)}"


def _is_high(grade: str | None) -> bool:
    return grade is not None and BAND_OF_GRADE[grade] is Band.HIGH


def _place(tier: str | None) -> int:
    return ORDER.index(tier) if tier in ORDER else len(ORDER)
