"""Single vertebrae and discs, from the labels of drawn spines and of real ones."""

import numpy as np
import pytest

from dashboard.grading.spine.instances import find_segments
from tests.grading.spine.truth import (
    CANAL,
    DISC,
    OTHER,
    VERTEBRA,
    drawn,
    prediction_of,
    row_at,
    rows_of,
    spider_people,
    spider_prediction,
)
from tests.spines import PRESACRAL, Whole

WHOLE = [kind for _ in PRESACRAL for kind in ("vertebra", "disc")]


def kinds(placed):
    return [one.segment.kind for one in placed]


@pytest.fixture(scope="module")
def placed(seen):
    return find_segments(seen)


def test_every_vertebra_and_disc_from_c2_to_the_sacrum_is_found_in_order(placed):
    assert kinds(placed) == WHOLE
    assert [one.slot for one in placed] == list(range(46))
    assert not any(one.doubtful for one in placed)


def test_centres_lie_where_the_levels_are(placed, whole):
    for one, name in zip(placed[0::2][1:], PRESACRAL[1:], strict=True):
        ahead = whole.centre_mm(name) - one.segment.centre_mm
        assert abs(ahead[0]) < 2.5 and abs(ahead[2]) < 14 and 8 < np.hypot(ahead[1], ahead[2]) < 32, name


def test_a_body_has_no_arch_and_no_spinous_process(placed, seen, whole):
    for one in placed[0::2]:
        planes, _, columns = np.nonzero(one.segment.mask)
        y = seen.affine[1, 3] + seen.affine[1, 2] * columns
        depth = np.ptp(y[planes == one.segment.corners_plane])
        assert depth < 50
    behind = (seen.labels == VERTEBRA) & ~np.any([one.segment.mask for one in placed], axis=0)
    assert behind.sum() > 5000


def test_only_c2_and_the_lumbosacral_disc_are_anchors(placed):
    assert [one.slot for one in placed if one.segment.anchor >= 0.5] == [0, 45]


def test_corners_stand_in_their_order_and_measure_the_body(placed, whole):
    for one, name in zip(placed[2::2], PRESACRAL[1:], strict=True):
        upper_front, upper_back, lower_front, lower_back = one.segment.corners_mm
        assert upper_front[1] < upper_back[1] and lower_front[1] < lower_back[1]
        assert upper_front[2] > lower_front[2] and upper_back[2] > lower_back[2]
        number = PRESACRAL.index(name)
        heights = [np.linalg.norm(upper_front - lower_front), np.linalg.norm(upper_back - lower_back)]
        # In front of a lordotic canal a body is higher than along it, in front of a kyphotic one lower.
        assert np.mean(heights) == pytest.approx(whole.body_mm(number), rel=0.22), name
        assert np.linalg.norm(lower_front - lower_back) == pytest.approx(whole.depth_mm(number), abs=4.0), name


def test_disc_heights_are_those_drawn(placed, whole):
    for one, name in zip(placed[1::2], PRESACRAL, strict=True):
        upper_front, upper_back, lower_front, lower_back = one.segment.corners_mm
        heights = [np.linalg.norm(upper_front - lower_front), np.linalg.norm(upper_back - lower_back)]
        assert np.mean(heights) == pytest.approx(whole.disc_mm(PRESACRAL.index(name)), rel=0.32), name


def test_the_dens_leaves_c2_without_upper_corners(placed):
    assert np.isnan(placed[0].segment.corners_mm[:2]).all()
    assert np.isfinite(placed[0].segment.corners_mm[2:]).all()


@pytest.mark.parametrize("sway_mm", [8.0, -18.0])
def test_a_scoliosis_changes_nothing(sway_mm):
    found = find_segments(drawn(Whole(sway_mm=sway_mm), planes=15))
    assert kinds(found) == WHOLE
    planes = [one.segment.corners_plane for one in found]
    assert np.ptp(planes) >= abs(sway_mm) / 4


def test_bodies_that_touch_above_and_below_a_disc_are_two(seen, whole):
    labels = seen.labels.copy()
    row = row_at(seen, whole.centre_mm("T8/9"))
    disc = labels[:, row - 12 : row + 12] == DISC
    columns = np.flatnonzero(disc.any(axis=(0, 1)))
    bridge = labels[:, row - 12 : row + 12, columns[0] : columns[0] + 6]
    bridge[bridge == DISC] = VERTEBRA
    found = find_segments(prediction_of(labels, seen.affine))
    assert kinds(found) == WHOLE and not any(one.doubtful for one in found)


@pytest.mark.parametrize("name", ["C5", "T6", "L2"])
def test_a_block_vertebra_is_two_and_said_to_be_doubtful(name):
    found = find_segments(drawn(Whole(fused=frozenset({name})), planes=5))
    assert [one.slot for one in found if one.segment.kind == "vertebra"] == list(range(0, 46, 2))
    missing = set(range(46)) - {one.slot for one in found}
    assert missing == {2 * PRESACRAL.index(name) + 1}
    assert [one.slot for one in found if one.doubtful] == [2 * PRESACRAL.index(name) + 2]


@pytest.mark.parametrize("name", ["C4", "T7", "L3"])
def test_a_vertebra_that_was_not_seen_keeps_its_slot_free(name):
    found = find_segments(drawn(Whole(unseen=frozenset({name})), planes=5))
    assert {one.slot for one in found} == set(range(46)) - {2 * PRESACRAL.index(name)}


def test_c2_and_c3_without_a_disc_between_are_two():
    found = find_segments(drawn(Whole(fused=frozenset({"C2"})), planes=5))
    assert [one.slot for one in found][:3] == [0, 2, 3]
    assert [one.segment.anchor >= 0.5 for one in found][:3] == [True, False, False]


def test_specks_are_no_segments(seen):
    labels = seen.labels.copy()
    labels[4, 20:24, 150:155] = VERTEBRA
    labels[4, 500:503, 60:63] = DISC
    labels[3:6, 860:870, 100:104] = VERTEBRA
    assert kinds(find_segments(prediction_of(labels, seen.affine))) == WHOLE


def test_a_torn_disc_is_one(seen, whole):
    labels = seen.labels.copy()
    row = row_at(seen, whole.centre_mm("L2/3"))
    block = labels[:, row - 20 : row + 20]
    columns = np.flatnonzero((block == DISC).any(axis=(0, 1)))
    middle = int(columns.mean())
    part = block[:, :, middle - 2 : middle + 2]
    part[part == DISC] = OTHER
    assert kinds(find_segments(prediction_of(labels, seen.affine))) == WHOLE


def test_what_the_field_cuts_is_not_complete(seen, whole):
    top, bottom = row_at(seen, whole.centre_mm("T4")), row_at(seen, whole.centre_mm("T11"))
    found = find_segments(rows_of(seen, top, bottom))
    assert [one.segment.complete for one in found] == [False, *[True] * (len(found) - 2), False]
    assert np.isnan(found[0].segment.corners_mm[:2]).all() and np.isnan(found[-1].segment.corners_mm[2:]).all()


def test_without_a_canal_there_are_no_segments(seen):
    labels = np.where(seen.labels >= CANAL, OTHER, seen.labels)
    assert find_segments(prediction_of(labels, seen.affine)) == ()


def test_real_lumbar_spines_are_a_row_without_gaps(shared_data):
    for person in spider_people(shared_data)[:6]:
        found = find_segments(spider_prediction(shared_data, person))
        slots = [one.slot for one in found]
        assert slots == list(range(slots[0], slots[0] + len(slots))), person
        assert found[-1].segment.kind == "disc", person
