"""What the study's screen asks of the records about persons: readings, clinical flags, the next study, deletion."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import streamlit as st

from dashboard.grading import LevelCorrection, named_levels, relevel
from dashboard.records import (
    FlagChange,
    Reading,
    Said,
    Verdict,
    get_finding,
    get_study,
    list_flags,
    list_readings,
    shown_finding,
)
from dashboard.screens import desk, desk_list, desk_team
from dashboard.screens.desk_pictures import pictures_of
from dashboard.sharing import (
    Person,
    Right,
    correct_levels,
    flag,
    give_reading,
    may,
    remove_study,
    require,
    take_back,
)

# Whether the pictures are shown without the software's marks; the switch stands beside them.
HIDDEN_MARKS = "hide_ai_marks"


@dataclass(frozen=True)
class ReadingLine:
    """A reading as a visitor may see it.

    Attributes
    ----------
    author
        Their name; "" for the holder of a share link.
    own
        The visitor's own, who may withdraw it.
    current
        It is of the finding on screen, not of one that images were added to since.
    """

    reading: Reading
    author: str
    own: bool
    current: bool

    @property
    def stands(self) -> bool:
        """Whether it counts: neither withdrawn nor of a former finding."""
        return self.current and not self.reading.withdrawn

    @property
    def names_levels(self) -> bool:
        """Whether it corrects levels, and says nothing of the grade."""
        return self.reading.verdict is Verdict.RELEVELLED


@dataclass(frozen=True)
class FlagLine:
    """A change of a flag; `author` as in :class:`ReadingLine`."""

    change: FlagChange
    author: str


@dataclass(frozen=True)
class Beside:
    """What persons said of a study, oldest first, and whether the visitor may add to it."""

    readings: tuple[ReadingLine, ...]
    flags: tuple[FlagLine, ...]
    adds: bool

    @property
    def standing(self) -> tuple[ReadingLine, ...]:
        """Readings of the grade that count, oldest first."""
        return tuple(line for line in self.readings if line.stands and not line.names_levels)

    @property
    def own(self) -> Reading | None:
        """The visitor's own latest reading of the grade that counts."""
        return next((line.reading for line in reversed(self.standing) if line.own), None)

    @property
    def own_last(self) -> Reading | None:
        """What the visitor said last and may take back: a reading of the grade, or a correction of levels."""
        return next((line.reading for line in reversed(self.readings) if line.stands and line.own), None)

    @property
    def levels(self) -> ReadingLine | None:
        """The correction of levels that counts: the last one."""
        return next((line for line in reversed(self.readings) if line.stands and line.names_levels), None)

    @property
    def set_flags(self) -> dict[str, FlagLine]:
        """The flags in force, each with its last change."""
        last = {line.change.flag: line for line in self.flags}
        return {name: line for name, line in last.items() if line.change.value}


def beside(visitor: Person, study_id: str) -> Beside:
    """What persons said of a study, as `visitor` may see it.

    Free text may name the patient: whoever may not know the patient gets readings without their words. The holder of
    a share link does not learn who gave them.

    Raises
    ------
    NotAllowed
        The visitor may not see the study.
    """
    require(visitor, Right.SEE_STUDY, study_id)
    site = desk.records()
    with site.reading() as session:
        finding_id = get_study(session, study_id).current_finding_id
        readings, flags = list_readings(session, site.keys, study_id), list_flags(session, study_id)
    names = desk_team.people_by_id() if (readings or flags) and may(visitor, Right.SEE_LIST) else {}
    if not may(visitor, Right.SEE_IDENTITY):
        readings = tuple(replace(reading, reason="", comment="") for reading in readings)
    return Beside(
        tuple(
            ReadingLine(one, _name(names, one.author), one.author == visitor.id, one.finding_id == finding_id)
            for one in readings
            if one.verdict is not Verdict.WITHDRAWN
        ),
        tuple(FlagLine(change, _name(names, change.author)) for change in flags),
        may(visitor, Right.READ),
    )


def marks_hidden() -> bool:
    """Whether the visitor looks without the software's marks."""
    return bool(st.session_state.get(HIDDEN_MARKS, False))


def switch_marks() -> None:
    """Hide the software's marks, or show them again."""
    st.session_state[HIDDEN_MARKS] = not marks_hidden()


def give(study_id: str, finding_id: str, said: Said) -> None:
    """Add the visitor's reading; whether the marks were hidden is taken from the screen."""
    said = replace(said, marks_hidden=marks_hidden())
    give_reading(desk.records(), desk.person(), study_id, finding_id, said, desk.now())


def correct(study_id: str, finding_id: str, chosen: LevelCorrection, now: str) -> None:
    """Name one of :func:`segments`, and with it all levels of the finding.

    Raises
    ------
    LevelRefused
        The other levels cannot follow; the message calls them what they are called on screen.
    """
    require(desk.person(), Right.READ)
    with desk.records().reading() as session:
        shown = shown_finding(session, finding_id)
    if shown is not None:
        relevel(shown.document, LevelCorrection(chosen.now, now))
    correction = LevelCorrection(chosen.was, now)
    correct_levels(desk.records(), desk.person(), study_id, finding_id, correction, desk.now())


def segments(finding_id: str) -> tuple[LevelCorrection, ...]:
    """Vertebrae and discs of a finding, head to foot: what the software calls them, and what they are called now.

    Raises
    ------
    NotAllowed
        The visitor may not give readings.
    """
    require(desk.person(), Right.READ)
    with desk.records().reading() as session:
        found, shown = get_finding(session, finding_id), shown_finding(session, finding_id)
    rows = [named_levels(one.document) if one else () for one in (found, shown)]
    return tuple(LevelCorrection(was, now) for was, now in zip(*rows, strict=True))


def withdraw(reading_id: str) -> None:
    """Take the visitor's own reading back."""
    take_back(desk.records(), desk.person(), reading_id, desk.now())


def set_flag(study_id: str, name: str, value: str) -> None:
    """Set a clinical flag, or take it back with ""."""
    flag(desk.records(), desk.person(), study_id, name, value, desk.now())


def delete(study_id: str) -> None:
    """Delete a study for good."""
    with desk.records().reading() as session:
        finding_id = get_study(session, study_id).current_finding_id
    remove_study(desk.records(), desk.person(), study_id, desk.now())
    if finding_id is not None:
        pictures_of(desk.records()).forget(finding_id)


def next_unread(study_id: str) -> str | None:
    """The study to read after this one; None when every other one has been read."""
    found = desk_list.in_order()
    unread = [one.id for one in found if one.read_at is None or one.id == study_id]
    return next_of(unread, study_id, desk.seen(desk.person()))


def next_of(unread: Sequence[str], current: str, seen: Collection[str]) -> str | None:
    """The most urgent study that the visitor has not seen yet; when all were seen, the one after the current one.

    Whoever skips a study is led to the others before it comes round again.
    """
    others = [one for one in unread if one != current]
    if not others:
        return None
    fresh = next((one for one in others if one not in seen), None)
    if fresh is not None:
        return fresh
    place = unread.index(current) if current in unread else -1
    return [*unread[place + 1 :], *others][0]


def _name(names: Mapping[str, str], author: str) -> str:
    return names.get(author, author) if names else ""
