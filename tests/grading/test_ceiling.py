"""The rules on perfect masks from the generator that trains the model: what geometry alone could reach."""

import numpy as np
from scipy import ndimage

from dashboard.grading.bilsky import rules_at_least
from dashboard.grading.masks import slice_masks
from dashboard.grading.morphometry import measure
from dashboard.study import GRADES
from models.training.lesion import implant
from tests.grading.crops import PIXEL_MM, Anatomy, paint
from tests.grading.test_bilsky import quadratic_weighted_kappa


def test_rules_on_the_generators_true_masks_reach_a_kappa_of_095():
    rng = np.random.default_rng(30)
    table = np.zeros((6, 6), int)
    table[0, 0] = 30
    for rank, grade in enumerate(GRADES[1:], start=1):
        while table[rank].sum() < 30:
            anatomy = Anatomy(
                cord_ap=rng.uniform(5.5, 8.5),
                cord_rl=rng.uniform(8.0, 13.0),
                sac_ap=rng.uniform(11.0, 16.0),
                sac_rl=rng.uniform(14.0, 19.0),
            )
            sac = anatomy.sac
            canal, bone = ndimage.binary_dilation(sac, iterations=4), ~ndimage.binary_dilation(sac, iterations=6)
            grown = implant(rng, sac, anatomy.cord, canal, bone, grade)
            if grown is None:
                continue
            labels = paint(grown.masks.sac, grown.masks.cord, grown.masks.tumour)
            found = int((rules_at_least(measure(slice_masks(labels, PIXEL_MM))) >= 0.5).sum())
            table[rank, found] += 1
    assert quadratic_weighted_kappa(table) >= 0.95
