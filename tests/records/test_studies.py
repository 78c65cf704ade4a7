"""The worklist's order, a study's contents, and findings that stay."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dashboard.errors import RecordsError
from dashboard.ingest import FramePlane, Instance
from dashboard.records import (
    JobKind,
    Records,
    StoredRejection,
    StudyState,
    add_content,
    add_finding,
    add_job,
    add_study,
    add_upload,
    claim_job,
    get_content,
    get_finding,
    get_study,
    list_findings,
    mark_opened,
    new_id,
    worklist,
)
from dashboard.records.tables import FindingRow
from dashboard.study import Acquisition

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def document(tier: str = "urgent", grade: str | None = "2", **more: Any) -> dict[str, Any]:
    return {
        "status": "graded" if grade else "not_analysed",
        "reasons": ["no axial T2 series"],
        "grade": grade,
        "band": "high",
        "probability_high": 0.8,
        "probability_1c_or_worse": 0.9,
        "urgency": {"tier": tier, "score": 60.0, "reasons": ["CSF partly kept"]},
        "levels": [{"level": "T10", "grade": "0"}, {"level": "T11", "grade": grade}],
        "model": [{"name": "compression", "version": "1", "sha256": "0"}],
        **more,
    }


def study(records: Records, name: str, tier: str | None, received: datetime = NOW, **more: Any) -> str:
    """A study with a finding of `tier`, or without one."""
    with records.writing() as session:
        record = add_study(session, name, "patient", received)
        if tier is not None:
            add_job(session, JobKind.TRIAGE_STUDY, record.id, NOW)
            job = claim_job(session, "worker", NOW)
            assert job is not None
            assert add_finding(session, new_id(), job, document(tier, **more), "0", NOW)
    return record.id


def instance(number: int = 1) -> Instance:
    plane = FramePlane(1, (0.0, 0.5, -number), (1, 0, 0, 0, 1, 0), (0.5, 0.5), echo_time_ms=90.0)
    return Instance(
        study_instance_uid="1.2",
        series_instance_uid="1.2.3",
        sop_instance_uid=f"1.2.3.{number}",
        sop_class_uid="1.2.840",
        transfer_syntax_uid="1.2.840.1",
        patient_key="patient",
        acquisition=Acquisition("MR", "AX T2", image_type=("ORIGINAL", "PRIMARY"), repetition_time_ms=3000.0),
        rows=64,
        columns=64,
        sha256="00",
        path=Path(f"somewhere/1.2.3.{number}.dcm"),
        name="file 0123456789ab",
        frame_planes=(plane,),
        warnings=("a gap",),
    )


def test_worklist_is_by_urgency_then_by_waiting_time(records: Records) -> None:
    for name, tier, minutes in (
        ("routine", "routine", 0),
        ("fresh urgent", "urgent", 5),
        ("old urgent", "urgent", 1),
        ("unread", None, 2),
        ("not analysed", "not analysed", 3),
        ("immediate", "immediate", 9),
        ("soon", "soon", 0),
    ):
        study(records, name, tier, NOW + minutes * MINUTE)
    with records.reading() as session:
        by_urgency = [item.study_instance_uid for item in worklist(session)]
        by_arrival = [item.study_instance_uid for item in worklist(session, by_urgency=False)]
    assert by_urgency == ["immediate", "old urgent", "fresh urgent", "not analysed", "unread", "soon", "routine"]
    assert by_arrival[:2] == ["immediate", "fresh urgent"]


def test_study_shows_what_its_finding_says(records: Records) -> None:
    study_id = study(records, "1.2", "urgent")
    with records.reading() as session:
        shown = get_study(session, study_id)
    assert (shown.state, shown.grade, shown.level, shown.reasons) == (
        StudyState.GRADED,
        "2",
        "T11",
        ("CSF partly kept",),
    )


@pytest.mark.parametrize(("certain", "place"), [(True, "T11"), (None, "T11"), (False, "T11 (level uncertain)")])
def test_a_guessed_level_says_so_in_the_list(records: Records, certain: bool | None, place: str) -> None:
    levels = [{"level": "T11", "level_certain": certain, "grade": "2"}]
    study_id = study(records, "1.2", "urgent", levels=levels)
    with records.reading() as session:
        shown = get_study(session, study_id)
    assert (shown.level, shown.place) == ("T11", place)


SUSPICION = {"suspected": True, "needs": "axial images", "level": "L4/5", "level_certain": True, "of": "cauda equina"}
ASKED = "compression of the cauda equina suspected on sagittal images: axial images needed"


@pytest.mark.parametrize(("grade", "band", "place"), [("0", "low", "L4/5"), ("3", "high", "T11")])
def test_a_study_is_looked_at_first_where_it_got_its_tier(records: Records, grade: str, band: str, place: str) -> None:
    worst = {"series_instance_uid": "1", "number": 2, "level": "T11", "level_certain": True}
    urgency = {"tier": "soon", "score": 20.0, "reasons": ["first", ASKED, ASKED.replace("cauda equina", "cord")]}
    more = {"levels": [{"level": "T11", "grade": grade}], "slices": [], "urgency": urgency, "band": band}
    study_id = study(records, "1.2", "soon", grade=grade, worst_slice=worst, sagittal=SUSPICION, **more)
    with records.reading() as session:
        shown = get_study(session, study_id)
    assert shown.place == place
    assert shown.reasons[:2] == ("first", "suspected compression of the cauda equina at L4/5, axial images needed")
    # What another volume asks for stands in its own words.
    assert shown.reasons[2:] == (ASKED.replace("cauda equina", "cord"),)


def test_first_opening_counts(records: Records) -> None:
    study_id = study(records, "1.2", "urgent")
    for minutes in (1, 2):
        with records.writing() as session:
            mark_opened(session, study_id, f"user {minutes}", NOW + minutes * MINUTE)
    with records.reading() as session:
        opened = get_study(session, study_id)
    assert (opened.opened_at, opened.opened_by) == (NOW + MINUTE, "user 1")


@pytest.mark.parametrize(
    ("before", "after", "kept"),
    [("routine", "immediate", False), ("urgent", "urgent", True), ("urgent", "not analysed", True)],
)
def test_a_study_that_has_become_more_urgent_since_it_was_opened_is_new(
    records: Records, before: str, after: str, kept: bool
) -> None:
    study_id = study(records, "1.2", before)
    with records.writing() as session:
        mark_opened(session, study_id, "user 1", NOW)
        add_job(session, JobKind.TRIAGE_STUDY, study_id, NOW)
        job = claim_job(session, "worker", NOW)
        assert job is not None
        add_finding(session, new_id(), job, document(after), "0", NOW + MINUTE)
    with records.reading() as session:
        opened = get_study(session, study_id)
    assert (opened.opened_at, opened.opened_by) == ((NOW, "user 1") if kept else (None, ""))


def test_findings_add_up_and_the_last_is_current(records: Records) -> None:
    study_id = study(records, "1.2", "urgent")
    with records.writing() as session:
        add_job(session, JobKind.TRIAGE_STUDY, study_id, NOW)
        job = claim_job(session, "worker", NOW)
        assert job is not None
        add_finding(session, new_id(), job, document("not analysed", None), "0", NOW + MINUTE)
    with records.reading() as session:
        shown = get_study(session, study_id)
        current = get_finding(session, shown.current_finding_id)
        assert current is not None
        assert list_findings(session, study_id)[0].id == current.id
        assert len(list_findings(session, study_id)) == 2
    assert (shown.state, shown.level, shown.reasons) == (StudyState.NOT_ANALYSED, "", ("no axial T2 series",))


def test_a_job_taken_over_adds_no_second_finding(records: Records) -> None:
    study_id = study(records, "1.2", None)
    with records.writing() as session:
        add_job(session, JobKind.TRIAGE_STUDY, study_id, NOW)
        job = claim_job(session, "slow", NOW)
        assert job is not None
        assert add_finding(session, new_id(), job, document(), "0", NOW)
        assert not add_finding(session, new_id(), job, document(), "0", NOW)
    with records.reading() as session:
        assert len(list_findings(session, study_id)) == 1


def test_findings_are_never_changed(records: Records) -> None:
    study_id = study(records, "1.2", "urgent")
    with pytest.raises(RecordsError, match="never changed"), records.writing() as session:
        row = session.get(FindingRow, get_study(session, study_id).current_finding_id)
        assert row is not None
        row.document = "{}"


def test_contents_of_two_uploads_add_up(records: Records) -> None:
    study_id = study(records, "1.2", None)
    lost = StoredRejection("file 1", "damaged", "1.2.7", "1.2.7.9")
    with records.writing() as session:
        for number in (1, 2):
            upload, _ = add_upload(session, NOW)
            add_content(session, study_id, upload.id, [instance(number), instance(2)], [lost])
    with records.reading() as session:
        instances, rejections = get_content(session, study_id)
    assert instances == tuple(replace(instance(n), path=Path(instance(n).path.name)) for n in (1, 2))
    assert rejections == (lost,)


def test_unknown_study_is_named(records: Records) -> None:
    with pytest.raises(RecordsError, match="not here"), records.reading() as session:
        get_study(session, new_id())
