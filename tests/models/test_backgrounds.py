"""What is painted into real slices for training: other contrasts, slab edges, veins and bulges; grades stay true."""

import numpy as np
import pytest

from models.training.blend import Backgrounds, _bulge, _veins, real_sample
from models.training.crops import Crop, _slab
from models.training.labels import SCENES, SEGMENTATION
from models.training.recolour import Levels, as_t1, recolour
from models.training.shapes import NoiseBank, ellipse, grid
from models.training.volumes import RealSlice

CSF, CORD, TUMOUR = (SEGMENTATION.index(name) for name in ("csf", "cord", "tumour"))
BANK = NoiseBank(1)


def masks(side):
    x, y = grid(side, 0.5)
    sac, cord = ellipse(x, y, 0, 0, 8, 6) < 0, ellipse(x, y, 0, 0, 4.5, 3.5) < 0
    return sac, cord, y < -9


def levels(side):
    """A T2 slice in flat grey: CSF 1000, cord 400, bone 500, the rest 250."""
    sac, cord, bone = masks(side)
    image = np.full((side, side), 250, np.float32)
    image[bone], image[sac], image[cord] = 500, 1000, 400
    return image, sac, cord, bone


@pytest.fixture
def crop():
    image, sac, cord, bone = levels(96)
    return Crop(image, np.ones_like(sac), sac, cord, bone)


@pytest.fixture
def backgrounds():
    image, sac, cord, bone = levels(128)
    real = RealSlice(image, np.ones_like(sac), sac, cord, bone, 200.0, 1000.0, True, "1", 0.0)
    return Backgrounds([real], [real], [image[:96, :96]], [image[32:, 32:]])


@pytest.mark.parametrize("seed", range(5))
def test_t1_has_csf_darker_than_the_cord(crop, seed):
    image, (low, high) = as_t1(np.random.default_rng(seed), crop, (200.0, 1000.0))
    inner = crop.sac & (ellipse(*grid(96, 0.5), 0, 0, 5.5, 4.5) > 0) & (ellipse(*grid(96, 0.5), 0, 0, 7, 5) < 0)
    assert np.median(image[inner]) < 0.9 * np.median(image[crop.cord])
    assert low < high


def test_a_slice_without_a_cord_can_be_given_another_contrast(crop):
    bare = Crop(crop.image, crop.inside, crop.sac, np.zeros_like(crop.cord), crop.bone)
    image, _ = recolour(bare, (200.0, 1000.0), Levels(0.6, 0.3, 1.0, 0.7))
    assert np.isfinite(image).all()
    assert np.median(image[crop.sac]) < np.median(bare.image[crop.sac])


def test_a_slab_ends_beside_the_canal_and_holds_its_middle(crop):
    sides = set()
    for seed in range(40):
        kept = _slab(np.random.default_rng(seed), crop.sac)
        columns = np.flatnonzero(kept.all(axis=0))
        assert kept.any(axis=0).sum() == len(columns)
        reach = (47.5 - columns.min(), columns.max() - 47.5)
        assert min(reach) >= 10
        assert min(reach) <= 24
        sides.add(tuple(r <= 24 for r in reach))
    assert sides == {(True, False), (False, True), (True, True)}


def test_veins_lie_in_front_of_the_sac_and_never_in_it(crop):
    from scipy import ndimage

    away = ndimage.distance_transform_edt(~crop.sac) * 0.5
    seen = 0
    for seed in range(20):
        image = _veins(np.random.default_rng(seed), BANK, crop.image, crop, away)
        changed = np.abs(image - crop.image) > 60
        rows = np.nonzero(changed)[0]
        seen += changed.any()
        assert not (changed & (away == 0) & (ndimage.distance_transform_edt(crop.sac) > 2)).any()
        assert rows.size == 0 or rows.mean() < 48
    assert seen > 10


def test_a_bulge_is_dark_dents_the_sac_and_spares_the_cord(crop):
    dents = 0
    for seed in range(20):
        image, sac = _bulge(np.random.default_rng(seed), BANK, crop.image, crop)
        lost = crop.sac & ~sac
        dents += lost.any()
        assert not (lost & crop.cord).any()
        assert not lost.any() or np.median(image[lost]) < 0.5 * np.median(crop.image[lost])
    assert dents > 10


def test_real_samples_hold_tumour_where_a_grade_says_so_and_measure_it(backgrounds):
    rng = np.random.default_rng(1)
    seen = set()
    for _ in range(150):
        sample = real_sample(rng, BANK, backgrounds)
        seen.add(SCENES[sample.scene])
        graded = SCENES[sample.scene] == "gradable"
        assert (sample.rank >= 0) == graded == (len(sample.measured) > 0)
        assert 0 <= sample.image.min() <= sample.image.max() <= 1.5
        if graded:
            assert (sample.rank > 0) == (sample.measured[1] < 1 or (sample.segmentation == TUMOUR).any())
            assert (sample.rank >= 4) == (sample.measured[3] > 0)
    assert seen == set(SCENES)
