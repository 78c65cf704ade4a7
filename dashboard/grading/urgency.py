"""The urgency tier of a study, a score within it, and the reasons in words.

The tiers order a reading list; they are no advice on treatment. The order is that of the worklist: a study, or a part
of one, that could not be graded stands above one that was graded and not found urgent.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from dashboard.grading.gaps import Concern
from dashboard.study import GRADES


class Tier(StrEnum):
    """Urgency tiers, most urgent first."""

    IMMEDIATE = "immediate"
    URGENT = "urgent"
    NOT_ANALYSED = "not analysed"
    SOON = "soon"
    ROUTINE = "routine"


TIERS = tuple(Tier)
# Lower end of each tier's 20 points of score. Tiers never overlap by more than the shared end.
BASE_SCORE = {Tier.IMMEDIATE: 80.0, Tier.URGENT: 60.0, Tier.NOT_ANALYSED: 40.0, Tier.SOON: 20.0, Tier.ROUTINE: 0.0}
SPAN = 20.0

# 3: no CSF left round a compressed cord. 2: compressed, CSF left. 1b, 1c: sac deformed; 1c is the grade on which the
# published schemes disagree, so it is looked at before what is not flagged.
TIER_OF_GRADE = {
    "0": Tier.ROUTINE,
    "1a": Tier.ROUTINE,
    "1b": Tier.SOON,
    "1c": Tier.SOON,
    "2": Tier.URGENT,
    "3": Tier.IMMEDIATE,
}
TIER_OF_GAP = {
    Concern.THIN: Tier.ROUTINE,
    Concern.NARROW: Tier.SOON,
    Concern.WIDE: Tier.NOT_ANALYSED,
    Concern.SUSPICIOUS: Tier.URGENT,
}


@dataclass(frozen=True)
class Urgency:
    """Tier, score 0 to 100 and reasons, the weightiest first."""

    tier: Tier
    score: float
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Claim:
    """One thing that asks for at least a tier, and its words."""

    tier: Tier
    reasons: tuple[str, ...]


def judge(claims: Sequence[Claim], at_least: Sequence[float] | None) -> Urgency:
    """The most urgent claim sets the tier; all claims give their reasons, most urgent first.

    Parameters
    ----------
    claims
        At least one.
    at_least
        Supported P(>= 1a, 1b, 1c, 2, 3) of the study; None where nothing was graded. Their mean, the expected grade on
        a scale of 0 to 1, places the study within its tier: a worse probability never lowers the score.
    """
    ordered = sorted(claims, key=lambda claim: TIERS.index(claim.tier))
    tier = ordered[0].tier
    severity = 0.5 if at_least is None else sum(at_least) / len(at_least)
    reasons = dict.fromkeys(reason for claim in ordered for reason in claim.reasons)
    return Urgency(tier, BASE_SCORE[tier] + SPAN * min(1.0, max(0.0, severity)), tuple(reasons))


def claim_of_unsupported(grade: str, number: int, has_neighbours: bool) -> Claim:
    """What a slice asks for whose grade its neighbours do not bear out.

    Alone it never makes a study urgent. Where neighbours contradict it, it is to be checked soon; where there is no
    neighbour to ask, nobody knows, and the study stands with those not analysed.
    """
    if has_neighbours:
        words = f"slice {number} alone suggests grade {grade}, its neighbours do not: check slice {number}"
        return Claim(Tier.SOON, (words,))
    words = f"slice {number} suggests grade {grade} and has no neighbouring slice to confirm it: read it now"
    return Claim(Tier.NOT_ANALYSED, (words,))


def claim_of_gap(concern: Concern, numbers: tuple[int, int], why: str) -> Claim:
    """What a run of slices asks for that should have been graded and could not be."""
    which = f"slice {numbers[0]}" if numbers[0] == numbers[1] else f"slices {numbers[0]} to {numbers[1]}"
    words = f"{which} could not be graded ({why})"
    ending = {
        Concern.THIN: "; the slices beside are graded and not flagged",
        Concern.NARROW: "; the slices beside are not flagged",
        Concern.WIDE: ": a whole level may be missing, read it now",
        Concern.SUSPICIOUS: " and compression is suspected there or beside: read it now",
    }[concern]
    return Claim(TIER_OF_GAP[concern], (words + ending,))


def is_high(grade: str) -> bool:
    """Whether a grade asks for a tier above soon."""
    return GRADES.index(grade) >= GRADES.index("2")
