"""Descriptions keep words of technique and anatomy, and nothing else."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dashboard.ingest.descriptions import LONGEST_RESULT, clean, fold, vocabulary


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("t2_tse_sag_512", "t2 tse sag 512"),
        ("*tse2d1_15", "tse2d1 15"),
        ("COL. CERVICAL SAG T2 FRFSE", "CERVICAL SAG T2 FRFSE"),
        ("Wirbelsäule ganz", "Wirbelsaeule ganz"),
        ("IRM rachis lombaire", "IRM rachis lombaire"),
        ("RM columna dorsal", "RM columna dorsal"),
        ("RM colonna lombare", "RM colonna lombare"),
        ("MRI wervelkolom", "MRI wervelkolom"),
        ("Ax T2* MERGE L5-S1", "Ax T2* MERGE L5-S1"),
        ("OAx T2 FSE", "OAx T2 FSE"),
        ("SAG STIR 3 mm", "SAG STIR 3 mm"),
        ("T1 DIXON post KM Th12", "T1 DIXON post KM Th12"),
        ("ep2d_diff_b800", "ep2d diff b800"),
        ("T2 0:MIN 5 min SAG", "T2 0 MIN 5 min SAG"),
    ],
)
def test_words_of_technique_and_anatomy_stay(typed: str, kept: str) -> None:
    assert clean(typed) == kept


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("T2 TSE BWS Müller 12.05.1967", "T2 TSE BWS"),
        ("MÜLLER^HANS", ""),
        ("MRN 123456", ""),
        ("Station 4, Zimmer 12", ""),
        ("19670512", ""),
        ("Tel 089 123 456", ""),
        ("Hans 67 T2", "T2"),
        ("李^小龙 T2", "T2"),
        ("AX T2 for Dr Smith", "AX T2"),
    ],
)
def test_names_dates_and_numbers_go(typed: str, kept: str) -> None:
    assert clean(typed) == kept


@given(st.text(max_size=300))
def test_any_text_gives_a_short_plain_line(typed: str) -> None:
    line = clean(typed)
    assert len(line) <= LONGEST_RESULT
    assert line.isascii()
    assert not re.search(r"\d{5}", line)


@given(st.text(alphabet="bfhjkqvwxyz", min_size=5, max_size=12))
def test_a_word_that_is_not_listed_never_stays(word: str) -> None:
    if word not in vocabulary():
        assert word not in clean(f"T2 {word} SAG").split()


PIECES = st.sampled_from(["T2", "SAG", "12", "3.5", "MIN", "sec", "t", "x", "Hans", "123456", "mm", ":", "-", " "])


@given(st.text(max_size=200) | st.lists(PIECES, max_size=60).map(" ".join) | st.lists(PIECES, max_size=9).map("".join))
@example("0:MIN")
@example("B0:0;0IN")
def test_cleaning_twice_changes_nothing(typed: str) -> None:
    assert clean(clean(typed)) == clean(typed)


def test_a_very_long_text_is_cut() -> None:
    assert len(clean("T2 TSE " * 10_000)) <= LONGEST_RESULT


def test_vocabulary_is_written_as_it_is_looked_up() -> None:
    assert [word for word in vocabulary() if fold(word).lower() != word] == []
