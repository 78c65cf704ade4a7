"""Names for a row of segments: counted from C2, from the sacrum, or guessed and called so.

Volumes of one frame of reference that show some of the same vertebrae are named together, so that a thoracic series
without an anchor of its own is counted from the cervical one above it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from dashboard.grading.spine.evidence import (
    LUMBOSACRAL_PLACE,
    ORDER,
    Row,
    depth_mm,
    height_mm,
    likelihoods,
    rivals,
    row_of,
    two_above,
)
from dashboard.grading.spine.instances import Placed
from dashboard.grading.spine.turned import signs_of_turning
from dashboard.study import UNCERTAIN
from dashboard.study.sagittal import SagittalPrediction
from dashboard.study.spine import NamedSegment, Spine

# A count is called certain from this probability on.
CERTAIN_FROM = 0.9
# A level that rests on a height and not on something seen may hide a miscount.
DOUBT = 0.8
# Two volumes show the same vertebra when its middle lies this near in both; bodies are 17 mm apart and more.
SAME_BODY_MM = 8.0
# A lowest disc is rudimentary, as over a transitional vertebra, when it is this short beside the two above it or, less
# short, this low as well. Sixteen training people of SPIDER had 0.68 at the shortest and 0.63 at the lowest.
SHORT_DISC, SHORTER_DISC, LOW_DISC = 0.6, 0.8, 0.4
# The disc beside a doubtful L5/S1, as a rule the one above it, may be the true one.
TRANSITIONAL_SHIFT = 0.3
# Alternatives less likely than this are left out, and what remains sums to 1 with the guess.
LEAST_ALTERNATIVE = 0.01
# People have up to two presacral vertebrae more or fewer than most; a larger difference is a miscount or a mistake.
ANOMALY_PLACES = 4
CONTRADICTION = "what looks like C2 and what looks like the sacrum are not a spine apart"
BORROWED = "counted through vertebrae that another series shows too"
TRANSITIONAL = "possible transitional vertebra"
USUAL_PRESACRAL = 24


@dataclass(frozen=True, eq=False)
class ReadSpine:
    """A named spine, the row it was made of, and the number of the group of volumes that were named together."""

    spine: Spine
    row: Row
    group: int


@dataclass(frozen=True, slots=True)
class _Doubt:
    """Words of a reason to doubt the lumbosacral disc, and how many places lower the names lie if it is another."""

    words: str
    places: int


@dataclass(frozen=True, eq=False)
class _Member:
    """A row and how far its slots lie below those of the first of its group."""

    number: int
    row: Row
    shift: int


def name_spines(predictions: Sequence[SagittalPrediction], frames: Sequence[str]) -> tuple[Spine, ...]:
    """Name the vertebrae and discs of several volumes of one study.

    Parameters
    ----------
    predictions
        One a volume.
    frames
        Frame of reference UID of each; volumes are compared only within one that is not empty.

    Returns
    -------
    tuple of Spine
        One a prediction; without segments where no spine was found.
    """
    return tuple(one.spine for one in read_spines(predictions, frames))


def read_spines(predictions: Sequence[SagittalPrediction], frames: Sequence[str]) -> tuple["ReadSpine", ...]:
    """As :func:`name_spines`, with what the names rest on."""
    rows = [row_of(one) for one in predictions]
    found: dict[int, ReadSpine] = {}
    groups = _groups(rows, frames)
    for group in groups:
        for number, spine in _name_group(group).items():
            found[number] = ReadSpine(spine, rows[number], group[0].number)
    nothing = ((number, row) for number, row in enumerate(rows) if number not in found)
    found |= {number: ReadSpine(_nothing(row), row, number) for number, row in nothing}
    return tuple(found[number] for number in range(len(rows)))


def name_spine(prediction: SagittalPrediction) -> Spine:
    """Name one volume by itself."""
    return name_spines([prediction], [""])[0]


def _nothing(row: Row) -> Spine:
    prediction = row.prediction
    note = "; ".join(["no row of vertebrae was found along a canal", *signs_of_turning(row)])
    return Spine(prediction.series_instance_uid, prediction.volume_index, (), "guess", False, note)


def _groups(rows: Sequence[Row], frames: Sequence[str]) -> list[list[_Member]]:
    """Rows that share vertebrae, with their shifts; every row is in one group."""
    shifts = {
        (a, b): shift
        for a, b in combinations(range(len(rows)), 2)
        if frames[a] and frames[a] == frames[b] and (shift := _shift(rows[a], rows[b])) is not None
    }
    shifts |= {(b, a): -shift for (a, b), shift in shifts.items()}
    left = [number for number, row in enumerate(rows) if row.placed]
    groups = []
    while left:
        found = {left[0]: 0}
        waiting = [left[0]]
        while waiting:
            here = waiting.pop()
            for (a, b), shift in shifts.items():
                if a == here and b not in found:
                    found[b] = found[here] + shift
                    waiting.append(b)
        groups.append([_Member(number, rows[number], found[number]) for number in sorted(found)])
        left = [number for number in left if number not in found]
    return groups


def _shift(first: Row, second: Row) -> int | None:
    """How many slots the second row's slot 0 lies below the first's; None where they share no vertebra."""
    votes: dict[int, int] = {}
    for one in _whole_vertebrae(first):
        for other in _whole_vertebrae(second):
            if float(np.linalg.norm(one.segment.centre_mm - other.segment.centre_mm)) <= SAME_BODY_MM:
                votes[one.slot - other.slot] = votes.get(one.slot - other.slot, 0) + 1
    return max(votes, key=lambda shift: votes[shift]) if votes else None


def _whole_vertebrae(row: Row) -> list[Placed]:
    return [one for one in row.placed if one.segment.kind == "vertebra" and one.segment.complete]


def _name_group(group: Sequence[_Member]) -> dict[int, Spine]:
    """Spines of a group by number, from what all of its rows say together."""
    chances = _chances(group)

    def likeliest(found: Sequence[int]) -> int | None:
        return max(found, key=lambda one: (chances.get(one, 0.0), -abs(one)), default=None)

    cervical = [m.row.second_cervical for m in group]
    sacral = [m.row.lumbosacral for m in group]
    from_c2 = [-one.slot - m.shift for one, m in zip(cervical, group, strict=True) if one is not None]
    from_sacrum = [
        LUMBOSACRAL_PLACE - one.slot - m.shift for one, m in zip(sacral, group, strict=True) if one is not None
    ]
    base = max(chances, key=lambda one: chances[one])
    upper, lower = likeliest(from_c2), likeliest(from_sacrum)
    note: list[str] = []
    agreed = upper is None or lower is None or upper == lower
    if upper is not None and lower is not None and upper != lower:
        if abs(upper - lower) <= ANOMALY_PLACES:
            # A radiologist counts from C2 where both ends are seen.
            base = upper
            note.append(_disagreement(upper - lower))
        else:
            note.append(CONTRADICTION)
    counted = _counted(base, from_c2, from_sacrum)
    transitional = next((found for m in group if (found := _transitional(m.row)) is not None), None)
    if transitional is not None:
        note.append(f"{TRANSITIONAL}: {transitional.words}")
        if counted == "sacrum":
            chances = _shifted(chances, base, transitional.places)
    chances = _likely(chances, base)
    turned = list(dict.fromkeys(words for m in group for words in signs_of_turning(m.row)))
    note = [*turned, *note]
    agreed = agreed and not turned
    certain = counted != "guess" and agreed and chances.get(base, 0.0) >= CERTAIN_FROM
    if not certain:
        note.insert(0, UNCERTAIN)
    return {m.number: _spine(m, base, chances, counted, certain, _noted(m, counted, base, note)) for m in group}


def _noted(member: _Member, counted: str, base: int, note: Sequence[str]) -> str:
    """The words of a group for one of its rows."""
    borrowed = counted != "guess" and not _anchor_slots(member.row, base + member.shift)
    return "; ".join([*note, BORROWED] if borrowed else note)


def _chances(group: Sequence[_Member]) -> dict[int, float]:
    """Probability of each place of the first row's slot 0.

    Series that show the same vertebrae say the same thing twice: each counts the less the more of it others show too.
    """
    tables = [(likelihoods(m.row), m.shift, _weight(m, group)) for m in group]
    shared = set.intersection(*({base - shift for base in table} for table, shift, _ in tables))
    total = {base: sum(weight * table[base + shift] for table, shift, weight in tables) for base in sorted(shared)}
    if not total:
        total = likelihoods(group[0].row)
    most = max(total.values())
    weights = {base: float(np.exp(value - most)) for base, value in total.items()}
    whole = sum(weights.values())
    return {base: weight / whole for base, weight in weights.items()}


def _weight(member: _Member, group: Sequence[_Member]) -> float:
    own = {one.slot + member.shift for one in member.row.placed}
    shown = [{one.slot + m.shift for one in m.row.placed} for m in group]
    return 1 / sum(len(own & other) / len(own) for other in shown)


def _likely(chances: Mapping[int, float], base: int) -> dict[int, float]:
    """The chosen base and those worth naming beside it, summing to 1."""
    kept = {one: chance for one, chance in chances.items() if one == base or chance >= LEAST_ALTERNATIVE}
    whole = sum(kept.values()) + (base not in kept) * LEAST_ALTERNATIVE
    return {one: chance / whole for one, chance in {base: LEAST_ALTERNATIVE, **kept}.items()}


def _shifted(chances: Mapping[int, float], base: int, places: int) -> dict[int, float]:
    """Chances when another disc may be the true lumbosacral one, and all names lie `places` lower."""
    moved = {one: p * (1 - TRANSITIONAL_SHIFT) for one, p in chances.items()}
    moved[base + places] = moved.get(base + places, 0.0) + TRANSITIONAL_SHIFT
    return moved


def _counted(base: int, from_c2: Sequence[int], from_sacrum: Sequence[int]) -> str:
    if base in from_c2 and base in from_sacrum:
        return "both"
    if base in from_c2:
        return "C2"
    return "sacrum" if base in from_sacrum else "guess"


def _disagreement(places: int) -> str:
    found = USUAL_PRESACRAL + places // 2
    return (
        f"{TRANSITIONAL} or numbering anomaly: {found} vertebrae above the sacrum were counted, "
        f"{USUAL_PRESACRAL} are usual; counted from C2"
    )


def _transitional(row: Row) -> _Doubt | None:
    """What speaks against the disc taken as lumbosacral: it is rudimentary, or another looks like it or lies below."""
    taken = row.lumbosacral
    if taken is None:
        return None
    if any(one.slot > taken.slot for one in row.placed):
        return _Doubt("a disc or vertebra is seen below the lumbosacral disc", -2)
    if rivals(row) is not None:
        return _Doubt("more than one disc looks like the one above the sacrum", 2)
    above = [one.segment for one in row.placed if one.segment.kind == "disc" and one.slot in two_above(taken)]
    depths, heights = [depth_mm(one) for one in above], [height_mm(one) for one in above]
    depth, height = depth_mm(taken.segment), height_mm(taken.segment)
    if not (depth and all(depths) and len(above) == 2):
        return None
    short, low = depth / float(np.mean(depths)), height / float(np.mean(heights))
    if short < SHORT_DISC or (short < SHORTER_DISC and low < LOW_DISC):
        return _Doubt("the lowest disc is much smaller than those above it", 2)
    return None


def _spine(
    member: _Member, group_base: int, chances: Mapping[int, float], counted: str, certain: bool, note: str
) -> Spine:
    row, base = member.row, group_base + member.shift
    chance = chances.get(group_base, 0.0)
    anchors = _anchor_slots(row, base)
    doubts = [one.slot for one in row.placed if one.doubtful]
    named = []
    for one in row.placed:
        if 0 <= base + one.slot < len(ORDER):
            sure = chance if counted == "both" else chance * DOUBT ** _between(one.slot, anchors, doubts)
            named.append(NamedSegment(one.segment, ORDER[base + one.slot], sure))
    alternatives = _alternatives(row, base, {other - group_base: p for other, p in chances.items()})
    prediction = row.prediction
    return Spine(
        prediction.series_instance_uid, prediction.volume_index, tuple(named), counted, certain, note, alternatives
    )


def _alternatives(row: Row, base: int, moved: Mapping[int, float]) -> tuple[tuple[str, float], ...]:
    """Other names of the first segment that has one, the likeliest first; `moved` by how far all names would move."""
    first = next((base + one.slot for one in row.placed if base + one.slot >= 0), 0)
    likely = sorted(moved.items(), key=lambda item: -item[1])
    return tuple((ORDER[min(max(first + by, 0), len(ORDER) - 1)], chance) for by, chance in likely if by)


def _anchor_slots(row: Row, base: int) -> list[int]:
    """Slots from which names were counted in this row."""
    found = []
    if row.second_cervical is not None and row.second_cervical.slot == -base:
        found.append(row.second_cervical.slot)
    if row.lumbosacral is not None and row.lumbosacral.slot == LUMBOSACRAL_PLACE - base:
        found.append(row.lumbosacral.slot)
    return found


def _between(slot: int, anchors: Sequence[int], doubts: Sequence[int]) -> int:
    """Doubtful levels between a slot and the nearest anchor."""
    if not anchors:
        return len(doubts)
    return min(sum(min(slot, a) < doubt <= max(slot, a) for doubt in doubts) for a in anchors)
