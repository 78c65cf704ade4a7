"""The generator's grades hold when the masks are measured again by other means."""

import numpy as np
import pytest
from scipy.spatial import cKDTree

from models.training.anatomy import draw, random_frame
from models.training.body import BodyData, body_sample
from models.training.labels import GRADES, IGNORE, SCENES, SEGMENTATION
from models.training.lesion import implant
from models.training.measure import Measures, grade_of, taught
from models.training.samples import synthetic
from models.training.shapes import NoiseBank

PIXEL_MM = 0.5


def implanted(grade, count=4):
    """A few slices before and after an implant of one grade."""
    rng = np.random.default_rng(GRADES.index(grade))
    found = []
    while len(found) < count:
        anatomy = draw(rng, random_frame(rng))
        done = implant(rng, anatomy.sac, anatomy.cord, anatomy.canal, anatomy.bone, grade)
        if done is not None:
            found.append((anatomy, done))
    return found


def nearest_mm(a, b):
    """Smallest distance of two masks' pixel centres, by a tree instead of a distance transform."""
    return float(cKDTree(np.argwhere(a)).query(np.argwhere(b))[0].min()) * PIXEL_MM


def test_1a_leaves_the_sac_alone():
    for anatomy, done in implanted("1a"):
        assert done.masks.tumour.any()
        assert not (done.masks.tumour & anatomy.sac).any()
        assert np.array_equal(done.masks.cord, anatomy.cord)


def test_1b_dents_the_sac_and_stays_off_the_cord():
    for anatomy, done in implanted("1b"):
        assert (done.masks.tumour & anatomy.sac).any()
        assert nearest_mm(done.masks.tumour, done.masks.cord) >= 1.1 + PIXEL_MM - 1e-6


def test_1c_touches_a_cord_that_keeps_its_shape():
    for anatomy, done in implanted("1c"):
        assert nearest_mm(done.masks.tumour, done.masks.cord) <= 0.72 + PIXEL_MM
        assert np.array_equal(done.masks.cord, anatomy.cord)


def test_2_changes_the_cord_and_leaves_csf():
    for anatomy, done in implanted("2"):
        assert (done.masks.cord != anatomy.cord).any()
        assert (done.masks.sac & ~done.masks.cord).sum() * PIXEL_MM**2 >= 7.0


def test_some_compressions_are_narrow_notches_in_a_cord_that_keeps_its_csf():
    narrow = [
        done.measures
        for _, done in implanted("2", 40)
        if done.measures.contact_fraction < 0.28 and done.measures.csf_fraction > 0.4
    ]
    assert len(narrow) >= 3
    assert all(m.cord_indentation_mm >= 1 for m in narrow)


def test_3_leaves_no_csf_to_see():
    for anatomy, done in implanted("3"):
        left = done.masks.sac & ~done.masks.cord & ~done.masks.tumour
        assert left.sum() < 0.15 * (anatomy.sac & ~anatomy.cord).sum()


def picture(**changes):
    values = {
        "tumour_area_mm2": 40.0,
        "sac_indentation_mm": 3.0,
        "gap_mm": 0.0,
        "contact_fraction": 0.4,
        "cord_indentation_mm": 1.5,
        "cord_shift_mm": 1.0,
        "csf_area_mm2": 20.0,
        "csf_fraction": 0.3,
    }
    return Measures(**{**values, **changes})


@pytest.mark.parametrize(
    ("changes", "grade"),
    [
        ({"tumour_area_mm2": 0.0}, "0"),
        ({"sac_indentation_mm": 0.2}, "1a"),
        ({"cord_indentation_mm": 0.0, "cord_shift_mm": 0.0, "gap_mm": 2.0}, "1b"),
        ({"cord_indentation_mm": 0.0, "cord_shift_mm": 0.0, "gap_mm": 0.5}, "1c"),
        ({}, "2"),
        ({"csf_area_mm2": 0.0, "csf_fraction": 0.0}, "3"),
        ({"cord_indentation_mm": 0.4, "contact_fraction": 0.1, "cord_shift_mm": 0.2}, None),
        ({"csf_area_mm2": 5.0, "csf_fraction": 0.05}, None),
    ],
)
def test_grade_follows_the_measures(changes, grade):
    assert grade_of(picture(**changes)) == grade


def test_a_seed_makes_the_same_samples_again():
    first, second = (synthetic(np.random.default_rng(11), NoiseBank(1)) for _ in range(2))
    assert np.array_equal(first.image, second.image)
    assert (first.rank, first.scene) == (second.rank, second.scene)


def test_samples_keep_their_ranges():
    rng, bank = np.random.default_rng(2), NoiseBank(1)
    for _ in range(40):
        sample = synthetic(rng, bank)
        assert sample.image.shape == (96, 96)
        assert sample.image.min() >= 0.0 and sample.image.max() <= 1.5
        assert set(np.unique(sample.segmentation)) <= {*range(len(SEGMENTATION)), IGNORE}
        assert (sample.rank >= 0) == (SCENES[sample.scene] == "gradable")


def test_localiser_sample_peaks_at_most_once():
    rng, bank = np.random.default_rng(3), NoiseBank(1)
    for _ in range(20):
        image, heat = body_sample(rng, bank, BodyData())
        assert image.shape == heat.shape == (96, 96)
        assert heat.max() <= 1.0
        assert (heat > 0.9).sum() <= 9


def test_a_grade_and_its_measurements_belong_together():
    for grade in GRADES[1:]:
        for _, done in implanted(grade, 2):
            dent, gap, contact, cord, csf = taught(done.measures)
            assert all(0 <= value <= 1 for value in (dent, gap, contact, cord, csf))
            assert (dent > 0.7 / 6 - 1e-9) == (grade != "1a")
            assert (contact > 0) == (GRADES.index(grade) >= 3)
            assert (cord > 0) == (grade in ("2", "3"))
            assert (csf < 0.04) == (grade == "3")
    assert taught(None) == (0.0, 1.0, 0.0, 0.0, 1.0)
