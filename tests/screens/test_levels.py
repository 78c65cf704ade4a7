"""A person corrects one level on the study's screen: names, results and worklist follow, for the team and guests."""

import shutil
from datetime import UTC, datetime

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.records import (
    JobKind,
    Records,
    add_finding,
    add_job,
    audit_entries,
    claim_job,
    get_finding,
    get_study,
    new_id,
    other_studies,
)
from dashboard.screens.desk_pictures import Pictures
from dashboard.sharing import CONSOLE, LinkKind, make_link
from tests.screens.spines import NAMES, NOTE, add_spine
from tests.screens.test_entry import GATED, PATIENT, opened, site, user_info
from tests.screens.test_reading import drawer
from tests.screens.test_screens import said

__all__ = ["site"]


def finding_of(site: Records, study: str) -> str:
    with site.reading() as session:
        found = get_study(session, study).current_finding_id
    assert found is not None
    return found


def correct(site: Records, study: str, was: str | None, now: str | None) -> AppTest:
    """Through the drawer; `was` is what it is called on the screen."""
    asked = f"reading_drawer.Asked({study!r}, {finding_of(site, study)!r}, '3', None, None)"
    app = drawer(f"reading_drawer.drawer({asked}, True)")
    if was is not None:
        names = app.selectbox(key="levels_was").options
        app.selectbox(key="levels_was").set_value(names.index(was))
    if now is not None:
        app.selectbox(key="levels_now").set_value(now)
    return app.button(key="save_levels").click().run()


def test_all_levels_follow_and_who_did_it_is_said(site: Records) -> None:
    study = add_spine(site, "3", certain=False, person=PATIENT)
    before = opened(GATED, "study", "reader", study=study)
    assert "T8 (level uncertain)" in said(before)
    assert not correct(site, study, "T8", "T9").error
    app = opened(GATED, "study", "reader", study=study)
    assert "T9 · levels corrected, T9 was T8" in said(app)
    assert "levels corrected: T9 (was T8) by Name of reader" in said(app)
    assert "<h2>T9: suspected grade 3" in said(app)
    assert "Not read yet" in said(app)
    with site.reading() as session:
        assert get_study(session, study).place == "T9"
        assert [entry.action for entry in audit_entries(session, limit=3)].count("correct_levels") == 1


def test_undo_takes_the_correction_back(site: Records) -> None:
    study = add_spine(site, "3", person=PATIENT)
    correct(site, study, "T8", "T10")
    # A second one is of the names as they are now.
    correct(site, study, "T10", "T9")
    app = opened(GATED, "study", "reader", study=study)
    assert "levels corrected: T9 (was T8)" in said(app)
    app.button(key="undo").click().run()
    assert "levels corrected: T10 (was T8)" in said(app)
    app.button(key="undo").click().run()
    assert "levels corrected" not in said(app)
    assert app.button(key="undo").disabled
    with site.reading() as session:
        assert get_study(session, study).place == "T8"


def test_a_person_who_finds_them_right_makes_them_certain(site: Records) -> None:
    study = add_spine(site, "3", certain=False, person=PATIENT)
    correct(site, study, "T8", "T8")
    shown = said(opened(GATED, "study", "reader", study=study))
    assert "T8 · levels confirmed" in shown
    assert "level uncertain" not in shown


@pytest.mark.parametrize(
    ("was", "now", "words"),
    [
        (None, "T9", "Choose what it is called now"),
        ("T8", None, "Choose what it is called now"),
        ("T8", "T8/9", "a vertebra as a vertebra"),
        ("T8", "S1", "would lie below S1"),
    ],
)
def test_what_the_levels_cannot_follow_is_said_and_not_kept(
    site: Records, was: str | None, now: str | None, words: str
) -> None:
    study = add_spine(site, "3", person=PATIENT)
    (error,) = correct(site, study, was, now).error
    assert words in error.value
    assert "levels corrected" not in said(opened(GATED, "study", "reader", study=study))


def test_a_refusal_speaks_of_the_names_on_screen(site: Records) -> None:
    study = add_spine(site, "3", person=PATIENT)
    correct(site, study, "T8", "T9")
    (error,) = correct(site, study, "T9", "S1").error
    assert "If T9 were S1" in error.value


