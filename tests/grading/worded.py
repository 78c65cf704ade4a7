"""Stacks told in words, a slice a word, and what grading makes of them."""

import numpy as np

from dashboard.grading import StudyResult, grade_study
from dashboard.study import GRADES, SeriesPrediction
from tests.grading.crops import (
    axial_series,
    crop_of_grade,
    ellipse,
    paint,
    prediction,
    stack,
    study_of,
    sure,
)

RNG = np.random.default_rng(11)
CAUDA = paint(ellipse(13, 15), np.zeros((96, 96), bool))
CAUDA_SCENE = (0.03, 0.02, 0.91, 0.02, 0.02)
T1_SCENE = (0.03, 0.91, 0.02, 0.02, 0.02)
BRAIN_SCENE = (0.03, 0.02, 0.02, 0.02, 0.91)


def crop(grade: str) -> np.ndarray:
    labels = None
    while labels is None:
        labels = crop_of_grade(grade, RNG)
    return labels


CROPS = {grade: crop(grade) for grade in GRADES}


def slices_of(grades: str, step_mm: float = 5.0) -> SeriesPrediction:
    """One slice a word: a grade, ``cauda``, ``t1``, ``brain`` or ``lost`` (no cord outlined)."""
    made = []
    for index, word in enumerate(grades.split()):
        z_mm = -step_mm * index
        if word in GRADES:
            made.append(prediction(sure(word), z_mm, CROPS[word], index=index))
        elif word == "lost":
            made.append(prediction(sure("0"), z_mm, np.zeros((96, 96), np.uint8), index=index))
        else:
            scene = {"cauda": CAUDA_SCENE, "t1": T1_SCENE, "brain": BRAIN_SCENE}[word]
            made.append(prediction(sure("1b"), z_mm, CAUDA, scene, index=index))
    return stack(made)


def graded(grades: str, step_mm: float = 5.0) -> StudyResult:
    made = slices_of(grades, step_mm)
    return grade_study(study_of(axial_series(len(made.slices))), {"2.25.7": made})
