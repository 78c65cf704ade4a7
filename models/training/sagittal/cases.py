"""People kept out of training, and what the dashboard sees in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dashboard.inference import Models
from dashboard.inference.sagittal import analyse_sagittal
from dashboard.study import Role
from dashboard.study.sagittal import SagittalPrediction
from models.training.sagittal.cords import upright_series
from models.training.sagittal.people import classes_of_mask
from models.training.volumes import load, spider_split


@dataclass(frozen=True, eq=False)
class Case:
    """One person: the volume, its true classes (the cord is part of the canal there), and what was predicted."""

    person: str
    image: np.ndarray
    truth: np.ndarray
    spacing: np.ndarray
    prediction: SagittalPrediction


def cases(folder: Path, models: Models, people: Sequence[str] = ()) -> Iterator[Case]:
    """The test people, or those named, one at a time."""
    for person in people or spider_split(folder)["test"]:
        image, affine = load(folder / "spider" / f"{person}_t2.nii.gz")
        mask, _ = load(folder / "spider" / f"{person}_mask.nii.gz")
        spacing = np.sqrt((affine[:3, :3] ** 2).sum(0))
        truth = classes_of_mask(mask.astype(np.uint8), spacing)
        (prediction,) = analyse_sagittal(upright_series(image, spacing, Role.SAGITTAL_T2), models)
        yield Case(person, image, truth, spacing, prediction)
