"""Numbers to clinical categories: measurements, Bilsky grade, quality gates, urgency. Pure: no files, no clock."""

from dashboard.grading.agreement import Agreement, Coefficient, agreement
from dashboard.grading.bilsky import BAND_OF_GRADE, BAND_SCHEME, Band, SliceGrade
from dashboard.grading.confirmed import confirmed_slices
from dashboard.grading.first_look import FirstLook, first_look
from dashboard.grading.morphometry import Measures
from dashboard.grading.native import trusted_labels
from dashboard.grading.places import (
    AXIAL_NEEDED,
    NOT_GRADED,
    place_words,
    position_words,
    sagittal_words,
)
from dashboard.grading.quality import Obstacle
from dashboard.grading.reading_order import DEFICITS, FLAG_WORDS, RULE, Flag, moved_words, reading_rank, standing_tier
from dashboard.grading.relevel import LevelCorrection, correction_of, named_levels, relevel
from dashboard.grading.result import LevelResult, SeriesResult, SliceResult, StudyResult, canonical_json
from dashboard.grading.study_grade import grade_study
from dashboard.grading.thresholds import GradingThresholds, thresholds_from
from dashboard.grading.urgency import TIERS, Tier, Urgency

__all__ = [
    "AXIAL_NEEDED",
    "BAND_OF_GRADE",
    "BAND_SCHEME",
    "DEFICITS",
    "FLAG_WORDS",
    "NOT_GRADED",
    "RULE",
    "TIERS",
    "Agreement",
    "Band",
    "Coefficient",
    "FirstLook",
    "Flag",
    "GradingThresholds",
    "LevelCorrection",
    "LevelResult",
    "Measures",
    "Obstacle",
    "SeriesResult",
    "SliceGrade",
    "SliceResult",
    "StudyResult",
    "Tier",
    "Urgency",
    "agreement",
    "canonical_json",
    "confirmed_slices",
    "correction_of",
    "first_look",
    "grade_study",
    "moved_words",
    "named_levels",
    "place_words",
    "position_words",
    "reading_rank",
    "relevel",
    "sagittal_words",
    "standing_tier",
    "thresholds_from",
    "trusted_labels",
]
