"""The profile says where, how much and in which unit, against which norm, and why there is none."""

import json

import pytest

from dashboard.viewing.profile_figure import CURRENT, NOTE, NOTE_CHARACTERS, ROWS, USUAL, ProfilePoint, profile_figure
from dashboard.viewing.theme import NOT_ANALYSED_MARK

AREA = "cord_area_mm2"
MEASURES = {AREA: 60.0, "cord_diameter_AP_mm": 7.0, "compression_ratio": 0.7, "csf_fraction": 0.256}


def point(index: int, grade: str | None = "0", level: str | None = None) -> ProfilePoint:
    """A slice 4 mm further on."""
    if grade is None:
        return ProfilePoint(4.0 * index, index + 1, level, None)
    return ProfilePoint(4.0 * index, index + 1, level, grade, 0.1, MEASURES)


def trace(drawn: object, name: str) -> object:
    """The one trace of that name."""
    (found,) = [one for one in drawn.data if one.name == name]  # type: ignore[attr-defined]
    return found


def test_every_point_of_the_profile_carries_its_slice() -> None:
    drawn = profile_figure([point(index) for index in range(9)], 4, tuple(ROWS))
    assert len(drawn.data) == len(ROWS)
    assert all(list(one.customdata) == list(range(9)) for one in drawn.data)


def test_the_rows_that_were_chosen_are_drawn_in_their_order() -> None:
    drawn = profile_figure([point(0), point(1)], 0, ("probability_high", AREA))
    assert [one.name for one in drawn.data] == ["Cord area", "P(high)"]
    assert [one.name for one in profile_figure([point(0)], 0).data] == [ROWS[name].label for name in USUAL]


def test_without_a_row_the_grades_remain() -> None:
    assert [one.name for one in profile_figure([point(0)], 0, ()).data] == ["Grade"]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (AREA, "slice 2, T8: Cord area 60.0 mm²"),
        ("cord_diameter_AP_mm", "slice 2, T8: Cord AP 7.0 mm"),
        ("compression_ratio", "slice 2, T8: AP / RL 0.70"),
        ("csf_fraction", "slice 2, T8: CSF share 26 %"),
        ("probability_high", "slice 2, T8: P(high) 0.10"),
    ],
)
def test_hover_says_slice_level_value_and_unit(row: str, words: str) -> None:
    drawn = profile_figure([point(0), point(1, level="T8")], 0, (row,))
    assert drawn.data[0].hovertext[1] == words


def test_a_slice_that_was_not_analysed_is_marked_and_leaves_a_gap() -> None:
    drawn = profile_figure([point(0), point(1, None), point(2)], 0)
    grades, area = trace(drawn, "Grade"), trace(drawn, "Cord area")
    assert grades.hovertext[1] == "slice 2: not analysed"  # type: ignore[attr-defined]
    assert grades.marker.symbol[1] == NOT_ANALYSED_MARK[0]  # type: ignore[attr-defined]
    assert area.y[1] is None  # type: ignore[attr-defined]
    assert area.connectgaps is False  # type: ignore[attr-defined]


def test_the_worst_grade_keeps_its_letter_among_many_slices() -> None:
    points = [point(index, "3" if index == 151 else "0") for index in range(200)]
    assert profile_figure(points, 0).data[0].text[151] == "3"


def test_an_empty_profile_is_still_a_figure() -> None:
    assert json.loads(profile_figure([], 0).to_json())["data"]


def test_the_slice_that_is_shown_is_marked_in_every_row() -> None:
    frame, *lines = [one for one in profile_figure([point(0), point(1)], 1).layout.shapes if one.name == CURRENT]
    assert frame.xanchor == 4.0
    assert [line.x0 for line in lines] == [4.0] * (len(USUAL) - 1)
    assert not profile_figure([point(0)], 7).layout.shapes


