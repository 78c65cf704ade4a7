"""The result of a study and its published form, schema ``spine-triage/1``.

The document is a pure function of its input: numbers are rounded here and nowhere else, lists stand in the order of the
study and of the canal, never in the order of a UID, and the canonical text has one spelling.
"""

import copy
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from dashboard.grading.bilsky import BAND_OF_GRADE, BAND_SCHEME, Band, SliceGrade, grade_probabilities
from dashboard.grading.morphometry import Measures
from dashboard.grading.spine.reach import Level
from dashboard.grading.urgency import Urgency
from dashboard.study import FrameReference, Rejection

SCHEMA = "spine-triage/1"
ANALYSED, NOT_ANALYSED, GRADED = "analysed", "not_analysed", "graded"

PROBABILITY_DIGITS, LENGTH_DIGITS, AREA_DIGITS, FRACTION_DIGITS = 4, 2, 1, 4


class LevelsRead(StrEnum):
    """Whether levels were named in a series, and how surely."""

    CERTAIN = "certain"
    UNCERTAIN = "uncertain"
    NOT_NAMED = "not named"
    NOT_SAGITTAL = "not sagittal"


@dataclass(frozen=True)
class SliceResult:
    """One slice: `number` counts from 1, head to foot, within its series.

    Attributes
    ----------
    status, reasons
        ``analysed`` or ``not_analysed``, and why, or what a reader should know of it.
    explanation
        What speaks for the grade, in sentences; empty where not analysed.
    supported
        P(>= 1a, 1b, 1c, 2, 3) as far as neighbouring slices stand by it; None where not analysed.
    along_canal_mm
        Distance from the first slice of the series along the canal.
    apart_mm
        How far its plane lies from the nearest of the series' others; inf where there is none.
    level
        Where a series seen from the side shows the slice's canal; None where none does.
    """

    series_instance_uid: str
    number: int
    volume_index: int
    slice_index: int
    frame: FrameReference | None
    position_mm: tuple[float, float, float]
    along_canal_mm: float
    apart_mm: float
    status: str
    reasons: tuple[str, ...] = ()
    grade: SliceGrade | None = None
    supported: tuple[float, ...] | None = None
    supported_grade: str | None = None
    measures: Measures | None = None
    explanation: tuple[str, ...] = ()
    level: Level | None = None


@dataclass(frozen=True)
class LevelResult:
    """Neighbouring slices of one band. `worst` speaks for them, and its level is theirs."""

    worst: SliceResult
    grade: str
    at_least: tuple[float, ...]
    slices: int
    to_mm: tuple[float, float, float]
    from_mm: tuple[float, float, float]

    @property
    def level(self) -> str | None:
        """Name of the level, None where it is unknown."""
        return None if self.worst.level is None else self.worst.level.name


@dataclass(frozen=True)
class SeriesResult:
    """One series of the study, analysed or with the reason why not."""

    series_instance_uid: str
    series_number: int | None
    description: str
    modality: str
    plane: str
    role: str
    frames: int
    analysed: bool
    reason: str | None
    orientation_ok: bool | None
    warnings: tuple[str, ...] = ()
    levels: LevelsRead = LevelsRead.NOT_SAGITTAL
    levels_reason: str | None = None


