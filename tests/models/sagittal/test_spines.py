"""Made-up spines: what is drawn carries the labels that training relies on."""

from itertools import pairwise

import numpy as np
import pytest

from models.training.sagittal.labels import C2, CANAL, CLASS_OF_TISSUE, CORD, DISC, LUMBOSACRAL, VERTEBRA
from models.training.sagittal.planes import Plane, draw_plane
from models.training.sagittal.spines import SpineShape, draw_spine
from models.training.sagittal.surroundings import Style

SEEDS = range(6)


def _map(shape: SpineShape, z: float, seed: int = 0, x: float = 0.0, size: int = 256) -> np.ndarray:
    rng = np.random.default_rng(seed)
    y = float(np.interp(z, shape.canal_z, shape.canal_y)) - 15
    x = x + float(np.interp(z, [bone.z for bone in shape.bones], [bone.x for bone in shape.bones]))
    return CLASS_OF_TISSUE[draw_plane(rng, Plane(shape, (z, y), 0.0, size, x), Style(rng))]


@pytest.mark.parametrize("seed", SEEDS)
def test_vertebrae_stand_in_order_and_do_not_overlap(seed: int) -> None:
    shape = draw_spine(np.random.default_rng(seed))
    for above, below in pairwise([*shape.bones, *shape.sacrum]):
        gap = np.hypot(below.z - above.z, below.y - above.y)
        assert below.z > above.z
        assert gap > 0.45 * (above.height + below.height)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_lumbosacral_disc_lies_under_the_last_free_vertebra_alone(seed: int) -> None:
    shape = draw_spine(np.random.default_rng(seed))
    last, first = shape.bones[-1], shape.sacrum[0]
    labels = _map(shape, last.z, seed)
    rows = np.nonzero(labels == LUMBOSACRAL)[0]
    assert rows.size > 40
    middle = last.z + (rows.mean() - 127.5) * 0.8
    assert last.z < middle < first.z


@pytest.mark.parametrize("seed", SEEDS)
def test_only_the_second_cervical_vertebra_has_the_class_that_levels_are_counted_from(seed: int) -> None:
    shape = draw_spine(np.random.default_rng(seed))
    top = _map(shape, shape.bones[0].z, seed)
    assert (top == C2).sum() > 150
    rows = np.nonzero(top == C2)[0]
    assert abs((rows.mean() - 127.5) * 0.8) < 0.9 * shape.bones[0].height
    assert not (_map(shape, shape.bones[14].z, seed) == C2).any()


@pytest.mark.parametrize("seed", SEEDS)
def test_the_cord_ends_at_the_conus_and_the_canal_goes_on(seed: int) -> None:
    shape = draw_spine(np.random.default_rng(seed))
    labels = _map(shape, shape.conus_z, seed)
    rows = np.nonzero(labels == CORD)[0]
    assert rows.size
    assert (rows.max() - 127.5) * 0.8 < 3
    assert (np.nonzero(labels == CANAL)[0].max() - 127.5) * 0.8 > 30


def test_beside_the_canal_there_is_bone_and_no_cord() -> None:
    shape = draw_spine(np.random.default_rng(1))
    labels = _map(shape, shape.bones[18].z, 1, x=20.0)
    assert (labels == VERTEBRA).sum() > 1000
    assert (labels == DISC).sum() > 50
    assert not np.isin(labels, (CORD, CANAL)).any()


def test_the_same_seed_draws_the_same_spine() -> None:
    first, second = (_map(draw_spine(np.random.default_rng(3)), 300.0, 3) for _ in range(2))
    assert np.array_equal(first, second)
