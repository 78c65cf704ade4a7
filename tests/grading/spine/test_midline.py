import numpy as np
import pytest

from dashboard.grading.spine.evidence import row_of
from dashboard.grading.spine.midline import (
    CANAL,
    CORD,
    DISC,
    LUMBOSACRAL,
    VERTEBRA,
    curved_picture,
    midline,
    plane_weights,
    with_one_canal,
)
from tests.grading.spine.truth import drawn, prediction_of
from tests.spines import Whole

SWAY_MM = 15.0


@pytest.fixture(scope="module")
def bent():
    return drawn(Whole(sway_mm=SWAY_MM), planes=13)


def test_the_canal_is_followed_from_side_to_side(bent):
    line = midline(bent)
    rows = np.arange(line.first_row + 20, line.last_row - 20)
    z = (bent.affine @ np.stack([rows * 0, rows, rows * 0, rows * 0 + 1]))[2]
    x = bent.affine[0, 3] + bent.affine[0, 0] * line.plane[rows]
    assert np.abs(x - Whole(sway_mm=SWAY_MM).middle_x(z)).max() < 3.0


def test_the_front_of_the_canal_lies_behind_the_bodies(seen):
    line = midline(seen)
    middle = seen.labels[len(seen.labels) // 2]
    rows = range(line.first_row + 10, line.last_row - 10)
    ahead = [np.flatnonzero(np.isin(middle[row], (VERTEBRA, DISC, LUMBOSACRAL))) for row in rows]
    edges = {row: columns[columns < line.back[row]] for columns, row in zip(ahead, rows, strict=True)}
    apart = [line.front[row] - columns.max() for row, columns in edges.items() if len(columns)]
    assert np.percentile(apart, 2) > -2.5


def test_the_curved_picture_shows_the_canal_at_every_row_of_a_scoliosis(bent):
    line = midline(bent)
    picture = curved_picture(bent, line)
    shown = np.isin(picture.labels, (CANAL, CANAL + 1)).any(axis=1)
    assert shown[line.first_row : line.last_row].all()
    # No single plane does.
    assert not np.isin(bent.labels, (CANAL, CANAL + 1)).any(axis=2)[:, line.first_row : line.last_row].all(axis=1).any()


def test_each_row_is_seen_by_planes_whose_shares_sum_to_one(bent):
    np.testing.assert_allclose(plane_weights(bent, midline(bent)).sum(axis=0), 1, rtol=1e-5)


def test_a_cyst_is_no_canal(seen):
    labels = seen.labels.copy()
    labels[:2, 300:340, 20:40] = CANAL
    found = midline(prediction_of(labels, seen.affine))
    np.testing.assert_allclose(found.plane, midline(seen).plane)


def test_too_little_canal_cannot_be_followed(seen):
    assert midline(prediction_of(np.zeros_like(seen.labels), seen.affine)) is None
    short = np.zeros_like(seen.labels)
    short[4, 100:120, 200:210] = CANAL
    assert midline(prediction_of(short, seen.affine)) is None


def test_bright_fat_before_the_spine_taken_for_a_canal_leads_nobody_astray(seen):
    labels = seen.labels.copy()
    labels[-2:, 150:650, 20:44] = CANAL
    strip, canal = (labels[:, :, :44] == CANAL).sum(), np.isin(seen.labels, (CANAL, CORD)).sum()
    assert 0.2 < strip / canal < 0.5
    found = row_of(prediction_of(labels, seen.affine))
    np.testing.assert_array_equal(found.prediction.labels, seen.labels)
    np.testing.assert_array_equal(found.line.plane, midline(seen).plane)


def test_parts_of_the_canal_above_and_below_a_block_are_one_canal(seen):
    labels = seen.labels.copy()
    labels[:, 400:440][np.isin(labels[:, 400:440], (CANAL, CORD))] = 0
    np.testing.assert_array_equal(with_one_canal(prediction_of(labels, seen.affine)).labels, labels)


def test_a_seam_in_the_canal_costs_nothing_of_it(seen):
    labels = seen.labels.copy()
    middle = midline(seen)
    for row in range(middle.first_row, middle.last_row):
        labels[:, row, int(middle.front[row]) + 4] = 0
    np.testing.assert_array_equal(with_one_canal(prediction_of(labels, seen.affine)).labels, labels)