@dataclass(frozen=True)
class StudyResult:
    """Everything grading says of a study.

    Attributes
    ----------
    spines
        Published spines of all volumes whose levels were named, the one that speaks for the study first.
    worst
        The slice that speaks for the study's grade.
    findings, sagittal
        Published blocks of what else was found, and of the canal seen from the side.
    """

    study_instance_uid: str
    status: str
    reasons: tuple[str, ...]
    grade: str | None
    at_least: tuple[float, ...] | None
    urgency: Urgency
    worst: SliceResult | None
    levels: tuple[LevelResult, ...]
    series: tuple[SeriesResult, ...]
    slices: tuple[SliceResult, ...]
    rejected: tuple[Rejection, ...]
    spines: tuple[Mapping[str, Any], ...] = ()
    findings: tuple[Mapping[str, Any], ...] = ()
    sagittal: Mapping[str, Any] | None = None

    @property
    def first(self) -> SliceResult | None:
        """The slice to look at first: what sets the tier need not lie where the worst grade does."""
        at = self.urgency.at
        return next((one for one in self.slices if (one.series_instance_uid, one.number) == at), None)

    @property
    def band(self) -> Band | None:
        """Band of the study's grade."""
        return None if self.grade is None else BAND_OF_GRADE[self.grade]

    def to_document(
        self, timings_s: Mapping[str, float] | None = None, model: Sequence[Mapping[str, str]] = ()
    ) -> dict[str, Any]:
        """The published form, ready for :func:`canonical_json`; timings and models are known to the caller."""
        at_least = self.at_least
        return {
            "schema": SCHEMA,
            "study_instance_uid": self.study_instance_uid,
            "status": self.status,
            "reasons": list(self.reasons),
            "grade": self.grade,
            "band": None if self.band is None else self.band.value,
            "band_scheme": BAND_SCHEME,
            "probability_high": None if at_least is None else _rounded(at_least[3], PROBABILITY_DIGITS),
            "probability_1c_or_worse": None if at_least is None else _rounded(at_least[2], PROBABILITY_DIGITS),
            "urgency": {
                "tier": self.urgency.tier.value,
                "score": _rounded(self.urgency.score, 1),
                "reasons": list(self.urgency.reasons),
            },
            "worst_slice": None if self.worst is None else {**_place(self.worst), **_level_of(self.worst)},
            "first_slice": None if self.first is None else {**_place(self.first), **_level_of(self.first)},
            "levels": [_level_document(level) for level in self.levels],
            "series": [_series_document(series) for series in self.series],
            "slices": [_slice_document(one) for one in self.slices],
            "spine": copy.deepcopy(dict(self.spines[0])) if self.spines else None,
            "spines": [copy.deepcopy(dict(one)) for one in self.spines],
            "findings": [dict(one) for one in self.findings],
            "sagittal": None if self.sagittal is None else dict(self.sagittal),
            "rejected": [{"name": one.name, "reason": one.reason} for one in self.rejected],
            "timings_s": {name: _rounded(seconds, 3) for name, seconds in (timings_s or {}).items()},
            "model": [dict(one) for one in model],
        }


def canonical_json(document: Mapping[str, Any]) -> str:
    """One line of JSON, keys in the order of the schema, ASCII only, never NaN."""
    return json.dumps(document, ensure_ascii=True, allow_nan=False, separators=(",", ":"))


def measures_document(measures: Measures) -> dict[str, float | None]:
    """Measures under their published names."""
    return {
        "cord_area_mm2": _rounded(measures.cord_area_mm2, AREA_DIGITS),
        "cord_diameter_AP_mm": _rounded(measures.cord_diameter_ap_mm, LENGTH_DIGITS),
        "cord_diameter_RL_mm": _rounded(measures.cord_diameter_rl_mm, LENGTH_DIGITS),
        "canal_area_mm2": _rounded(measures.canal_area_mm2, AREA_DIGITS),
        "csf_fraction": _rounded(measures.csf_fraction, FRACTION_DIGITS),
        "tumour_area_mm2": _rounded(measures.tumour_area_mm2, AREA_DIGITS),
        "cord_solidity": _rounded(measures.cord_solidity, FRACTION_DIGITS),
        "cord_eccentricity": _rounded(measures.cord_eccentricity, FRACTION_DIGITS),
        "compression_ratio": _rounded(measures.compression_ratio, FRACTION_DIGITS),
        "visible_csf_mm2": _rounded(measures.visible_csf_mm2, AREA_DIGITS),
        "contact_fraction": _rounded(measures.contact_fraction, FRACTION_DIGITS),
        "cord_gap_mm": _rounded(measures.cord_gap_mm, LENGTH_DIGITS),
        "cord_indentation_mm": _rounded(measures.cord_indentation_mm, LENGTH_DIGITS),
        "sac_indentation_mm": _rounded(measures.sac_indentation_mm, LENGTH_DIGITS),
        "cord_area_ratio": _rounded(measures.cord_area_ratio, FRACTION_DIGITS),
        "cord_change_mm": _rounded(measures.cord_change_mm, LENGTH_DIGITS),
    }


