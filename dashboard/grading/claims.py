"""What the slices of a series ask for beyond the study's grade: alone in what they show, not graded, or not there."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from dashboard.grading.absence import GRADABLE_ROLES
from dashboard.grading.gaps import Concern, Gap, find_gaps, find_missing
from dashboard.grading.parts import Part
from dashboard.grading.profile import least_runs
from dashboard.grading.quality import Obstacle
from dashboard.grading.result import SeriesResult, SliceResult
from dashboard.grading.urgency import (
    TIER_OF_GAP,
    Claim,
    Tier,
    claim_of_gaps,
    claim_of_lost,
    claim_of_missing,
    claim_of_unsupported,
    claim_to_read_now,
)
from dashboard.grading.words import rank
from dashboard.study import GRADES, Plane, Role, Series, Study
from dashboard.study.geometry import Array


def claims_of_part(part: Part, parts: Sequence[Part], slices: Sequence[SliceResult]) -> list[Claim]:
    """All claims of one series.

    Parameters
    ----------
    parts
        All series of the study that were looked at.
    slices
        Results of all their slices.
    """
    where = _where(part, parts)
    return [
        *_unlooked_claims(part, where),
        *_steep_claims(part, where),
        *_unusable_claims(part, where),
        *_unsupported_claims(part, slices, where),
        *_gap_claims(part, parts, where),
        *_missing_claims(part, parts, where),
    ]


def _unsupported_claims(part: Part, slices: Sequence[SliceResult], where: str) -> list[Claim]:
    """Claims of slices that look compressed alone: those with neighbours and those without."""
    alone, uid = _isolated(part), part.series.series_instance_uid
    found: dict[bool, dict[int, str]] = {True: {}, False: {}}
    for one in slices:
        if one.series_instance_uid != uid or one.grade is None:
            continue
        # Beside others of its kind a single 1c is contradicted; where nothing lies beside, nothing speaks against it.
        least = GRADES.index("1c" if one.number in alone else "2")
        if rank(one.grade.grade) >= least > rank(one.supported_grade or "0"):
            found[one.number not in alone][one.number] = one.grade.grade
    return [
        claim_of_unsupported(which, has, where, (uid, max(which, key=lambda number: rank(which[number]))))
        for has, which in found.items()
        if which
    ]


def _isolated(part: Part) -> set[int]:
    """Numbers of the analysed slices that no run of neighbours holds."""
    numbers = [index + 1 for index, one in enumerate(part.graded.slices) if one.gate.passed]
    centres = np.array([one.prediction.centre_mm for one in part.analysed]).reshape(-1, 3)
    held = {index for first, last in least_runs(centres) for index in range(first, last + 1)}
    return {number for index, number in enumerate(numbers) if index not in held}


def _unlooked_claims(part: Part, where: str) -> list[Claim]:
    """What a series asks for that should show an axial spine and gave no slice, or does not look like one.

    Of series refused for another reason the slices are owed a grade, and their gaps speak.
    """
    if part.graded.reason is None or part.series.role not in GRADABLE_ROLES:
        return []
    if not part.graded.slices:
        return [Claim(Tier.NOT_ANALYSED, (f"an axial T2 series{where} was not analysed: {part.graded.reason}",))]
    if any(Obstacle.NOT_SPINE in one.gate.obstacles for one in part.graded.slices):
        words = f"an axial T2 series{where} was not analysed, check that it shows no spine: {part.graded.reason}"
        return [Claim(Tier.SOON, (words,))]
    return []


def _unusable_claims(part: Part, where: str) -> list[Claim]:
    """What images of a graded series ask for that have no place in the patient, or may not be analysed."""
    count = part.series.unusable
    if not count or part.series.role not in GRADABLE_ROLES:
        return []
    images = "an image has no usable place" if count == 1 else f"{count} images have no usable place"
    words = f"{images} or may not be analysed{where}"
    return [claim_to_read_now(words)]


def _steep_claims(part: Part, where: str) -> list[Claim]:
    """What blocks of an axial series ask for that are tilted so far that no axial slice could be made of them.

    Slices across a spine are tilted to its front and back, so that sagittal pictures in such a series are no block.
    """
    seen = {one.prediction.volume_index for one in part.graded.slices}
    others = [volume for index, volume in enumerate(part.series.volumes) if index not in seen]
    blocks = [volume for volume in others if volume.plane is not Plane.SAGITTAL]
    if part.series.role is Role.VOLUME_T2 or not seen or not blocks:
        return []
    count = sum(len(volume.frames) for volume in blocks)
    slices = "a slice lies" if count == 1 else f"{count} slices lie"
    words = f"{slices} too steep to be graded as axial ones{where}"
    return [claim_to_read_now(words)]


def claims_of_series(study: Study, results: Sequence[SeriesResult]) -> list[Claim]:
    """What series ask for that could have been graded, by their role or their name, and were not looked at.

    Parameters
    ----------
    results
        Of the study's series, in their order.
    """
    failed = [
        f"an axial T2 series was not analysed: {one.reason}"
        for one in results
        if one.role in GRADABLE_ROLES and not one.analysed and one.orientation_ok is None
    ]
    named = [
        f"a series named as axial T2 was not analysed: {one.reason}"
        for one, series in zip(results, study.series, strict=True)
        if series.may_be_axial_t2 and not one.analysed
    ]
    return [Claim(Tier.NOT_ANALYSED, (words,)) for words in (*failed, *named)]


def claims_of_lost(study: Study) -> list[Claim]:
    """What damaged images ask for: one claim a series that could have been graded, or of which nothing could be read.

    Slices of a volume that were made from those beside them are not lost.
    """
    known = {one.series_instance_uid: one for one in study.series}
    lost = Counter(one.series_instance_uid for one in study.rejected if one.sop_instance_uid)
    for uid, series in known.items():
        lost[uid] -= sum(not frame.arrived for volume in series.volumes for frame in volume.frames)
    return [
        claim_of_lost(count, _name(known[uid]) if uid in known else "")
        for uid, count in sorted(lost.items())
        if count > 0 and (uid not in known or known[uid].role in GRADABLE_ROLES)
    ]


def suspicions(parts: Sequence[Part]) -> list[Claim]:
    """What slices ask for of a study none of which could be graded, where compression is suspected in some."""
    claims = [claim for part in parts for claim in _gap_claims(part, parts, _where(part, parts))]
    return [claim for claim in claims if claim.tier is TIER_OF_GAP[Concern.SUSPICIOUS]]


def _name(series: Series) -> str:
    kind = "3-D" if series.role is Role.VOLUME_T2 else "axial"
    return f"{kind} T2 series{'' if series.series_number is None else f' {series.series_number}'}"


def _where(part: Part, parts: Sequence[Part]) -> str:
    return "" if len(parts) == 1 else f" of series {part.name}"


def _gap_claims(part: Part, parts: Sequence[Part], where: str) -> list[Claim]:
    """One claim a degree of concern."""
    by_concern: dict[Concern, list[Gap]] = {}
    states = [one.state for one in part.graded.slices]
    for gap in find_gaps(states, _analysed_elsewhere_mm(part, parts)):
        by_concern.setdefault(gap.concern, []).append(gap)
    return [
        claim_of_gaps(
            concern,
            [(gap.first + 1, gap.last + 1) for gap in gaps],
            [one.gate.obstacles[0].value for gap in gaps for one in part.graded.slices[gap.first : gap.last + 1]],
            where,
            (part.series.series_instance_uid, _worst_within(part, gaps) + 1),
        )
        for concern, gaps in by_concern.items()
    ]


def _worst_within(part: Part, gaps: Sequence[Gap]) -> int:
    """Index of the slice of several gaps that looks worst; of those alike the one in the middle of the longest gap."""
    longest = max(gaps, key=lambda gap: gap.last - gap.first)
    middle = (longest.first + longest.last) // 2
    held = [index for gap in gaps for index in range(gap.first, gap.last + 1)]
    return max(held, key=lambda index: (part.graded.slices[index].state.rank, -abs(index - middle)))


def _missing_claims(part: Part, parts: Sequence[Part], where: str) -> list[Claim]:
    """Slices that never arrived: as single gaps seem to say, or as all gaps do together with the numbers of images."""
    states = [one.state for one in part.graded.slices]
    stacks = [one.prediction.volume_index for one in part.graded.slices]
    uid = part.series.series_instance_uid
    found = find_missing(states, stacks, _analysed_elsewhere_mm(part, parts))
    claims = [claim_of_missing(one.concern, one.count, where, (uid, one.after + 1)) for one in found]
    if part.series.absent > sum(one.count for one in found):
        count = part.series.absent
        slices = "a slice never arrived" if count == 1 else f"{count} slices never arrived"
        words = f"{slices}{where}, as numbers and gaps tell"
        claims.append(claim_to_read_now(words))
    return claims


def _analysed_elsewhere_mm(part: Part, parts: Sequence[Part]) -> Array:
    """Centres of analysed slices (n, 3) of the other series whose positions compare."""
    elsewhere = [one.prediction.centre_mm for other in part.comparable(parts) for one in other.analysed]
    return np.array(elsewhere).reshape(-1, 3)
