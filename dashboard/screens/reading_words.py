"""Readings and clinical flags in words. Pure."""

from datetime import datetime

from dashboard.grading import FLAG_WORDS, moved_words
from dashboard.records import Reading, Said, Verdict
from dashboard.screens.desk_reading import Beside, FlagLine, ReadingLine
from dashboard.screens.text import counted, plain
from dashboard.study import SlicePlace

# What stands among the grades for none, and what it means.
NO_GRADE, CANNOT = "none", "cannot be graded"
NOT_READ = "Not read yet"
# One line of the table of what persons said.
Line = tuple[datetime, str, str, str, str]


def said_of(
    choice: str | None, level: str, reason: str, comment: str, suggested: str | None, at: SlicePlace | None = None
) -> Said:
    """What a person says by the choices of the form; keeping the suggested grade is to agree.

    Parameters
    ----------
    choice
        A grade, :data:`NO_GRADE`, or None where nothing was chosen.
    at
        The slice that the person says shows it.
    """
    if choice == NO_GRADE:
        return Said(Verdict.NOT_GRADABLE, None, level, reason, comment, at=at)
    if choice == suggested and suggested is not None and not level:
        return Said(Verdict.AGREED, None, "", reason, comment, at=at)
    return Said(Verdict.CHANGED, choice, level, reason, comment, at=at)


def verdict_words(reading: Reading, suggested: str | None) -> str:
    """What a reading says: ``grade 2 instead of 3 at T8``."""
    words = f"grade {reading.grade}"
    if reading.verdict is Verdict.NOT_GRADABLE:
        words = CANNOT if suggested is None else f"{CANNOT}, instead of {suggested}"
    elif reading.grade == suggested:
        words += ", agreed"
    elif suggested is not None:
        words += f" instead of {suggested}"
    if reading.level:
        words += f", level {reading.level}"
    return f"{words}, seen on slice {reading.at.number}" if reading.at else words


def reading_words(said: Beside, suggested: str | None) -> str:
    """The reading that counts, by whom and when; or that there is none."""
    standing = said.standing
    if not standing:
        former = any(
            not line.current and not line.reading.withdrawn and not line.names_levels for line in said.readings
        )
        return f"{NOT_READ}: images were added after the last reading" if former else NOT_READ
    last = standing[-1]
    words = f"Read: {verdict_words(last.reading, suggested)} · {_who(last.author)}{moment(last.reading.created_at)}"
    # Of each person the latest; what somebody has replaced stands in the history.
    latest = {line.reading.author: line.reading.grade for line in standing}
    others = [grade for grade in latest.values() if grade != last.reading.grade]
    return f"{words} · {counted(len(others), 'other reading')} of another grade" if others else words


def levels_words(said: Beside) -> str:
    """By whom and when levels were corrected, and from what to what; empty where they are the software's."""
    line = said.levels
    if line is None:
        former = any(one.names_levels and not one.current and not one.reading.withdrawn for one in said.readings)
        return "levels were corrected before images were added: check them" if former else ""
    who = plain(line.author, 40) if line.author else "the team"
    return f"{_levels(line.reading)} by {who}, {moment(line.reading.created_at)}"


def _levels(reading: Reading) -> str:
    if reading.level_was == reading.level:
        return f"levels confirmed ({reading.level})"
    return f"levels corrected: {reading.level} (was {reading.level_was})"


def flag_words(said: Beside, tier: str | None) -> str:
    """The clinical flags in force, and where they move a study of this tier."""
    values = {name: line.change.value for name, line in said.set_flags.items()}
    words = f"Clinical flags: {', '.join(_flag(name, value) for name, value in values.items()) or 'none'}"
    moved = moved_words(tier, values).partition(":")[0]
    return f"{words} · {moved}" if moved else words


def history(said: Beside, suggested: str | None) -> list[Line]:
    """(when, who, what, reason, comment) of everything persons said, newest first."""
    lines = [_reading_line(line, suggested) for line in said.readings]
    lines += [_flag_line(line) for line in said.flags]
    return sorted(lines, key=lambda line: line[0], reverse=True)


def moment(at: datetime) -> str:
    """A time of this site's records, in the zone that all of them are shown in."""
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _reading_line(line: ReadingLine, suggested: str | None) -> Line:
    reading = line.reading
    # Of a former finding the suggestion is not on screen.
    notes = [verdict_words(reading, suggested if line.current else reading.grade)]
    if line.names_levels:
        notes = [_levels(reading), *([] if line.current else ["of the result before images were added"])]
    elif not line.current:
        notes = [f"grade {reading.grade}" if reading.grade else CANNOT, "of the result before images were added"]
    if reading.marks_hidden:
        notes.append("marks hidden")
    if reading.withdrawn:
        notes.append("withdrawn")
    return (
        reading.created_at,
        plain(line.author, 60),
        "; ".join(notes),
        plain(reading.reason, 1000),
        plain(reading.comment, 1000),
    )


def _flag_line(line: FlagLine) -> Line:
    change = line.change
    words = f"flag taken back: {FLAG_WORDS[change.flag]}"
    if change.value:
        words = f"flag set: {_flag(change.flag, change.value)}"
    return change.created_at, plain(line.author, 60), words, "", ""


def _flag(name: str, value: str) -> str:
    return f"{FLAG_WORDS[name]} {value}" if name == "symptom_onset" else FLAG_WORDS[name]


def _who(author: str) -> str:
    return f"{plain(author, 40)} · " if author else ""
