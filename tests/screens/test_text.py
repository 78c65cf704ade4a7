"""Text from outside is data: one line, no marks that hide or turn, escaped."""

import html

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.screens.text import LONGEST, counted, date, markup, person_name, plain, probability


@given(st.text(max_size=400))
def test_plain_text_is_one_short_printable_line(text: str) -> None:
    shown = plain(text)
    assert len(shown) <= LONGEST
    assert shown.isprintable()


@given(st.text(max_size=200))
def test_markup_holds_no_markup(text: str) -> None:
    shown = markup(text)
    assert not set(shown) & set("<>\"'")
    assert html.unescape(shown) == plain(text)


def test_direction_marks_are_left_out() -> None:
    assert plain("A\u202egnp.exe\u2066") == "Agnp.exe"


def test_long_text_is_cut_quickly_and_says_so() -> None:
    assert plain("N" * 65536) == "N" * (LONGEST - 1) + "…"


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        ("Okafor^Ngozi^Adaeze", "Okafor, Ngozi Adaeze"),
        ("Okafor", "Okafor"),
        ("", ""),
        ("^^^", ""),
        ("Yamada^Tarou=山田^太郎=やまだ^たろう", "Yamada, Tarou"),
        ("=山田^太郎", "山田, 太郎"),
    ],
)
def test_names_are_written_as_people_write_them(stored: str, shown: str) -> None:
    assert person_name(stored) == shown


def test_a_probability_never_claims_0_or_1() -> None:
    assert [probability(value) for value in (None, 0.0, 0.5, 1.0)] == ["–", "< 0.01", "0.50", "> 0.99"]


def test_dates_that_are_none_stay_as_they_are() -> None:
    assert date("20250314") == "2025-03-14"
    assert date("someday") == "someday"


def test_counting() -> None:
    assert counted(1, "study", "studies") == "1 study"
    assert counted(1200, "file") == "1,200 files"
