"""Headers that lie about which way the pictures stand: noticed, and never believed to be certain."""

import numpy as np
import pytest

from dashboard.grading.spine.evidence import depth_mm, row_of
from dashboard.grading.spine.naming import name_spine
from dashboard.grading.spine.turned import FRONT_BACK, SHRUNK, UPSIDE_DOWN, signs_of_turning
from tests.grading.spine.truth import (
    CANAL,
    CORD,
    VERTEBRA,
    prediction_of,
    row_at,
    rows_of,
    spider_people,
    spider_prediction,
)


def turned(prediction, axis):
    """The same pictures under the header of pictures that stand upright."""
    return prediction_of(np.flip(prediction.labels, axis), prediction.affine)


def fields(seen, whole):
    end = seen.labels.shape[1]
    return {
        "whole": seen,
        "cervical": rows_of(seen, 0, row_at(seen, whole.centre_mm("T4"))),
        "lumbar": rows_of(seen, row_at(seen, whole.centre_mm("T11")), end),
    }


@pytest.mark.parametrize("part", ["whole", "cervical", "lumbar"])
def test_nothing_is_said_of_pictures_that_stand_as_their_header_says(seen, whole, part):
    assert signs_of_turning(row_of(fields(seen, whole)[part])) == ()


@pytest.mark.parametrize("part", ["whole", "cervical", "lumbar"])
def test_pictures_that_stand_on_their_head_are_noticed(seen, whole, part):
    upside = turned(fields(seen, whole)[part], 1)
    assert UPSIDE_DOWN in signs_of_turning(row_of(upside))
    found = name_spine(upside)
    assert not found.certain and UPSIDE_DOWN in found.note


@pytest.mark.parametrize("part", ["whole", "cervical", "lumbar"])
def test_front_and_back_exchanged_are_noticed(seen, whole, part):
    backwards = turned(fields(seen, whole)[part], 2)
    assert FRONT_BACK in signs_of_turning(row_of(backwards))
    assert not name_spine(backwards).certain


def test_bodies_cut_beside_their_middle_where_the_spine_leaves_the_stack_are_not_taken_for_small_ones(seen, whole):
    lumbar = fields(seen, whole)["lumbar"]
    labels, below = lumbar.labels.copy(), row_at(lumbar, whole.centre_mm("L2/3"))
    rest = labels[:, below:]
    rest[np.isin(rest, (CANAL, CORD))] = 0
    for plane, row in zip(*np.nonzero((rest == VERTEBRA).any(axis=2)), strict=True):
        columns = np.flatnonzero(rest[plane, row] == VERTEBRA)
        rest[plane, row, columns[: len(columns) // 2]] = 0
    cut = prediction_of(labels, lumbar.affine)
    depths = [depth_mm(one.segment) for one in row_of(cut).placed if one.segment.kind == "vertebra"]
    known = [depth for depth in depths if depth]
    assert np.median(known[-3:]) < SHRUNK * np.median(known[:3])
    assert signs_of_turning(row_of(cut)) == ()


def test_a_speck_above_the_cord_turns_nothing(seen, whole):
    cervical = fields(seen, whole)["cervical"]
    labels = cervical.labels.copy()
    first = int(np.flatnonzero((labels == CORD).any(axis=(0, 2)))[0])
    labels[:, : first + 50][np.isin(labels[:, : first + 50], (CANAL, CORD))] = 0
    labels[4, first : first + 3, 100:104] = CANAL
    assert signs_of_turning(row_of(prediction_of(labels, cervical.affine))) == ()


def test_nothing_is_said_of_real_lumbar_spines(shared_data):
    for person in spider_people(shared_data)[:8]:
        assert signs_of_turning(row_of(spider_prediction(shared_data, person))) == (), person
