"""Predictions and named spines from the sagittal model itself, for judging findings on what they will be given."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dashboard.grading.spine.evidence import row_of
from dashboard.grading.spine.naming import name_spine
from dashboard.inference.manifest import CANAL, COMPRESSION, SAGITTAL
from dashboard.inference.registry import Models, load_session
from dashboard.inference.sagittal import analyse_sagittal
from dashboard.study import Role
from dashboard.study.sagittal import SagittalPrediction
from dashboard.study.spine import Spine
from models.training.sagittal.cords import upright_series
from models.training.sagittal.tables import Source, truth_source
from models.training.volumes import load

MASKS = ("model", "truth")
THREADS = 2


def source_of(masks: str, folder: Path, models_dir: Path) -> Source:
    """Spines from the public masks (``truth``) or from what the model sees (``model``)."""
    return truth_source(folder) if masks == "truth" else model_source(folder, models_dir)


def model_source(folder: Path, models_dir: Path) -> Source:
    """Spines as the software would find them in the public volumes."""
    # Not by load_models: findings.toml, which is fitted from here, may not fit the code yet.
    canal, compression, sagittal = (load_session(models_dir, one) for one in (CANAL, COMPRESSION, SAGITTAL))
    models = Models(canal, compression, THREADS, sagittal)

    def read(person: str) -> tuple[SagittalPrediction, Spine]:
        image, affine = load(folder / "spider" / f"{person}_t2.nii.gz")
        spacing = np.sqrt((affine[:3, :3] ** 2).sum(0))
        (prediction,) = analyse_sagittal(upright_series(image, spacing, Role.SAGITTAL_T2), models)
        return row_of(prediction).prediction, name_spine(prediction)

    return read
