"""Records in words: places, clocks, uploads. No clock but the one passed in."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dashboard.ingest import Identity
from dashboard.records import StudyRecord, StudyState, Upload, UploadState
from dashboard.screens.lines import acquisition_time, patient_words, study_line, upload_line

NOW = datetime(2025, 3, 14, 3, 0, tzinfo=UTC)
STUDY = StudyRecord(
    id="0" * 32,
    study_instance_uid="2.25.1",
    patient_key="key",
    state=StudyState.GRADED,
    study_date="20250314",
    study_time="010000",
    description="",
    synthetic=False,
    tier="immediate",
    score=95.0,
    grade="3",
    band="high",
    probability_high=0.97,
    probability_1c_or_worse=0.99,
    level="T8",
    reasons=("cord compressed, no CSF left", "slices 7 to 9 agree"),
    received_at=NOW - timedelta(minutes=4),
    started_at=NOW,
    finished_at=NOW,
    opened_at=None,
    current_finding_id="1" * 32,
    place="T8",
)
UPLOAD = Upload(
    id="2" * 32,
    state=UploadState.READING,
    synthetic=False,
    created_at=NOW,
    received_at=NOW,
    finished_at=None,
    files_received=2,
    bytes_received=1000,
    files_done=1,
    bytes_done=250,
    accepted=1,
    rejected=0,
    duplicates=0,
    studies=0,
    reason="",
    rejections=(),
)


def test_a_line_says_what_where_how_sure_and_why() -> None:
    line = study_line(STUDY, Identity(patient_name="Okafor^Ngozi"), NOW, UTC)
    assert (line.tier_words, line.grade, line.band, line.p_high, line.where) == ("IMMEDIATE", "3", "high", "0.97", "T8")
    assert (line.patient, line.why, line.why_more) == (
        "Okafor, Ngozi",
        "cord compressed, no CSF left",
        "and 1 more reason",
    )
    assert line.spoken == "IMMEDIATE, grade 3, T8, Okafor, Ngozi"


def test_where_the_place_has_no_grade_the_grade_is_that_of_others() -> None:
    study = replace(STUDY, grade="0", band="low", place="T9 (not graded, level uncertain)")
    line = study_line(study, Identity(patient_name="Okafor^Ngozi"), NOW, UTC)
    assert (line.grade, line.band, line.where) == ("0", "elsewhere", "T9")
    assert line.where_detail == "not graded, level uncertain"
    assert line.spoken == "IMMEDIATE, grade 0 elsewhere, T9 (not graded, level uncertain), Okafor, Ngozi"


def test_the_clock_runs_from_the_scan_for_24_hours() -> None:
    (clock,) = study_line(STUDY, None, NOW, UTC).clocks
    assert clock.label == "24 h"
    assert datetime.fromisoformat(clock.ends_at) == datetime(2025, 3, 15, 1, 0, tzinfo=UTC)


def test_without_a_scan_time_the_clock_runs_from_receipt() -> None:
    (clock,) = study_line(replace(STUDY, study_date=""), None, NOW, UTC).clocks
    assert datetime.fromisoformat(clock.ends_at) == STUDY.received_at + timedelta(hours=24)


def test_a_scan_that_seems_to_lie_ahead_of_its_receipt_has_a_clock_from_receipt() -> None:
    # Of a scanner an hour or nine east of the server, or with a clock that is fast.
    for ahead in (timedelta(minutes=2), timedelta(hours=9)):
        begun = STUDY.received_at + ahead
        changes = {"study_date": f"{begun:%Y%m%d}", "study_time": f"{begun:%H%M%S}"}
        (clock,) = study_line(replace(STUDY, **changes), None, NOW, UTC).clocks
        assert datetime.fromisoformat(clock.ends_at) == STUDY.received_at + timedelta(hours=24)


@pytest.mark.parametrize(
    "changes",
    [
        {"tier": "soon", "grade": "1b"},
        {"tier": "routine", "grade": "0", "flags": {"known_cancer": "yes"}},
        {"tier": "not analysed", "grade": None, "flags": {"known_cancer": "yes"}},
    ],
)
def test_suspected_tumour_or_known_cancer_has_a_week(changes: dict[str, Any]) -> None:
    (clock,) = study_line(replace(STUDY, **changes), None, NOW, UTC).clocks
    assert clock.label == "1 week"


def test_a_deficit_starts_the_24_hours_whatever_the_grade() -> None:
    flagged = replace(STUDY, tier="routine", grade="0", flags={"new_deficit": "yes"})
    line = study_line(flagged, None, NOW, UTC)
    assert [clock.label for clock in line.clocks] == ["24 h"]
    assert (line.moved, line.why_more) == (True, "read with urgent: new deficit · and 1 more reason")


@pytest.mark.parametrize(
    ("changes", "clocks"),
    [
        ({"tier": "routine", "grade": "0", "read_grade": "3"}, ["24 h"]),
        ({"tier": "not analysed", "grade": None, "read_grade": "2"}, ["24 h"]),
        ({"tier": "immediate", "grade": "3", "read_grade": "1c"}, ["1 week"]),
        ({"tier": "immediate", "grade": "3", "read_grade": "0"}, []),
        ({"tier": "urgent", "grade": "2", "read_grade": "0", "flags": {"known_cancer": "yes"}}, ["1 week"]),
        ({"tier": "urgent", "grade": "2", "read_grade": "0", "flags": {"new_deficit": "yes"}}, ["24 h"]),
        # Read, and found that it cannot be graded.
        ({"tier": "urgent", "grade": "2", "read_grade": None}, ["24 h"]),
    ],
)
def test_the_clock_follows_what_a_person_graded(changes: dict[str, Any], clocks: list[str]) -> None:
    line = study_line(replace(STUDY, read_at=NOW, **changes), None, NOW, UTC)
    assert [clock.label for clock in line.clocks] == clocks


@pytest.mark.parametrize(
    "changes",
    [
        {"tier": "routine", "grade": "0"},
        {"tier": "not analysed", "grade": None},
        {"tier": None, "grade": None},
        {"study_date": "20240101"},
        {"study_date": "20250401"},
    ],
)
def test_no_clock_where_it_would_mislead(changes: dict[str, Any]) -> None:
    assert study_line(replace(STUDY, **changes), None, NOW, UTC).clocks == ()


def test_the_status_says_who_and_what() -> None:
    opened = replace(STUDY, opened_at=NOW, opened_by="u1")
    read = replace(opened, read_at=NOW, read_by="u2", read_grade="2")
    people = {"u1": "Ann", "u2": "Ben", "console": "this machine"}

    def status(study: StudyRecord) -> tuple[str, str]:
        line = study_line(study, None, NOW, UTC, people)
        return line.status, line.status_detail

    assert status(STUDY) == ("new", "")
    assert status(opened) == ("opened", "by Ann")
    assert status(read) == ("read: grade 2", "by Ben")
    assert status(replace(read, read_grade=None)) == ("read: cannot be graded", "by Ben")
    assert status(replace(opened, opened_by="console")) == ("opened", "")


def test_a_study_on_its_way_says_so() -> None:
    waiting = replace(STUDY, state=StudyState.RECEIVED, tier=None, grade=None, probability_high=None, reasons=())
    line = study_line(waiting, None, NOW, UTC)
    assert (line.tier_words, line.grade, line.p_high, line.why) == ("WAITING", "", "–", "waiting to be analysed")
    running = study_line(replace(waiting, state=StudyState.RUNNING), None, NOW, UTC)
    assert running.why == "being analysed now"


@pytest.mark.parametrize(
    ("date", "time", "expected"),
    [
        ("20250314", "010203.123", datetime(2025, 3, 14, 1, 2, 3, tzinfo=UTC)),
        ("20250314", "", datetime(2025, 3, 14, tzinfo=UTC)),
        ("20250314", "0102", datetime(2025, 3, 14, 1, 2, tzinfo=UTC)),
        ("", "010203", None),
        ("20251345", "010203", None),
        ("20250314", "999999", None),
    ],
)
def test_the_scan_time_is_read_or_unknown(date: str, time: str, expected: datetime | None) -> None:
    assert acquisition_time(date, time, UTC) == expected


def test_patients_without_a_name_are_told_apart_from_unkept_ones() -> None:
    assert patient_words(None)[0] == "no name shown"
    assert patient_words(Identity())[0] == "no name in the files"
    assert patient_words(Identity(patient_id="7", birth_date="19540312", sex="F"))[1] == "7 · born 1954-03-12 · F"


def test_reading_is_counted_in_files_and_images() -> None:
    line = upload_line(UPLOAD, NOW)
    assert line is not None
    assert (line.words, line.detail, line.part) == ("Reading", "1 of 2 files · 1 image", 0.25)


def test_files_of_an_archive_may_be_more_than_were_sent() -> None:
    line = upload_line(replace(UPLOAD, files_done=37, accepted=36), NOW)
    assert line is not None
    assert line.detail == "37 of 37 files · 36 images"


def test_a_finished_upload_leaves_unless_something_was_not_used() -> None:
    done = replace(UPLOAD, state=UploadState.DONE, finished_at=NOW - timedelta(minutes=30), studies=1)
    assert upload_line(done, NOW) is None
    kept = upload_line(replace(done, rejected=3), NOW)
    assert kept is not None
    assert "3 files not used" in kept.detail


def test_an_upload_without_a_study_is_shown_as_failed_with_its_reason() -> None:
    line = upload_line(replace(UPLOAD, state=UploadState.DONE, finished_at=NOW, reason="Nothing here."), NOW)
    assert line is not None
    assert line.failed
    assert line.words == "Nothing here."


def test_an_upload_that_is_still_sent_is_left_to_its_sender() -> None:
    assert upload_line(replace(UPLOAD, state=UploadState.RECEIVING), NOW) is None
