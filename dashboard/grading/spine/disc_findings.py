"""Discs in words: narrowing, Pfirrmann, bulge, herniation, slip, Modic change."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from dashboard.grading.spine.disc_measures import DiscMeasures
from dashboard.grading.spine.endplates import EndplateMeasures
from dashboard.grading.spine.features import disc_features
from dashboard.grading.spine.result import (
    MEASURED,
    NOT_FLAGGED,
    SUSPECTED,
    Finding,
    Maker,
    not_analysed,
    recalled,
)
from dashboard.study.finding_models import FindingModel, SpineModels, steps

Features = Mapping[str, float | None]

PFIRRMANN = "Pfirrmann 2001"
MEYERDING = "Meyerding 1932"
MODIC = "Modic 1988"
NOMENCLATURE = "Lumbar disc nomenclature 2.0 (Fardon 2014)"
HEIGHT_INDEX = "Disc height index (after Masuda 2005)"
ROMAN = ("I or II", "III", "IV", "V")
# Meyerding's grades begin at these shares of the endplate (CLINICAL reference, section 5, recalled).
MEYERDING_CUTS = (25.0, 50.0, 75.0, 100.0)
AXIAL_TELLS = "; axial planes tell protrusion from extrusion"
NOTHING_ABOVE = "the vertebra above the disc is not in the field"
TYPE_UNKNOWN = "type 1 and type 2 cannot be told apart on T2 alone"
OF_MIDDLE = "times the body's middle"
NODE = "could be a Schmorl's node"


def disc_findings(
    disc: DiscMeasures,
    endplates: EndplateMeasures | None,
    models: SpineModels,
    place: Mapping[str, Any],
    is_t2: bool = True,
) -> list[Finding]:
    """Findings of one disc.

    Parameters
    ----------
    place
        ``level``, ``level_certain``, ``series_instance_uid`` and ``position_mm`` of every finding.
    is_t2
        Whether the series is T2-weighted; of another nothing that reads signal is said.
    """
    features = disc_features(disc, endplates, is_t2)
    finding = partial(Finding, **place)
    return [
        _herniation(disc, features, models, finding),
        _bulge(disc, features, models, finding),
        _narrowing(disc, features, models, finding),
        _height_index(disc, finding),
        _pfirrmann(features, models, finding) if is_t2 else needs_t2(finding, "disc_degeneration"),
        _modic(endplates, features, models, finding) if is_t2 else needs_t2(finding, "modic_change"),
        _listhesis(disc, features, models, finding),
    ]


def meyerding_grade(percent: float) -> str:
    """Meyerding's grade of a slip in percent: I to V."""
    return ("I", "II", "III", "IV", "V")[sum(abs(percent) > cut for cut in MEYERDING_CUTS)]


def needs_t2(finding: Maker, kind: str) -> Finding:
    """A finding that only a T2-weighted series shows."""
    return not_analysed(finding, kind, "its signal is read on T2-weighted images only")


def _judged(model: FindingModel, features: Features) -> tuple[float, str]:
    probability = model.probability(features)
    return probability, SUSPECTED if probability >= model.cut else NOT_FLAGGED


def _words(status: str, what: str) -> str:
    return f"{what} suspected" if status == SUSPECTED else f"{what} not flagged"


def _narrowing(disc: DiscMeasures, features: Features, models: SpineModels, finding: Maker) -> Finding:
    probability, status = _judged(models.narrowing, features)
    return finding(
        kind="disc_narrowing",
        text=f"{_words(status, 'disc narrowing')}, {disc.height_mm:.1f} mm high",
        status=status,
        value=disc.height_mm,
        unit="mm",
        probability=probability,
    )


def _height_index(disc: DiscMeasures, finding: Maker) -> Finding:
    if disc.height_index is None:
        reason = "no whole vertebra beside the disc to compare with"
        return not_analysed(finding, "disc_height_index", reason, **recalled(HEIGHT_INDEX))
    return finding(
        kind="disc_height_index",
        text=f"disc height {disc.height_index:.2f} of the bodies beside it",
        status=MEASURED,
        value=disc.height_index,
        unit="ratio",
        **recalled(HEIGHT_INDEX),
    )


