"""Readings and flags in words, and which study comes next. All pure."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.records import FlagChange, Reading, Said, Verdict
from dashboard.screens.desk_reading import Beside, FlagLine, ReadingLine, next_of
from dashboard.screens.reading_words import (
    NO_GRADE,
    flag_words,
    history,
    reading_words,
    said_of,
    verdict_words,
)

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
NAME = "Rosa Reader"


def line(
    verdict: Verdict = Verdict.AGREED,
    grade: str | None = "3",
    level: str = "",
    minutes: int = 0,
    withdrawn: bool = False,
    current: bool = True,
    author: str = NAME,
    hidden: bool = False,
    by: str = "u",
) -> ReadingLine:
    at = NOW + timedelta(minutes=minutes)
    reading = Reading("r", "s", "f", by, verdict, grade, level, "why", "more", hidden, None, at, withdrawn)
    return ReadingLine(reading, author, own=True, current=current)


def said(*readings: ReadingLine, flags: tuple[FlagLine, ...] = ()) -> Beside:
    return Beside(readings, flags, adds=True)


def flagged(name: str, value: str, minutes: int = 0) -> FlagLine:
    return FlagLine(FlagChange("s", name, value, "u", NOW + timedelta(minutes=minutes)), NAME)


@pytest.mark.parametrize(
    ("choice", "level", "suggested", "meant"),
    [
        ("3", "", "3", Said(Verdict.AGREED, None, "", "why", "more")),
        ("3", "T8", "3", Said(Verdict.CHANGED, "3", "T8", "why", "more")),
        ("2", "", "3", Said(Verdict.CHANGED, "2", "", "why", "more")),
        ("2", "", None, Said(Verdict.CHANGED, "2", "", "why", "more")),
        (NO_GRADE, "", "3", Said(Verdict.NOT_GRADABLE, None, "", "why", "more")),
        (None, "", None, Said(Verdict.CHANGED, None, "", "why", "more")),
    ],
)
def test_the_choices_of_the_form_are_what_the_person_meant(
    choice: str | None, level: str, suggested: str | None, meant: Said
) -> None:
    assert said_of(choice, level, "why", "more", suggested) == meant


@pytest.mark.parametrize(
    ("reading", "suggested", "words"),
    [
        (line(), "3", "grade 3, agreed"),
        (line(Verdict.CHANGED, "2"), "3", "grade 2 instead of 3"),
        (line(Verdict.CHANGED, "3", "T8"), "3", "grade 3, agreed, level T8"),
        (line(Verdict.CHANGED, "1b"), None, "grade 1b"),
        (line(Verdict.NOT_GRADABLE, None), "3", "cannot be graded, instead of 3"),
        (line(Verdict.NOT_GRADABLE, None, "L1"), None, "cannot be graded, level L1"),
    ],
)
def test_a_reading_says_what_it_keeps_and_what_it_changes(
    reading: ReadingLine, suggested: str | None, words: str
) -> None:
    assert verdict_words(reading.reading, suggested) == words


def test_the_latest_reading_that_stands_is_said_with_who_and_when() -> None:
    readings = said(line(by="v"), line(Verdict.CHANGED, "2", minutes=5), line(minutes=9, withdrawn=True))
    assert reading_words(readings, "3") == (
        "Read: grade 2 instead of 3 · Rosa Reader · 2026-11-20 12:05 UTC · 1 other reading of another grade"
    )


def test_what_the_same_person_said_before_is_no_other_reading() -> None:
    readings = said(line(), line(Verdict.CHANGED, "2", minutes=5))
    assert reading_words(readings, "3") == "Read: grade 2 instead of 3 · Rosa Reader · 2026-11-20 12:05 UTC"


def test_to_a_guest_nobody_is_named() -> None:
    assert reading_words(said(line(author="")), "3") == "Read: grade 3, agreed · 2026-11-20 12:00 UTC"


def test_unread_is_said_and_that_images_came_after_the_reading() -> None:
    assert reading_words(said(), "3") == "Not read yet"
    assert reading_words(said(line(withdrawn=True)), "3") == "Not read yet"
    assert reading_words(said(line(current=False)), "3") == "Not read yet: images were added after the last reading"


def test_flags_in_force_are_said_with_the_day_of_onset() -> None:
    flags = (
        flagged("known_cancer", "yes"),
        flagged("symptom_onset", "2026-11-18"),
        flagged("new_deficit", "yes"),
        flagged("known_cancer", "", 1),
    )
    words = "Clinical flags: symptom onset 2026-11-18, new deficit"
    assert flag_words(said(flags=flags), "routine") == f"{words} · read with urgent"
    assert flag_words(said(flags=flags), "immediate") == f"{words} · moved up"
    assert flag_words(said(), "routine") == "Clinical flags: none"


def test_everything_said_is_listed_newest_first_with_what_became_of_it() -> None:
    readings = (line(current=False), line(Verdict.CHANGED, "2", minutes=2, withdrawn=True, hidden=True))
    flags = (flagged("new_deficit", "yes", 1), flagged("new_deficit", "", 3))
    assert [words for _, _, words, *_ in history(Beside(readings, flags, adds=False), "3")] == [
        "flag taken back: new deficit",
        "grade 2 instead of 3; marks hidden; withdrawn",
        "flag set: new deficit",
        "grade 3; of the result before images were added",
    ]


def test_next_is_the_most_urgent_not_seen_yet_then_the_one_after() -> None:
    unread = ["a", "b", "c", "d"]
    assert next_of(unread, "b", {"a", "b"}) == "c"
    assert next_of(unread, "b", {"b", "c", "d"}) == "a"
    assert next_of(unread, "b", set(unread)) == "c"
    assert next_of(unread, "d", set(unread)) == "a"
    assert next_of(["b"], "b", set()) is None


@given(st.lists(st.text("abcdef", min_size=1, max_size=1), unique=True), st.data())
def test_whoever_only_presses_next_sees_every_unread_study_before_one_twice(
    unread: list[str], data: st.DataObject
) -> None:
    if not unread:
        return
    current = data.draw(st.sampled_from(unread))
    seen = {current}
    for _ in range(len(unread) - 1):
        following = next_of(unread, current, seen)
        assert following is not None
        assert following not in seen
        seen.add(following)
        current = following
    assert seen == set(unread)
