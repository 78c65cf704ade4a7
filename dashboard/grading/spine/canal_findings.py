"""The canal in words, level by level: narrowing, and Kang's grade of the neck."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from dashboard.grading.spine.canal import EXTENT_MM, GAP_MM, CanalStation
from dashboard.grading.spine.result import NOT_ANALYSED, NOT_FLAGGED, SUSPECTED, Finding, Maker, not_analysed, recalled
from dashboard.grading.spine.triage import Narrowing, SagittalTriage, most_narrowed
from dashboard.study.sagittal import SagittalPrediction

MSCC = "MSCC (Miyanji 2007)"
MCC = "MCC"
KANG = "Kang 2011, a hint from sagittal planes"
# Kang 1: more than half of the subarachnoid space is lost. Kang 2: the cord is deformed; here, that its front-back
# diameter falls short of its neighbours' by more than in any of ten healthy necks (16 %). Kang 3: signal in the cord.
# The last two limits are the project's own.
KANG_SPACE, KANG_CORD_PERCENT, KANG_SIGNAL = 0.5, 20.0, 1.3
# Less narrowing than this is within what a mask a pixel off makes of a 10 mm canal.
TOLD_PERCENT = 10.0
NOT_MEASURED = "it could not be measured there: its middle may lie outside the field of view, or something fills it"
# Half the height of the part of the cord whose signal is looked at.
SIGNAL_HALF_MM = 4.0


def canal_finding(triage: SagittalTriage, level: str, place: Mapping[str, Any]) -> Finding:
    """Narrowing of the canal beside a level, by its most suspicious station."""
    finding: Maker = partial(Finding, **place)
    beside = [one for one in triage.places if one.station.level == level]
    if not beside:
        reason = triage.reason or NOT_MEASURED
        return not_analysed(finding, "canal_narrowing", reason, "canal")
    # CSF effacement is suspected where a place beside it that is not may have the higher probability.
    worst = most_narrowed([one for one in beside if one.suspected] or beside)
    station = worst.station
    percent, scale = station.mcc_percent, MCC
    if worst.has_cord and station.mscc_percent is not None and station.mscc_percent > (percent or 0):
        percent, scale = station.mscc_percent, MSCC
    told: dict[str, Any] = recalled(MCC) if scale == MCC else {"scale": scale}
    if worst.told_probability is None:
        # The width is not what is suspicious.
        percent, told = worst.effaced_percent, {}
    return finding(
        position_mm=station.position_mm,
        kind="canal_narrowing",
        text=_canal_words(worst),
        status=SUSPECTED if worst.suspected else NOT_FLAGGED,
        value=percent,
        unit="%",
        probability=worst.told_probability,
        **told,
    )


def kang_finding(
    prediction: SagittalPrediction,
    stations: Sequence[CanalStation],
    level: str,
    place: Mapping[str, Any],
) -> Finding:
    """Kang's grade of a cervical disc level as far as sagittal planes show it; unchecked, for want of readings."""
    finding = partial(Finding, **place)
    here = [one for one in stations if one.level == level]
    beside = [one for one in here if one.csf_share is not None]
    if len(beside) < len(here):
        reason = "the cord or the canal could not be outlined in part of it"
        return not_analysed(finding, "cervical_stenosis", reason, "Kang grade", scale=KANG)
    spaces = {one.along_mm: one.canal_mm - one.cord_mm for one in stations if one.cord_mm is not None}
    losses = [_space_lost(one, spaces) for one in beside]
    known = [(loss, one) for loss, one in zip(losses, beside, strict=True) if loss is not None]
    if not known:
        reason = "too little of cord and canal is seen above and below"
        return not_analysed(finding, "cervical_stenosis", reason, "Kang grade", scale=KANG)
    lost, station = max(known, key=lambda pair: pair[0])
    narrowed = max((one.mscc_percent for one in beside if one.mscc_percent is not None), default=0.0)
    signal = _cord_signal(prediction, stations, station)
    grade = kang_grade(lost, narrowed, signal)
    suspected = grade != "0"
    return finding(
        kind="cervical_stenosis",
        text=f"stenosis {'suspected' if suspected else 'not flagged'}, Kang {grade}, "
        f"{lost:.0%} of the space round the cord lost",
        status=SUSPECTED if suspected else NOT_FLAGGED,
        grade=grade,
        value=100 * lost,
        unit="%",
        scale=KANG,
    )


