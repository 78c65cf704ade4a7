"""The shipped model on a spine drawn by formula, which it never trained on: a deeper tumour never reads as a lesser."""

from pathlib import Path

import numpy as np
import pytest

from dashboard.grading import StudyResult, Tier, grade_study
from dashboard.inference import Models, analyse_series, load_models
from dashboard.study import GRADES, Acquisition, FrameReference, Role, Series, Volume
from dashboard.study.phantom import Tumour, noisy, signal_of, tissue_at
from dashboard.work.engine import thresholds_from
from tests.grading.crops import study_of

UID = "2.25.7"
SLICES, SIDE, STEP_MM, PIXEL_MM = 12, 176, 4.0, 0.7
# How far the front passes the front of the sac, mm. The cord is touched at about 5.5 and gives way from then on.
NONE, TOUCHING, COMPRESSING = (None,), (5.5,), (8.0, 9.5, 11.0, 12.5, 14.0)
DEPTHS = (*NONE, 4.0, *TOUCHING, *COMPRESSING)


@pytest.fixture(scope="module")
def models(repository: Path) -> Models:
    return load_models(repository / "models")


def drawn(depth_mm: float | None, side: float) -> Series:
    """Axial slices about the tumour, head to foot, each averaged over its thickness."""
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1], affine[:3, 2] = (0, 0, -STEP_MM), (0, PIXEL_MM, 0), (PIXEL_MM, 0, 0)
    affine[:3, 3] = (-PIXEL_MM * SIDE / 2, -PIXEL_MM * SIDE / 2 - 5, STEP_MM * (SLICES - 1) / 2)
    tumour = None if depth_mm is None else Tumour(depth_mm=depth_mm, side=side)
    signal = np.zeros((SLICES, SIDE, SIDE))
    for part in (-1 / 3, 0.0, 1 / 3):
        index, row, column = np.meshgrid(np.arange(SLICES) + part, np.arange(SIDE), np.arange(SIDE), indexing="ij")
        x, y, z, _ = np.tensordot(affine, np.stack([index, row, column, np.ones(index.shape)]), axes=1)
        signal += signal_of(tissue_at(x, y, z, tumour)) / 3
    voxels = noisy(signal, PIXEL_MM, np.random.default_rng(1))
    frames = tuple(FrameReference(f"{UID}.{index + 1}") for index in range(SLICES))
    return Series(UID, 1, Acquisition(modality="MR"), Role.AXIAL_T2, (Volume(voxels, affine, frames),))


def graded(models: Models, depth_mm: float | None, side: float) -> StudyResult:
    series = drawn(depth_mm, side)
    cuts = thresholds_from(models.compression.manifest.thresholds)
    return grade_study(study_of(series), {UID: analyse_series(series, models)}, cuts)


@pytest.mark.parametrize("side", [-0.8, 0.0, 0.35])
def test_the_deeper_the_tumour_the_more_urgent_the_study(models: Models, side: float) -> None:
    found = {depth: graded(models, depth, side) for depth in DEPTHS}
    assert found[None].grade == "0"
    assert found[None].urgency.tier is Tier.ROUTINE
    assert all(one.status == "graded" for one in found.values())
    ranks = [GRADES.index(str(found[depth].grade)) for depth in DEPTHS]
    assert ranks[DEPTHS.index(5.5)] <= GRADES.index("1c")
    assert all(found[depth].grade in ("2", "3") for depth in COMPRESSING)
    assert all(found[depth].urgency.tier in (Tier.IMMEDIATE, Tier.URGENT) for depth in COMPRESSING)
    # Where compression hides the cord a slice may be refused, and the next, lesser one stand for the study.
    assert ranks[:-1] == sorted(ranks[:-1])
