"""The order of reading: tiers, and what clinical flags do to it."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.grading import TIERS, Flag, moved_words, reading_rank, standing_tier
from dashboard.grading.reading_order import ORDER
from dashboard.study import GRADES

TIER = st.sampled_from([*TIERS, None])
FLAGS = st.dictionaries(st.sampled_from(list(Flag)), st.just("yes"))


def test_without_flags_the_order_is_that_of_the_tiers() -> None:
    assert [tier for tier in sorted(ORDER, key=lambda tier: reading_rank(tier, {})) if tier] == list(TIERS)


@pytest.mark.parametrize("flag", [Flag.NEW_DEFICIT, Flag.SPHINCTER_CHANGE])
def test_a_deficit_is_read_with_the_urgent_ones_and_first(flag: Flag) -> None:
    assert standing_tier("routine", {flag: "yes"}) == "urgent"
    assert reading_rank("routine", {flag: "yes"}) < reading_rank("urgent", {})
    assert reading_rank("immediate", {}) < reading_rank("routine", {flag: "yes"})


def test_a_deficit_with_known_cancer_comes_before_one_without() -> None:
    both = {Flag.NEW_DEFICIT: "yes", Flag.KNOWN_CANCER: "yes"}
    assert reading_rank("urgent", both) < reading_rank("urgent", {Flag.NEW_DEFICIT: "yes"})


def test_cancer_and_onset_count_within_the_tier_only() -> None:
    cancer, onset = {Flag.KNOWN_CANCER: "yes"}, {Flag.SYMPTOM_ONSET: "2026-01-01"}
    assert reading_rank("soon", cancer) < reading_rank("soon", onset) < reading_rank("soon", {})
    assert reading_rank("urgent", {}) < reading_rank("soon", cancer)


@given(TIER, FLAGS, st.sampled_from(list(Flag)))
def test_a_flag_never_moves_a_study_down(tier: str | None, flags: dict[str, str], flag: Flag) -> None:
    assert reading_rank(tier, {**flags, flag: "yes"}) <= reading_rank(tier, flags)


@pytest.mark.parametrize("grade", ["2", "3"])
def test_what_a_person_graded_2_or_3_stands_with_the_urgent_ones(grade: str) -> None:
    assert standing_tier("routine", {}, grade) == "urgent"
    assert reading_rank("routine", {}, grade) == reading_rank("urgent", {})
    assert standing_tier("immediate", {}, grade) == "immediate"
    assert moved_words("routine", {}, grade) == f"read with urgent: a person's grade {grade}"
    assert moved_words("urgent", {}, grade) == ""
    assert moved_words("soon", {Flag.KNOWN_CANCER: "yes"}, grade) == (
        f"read with urgent: a person's grade {grade}, known cancer"
    )


@given(TIER, FLAGS, st.sampled_from([None, *GRADES]))
def test_no_persons_grade_moves_a_study_down(tier: str | None, flags: dict[str, str], grade: str | None) -> None:
    assert reading_rank(tier, flags, grade) <= reading_rank(tier, flags)


def test_a_flag_that_was_taken_back_moves_nothing() -> None:
    assert reading_rank("soon", {Flag.NEW_DEFICIT: ""}) == reading_rank("soon", {})


def test_an_unknown_tier_comes_last_without_an_error() -> None:
    assert max(itertools.chain(ORDER, ["unheard of"]), key=lambda tier: reading_rank(tier, {})) == "unheard of"


def test_the_words_say_what_moved_it_and_how() -> None:
    assert moved_words("soon", {}) == ""
    assert moved_words("soon", {Flag.NEW_DEFICIT: "yes"}) == "read with urgent: new deficit"
    assert moved_words("urgent", {Flag.KNOWN_CANCER: "yes"}) == "moved up: known cancer"
