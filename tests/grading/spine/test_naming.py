"""Names: counted from C2 or the sacrum, both, or guessed and called so."""

from dataclasses import replace

import numpy as np
import pytest

from dashboard.grading.spine.evidence import ORDER
from dashboard.grading.spine.naming import name_spine, name_spines
from dashboard.study.levels import LEVELS
from tests.grading.spine.truth import (
    C2,
    CORD,
    DISC,
    LUMBOSACRAL,
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


def names(spine):
    return [one.level for one in spine.named]


def between(seen, whole, first, last, uid=None):
    """The field from above one vertebra's middle to below another's."""
    return rows_of(seen, row_at(seen, whole.centre_mm(first)) - 8, row_at(seen, whole.centre_mm(last)) + 8, uid)


@pytest.fixture(scope="module")
def spine(seen):
    return name_spine(seen)


def summed(spine):
    """Probability of the guess and of its alternatives."""
    return max(one.probability for one in spine.named) + sum(chance for _, chance in spine.alternatives)


def test_a_whole_spine_has_every_level_right_and_is_counted_from_both_ends(spine):
    assert names(spine) == list(LEVELS[1:-1])
    assert (spine.counted_from, spine.certain, spine.note) == ("both", True, "")


def test_a_long_dens_hides_no_vertebra_below_it(seen):
    labels = seen.labels.copy()
    labels[np.roll(labels == C2, -12, axis=1) & (labels == OTHER)] = C2
    found = name_spine(prediction_of(labels, seen.affine))
    assert found.counted_from == "both" and found.certain and found.note == ""
    assert names(found) == names(name_spine(seen))


def test_names_stand_at_their_places(spine, whole):
    for one in spine.named[2::2]:
        assert abs(one.segment.centre_mm[2] - whole.centre_mm(one.level)[2]) < 14, one.level


def test_a_cervical_field_is_counted_from_c2(seen, whole):
    found = name_spine(rows_of(seen, 0, row_at(seen, whole.centre_mm("T3/4"))))
    assert found.counted_from == "C2" and found.certain
    assert names(found)[:3] == ["C2", "C2/3", "C3"] and found.named[-1].level in ("T3", "T3/4")


def test_a_lumbar_field_is_counted_from_the_sacrum(seen, whole):
    found = name_spine(rows_of(seen, row_at(seen, whole.centre_mm("T11")) - 30, seen.labels.shape[1]))
    assert found.counted_from == "sacrum" and found.certain
    assert names(found)[-4:] == ["L4", "L4/5", "L5", "L5/S1"]


def test_a_field_without_an_anchor_is_a_guess_that_says_so(seen, whole):
    found = name_spine(between(seen, whole, "T3", "T11"))
    assert (found.counted_from, found.certain) == ("guess", False)
    assert found.note.startswith("level uncertain")
    assert found.alternatives and summed(found) == pytest.approx(1, abs=1e-6)


def test_a_guess_from_the_end_of_the_cord_is_within_a_level(seen, whole):
    found = name_spine(between(seen, whole, "T8", "L4"))
    assert found.counted_from == "guess"
    true = ORDER.index("T8") if len(names(found)) % 2 else ORDER.index("T8/9")
    assert abs(ORDER.index(found.named[0].level) - true) <= 2


def test_a_guess_from_a_cord_that_goes_on_is_not_lumbar(seen, whole):
    found = name_spine(between(seen, whole, "C4", "T2"))
    likely = {found.named[0].level: max(one.probability for one in found.named), **dict(found.alternatives)}
    assert sum(chance for level, chance in likely.items() if level[0] == "L") < 0.05


def test_a_lowest_disc_with_nothing_below_lies_on_the_sacrum(seen):
    labels = np.where(seen.labels == LUMBOSACRAL, DISC, seen.labels)
    found = name_spine(rows_of(prediction_of(labels, seen.affine), 400, seen.labels.shape[1]))
    assert found.counted_from == "sacrum" and found.named[-1].level == "L5/S1"


def test_a_lowest_disc_at_the_edge_of_the_field_does_not(seen, whole):
    found = name_spine(rows_of(seen, 300, row_at(seen, whole.centre_mm("T11/12")) + 12))
    assert found.counted_from == "guess"


@pytest.mark.parametrize(("extra", "count"), [(("L6",), 25), ((), 23)])
def test_another_number_of_vertebrae_is_counted_from_c2_and_noted(extra, count):
    vertebrae = (*PRESACRAL, *extra) if extra else PRESACRAL[:-1]
    found = name_spine(drawn(Whole(vertebrae=vertebrae), planes=5))
    assert found.counted_from == "C2" and not found.certain
    assert "possible transitional vertebra or numbering anomaly" in found.note and f"{count} vertebrae" in found.note
    assert names(found)[:3] == ["C2", "C2/3", "C3"]
    assert found.alternatives


def test_a_rudimentary_lowest_disc_is_flagged_and_makes_a_count_from_the_sacrum_uncertain():
    seen = drawn(Whole(thin=frozenset({"L5"})), planes=5)
    lumbar = name_spine(rows_of(seen, 480, seen.labels.shape[1]))
    assert "the lowest disc is much smaller" in lumbar.note and not lumbar.certain
    assert lumbar.named[-1].level == "L5/S1" and lumbar.alternatives
    both = name_spine(seen)
    assert both.certain and "the lowest disc is much smaller" in both.note


def half_lumbosacral(seen, row):
    """A third of the disc at a row looks as if it lay on the sacrum."""
    rows = np.arange(seen.labels.shape[1])
    torn = (np.abs(rows - row) < 14) & (rows % 3 == 0)
    labels = np.where(torn[None, :, None] & (seen.labels == DISC), LUMBOSACRAL, seen.labels)
    return rows_of(prediction_of(labels, seen.affine), 480, seen.labels.shape[1])


def test_two_discs_that_look_lumbosacral_make_a_count_from_the_sacrum_uncertain(whole):
    seen = drawn(Whole(), planes=5)
    found = name_spine(half_lumbosacral(seen, row_at(seen, whole.centre_mm("L4/5"))))
    assert found.named[-1].level == "L5/S1" and not found.certain
    assert "more than one disc looks like" in found.note
    first = found.named[0].level
    assert found.alternatives[0][0] == ORDER[ORDER.index(first) + 2], "the disc above may be the one on the sacrum"


def test_a_disc_that_looks_lumbosacral_above_one_with_nothing_below_is_doubted_too(whole):
    seen = drawn(Whole(), planes=5)
    plain = prediction_of(np.where(seen.labels == LUMBOSACRAL, DISC, seen.labels), seen.affine)
    found = name_spine(half_lumbosacral(plain, row_at(seen, whole.centre_mm("L4/5"))))
    assert found.named[-1].level == "L5/S1" and not found.certain
    assert "more than one disc looks like" in found.note


def test_of_two_that_look_lumbosacral_what_is_left_of_a_disc_in_the_sacrum_is_not_it():
    whole = Whole(vertebrae=(*PRESACRAL, "L6"), thin=frozenset({"L6"}))
    seen = drawn(whole, planes=5)
    found = name_spine(half_lumbosacral(seen, row_at(seen, whole.centre_mm("L5/6"))))
    assert names(found)[-3:] == ["L5", "L5/S1", "S1"] and found.counted_from == "sacrum" and not found.certain
    assert "a disc or vertebra is seen below the lumbosacral disc" in found.note
    first = found.named[0].level
    assert found.alternatives[0][0] == ORDER[ORDER.index(first) - 2], "the remnant may be the one on the sacrum"


def test_a_block_vertebra_does_not_shift_the_names():
    found = name_spine(drawn(Whole(fused=frozenset({"T6"})), planes=5))
    assert names(found) == [level for level in LEVELS[1:-1] if level != "T6/7"]


def test_a_vertebra_that_was_not_seen_does_not_shift_the_names():
    found = name_spine(drawn(Whole(unseen=frozenset({"T9"})), planes=5))
    assert names(found) == [level for level in LEVELS[1:-1] if level != "T9"]


def test_doubtful_levels_make_those_beyond_them_less_sure():
    seen = drawn(Whole(fused=frozenset({"T6"})), planes=5)
    found = name_spine(rows_of(seen, 0, 600))
    chances = {one.level: one.probability for one in found.named}
    assert found.counted_from == "C2" and chances["T9"] < chances["T4"]


def test_a_series_without_an_anchor_is_counted_through_one_that_shares_vertebrae(seen, whole):
    cervical = rows_of(seen, 0, row_at(seen, whole.centre_mm("T6")), "1.1")
    thoracic = between(seen, whole, "T3", "T11", "1.2")
    found = name_spines([cervical, thoracic], ["frame", "frame"])
    assert [one.counted_from for one in found] == ["C2", "C2"] and all(one.certain for one in found)
    assert (
        "T7" in names(found[1])
        and abs(found[1].named[4].segment.centre_mm[2] - whole.centre_mm(found[1].named[4].level)[2]) < 12
    )
    apart = name_spines([cervical, thoracic], ["frame", "another"])
    assert [one.counted_from for one in apart] == ["C2", "guess"]
    assert [one.counted_from for one in name_spines([cervical, thoracic], ["", ""])] == ["C2", "guess"]


def test_two_blocks_are_no_spine(seen):
    labels = np.where((seen.labels == VERTEBRA) | (seen.labels == DISC), 0, seen.labels)
    found = name_spine(prediction_of(labels, seen.affine))
    assert found.named == () and not found.certain and "no row of vertebrae" in found.note


def test_a_small_person_is_named_alike():
    found = name_spine(drawn(Whole(scale=0.85), planes=5))
    assert names(found) == list(LEVELS[1:-1])


def test_a_cord_that_ends_low_does_not_move_a_count(seen, whole):
    found = name_spine(drawn(Whole(cord_end="L3"), planes=5))
    assert found.certain and names(found) == list(LEVELS[1:-1])
    assert (seen.labels == CORD).any()


def test_unsure_pixels_make_an_unsure_anchor(seen):
    doubtful = replace(seen, certainty=np.full_like(seen.certainty, 140))
    found = name_spine(rows_of(doubtful, 0, 330))
    assert max(one.probability for one in found.named) < 0.999


def test_real_lumbar_discs_are_named_from_the_sacrum(shared_data):
    for person in spider_people(shared_data)[1:7]:
        found = name_spine(spider_prediction(shared_data, person))
        assert found.named[-1].level == "L5/S1" and found.counted_from == "sacrum", person
        assert names(found) == list(ORDER[ORDER.index(found.named[0].level) : ORDER.index("L5/S1") + 1]), person


def test_the_same_field_in_two_contrasts_makes_a_guess_no_surer(seen, whole):
    field = between(seen, whole, "T3", "T11", "1.1")
    one = name_spine(field)
    two = name_spines([field, replace(field, series_instance_uid="1.2")], ["frame", "frame"])
    assert [names(spine) for spine in two] == [names(one)] * 2
    assert two[0].named[0].probability == pytest.approx(one.named[0].probability, abs=1e-6)


def test_a_count_through_another_series_says_so(seen, whole):
    cervical = rows_of(seen, 0, row_at(seen, whole.centre_mm("T6")), "1.1")
    found = name_spines([cervical, between(seen, whole, "T3", "T11", "1.2")], ["frame", "frame"])
    assert found[0].note == "" and "another series" in found[1].note


def test_anchors_that_cannot_both_be_right_are_no_anomaly_but_a_contradiction(seen, whole):
    labels = seen.labels.copy()
    row = row_at(seen, whole.centre_mm("T8/"))
    block = labels[:, row - 12 : row + 12]
    block[block == DISC] = LUMBOSACRAL
    found = name_spine(rows_of(prediction_of(labels, seen.affine), 0, row + 40))
    assert not found.certain and "not a spine apart" in found.note and "anomaly" not in found.note