def _pfirrmann(features: Features, models: SpineModels, finding: Maker) -> Finding:
    at_least = models.pfirrmann.at_least(features)
    rank = steps(at_least, models.pfirrmann.cut)
    edges = (1.0, *at_least, 0.0)
    return finding(
        kind="disc_degeneration",
        text=f"disc degeneration suspected, Pfirrmann {ROMAN[rank]}"
        if rank
        else "disc degeneration not flagged, Pfirrmann I or II, which are not told apart",
        status=SUSPECTED if rank else NOT_FLAGGED,
        grade=str(2 + rank),
        probability=edges[rank] - edges[rank + 1],
        **recalled(PFIRRMANN),
    )


def _herniation(disc: DiscMeasures, features: Features, models: SpineModels, finding: Maker) -> Finding:
    if disc.bulge_widest_mm is None:
        return not_analysed(finding, "disc_herniation", NOTHING_ABOVE, "herniation", **recalled(NOMENCLATURE))
    probability, status = _judged(models.herniation, features)
    return finding(
        kind="disc_herniation",
        text=f"{_words(status, 'herniation')}, {max(0.0, disc.bulge_widest_mm):.1f} mm past the bodies' back "
        f"corners at the most{AXIAL_TELLS if status == SUSPECTED else ''}",
        status=status,
        value=disc.bulge_widest_mm,
        unit="mm",
        probability=probability,
        **recalled(NOMENCLATURE),
    )


def _bulge(disc: DiscMeasures, features: Features, models: SpineModels, finding: Maker) -> Finding:
    if disc.bulge_mm is None:
        return not_analysed(finding, "disc_bulge", NOTHING_ABOVE, "bulge", **recalled(NOMENCLATURE))
    probability, status = _judged(models.bulge, features)
    return finding(
        kind="disc_bulge",
        text=f"{_words(status, 'bulge')}, {max(0.0, disc.bulge_mm):.1f} mm past the bodies' back corners",
        status=status,
        value=disc.bulge_mm,
        unit="mm",
        probability=probability,
        **recalled(NOMENCLATURE),
    )


def _listhesis(disc: DiscMeasures, features: Features, models: SpineModels, finding: Maker) -> Finding:
    if disc.slip_percent is None or disc.slip_mm is None:
        return not_analysed(finding, "listhesis", NOTHING_ABOVE, "slip", **recalled(MEYERDING))
    probability: float | None
    probability, status = _judged(models.listhesis, features)
    if disc.slip_percent < -MEYERDING_CUTS[0]:
        # The model was fitted to readings that knew forward slips alone: to it, the farther back the surer it is none.
        probability, status = None, SUSPECTED
    way = "forward" if disc.slip_percent >= 0 else "backward"
    suspected = status == SUSPECTED
    grade = meyerding_grade(disc.slip_percent) if suspected else None
    measure = f"{abs(disc.slip_mm):.1f} mm {way} ({abs(disc.slip_percent):.0f} %)"
    return finding(
        kind="listhesis",
        text=f"slip suspected, {measure}, Meyerding {grade}" if suspected else f"slip not flagged, {measure}",
        status=status,
        grade=grade,
        value=disc.slip_percent,
        unit="%",
        probability=probability,
        **recalled(MEYERDING),
    )


def _modic(endplates: EndplateMeasures | None, features: Features, models: SpineModels, finding: Maker) -> Finding:
    if endplates is None:
        reason = "no vertebra beside the disc in the field"
        return not_analysed(finding, "modic_change", reason, "Modic change", **recalled(MODIC))
    probability, status = _judged(models.modic, features)
    told = partial(finding, kind="modic_change", **recalled(MODIC))
    dark = endplates.dark_on_both
    if status == NOT_FLAGGED and dark is not None:
        text = f"Modic change suspected, type 3: T1 {dark[0]:.2f} and T2 {dark[1]:.2f} {OF_MIDDLE}; {NODE}"
        return told(text=text, status=SUSPECTED, grade="3", value=dark[0], unit="ratio")
    if status == NOT_FLAGGED:
        return told(text=_words(status, "Modic change"), status=status, probability=probability)
    grade, ratio = endplates.bright_type, endplates.bright_on_t1
    if ratio is None:
        ending = f"; {TYPE_UNKNOWN}"
    elif grade is None:
        ending = f"; T1 {ratio:.2f} {OF_MIDDLE} tells no type"
    else:
        ending = f", type {grade}: bright on T2, T1 {ratio:.2f} {OF_MIDDLE}"
    text = f"{_words(status, 'Modic change')}{ending}"
    unit = None if ratio is None else "ratio"
    return told(text=text, status=status, probability=probability, grade=grade, value=ratio, unit=unit)