def test_a_correction_of_a_former_result_is_not_forgotten(site: Records) -> None:
    study = add_spine(site, "3", person=PATIENT)
    correct(site, study, "T8", "T9")
    finding = finding_of(site, study)
    with site.writing() as session:
        add_job(session, JobKind.TRIAGE_STUDY, study, datetime.now(UTC))
        job = claim_job(session, "test", datetime.now(UTC))
        again = get_finding(session, finding)
        assert job is not None
        assert again is not None
        add_finding(session, new_id(), job, again.document, "0.1.0", datetime.now(UTC))
    with site.reading() as session:
        record = get_study(session, study)
    shutil.copytree(site.store.finding_dir(study, finding), site.store.finding_dir(study, finding_of(site, study)))
    assert record.place == "T8"
    assert "levels were corrected before images were added: check them" in said(
        opened(GATED, "study", "reader", study=study)
    )


def test_without_a_sagittal_series_the_drawer_asks_for_the_level_of_the_reading_alone(site: Records) -> None:
    from tests.screens.site import add_result

    study = add_result(site, "3", PATIENT)
    asked = f"reading_drawer.Asked({study!r}, {finding_of(site, study)!r}, '3', None, None)"
    app = drawer(f"reading_drawer.drawer({asked}, True)")
    assert [box.key for box in app.selectbox] == ["reading_level"]


def test_a_guest_sees_the_corrected_levels_and_not_who_corrected_them(site: Records) -> None:
    study = add_spine(site, "3", person=PATIENT)
    correct(site, study, "T8", "T9")
    share, _ = make_link(site, CONSOLE, study, LinkKind.INSTANT, False, datetime.now(UTC))
    guest = AppTest.from_string(GATED.format(name="shared"), default_timeout=120)
    guest.user = user_info("anonymous")
    guest.session_state["opened_link"] = share.id
    guest.run()
    assert "levels corrected: T9 (was T8) by the team" in said(guest)
    assert "Name of reader" not in said(guest)
    assert "<h2>T9: suspected grade 3" in said(guest)


def test_the_viewer_s_scene_follows_while_the_finding_stays_open(site: Records) -> None:
    study = add_spine(site, "3", person=PATIENT)
    pictures, finding = Pictures(site), finding_of(site, study)
    first = pictures.open(finding)
    assert b'"level":"T3","kind":"vertebra"' in first.scene
    assert pictures.open(finding) is first
    correct(site, study, "T3", "T4")
    second = pictures.open(finding)
    assert second.correction
    assert b'"level":"T3","kind":"vertebra"' not in second.scene
    assert b'"level":"T4","kind":"vertebra"' in second.scene
    assert first.document["spine"]["segments"][0]["level"] == NAMES[0]


def test_suspicion_on_sagittal_images_alone_is_told_and_never_graded(site: Records) -> None:
    study = add_spine(site, None, certain=False, person=PATIENT)
    app = opened(GATED, "study", "reader", study=study)
    shown = said(app)
    assert "<b>suspected compression at T8 (level uncertain), axial images needed</b> · P <b>0.87</b>" in shown
    assert "Sagittal images carry no Bilsky grade" in shown
    assert "cord narrowed against the levels above and below (MSCC) 41 %" in shown
    assert "URGENT" in shown
    assert "No grade, because" in shown
    assert "suspected grade" not in shown
    assert "This series: no grade" in shown
    with site.reading() as session:
        study_row = get_study(session, study)
        assert study_row.reasons[0] == "suspected compression at T8 (level uncertain), axial images needed"
        assert (study_row.tier, study_row.grade, study_row.place) == ("urgent", None, "T8 (level uncertain)")
        assert other_studies(session, study) == ()
    correct(site, study, "T8", "T7")
    assert "suspected compression at T7, axial images needed" in said(opened(GATED, "study", "reader", study=study))


def test_a_suspicion_that_has_no_probability_says_what_it_rests_on(site: Records) -> None:
    study = add_spine(site, None, certain=False, person=PATIENT, suspected={"probability": None})
    shown = said(opened(GATED, "study", "reader", study=study))
    assert "<b>suspected compression at T8 (level uncertain), axial images needed</b></span>" in shown
    assert "CSF effacement: something seems to fill the canal. No probability is known of that." in shown
    assert "Probability 0" not in shown


def test_hidden_marks_hide_the_suspicion_and_the_levels(site: Records) -> None:
    study = add_spine(site, None, certain=False, person=PATIENT)
    app = opened(GATED, "study", "reader", study=study)
    app.session_state["hide_ai_marks"] = True
    app.run()
    for words in ("suspected compression", NOTE, "T8", "No grade, because", "sagittal images show"):
        assert words not in said(app)