def test_the_norm_is_drawn_below_the_curve_as_one_and_two_deviations() -> None:
    points = [point(0), point(1), point(2)]
    drawn = profile_figure(points, 0, (AREA,), {AREA: [(40.0, 5.0), (40.0, 5.0), None]})
    assert [one.name for one in drawn.data] == ["norm ± 2 SD", "norm ± 1 SD", "norm mean", "Cord area"]
    wide, near, mean, _ = drawn.data
    assert (min(wide.y[:-1]), max(wide.y[:-1])) == (30.0, 50.0)
    assert (min(near.y[:-1]), max(near.y[:-1])) == (35.0, 45.0)
    assert mean.y == (40.0, 40.0, None)
    # From half a step before the first slice to half way to the one without a norm.
    assert (mean.x[0], mean.x[1]) == (-2.0, 6.0)


def test_the_band_steps_where_the_level_changes_and_never_below_nought() -> None:
    drawn = profile_figure([point(0), point(1)], 0, (AREA,), {AREA: [(40.0, 5.0), (10.0, 9.0)]})
    wide, mean = drawn.data[0], drawn.data[2]
    assert mean.y == (40.0, 40.0, None, 10.0, 10.0, None)
    assert mean.x == (-2.0, 2.0, None, 2.0, 6.0, None)
    assert min(value for value in wide.y if value is not None) == 0.0


def test_hover_says_the_norm_and_how_far_from_it() -> None:
    drawn = profile_figure([point(0, level="T8")], 0, (AREA,), {AREA: [(70.0, 5.0)]})
    assert drawn.data[-1].hovertext[0] == "slice 1, T8: Cord area 60.0 mm²<br>norm 70.0 ± 5.0, z -2.0"


def test_no_norm_no_band_and_the_figure_says_why() -> None:
    drawn = profile_figure([point(0)], 0, (AREA,), {AREA: [None]}, "no norm band: levels are unknown or uncertain")
    assert [one.name for one in drawn.data] == ["Cord area"]
    notes = [one.text for one in drawn.layout.annotations if one.name == NOTE]
    assert notes == ["no norm band: levels are unknown or uncertain"]


@pytest.mark.parametrize(("chance", "words"), [(0.0, "&lt; 0.01"), (1.0, "&gt; 0.99"), (0.5, "0.50")])
def test_a_probability_never_claims_0_or_1(chance: float, words: str) -> None:
    drawn = profile_figure([ProfilePoint(0.0, 1, None, "0", chance)], 0, ("probability_high",))
    assert drawn.data[0].hovertext[0] == f"slice 1: P(high) {words}"


def test_a_course_without_a_norm_is_drawn_from_nought() -> None:
    plain, beside = (profile_figure([point(0)], 0, (AREA,), norms) for norms in ({}, {AREA: [(40.0, 5.0)]}))
    assert plain.layout.yaxis.rangemode == "tozero"
    assert beside.layout.yaxis.rangemode == "normal"


def test_a_guessed_level_says_so_and_has_no_norm() -> None:
    guessed = ProfilePoint(0.0, 1, "T8", "0", level_certain=False)
    assert (guessed.where, guessed.norm_level) == ("slice 1, T8 (level uncertain)", None)
    assert (point(0, level="T8").where, point(0, level="T8").norm_level) == ("slice 1, T8", "T8")


def test_a_long_note_has_lines_of_its_own_below_the_axis() -> None:
    note = "broken line and band: " + ", ".join(f"no norm at level {k}" for k in range(12))
    drawn = profile_figure([point(0)], 0, (AREA,), {AREA: [None]}, note)
    words, axis = (next(one for one in drawn.layout.annotations if one.name == name) for name in (NOTE, "axis"))
    lines = words.text.split("<br>")
    assert len(lines) > 1 and max(len(line) for line in lines) <= NOTE_CHARACTERS
    assert " ".join(lines) == note
    assert words.yshift <= axis.yshift - 15
    plain = profile_figure([point(0)], 0, (AREA,), {})
    assert drawn.layout.margin.b == plain.layout.margin.b + 15 * len(lines)
