"""Numbers to clinical categories: measurements, Bilsky grade, quality gates, urgency. Pure: no files, no clock."""

from dashboard.grading.bilsky import BAND_OF_GRADE, BAND_SCHEME, Band, SliceGrade
from dashboard.grading.morphometry import Measures
from dashboard.grading.native import trusted_labels
from dashboard.grading.quality import Obstacle
from dashboard.grading.result import LevelResult, SeriesResult, SliceResult, StudyResult, canonical_json
from dashboard.grading.study_grade import grade_study
from dashboard.grading.thresholds import GradingThresholds
from dashboard.grading.urgency import TIERS, Tier, Urgency

__all__ = [
    "BAND_OF_GRADE",
    "BAND_SCHEME",
    "TIERS",
    "Band",
    "GradingThresholds",
    "LevelResult",
    "Measures",
    "Obstacle",
    "SeriesResult",
    "SliceGrade",
    "SliceResult",
    "StudyResult",
    "Tier",
    "Urgency",
    "canonical_json",
    "grade_study",
    "trusted_labels",
]
