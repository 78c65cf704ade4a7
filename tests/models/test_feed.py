"""Batches drawn while training."""

import numpy as np

from models.training.feed import _mirrored


def test_pictures_and_masks_are_mirrored_together_and_numbers_are_not():
    rng = np.random.default_rng(0)
    image, masks = rng.random((4, 1, 6, 6), np.float32), rng.integers(0, 5, (4, 6, 6))
    rank, measured = np.arange(4), rng.random((4, 5))
    turned = _mirrored((image, masks, rank, measured))
    assert np.array_equal(turned[0], image[:, :, :, ::-1])
    assert np.array_equal(turned[1], masks[:, :, ::-1])
    assert turned[2] is rank
    assert turned[3] is measured