def probabilities_document(at_least: Sequence[float]) -> dict[str, float | None]:
    """Six probabilities that still sum to 1 after rounding: the cumulative ones are rounded first."""
    rounded = [round(value, PROBABILITY_DIGITS) for value in at_least]
    return {grade: _rounded(p, PROBABILITY_DIGITS) for grade, p in grade_probabilities(rounded).items()}


def _rounded(value: float | None, digits: int) -> float | None:
    # Adding 0.0 turns -0.0 into 0.0, which would be another spelling of the same number.
    return None if value is None else round(float(value), digits) + 0.0


def _point(position_mm: Sequence[float]) -> list[float | None]:
    return [_rounded(value, LENGTH_DIGITS) for value in position_mm]


def _place(one: SliceResult) -> dict[str, Any]:
    """Where a slice is found again: a reformat has no frame of its own, only its place in the volume."""
    return {
        "series_instance_uid": one.series_instance_uid,
        "sop_instance_uid": None if one.frame is None else one.frame.sop_instance_uid,
        "frame": None if one.frame is None else one.frame.frame,
        "number": one.number,
        "volume_index": one.volume_index,
        "slice_index": one.slice_index,
        "position_mm": _point(one.position_mm),
    }


def _level_of(one: SliceResult) -> dict[str, Any]:
    """Name of the level, whether it is certain, how likely it is, and by which series; nulls where it is unknown."""
    level = one.level
    return {
        "level": None if level is None else level.name,
        "level_certain": None if level is None else level.certain,
        "level_probability": None if level is None else _rounded(level.probability, PROBABILITY_DIGITS),
        "level_series_instance_uid": None if level is None else level.series_instance_uid,
    }


def _slice_document(one: SliceResult) -> dict[str, Any]:
    grade = one.grade
    return {
        **_place(one),
        "along_canal_mm": _rounded(one.along_canal_mm, LENGTH_DIGITS),
        **_level_of(one),
        "grade": None if grade is None else grade.grade,
        "band": None if grade is None else grade.band.value,
        "probabilities": None if grade is None else probabilities_document(grade.at_least),
        "status": one.status,
        "reasons": list(one.reasons),
        "measures": None if one.measures is None else measures_document(one.measures),
        "supported_grade": one.supported_grade,
        "supported_probabilities": None if one.supported is None else probabilities_document(one.supported),
        "model_grade": None if grade is None else grade.head_grade,
        "measured_grade": None if grade is None else grade.rules_grade,
        "explanation": list(one.explanation),
    }


def _level_document(level: LevelResult) -> dict[str, Any]:
    return {
        **_level_of(level.worst),
        "grade": level.grade,
        "band": BAND_OF_GRADE[level.grade].value,
        "probabilities": probabilities_document(level.at_least),
        **_place(level.worst),
        "slices": level.slices,
        "from_mm": _point(level.from_mm),
        "to_mm": _point(level.to_mm),
    }


def _series_document(series: SeriesResult) -> dict[str, Any]:
    return {
        "series_instance_uid": series.series_instance_uid,
        "series_number": series.series_number,
        "description": series.description,
        "modality": series.modality,
        "plane": series.plane,
        "role": series.role,
        "frames": series.frames,
        "analysed": series.analysed,
        "reason": series.reason,
        "orientation_ok": series.orientation_ok,
        "warnings": list(series.warnings),
        "levels": series.levels.value,
        "levels_reason": series.levels_reason,
    }
