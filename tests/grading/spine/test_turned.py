"""Headers that lie about which way the pictures stand: noticed, and never believed to be certain."""

import numpy as np
import pytest

from dashboard.grading.spine.evidence import row_of
from dashboard.grading.spine.naming import name_spine
from dashboard.grading.spine.turned import FRONT_BACK, UPSIDE_DOWN, signs_of_turning
from tests.grading.spine.truth import prediction_of, row_at, rows_of, spider_people, spider_prediction


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


def test_nothing_is_said_of_real_lumbar_spines(shared_data):
    for person in spider_people(shared_data)[:8]:
        assert signs_of_turning(row_of(spider_prediction(shared_data, person))) == (), person
