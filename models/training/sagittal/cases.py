"""People kept out of training, and what the dashboard sees in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dashboard.inference import Models
from dashboard.inference.sagittal import analyse_sagittal
from dashboard.study import Acquisition, FrameReference, Role, Series, Volume
from dashboard.study.sagittal import SagittalPrediction
from models.training.sagittal.cords import upright_series
from models.training.sagittal.people import classes_of_mask
from models.training.sagittal.truth import RAS_TO_LPS
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


# Folder, image and role of the public necks whose cord was outlined by hand; nobody trained on them.
NECKS = (("sct_t2", "t2", Role.VOLUME_T2), ("sct_t1", "t1w", Role.SAGITTAL_T1))


def necks(folder: Path, models: Models) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Name, cord by hand and labels predicted of each public neck, in the grid of its volume."""
    for name, picture, role in NECKS:
        image, affine = load(folder / "cord" / name / f"{picture}.nii.gz")
        cord, _ = load(folder / "cord" / name / "cord.nii.gz")
        frames = tuple(FrameReference(f"1.2.{k + 1}") for k in range(len(image)))
        volume = Volume(image, RAS_TO_LPS @ affine, frames)
        (found,) = analyse_sagittal(Series("1.2", 1, Acquisition(modality="MR"), role, (volume,)), models)
        yield name, cord > 0, found.native_labels
