"""Suspected compression from sagittal planes alone: a probability, a level and a tier, never a Bilsky grade.

No labelled sagittal picture of a real compression was to be had. The probability is calibrated on known pinches of the
masks of real people and on the same people unaltered: it says how much a place looks like a canal that something has
narrowed, not how many such places were metastases. What it asks for is axial images. Where the CSF is effaced in a
canal as wide as before, something fills it: that is suspicious as well, and has no probability.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from dashboard.grading.norms import comparisons
from dashboard.grading.spine.canal import CanalStation
from dashboard.grading.spine.csf import csf_effaced
from dashboard.grading.urgency import Claim, Tier
from dashboard.study.finding_models import FindingModel, SpineModels
from dashboard.study.geometry import Array
from dashboard.study.levels import LEVELS

# Cord, canal and CSF are narrowest at places a few mm apart where a body presses from one side.
REACH_MM = 4.0
# Neighbouring places share their features; probabilities this near are those of one narrowing.
ALIKE = 0.02
# Fewer places than this (2 mm apart) are no canal that was looked at.
LEAST_STATIONS = 10
# Places without an outline above these many with one (1 cm) lie in the cord's reach. Roots that lie together look like
# a cord for less.
LEAST_CORD_STATIONS = 5
# A canal that is blocked within this of the last of the cord hides where the cord ends.
HIDDEN_MM = 10.0
# A graded axial slice at this height above or below a place shows it: stacks are 3 to 5 mm apart, places 2 mm. Both lie
# in the canal, but tumour moves what is taken for its middle, so that they may lie half its width apart.
SHOWN_MM, ASIDE_MM = 5.0, 15.0
# Where there is a cord the patient may lose it; below it narrow canals are common and most are old.
TIER_OF_CORD, TIER_OF_CAUDA = Tier.URGENT, Tier.SOON
# Nobody's cord ends above T12 (Saifuddin 1998, Spine 23:1452, from memory: middle of T12 to upper third of L3).
CORD_LEVELS = frozenset(LEVELS[: LEVELS.index("T12")])


@dataclass(frozen=True)
class Narrowing:
    """How suspicious one station is.

    Attributes
    ----------
    probability
        That the canal is narrowed.
    has_cord
        Whether cord lies there, outlined or not: where it is pressed flat there is none to outline.
    narrowed
        Whether the probability is suspicious.
    csf_effaced
        Whether something is in the place of the CSF.
    shown
        Whether graded axial slices show the station.
    """

    station: CanalStation
    probability: float
    has_cord: bool
    narrowed: bool
    csf_effaced: bool = False
    shown: bool = False

    @property
    def suspected(self) -> bool:
        """Whether the place is suspicious in either way."""
        return self.narrowed or self.csf_effaced

    @property
    def told_probability(self) -> float | None:
        """The probability; None where the suspicion is of another kind and has none."""
        return None if self.csf_effaced and not self.narrowed else self.probability

    @property
    def effaced_percent(self) -> float | None:
        """How much darker than above and below the CSF is where it is effaced; None where it is not."""
        signal = self.station.csf_signal
        return 100 * (1 - signal) if self.csf_effaced and signal is not None else None

    @property
    def weight(self) -> float:
        """How suspicious the place is among others, 0 to 1."""
        return max(self.probability, (self.effaced_percent or 0.0) / 100)

    @property
    def asks(self) -> bool:
        """Whether axial images are needed for it."""
        return self.suspected and not self.shown

    @property
    def what(self) -> str:
        """What lies in the canal there."""
        return "cord" if self.has_cord else "cauda equina"


@dataclass(frozen=True)
class SagittalTriage:
    """What the sagittal planes of one volume say of the canal.

    Attributes
    ----------
    status
        ``analysed`` or ``not_analysed``, with `reason`.
    sure_levels
        Names of levels that are no guess.
    worst
        Most suspicious place; None where not analysed.
    places
        Every station, head to foot.
    is_t2
        Whether the images are T2, in which all this was measured; in others a suspicion asks for images soon at most.
    """

    series_instance_uid: str
    status: str
    reason: str | None
    sure_levels: frozenset[str]
    worst: Narrowing | None
    places: tuple[Narrowing, ...]
    is_t2: bool = True

    @property
    def suspected(self) -> bool:
        """Whether the canal looks narrowed anywhere."""
        return any(one.suspected for one in self.places)

    @property
    def asks(self) -> bool:
        """Whether axial images are asked for: somewhere it looks narrowed, and no graded axial slice shows it."""
        return any(one.asks for one in self.places)

    @property
    def asks_of_cord(self) -> bool:
        """Whether axial images are asked for of the cord."""
        return any(one.asks and one.has_cord for one in self.places)

    def shown_across(self, graded_mm: Sequence[Sequence[float]]) -> "SagittalTriage":
        """The same, knowing where (LPS mm) graded axial slices lie: what they show needs no further images."""
        if not len(graded_mm):
            return self
        points = np.asarray(graded_mm, dtype=np.float64)
        places = tuple(replace(one, shown=_beside(points, one.station.position_mm)) for one in self.places)
        return replace(self, places=places, worst=_worst(places) if places else None)

    def claim(self) -> Claim | None:
        """What the study's urgency hears of it; None where no axial images are asked for."""
        if not self.asks:
            return None
        flagged = [one for one in self.places if one.asks]
        # A suspected cord comes first, however sure a narrow canal below it is.
        worst = most_narrowed([one for one in flagged if one.has_cord] or flagged)
        tier = TIER_OF_CORD if worst.has_cord and self.is_t2 else TIER_OF_CAUDA
        images = "images" if self.is_t2 else "images that are not T2, of which nothing was measured"
        return Claim(tier, (f"compression of the {worst.what} suspected on sagittal {images}: axial images needed",))

    def to_document(self) -> dict[str, Any] | None:
        """The published form; None where not analysed."""
        if self.worst is None:
            return None
        return {
            "series_instance_uid": self.series_instance_uid,
            "suspected": self.suspected,
            "probability": _told(self.worst),
            "level": self.worst.station.level,
            "level_certain": self.worst.station.level in self.sure_levels,
            "of": self.worst.what,
            "needs": "axial images" if self.asks else None,
            "worst": _station_document(self.worst, self.sure_levels),
            "canal": [_station_document(one, self.sure_levels) for one in self.places],
        }


