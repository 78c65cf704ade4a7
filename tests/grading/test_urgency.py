"""Tiers, scores and their words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.grading.gaps import Concern
from dashboard.grading.urgency import (
    TIER_OF_GRADE,
    TIERS,
    Claim,
    Tier,
    claim_of_gaps,
    claim_of_unsupported,
    judge,
)
from dashboard.study import GRADES

probabilities = st.lists(st.floats(0, 1), min_size=5, max_size=5).map(lambda values: sorted(values, reverse=True))
claims = st.lists(st.sampled_from(TIERS).map(lambda tier: Claim(tier, (tier.value,))), min_size=1, max_size=4)


def test_tiers_stand_in_the_order_of_the_worklist():
    assert [tier.value for tier in TIERS] == ["immediate", "urgent", "not analysed", "soon", "routine"]


def test_a_worse_grade_is_never_less_urgent():
    places = [TIERS.index(TIER_OF_GRADE[grade]) for grade in GRADES]
    assert places == sorted(places, reverse=True)


def test_3_is_immediate_2_urgent_any_other_tumour_soon_and_none_routine():
    tiers = [TIER_OF_GRADE[grade].value for grade in ("3", "2", "1c", "1b", "1a", "0")]
    assert tiers == ["immediate", "urgent", "soon", "soon", "soon", "routine"]


@given(claims, probabilities)
def test_the_most_urgent_claim_decides_and_no_reason_is_lost(made, at_least):
    found = judge(made, at_least)
    assert found.tier == min((claim.tier for claim in made), key=TIERS.index)
    assert set(found.reasons) == {reason for claim in made for reason in claim.reasons}
    assert 0 <= found.score <= 100


@given(claims, probabilities, st.integers(0, 4), st.floats(0, 1))
def test_a_worse_probability_never_lowers_the_score(made, at_least, index, value):
    worse = list(at_least)
    worse[index] = max(worse[index], value)
    assert judge(made, worse).score >= judge(made, at_least).score


@given(claims, probabilities, st.sampled_from(TIERS))
def test_one_more_claim_never_lowers_tier_or_score(made, at_least, tier):
    more = judge([*made, Claim(tier, ("more",))], at_least)
    assert TIERS.index(more.tier) <= TIERS.index(judge(made, at_least).tier)
    assert more.score >= judge(made, at_least).score


def test_an_unsupported_slice_alone_never_makes_a_study_urgent():
    for grade in ("2", "3"):
        for has_neighbours in (True, False):
            assert claim_of_unsupported({7: grade}, has_neighbours).tier not in (Tier.IMMEDIATE, Tier.URGENT)
    assert "check slice 7 (grade 2)" in claim_of_unsupported({7: "2"}, True).reasons[0]


@pytest.mark.parametrize(
    ("concern", "tier"),
    [
        (Concern.THIN, "routine"),
        (Concern.NARROW, "soon"),
        (Concern.WIDE, "not analysed"),
        (Concern.SUSPICIOUS, "urgent"),
    ],
)
def test_a_gap_asks_for_more_the_more_it_may_hide(concern, tier):
    claim = claim_of_gaps(concern, [(4, 6)], ["no cord could be outlined where one is expected"])
    assert claim.tier.value == tier and claim.reasons[0].startswith("slices 4 to 6 could not be graded")


def test_a_gap_of_one_slice_is_spoken_of_as_one():
    assert claim_of_gaps(Concern.WIDE, [(4, 4)], ["why"]).reasons[0].startswith("slice 4 could not be graded (why)")


def test_several_gaps_of_one_concern_share_a_sentence_and_name_each_obstacle_once():
    words = claim_of_gaps(Concern.WIDE, [(4, 4), (7, 9)], ["dark", "dark", "turned"]).reasons
    assert words == (
        "slices 4, 7 to 9 could not be graded (dark; turned): a compression could hide there, read it now",
    )
