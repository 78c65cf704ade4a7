"""Every level of the spine has its name, and its place."""

from dashboard.study import LEVELS, level_words


def test_levels_go_from_head_to_foot_with_the_discs_between() -> None:
    assert LEVELS[:5] == ("C1", "C2", "C2/3", "C3", "C3/4")
    assert LEVELS[-3:] == ("L5", "L5/S1", "S1")


def test_there_are_25_vertebrae_and_23_discs() -> None:
    assert len(set(LEVELS)) == len(LEVELS) == 25 + 23
    assert {"C7/T1", "T12/L1", "T8/9"} <= set(LEVELS)
    assert "C1/2" not in LEVELS


def test_a_level_shows_how_sure_it_is() -> None:
    assert level_words("T8") == level_words("T8", None) == "T8"
    assert level_words("T8", False) == "T8 (level uncertain)"
    assert level_words(None, False) == level_words("") == ""