def sagittal_triage(
    series_instance_uid: str,
    sure_levels: frozenset[str],
    stations: Sequence[CanalStation],
    models: SpineModels,
    *,
    is_t2: bool = True,
) -> SagittalTriage:
    """Judge a canal's profile; `sure_levels` are the names of levels that are no guess."""
    if len(stations) < LEAST_STATIONS:
        reason = "the spinal canal was not found in the sagittal planes, or its middle lies outside them"
        return SagittalTriage(series_instance_uid, "not_analysed", reason, sure_levels, None, (), is_t2)
    end = _cord_end(stations)
    inner = [place <= end or one.level in CORD_LEVELS & sure_levels for place, one in enumerate(stations)]
    places = tuple(_judged(stations, place, models, inner[place], is_t2) for place in range(len(stations)))
    return SagittalTriage(series_instance_uid, "analysed", None, sure_levels, _worst(places), places, is_t2)


def _beside(points: Array, place_mm: Sequence[float]) -> bool:
    away = np.abs(points - np.asarray(place_mm))
    return bool(((away[:, 2] <= SHOWN_MM) & (np.hypot(away[:, 0], away[:, 1]) <= ASIDE_MM)).any())


def _worst(places: Sequence[Narrowing]) -> Narrowing:
    """The place to speak of: first those that ask for images, then those suspected."""
    for chosen in ([one for one in places if one.asks], [one for one in places if one.suspected]):
        if chosen:
            return most_narrowed([one for one in chosen if one.has_cord] or chosen)
    return most_narrowed(places)


def most_narrowed(places: Sequence[Narrowing]) -> Narrowing:
    """The place to point at: of those about as suspicious as the most suspicious one, the narrowest."""
    most = max(one.weight for one in places)
    alike = [one for one in places if one.weight >= most - ALIKE]
    return max(alike, key=lambda one: max(one.station.mcc_percent or 0.0, one.station.mscc_percent or 0.0))


def canal_features(stations: Sequence[CanalStation], place: int) -> dict[str, float | None]:
    """Features of one station: the worst of each measure within 4 mm."""
    near = [one for one in stations if abs(one.along_mm - stations[place].along_mm) <= REACH_MM]
    mscc = [one.mscc_percent for one in near if one.mscc_percent is not None]
    mcc = [one.mcc_percent for one in near if one.mcc_percent is not None]
    shares = [one.csf_share for one in near if one.csf_share is not None]
    return {
        "cord_narrowing": max(0.0, max(mscc) / 100) if mscc else None,
        "canal_narrowing": max(0.0, max(mcc) / 100) if mcc else None,
        "csf_share": min(shares, default=None),
    }


def _cord_end(stations: Sequence[CanalStation]) -> int:
    """Lowest place down to which cord is held to lie; -1 where none was outlined for long enough."""
    outlined = [place for place, one in enumerate(stations) if one.cord_mm is not None]
    if len(outlined) < LEAST_CORD_STATIONS:
        return -1
    end, last = outlined[-LEAST_CORD_STATIONS], outlined[-1]
    for place in range(last + 1, len(stations)):
        if stations[place].along_mm - stations[max(last, end)].along_mm > HIDDEN_MM:
            break
        if stations[place].canal_mm == 0:
            end = place
    return end


def _judged(
    stations: Sequence[CanalStation], place: int, models: SpineModels, above_end: bool, is_t2: bool
) -> Narrowing:
    station = stations[place]
    outlined = station.cord_mm is not None
    model: FindingModel = models.canal_cord if outlined else models.canal_cauda
    probability = model.probability(canal_features(stations, place))
    effaced = is_t2 and csf_effaced(station)
    return Narrowing(station, probability, outlined or above_end, probability >= model.cut, effaced)


def _station_document(one: Narrowing, sure_levels: frozenset[str]) -> dict[str, Any]:
    s = one.station
    # Nothing was outlined in a canal of 0 mm: there is no diameter to hold against a norm.
    measures = {"cord_diameter_AP_mm": _rounded(s.cord_mm), "canal_diameter_AP_mm": _rounded(s.canal_mm or None)}
    return {
        "level": s.level,
        "position_mm": [round(v, 2) + 0.0 for v in s.position_mm],
        "along_canal_mm": _rounded(s.along_mm),
        **measures,
        "csf_front_mm": _rounded(s.front_mm),
        "csf_back_mm": _rounded(s.back_mm),
        "mscc_percent": _rounded(s.mscc_percent),
        "mcc_percent": _rounded(s.mcc_percent),
        "csf_signal_percent": _rounded(None if s.csf_signal is None else 100 * s.csf_signal),
        **comparisons(measures, s.level if s.level in sure_levels else None),
        "probability": _told(one),
    }


def _told(one: Narrowing) -> float | None:
    return None if one.told_probability is None else round(one.told_probability, 4)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2) + 0.0
