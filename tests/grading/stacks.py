"""An axial stack through the shipped models and grading."""

import numpy as np

from dashboard.grading import GradingThresholds, StudyResult, grade_study, thresholds_from
from dashboard.inference import Models, analyse_series
from dashboard.study import Acquisition, FrameReference, Role, Series, Volume
from tests.grading.crops import study_of


def graded(models: Models, images: np.ndarray, spacing: tuple[float, float, float]) -> StudyResult:
    """Grade (slice head to foot, row front to back, column right to left) images; spacing in mm in that order."""
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1], affine[:3, 2] = (0, 0, -spacing[0]), (0, spacing[1], 0), (spacing[2], 0, 0)
    frames = tuple(FrameReference(f"2.25.{index + 1}") for index in range(len(images)))
    volume = Volume(np.ascontiguousarray(images), affine, frames)
    series = Series("2.25.7", 1, Acquisition(modality="MR"), Role.AXIAL_T2, (volume,))
    cuts: GradingThresholds = thresholds_from(models.compression.manifest.thresholds)
    return grade_study(study_of(series), {"2.25.7": analyse_series(series, models)}, cuts)
