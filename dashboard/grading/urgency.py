"""The urgency tier of a study, a score within it, and the reasons in words.

The tiers order a reading list; they are no advice on treatment. The order is that of the worklist: a study, or a part
of one, that could not be graded stands above one that was graded and not found urgent.
"""

from collections.abc import Mapping, Sequence
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

# 3: no CSF left round a compressed cord. 2: compressed, CSF left. 1a to 1c: tumour is suspected in the epidural space,
# and 1c is the grade on which the published schemes disagree; they are looked at before what is not flagged. Healthy
# real series reached a supported 1a in 1 of 32.
TIER_OF_GRADE = {
    "0": Tier.ROUTINE,
    "1a": Tier.SOON,
    "1b": Tier.SOON,
    "1c": Tier.SOON,
    "2": Tier.URGENT,
    "3": Tier.IMMEDIATE,
}
TIER_OF_GAP = {
    Concern.BEYOND: Tier.ROUTINE,
    Concern.THIN: Tier.ROUTINE,
    Concern.NARROW: Tier.SOON,
    Concern.WIDE: Tier.NOT_ANALYSED,
    Concern.SUSPICIOUS: Tier.URGENT,
}


GAP_ENDINGS = {
    Concern.BEYOND: ": the volume ends there",
    Concern.THIN: "; the slices beside are graded and not flagged",
    Concern.NARROW: "; the slices beside are not flagged",
    Concern.WIDE: ": a compression could hide there, read it now",
    Concern.SUSPICIOUS: " and compression is suspected there or beside: read it now",
}


@dataclass(frozen=True)
class Urgency:
    """Tier, score 0 to 100 and reasons, the weightiest first; `at` is that of the claim which set the tier."""

    tier: Tier
    score: float
    reasons: tuple[str, ...]
    at: tuple[str, int] | None = None


@dataclass(frozen=True)
class Claim:
    """One thing that asks for at least a tier, and its words.

    `at` is the slice to look at for it, series instance UID and number; None where it is about no single one.
    """

    tier: Tier
    reasons: tuple[str, ...]
    at: tuple[str, int] | None = None


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
    return Urgency(tier, BASE_SCORE[tier] + SPAN * min(1.0, max(0.0, severity)), tuple(reasons), ordered[0].at)


def claim_of_unsupported(
    found: Mapping[int, str], has_neighbours: bool, where: str = "", at: tuple[str, int] | None = None
) -> Claim:
    """What slices ask for whose grade their neighbours do not bear out; `found` is grade by slice number.

    Alone they never make a study urgent. Where neighbours contradict a slice, it is to be checked soon; where there is
    no neighbour to ask, nobody knows, and the study stands with those not analysed. `where` names the series.
    """
    listed = ", ".join(f"slice {number} (grade {grade})" for number, grade in found.items())
    if has_neighbours:
        words = f"compression suspected in a single slice, not in its neighbours: check {listed}{where}"
        return Claim(Tier.SOON, (words,), at)
    words = f"compression suspected where no neighbouring slice can confirm it: read {listed}{where} now"
    return Claim(Tier.NOT_ANALYSED, (words,), at)


def claim_of_gaps(
    concern: Concern,
    ranges: Sequence[tuple[int, int]],
    why: Sequence[str],
    where: str = "",
    at: tuple[str, int] | None = None,
) -> Claim:
    """What runs of slices of one concern ask for that should have been graded and could not be.

    Parameters
    ----------
    ranges
        First and last slice number of each run.
    why
        The obstacles, as sentences; repeated ones are named once.
    where
        Names the series, where there are several.
    """
    listed = ", ".join(str(first) if first == last else f"{first} to {last}" for first, last in ranges)
    several = len(ranges) > 1 or ranges[0][0] != ranges[0][1]
    words = f"{'slices' if several else 'slice'} {listed}{where} could not be graded ({'; '.join(dict.fromkeys(why))})"
    return Claim(TIER_OF_GAP[concern], (words + GAP_ENDINGS[concern],), at)


def claim_of_missing(concern: Concern, count: int, where: str, at: tuple[str, int]) -> Claim:
    """What `count` slices ask for that seem to be missing after the one `at`."""
    words = f"{'a slice' if count == 1 else f'{count} slices'} may be missing after slice {at[1]}{where}"
    return Claim(TIER_OF_GAP[concern], (words + GAP_ENDINGS[concern],), at)


def claim_of_lost(count: int, series: str) -> Claim:
    """What `count` damaged images ask for; `series` names theirs, "" where nothing of it could be read."""
    images = "an image" if count == 1 else f"{count} images"
    words = f"{images} of {series} could not be read" if series else f"a whole series could not be read ({images})"
    return claim_to_read_now(words)


def claim_to_read_now(what: str) -> Claim:
    """What images ask for that could not be analysed at all; `what` says which and why."""
    return Claim(TIER_OF_GAP[Concern.WIDE], (what + GAP_ENDINGS[Concern.WIDE],))


def is_high(grade: str) -> bool:
    """Whether a grade asks for a tier above soon."""
    return GRADES.index(grade) >= GRADES.index("2")
