"""Clinical flags are set and taken back by persons; how they came about stays on record."""

from datetime import timedelta

import pytest

from dashboard.errors import RecordsError
from dashboard.records import (
    JobKind,
    Records,
    add_job,
    add_study,
    claim_job,
    get_study,
    list_flags,
    new_id,
    set_flag,
)
from tests.records.helpers import NOW, found_study


def test_a_deficit_hastens_an_analysis_that_waits(records: Records) -> None:
    with records.writing() as session:
        studies = [add_study(session, name, "patient", NOW) for name in ("1", "2")]
        for study in studies:
            add_job(session, JobKind.TRIAGE_STUDY, study.id, NOW)
        set_flag(session, studies[1].id, "known_cancer", "yes", "somebody", NOW)
        set_flag(session, studies[1].id, "new_deficit", "yes", "somebody", NOW)
        job = claim_job(session, "worker", NOW)
    assert job is not None
    assert job.subject_id == studies[1].id


def put(records: Records, study_id: str, flag: str, value: str, author: str = "console") -> None:
    with records.writing() as session:
        set_flag(session, study_id, flag, value, author, NOW)


def test_flags_in_force_stand_in_the_study_and_their_history_beside_it(records: Records) -> None:
    study_id, _ = found_study(records)
    put(records, study_id, "known_cancer", "yes", "one")
    put(records, study_id, "symptom_onset", "2025-12-31", "one")
    put(records, study_id, "known_cancer", "", "two")
    with records.reading() as session:
        assert get_study(session, study_id).flags == {"symptom_onset": "2025-12-31"}
        history = [(change.flag, change.value, change.author) for change in list_flags(session, study_id)]
    assert history == [
        ("known_cancer", "yes", "one"),
        ("symptom_onset", "2025-12-31", "one"),
        ("known_cancer", "", "two"),
    ]


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        ("fever", "yes"),
        ("known_cancer", "no"),
        ("symptom_onset", "yes"),
        ("symptom_onset", "2025-13-01"),
        ("symptom_onset", "20251231"),
        ("symptom_onset", f"{(NOW + timedelta(days=2)).date()}"),
    ],
)
def test_what_is_no_flag_is_refused_and_changes_nothing(records: Records, flag: str, value: str) -> None:
    study_id, _ = found_study(records)
    with pytest.raises(RecordsError):
        put(records, study_id, flag, value)
    with records.reading() as session:
        assert (get_study(session, study_id).flags, list_flags(session, study_id)) == ({}, ())


def test_the_day_that_has_begun_further_east_is_taken(records: Records) -> None:
    study_id, _ = found_study(records)
    put(records, study_id, "symptom_onset", f"{(NOW + timedelta(days=1)).date()}")


def test_a_flag_of_no_study_is_refused(records: Records) -> None:
    with pytest.raises(RecordsError, match="not here"):
        put(records, new_id(), "known_cancer", "yes")
