"""Arrays dressed as a series, and what the dashboard makes of each slice."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dashboard.grading import GradingThresholds, thresholds_from
from dashboard.grading.bilsky import rules_at_least
from dashboard.grading.morphometry import Measures
from dashboard.grading.quality import Obstacle
from dashboard.grading.series import graded_slices
from dashboard.inference import Models, analyse_series
from dashboard.study import GRADES, Acquisition, FrameReference, Role, Series, SeriesPrediction, Volume


@dataclass(frozen=True, slots=True)
class Verdict:
    """One slice: probabilities (5) of the head, of the rules and as graded, and the ranks graded and of the head.

    ``obstacles`` say why it was not graded; ``measures`` as the dashboard shows them.
    """

    head: np.ndarray
    rules: np.ndarray
    at_least: np.ndarray
    rank: int
    head_rank: int
    scene: np.ndarray
    obstacles: tuple[Obstacle, ...]
    measures: Measures

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
    return thresholds_from(models.compression.manifest.thresholds)


def judge(prediction: SeriesPrediction, cuts: GradingThresholds) -> list[Verdict]:
    """Grade every slice of a series, before neighbours are asked for support."""
    return [
        Verdict(
            head=np.asarray(one.prediction.at_least),
            rules=np.asarray(rules_at_least(one.measures)),
            at_least=np.asarray(one.grade.at_least),
            rank=GRADES.index(one.grade.grade),
            head_rank=GRADES.index(one.grade.head_grade),
            scene=np.asarray(one.prediction.scene),
            obstacles=one.gate.obstacles,
            measures=one.measures,
        )
        for one in graded_slices(prediction, cuts)
    ]
