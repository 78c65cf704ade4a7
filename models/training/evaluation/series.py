"""Arrays dressed as a series, and what the dashboard makes of each slice."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dashboard.grading import GradingThresholds
from dashboard.grading.bilsky import grade_slice, rules_at_least
from dashboard.grading.masks import slice_masks
from dashboard.grading.morphometry import measure
from dashboard.grading.quality import Obstacle, gate_slice
from dashboard.inference import Models, analyse_series
from dashboard.study import GRADES, Acquisition, FrameReference, Role, Series, SeriesPrediction, SlicePrediction, Volume

# Tumour, cord and gate as the dashboard reads them: the middle of the undecided zone counts as yes.
HALF = 0.5


@dataclass(frozen=True, slots=True)
class Verdict:
    """One slice: probabilities (5) of head, rules and both; the combined grade's rank; why it was not graded."""

    head: np.ndarray
    rules: np.ndarray
    both: np.ndarray
    rank: int
    head_rank: int
    scene: np.ndarray
    obstacles: tuple[Obstacle, ...]

    @property
    def graded(self) -> bool:
        """True where nothing stands in the way."""
        return not self.obstacles


def as_series(images: np.ndarray, spacing: tuple[float, float, float], role: Role = Role.AXIAL_T2) -> Series:
    """Axial (slice head to foot, row front to back, column right to left) images as a series; spacing in mm."""
    affine = np.diag([1.0, 1.0, 1.0, 1.0])
    affine[:3, :3] = [[0, 0, spacing[2]], [0, spacing[1], 0], [-spacing[0], 0, 0]]
    frames = tuple(FrameReference(f"1.2.{i + 1}") for i in range(len(images)))
    volume = Volume(np.ascontiguousarray(images), affine, frames)
    return Series("1.2", 1, Acquisition(modality="MR"), role, (volume,))


def predict(models: Models, images: np.ndarray, spacing: tuple[float, float, float]) -> SeriesPrediction:
    """What the dashboard's inference sees in an axial stack."""
    return analyse_series(as_series(images, spacing), models)


def thresholds(models: Models) -> GradingThresholds:
    """The manifest's operating points, as the dashboard takes them."""
    stated = models.compression.manifest.thresholds
    cuts = stated.get("grade_cut", (HALF,) * 5)
    least = stated.get("gradable_min", HALF)
    if not isinstance(cuts, tuple) or isinstance(least, tuple):
        raise ValueError("manifest.toml: thresholds.grade_cut is a list of five, gradable_min one number")
    weight = stated.get("rules_weight", GradingThresholds().rules_weight)
    return GradingThresholds(gradable_min=least, grade_cut=cuts, rules_weight=float(weight))  # type: ignore[arg-type]


def judge(prediction: SlicePrediction, cuts: GradingThresholds) -> Verdict:
    """Grade one slice alone, without its neighbours."""
    measures = measure(slice_masks(prediction.labels, prediction.pixel_mm))
    grade = grade_slice(prediction.at_least, measures, cuts)
    return Verdict(
        head=np.asarray(prediction.at_least),
        rules=np.asarray(rules_at_least(measures)),
        both=np.asarray(grade.at_least),
        rank=GRADES.index(grade.grade),
        head_rank=GRADES.index(grade.head_grade),
        scene=np.asarray(prediction.scene),
        obstacles=gate_slice(prediction, measures, cuts).obstacles,
    )