def kang_grade(space_lost: float, cord_percent: float, signal_ratio: float | None) -> str:
    """Kang's grade from the share of space lost, the cord's narrowing in percent and its signal over its neighbours'.

    Signal alone is no stenosis: grade 3 needs a cord that is deformed too.
    """
    deformed = cord_percent > KANG_CORD_PERCENT
    if deformed:
        return "3" if signal_ratio is not None and signal_ratio >= KANG_SIGNAL else "2"
    return "1" if space_lost > KANG_SPACE else "0"


def coverage_finding(what: str, lateral: bool, place: Mapping[str, Any]) -> Finding:
    """A segment that the field of view cuts, or that all planes pass at the side (`lateral`)."""
    reason = "the planes lie beside the middle of the spine there" if lateral else f"the field of view cuts the {what}"
    return Finding(
        **place,
        kind="coverage",
        text=f"not analysed, because {reason}",
        status=NOT_ANALYSED,
        reason=reason,
    )


def _canal_words(worst: Narrowing) -> str:
    s = worst.station
    parts = [f"canal {s.canal_mm:.1f} mm front to back" if s.canal_mm else "no canal could be outlined there"]
    if s.cord_mm is not None:
        parts.append(f"cord {s.cord_mm:.1f} mm")
    if s.canal_mm and s.mcc_percent is not None and s.mcc_percent >= TOLD_PERCENT:
        parts.append(f"canal {s.mcc_percent:.0f} % narrower than its neighbours")
    if s.mscc_percent is not None and s.mscc_percent >= TOLD_PERCENT:
        parts.append(f"cord {s.mscc_percent:.0f} % narrower")
    if worst.effaced_percent is not None:
        parts.append(f"CSF signal {worst.effaced_percent:.0f} % less than above and below")
    if not worst.suspected:
        return f"canal narrowing not flagged ({', '.join(parts)})"
    ending = ": axial images needed" if worst.asks else ", shown on axial images"
    what = "canal narrowing suspected" if worst.narrowed else "CSF effacement suspected"
    return f"{what} ({', '.join(parts)}){ending}"


def _space_lost(station: CanalStation, spaces: Mapping[float, float]) -> float | None:
    """Share of the space round the cord that is lost against 10 to 30 mm above and below."""
    sides = []
    for way in (-1, 1):
        distance = {mm: way * (mm - station.along_mm) for mm in spaces}
        near = [spaces[mm] for mm, d in distance.items() if GAP_MM <= d <= GAP_MM + EXTENT_MM]
        if len(near) >= 3:
            sides.append(float(np.mean(near)))
    here = spaces.get(station.along_mm)
    if not sides or here is None or np.mean(sides) <= 0:
        return None
    return max(0.0, 1 - here / float(np.mean(sides)))


def _cord_signal(
    prediction: SagittalPrediction, stations: Sequence[CanalStation], station: CanalStation
) -> float | None:
    """Signal of the cord's middle at a station over that of the cord 10 to 30 mm away."""
    here = _middle_signal(
        prediction, [one for one in stations if abs(one.along_mm - station.along_mm) <= SIGNAL_HALF_MM]
    )
    away = _middle_signal(
        prediction, [one for one in stations if GAP_MM <= abs(one.along_mm - station.along_mm) <= GAP_MM + EXTENT_MM]
    )
    return None if here is None or away is None or away <= 0 else here / away


def _middle_signal(prediction: SagittalPrediction, stations: Sequence[CanalStation]) -> float | None:
    inverse = np.linalg.inv(prediction.affine)
    values = []
    for one in stations:
        if one.cord_mm is None or one.front_mm is None or one.back_mm is None:
            continue
        plane, row, column = (inverse @ np.append(one.position_mm, 1.0))[:3]
        # The station lies in the canal's middle; the cord's own is off by half of what lies before less behind it.
        column += (one.front_mm - one.back_mm) / 2 / prediction.pixel_mm
        place = tuple(
            int(np.clip(round(float(v)), 0, size - 1))
            for v, size in zip((plane, row, column), prediction.image.shape, strict=True)
        )
        values.append(float(prediction.image[place]))
    return float(np.mean(values)) if values else None
