"""The shipped model on a spine drawn by formula, which it never trained on: a deeper tumour never reads as a lesser."""

from pathlib import Path

import numpy as np
import pytest

from dashboard.grading import Tier
from dashboard.inference import Models, load_models
from dashboard.study import GRADES
from dashboard.study.phantom import Tumour, noisy, sampled
from tests.grading.stacks import graded

SLICES, SIDE, STEP_MM, PIXEL_MM = 12, 176, 4.0, 0.7
# How far the front passes the front of the sac, mm. The cord is touched at about 5.5 and gives way from then on.
NONE, TOUCHING, COMPRESSING = (None,), (5.5,), (8.0, 9.5, 11.0, 12.5, 14.0)
DEPTHS = (*NONE, 4.0, *TOUCHING, *COMPRESSING)


@pytest.fixture(scope="module")
def models(repository: Path) -> Models:
    return load_models(repository / "models")


def drawn(depth_mm: float | None, side: float) -> np.ndarray:
    """Axial slices about the tumour, head to foot."""
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1], affine[:3, 2] = (0, 0, -STEP_MM), (0, PIXEL_MM, 0), (PIXEL_MM, 0, 0)
    affine[:3, 3] = (-PIXEL_MM * SIDE / 2, -PIXEL_MM * SIDE / 2 - 5, STEP_MM * (SLICES - 1) / 2)
    tumour = None if depth_mm is None else Tumour(depth_mm=depth_mm, side=side)
    return noisy(sampled(affine, (SLICES, SIDE, SIDE), tumour), PIXEL_MM, np.random.default_rng(1))


@pytest.mark.parametrize("side", [-0.8, 0.0, 0.35])
def test_the_deeper_the_tumour_the_more_urgent_the_study(models: Models, side: float) -> None:
    found = {depth: graded(models, drawn(depth, side), (STEP_MM, PIXEL_MM, PIXEL_MM)) for depth in DEPTHS}
    assert found[None].grade == "0"
    assert found[None].urgency.tier is Tier.ROUTINE
    assert all(one.status == "graded" for one in found.values())
    ranks = [GRADES.index(str(found[depth].grade)) for depth in DEPTHS]
    assert ranks[DEPTHS.index(5.5)] <= GRADES.index("1c")
    assert all(found[depth].grade in ("2", "3") for depth in COMPRESSING)
    assert all(found[depth].urgency.tier in (Tier.IMMEDIATE, Tier.URGENT) for depth in COMPRESSING)
    # Where compression hides the cord a slice may be refused, and the next, lesser one stand for the study.
    assert ranks[:-1] == sorted(ranks[:-1])
