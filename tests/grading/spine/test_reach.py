"""From a point in patient coordinates to the level it lies at."""

from dataclasses import replace

import numpy as np
import pytest

from dashboard.grading.spine.naming import read_spines
from dashboard.grading.spine.reach import level_at, reach_of
from tests.grading.spine.truth import drawn, row_at, rows_of
from tests.spines import PRESACRAL, Whole


def reach_in(prediction, frame=""):
    (read,) = read_spines([prediction], [frame])
    return reach_of(read.spine, read.row)


@pytest.fixture(scope="module")
def reach(seen):
    return reach_in(seen)


@pytest.mark.parametrize("name", PRESACRAL)
def test_a_point_of_the_canal_behind_a_vertebra_is_at_its_level(reach, whole, name):
    assert reach.level_at(whole.centre_mm(name)).name == name


@pytest.mark.parametrize(("probability", "certain"), [(0.95, True), (0.5, False)])
def test_a_name_that_is_a_guess_is_one_in_a_spine_that_is_none(reach, whole, probability, certain):
    named = tuple(replace(one, probability=probability) for one in reach.spine.named)
    doubted = replace(reach, spine=replace(reach.spine, certain=True, named=named))
    assert doubted.level_at(whole.centre_mm("L1")).certain is certain


@pytest.mark.parametrize("name", ["C2/3", "C7/T1", "T5/6", "T12/L1", "L4/5", "L5/S1"])
def test_a_point_of_the_canal_behind_a_disc_is_at_its_level(reach, whole, name):
    assert reach.level_at(whole.centre_mm(f"{name.split('/')[0]}/")).name == name


def test_a_scoliotic_canal_has_the_same_levels():
    bent = Whole(sway_mm=12.0)
    reach = reach_in(drawn(bent, planes=11))
    assert [reach.level_at(bent.centre_mm(name)).name for name in PRESACRAL] == list(PRESACRAL)


def test_beyond_the_field_the_level_is_unknown(seen, whole):
    top, bottom = row_at(seen, whole.centre_mm("T4")), row_at(seen, whole.centre_mm("T11"))
    reach = reach_in(rows_of(seen, top, bottom))
    assert reach.level_at(whole.centre_mm("T7")) is not None
    assert reach.level_at(whole.centre_mm("T2")) is None
    assert reach.level_at(whole.centre_mm("L1")) is None


def test_below_the_sacrum_s_top_and_above_c2_the_level_is_unknown(reach, whole):
    assert reach.level_at(whole.centre_mm("L5") + np.array([0, 25.0, -60.0])) is None
    assert reach.level_at(whole.centre_mm("C2") + np.array([0, 0, 45.0])) is None


def test_beside_the_spine_the_level_is_unknown(reach, whole):
    assert reach.level_at(whole.centre_mm("T7") + np.array([40.0, 0, 0])) is None


def test_a_level_that_was_not_seen_is_unknown():
    spine = Whole(unseen=frozenset({"T7"}))
    reach = reach_in(drawn(spine, planes=5))
    assert reach.level_at(spine.centre_mm("T7")) is None
    assert reach.level_at(spine.centre_mm("T8")).name == "T8"


def test_of_several_series_the_one_that_is_certain_speaks(seen, whole):
    guess = reach_in(rows_of(seen, row_at(seen, whole.centre_mm("T3")), row_at(seen, whole.centre_mm("T11")), "1.2"))
    sure = reach_in(rows_of(seen, 0, row_at(seen, whole.centre_mm("T8")), "1.1"))
    found = level_at(whole.centre_mm("T6"), [guess, sure])
    assert (found.name, found.certain, found.series_instance_uid) == ("T6", True, "1.1")
    beyond = level_at(whole.centre_mm("T10"), [guess, sure])
    assert (beyond.certain, beyond.series_instance_uid) == (False, "1.2")
    assert level_at(whole.centre_mm("L4"), [guess, sure]) is None


def test_neighbouring_levels_meet_without_a_gap(reach):
    ends = np.array(reach.ends_mm)
    assert (np.abs(ends[1:, 0] - ends[:-1, 1]) < 3.0).all()
