"""Fitting of findings: weights keep their sign, pinches do what they say, gradings meet the right disc."""

import numpy as np
import pytest
from scipy import ndimage

from models.training.sagittal.logistic import fit
from models.training.sagittal.pinch import Pinch, frayed, pinched
from models.training.sagittal.tables import _beside, altered
from tests.grading.spine.drawn import CANAL, CORD, MIDDLE, PIXEL_MM, drawn


def cases(rng, count=400):
    x = rng.normal(size=(count, 2))
    return x, (x[:, 0] + 0.5 * rng.normal(size=count) > 0).astype(int)


def test_a_weight_is_found_where_there_is_one() -> None:
    x, y = cases(np.random.default_rng(1))
    found = fit(x, y, (1, 0))
    assert found.weights[0] > 1
    assert abs(found.weights[1]) < 0.5


def test_a_weight_against_its_meaning_is_held_at_nothing() -> None:
    x, y = cases(np.random.default_rng(1))
    assert fit(x, y, (-1, 0)).weights[0] == 0


def test_ordinal_steps_fall() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(size=(300, 1))
    ranks = np.digitize(x[:, 0] + 0.3 * rng.normal(size=300), (-0.7, 0.0, 0.7))
    found = fit(x, ranks, (1,))
    assert np.all(np.diff(found.offsets) < 0)
    at_least = found.at_least(x)
    assert np.mean((at_least > 0.5).sum(axis=1) == ranks) > 0.6


def test_a_missing_feature_is_its_centre() -> None:
    x, y = cases(np.random.default_rng(3))
    found = fit(x, y, (1, 0))
    assert found.odds(np.array([[np.nan, np.nan]])) == pytest.approx(found.odds(found.centre[None, :]))


def depths(labels, row):
    line = labels[MIDDLE, row]
    return ((line == CANAL) | (line == CORD)).sum(), (line == CORD).sum()


ROW = int(30 / PIXEL_MM)


def test_a_small_pinch_takes_csf_and_spares_the_cord() -> None:
    prediction, _ = drawn()
    changed, made = pinched(prediction, ROW, MIDDLE, 2.4, 20, "front")
    assert made.cord_left == 1.0
    assert made.canal_left < 0.9
    assert made.rank is None or made.rank == 0
    assert depths(changed.labels, ROW)[1] == depths(prediction.labels, ROW)[1]


def test_a_deep_pinch_flattens_the_cord() -> None:
    prediction, _ = drawn()
    _, made = pinched(prediction, ROW, MIDDLE, 10.4, 20, "front")
    assert made.cord_left < 0.8
    assert made.rank == 1


def test_a_pinch_ends_where_it_should() -> None:
    prediction, _ = drawn()
    changed, _ = pinched(prediction, ROW, MIDDLE, 8.0, 10, "back")
    far = ROW + int(30 / PIXEL_MM)
    assert np.array_equal(changed.labels[:, far], prediction.labels[:, far])


@pytest.mark.parametrize(("left", "rank"), [(0.4, 1), (0.65, None), (0.9, 0)])
def test_below_the_cord_half_the_canal_decides(left: float, rank: int | None) -> None:
    assert Pinch(0, left, None, None).rank == rank


def test_fraying_moves_edges_by_about_a_pixel() -> None:
    prediction, _ = drawn()
    changed = frayed(prediction, np.random.default_rng(4))
    before, after = (np.isin(one.labels, (CANAL, CORD)) for one in (prediction, changed))
    overlap = 2 * (before & after).sum() / (before.sum() + after.sum())
    assert 0.88 < overlap < 0.995
    # No specks: whatever is new touches what was there.
    grown = ndimage.binary_dilation(before, np.ones((1, 7, 7)))
    assert not (after & ~grown).any()


def test_a_pinch_is_measured_where_it_was_put() -> None:
    prediction, spine = drawn()
    rows = altered("1", prediction, spine, np.random.default_rng(5), 60)
    deep = np.array([row.features["canal_narrowing"] for row in rows if row.rank == 1])
    assert len(deep) > 9
    assert np.mean(deep > 0.2) >= 0.9


@pytest.mark.parametrize(
    ("level", "beside"), [("L4/5", True), ("L4", True), ("L5", True), ("L3", False), ("L5/S1", False), (None, False)]
)
def test_what_lies_beside_a_marked_disc(level: str | None, beside: bool) -> None:
    assert _beside(level, {"L4/5"}) is beside


def test_the_lowest_disc_of_the_public_masks_is_l5_s1(shared_data) -> None:
    pytest.importorskip("nibabel")
    from models.training.sagittal.truth import truth_case

    case = truth_case(shared_data, "136")
    assert case.level_of_label[1] == "L5/S1"
    assert len(case.level_of_label) == 7
