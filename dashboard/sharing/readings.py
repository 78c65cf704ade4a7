"""What a person says of a study: readings, clinical flags, and that it shall be deleted. Each step is noted."""

from datetime import datetime

from dashboard.grading import LevelCorrection
from dashboard.records import (
    FlagChange,
    Reading,
    Records,
    Said,
    add_correction,
    add_reading,
    delete_study,
    note,
    set_flag,
    withdraw_reading,
)
from dashboard.sharing.access import Person, Right, require


def give_reading(
    records: Records, person: Person, study_id: str, finding_id: str, said: Said, now: datetime
) -> Reading:
    """Add a reading. The log tells that there is one and of which grade, and none of its words.

    Raises
    ------
    NotAllowed
        The person may not read.
    RecordsError
        The finding does not stand any more, or what was said is incomplete.
    """
    require(person, Right.READ)
    with records.writing() as session:
        reading = add_reading(session, records.keys, study_id, finding_id, person.id, said, now)
        details = {"reading": reading.id, "verdict": reading.verdict.value, "grade": reading.grade}
        note(session, records.keys, person.id, "read_study", study_id, details, now)
    return reading


def correct_levels(
    records: Records, person: Person, study_id: str, finding_id: str, correction: LevelCorrection, now: datetime
) -> Reading:
    """Name a level of a finding, and with it all its levels; the log tells from what to what.

    Raises
    ------
    NotAllowed
        The person may not read.
    RecordsError
        The finding does not stand any more.
    LevelRefused
        The other levels cannot follow.
    """
    require(person, Right.READ)
    with records.writing() as session:
        added = add_correction(session, records.keys, study_id, finding_id, person.id, correction, now)
        details = {"reading": added.id, "was": correction.was, "now": correction.now}
        note(session, records.keys, person.id, "correct_levels", study_id, details, now)
    return added


def take_back(records: Records, person: Person, reading_id: str, now: datetime) -> None:
    """Withdraw a reading of one's own; what was said stays on record.

    Raises
    ------
    NotAllowed
        The person may not read, or the reading is somebody else's.
    RecordsError
        There is no such reading, or it is withdrawn already.
    """
    require(person, Right.READ)
    with records.writing() as session:
        undo = withdraw_reading(session, records.keys, reading_id, person.id, now)
        note(session, records.keys, person.id, "withdraw_reading", undo.study_id, {"reading": reading_id}, now)


def flag(records: Records, person: Person, study_id: str, name: str, value: str, now: datetime) -> FlagChange:
    """Set a clinical flag, or take it back with the value "". The log does not tell when symptoms began.

    Raises
    ------
    NotAllowed
        The person may not read.
    RecordsError
        There is no such study or flag, or the value does not fit.
    """
    require(person, Right.READ)
    with records.writing() as session:
        change = set_flag(session, study_id, name, value, person.id, now)
        note(session, records.keys, person.id, "set_flag", study_id, {"flag": name, "set": bool(value)}, now)
    return change


def remove_study(records: Records, person: Person, study_id: str, now: datetime) -> None:
    """Delete a study for good.

    Raises
    ------
    NotAllowed
        The person is no administrator.
    RecordsError
        There is no such study, or some files could not be removed yet.
    """
    require(person, Right.DELETE)
    delete_study(records, study_id, person.id, now)
