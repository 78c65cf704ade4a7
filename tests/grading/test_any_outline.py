"""Whatever a model outlines, every slice gets an answer: noise, specks, stripes, nothing, and shapes of any size."""

import numpy as np
import pytest
from scipy import ndimage

from dashboard.grading import GradingThresholds
from dashboard.grading.series import grade_series
from dashboard.study import GRADES
from dashboard.study.masks import Mask
from tests.grading.crops import CORD, CSF, SIZE, Labels, prediction, stack

CUTS = GradingThresholds(narrowing_weight=(12.0, 24.0, 24.0, 24.0, 2.0), change_weight=(0.0, 0.0, 0.0, 6.0, 2.0))


def disc(rows_px: float, columns_px: float, row: float = SIZE / 2) -> Mask:
    y, x = np.indices((SIZE, SIZE))
    return ((y - row) / rows_px) ** 2 + ((x - SIZE / 2) / columns_px) ** 2 < 1


def any_labels(rng: np.random.Generator) -> Labels:
    labels = np.zeros((SIZE, SIZE), np.uint8)
    kind = int(rng.integers(0, 6))
    if kind == 0:
        labels[:] = rng.integers(0, 5, labels.shape)
    elif kind == 1:
        labels[:] = rng.integers(0, 5)
    elif kind == 2:
        labels[:] = np.clip(60 * ndimage.gaussian_filter(rng.standard_normal(labels.shape), rng.uniform(0.5, 8)), 0, 4)
    elif kind == 3:
        labels[tuple(rng.integers(0, SIZE, (2, int(rng.integers(1, 6)))))] = CORD
    elif kind == 4:
        first, last = sorted(rng.integers(0, SIZE, 2))
        labels[first : last + 1] = rng.integers(1, 5)
        labels[:, first : last + 1] = CORD
    else:
        labels[disc(12, 14)] = CSF
        labels[disc(rng.uniform(0.5, 14), rng.uniform(0.5, 14), SIZE / 2 + rng.normal(0, 3))] = CORD
    return labels


@pytest.mark.parametrize("seed", range(8))
def test_every_slice_gets_an_answer(seed):
    rng = np.random.default_rng(seed)
    for _ in range(8):
        slices = []
        for index in range(int(rng.integers(1, 9))):
            if rng.random() < 0.5:
                # With healthy slices beside there is something to compare with.
                slices.append(prediction(z_mm=-4.0 * index, index=index))
                continue
            head = tuple(sorted(rng.random(5), reverse=True))
            slices.append(prediction(head, z_mm=-4.0 * index, index=index, labels=any_labels(rng)))
        graded = grade_series(stack(slices), CUTS).slices
        assert len(graded) == len(slices)
        for one in graded:
            assert one.grade.grade in GRADES
            assert one.grade.at_least[0] <= 1 and one.grade.at_least[-1] >= 0
            assert (np.diff(one.grade.at_least) <= 0).all()
