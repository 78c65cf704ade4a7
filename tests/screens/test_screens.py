"""Each screen opens, shows the notice and says what it must; expected failures are told in words."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.ingest import Identity
from dashboard.records import (
    JobKind,
    Records,
    StoredRejection,
    add_job,
    add_study,
    add_upload,
    get_study,
    keep_identity,
    mark_done,
)
from dashboard.records.tables import StudyRow
from dashboard.screens import desk, worker
from dashboard.screens.tiers import NOTICE
from dashboard.viewing.theme import OUTLINES
from tests.screens.site import FINDING, add_result, open_site, slice_document

MAIN = Path(__file__).resolve().parents[2] / "dashboard" / "screens" / "main.py"
# An address's path is no part of an AppTest, so each screen is run by itself.
SCREEN = "from dashboard.screens import frame, {name}\nframe.style()\nframe.told({name}.show)()\n"
DENT = "cord dented 1.8 mm"
HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Records]:
    """An empty site that the screens look at."""
    monkeypatch.setenv("TRIAGE_DATA_DIR", str(tmp_path))
    records = open_site(tmp_path)
    yield records
    records.close()


def opened(name: str, **query: str) -> AppTest:
    """A screen as the visitor of an address finds it."""
    app = AppTest.from_string(SCREEN.format(name=name), default_timeout=60)
    for key, value in query.items():
        app.query_params[key] = value
    return app.run()


def said(app: AppTest) -> str:
    """Everything the screen says in HTML elements, and to whom it fails."""
    parts = [element.proto.body for element in app.get("html")]
    return "\n".join([*parts, *(element.value for element in [*app.text, *app.error])])


def component_data(app: AppTest, key: str) -> str:
    """What an element of our own was given, as JSON text."""
    (found,) = [element.proto for element in app.get("bidi_component") if element.proto.id.endswith(key)]
    return str(found.json or found.mixed.json)


def refused_upload(site: Records, files: int = 3) -> str:
    """An upload none of whose files was used."""
    now = datetime.now(UTC)
    names = {f"token {index}": f"folder/{HOSTILE}{index}" for index in range(files)}
    with site.writing() as session:
        upload, _ = add_upload(session, now)
        keep_identity(session, site.keys, upload.id, names=names)
        rejections = [StoredRejection(name, "this is not a DICOM file") for name in names]
        mark_done(session, upload.id, now, studies=0, accepted=0, duplicates=0, rejections=rejections)
    return upload.id


@pytest.mark.parametrize("name", ["worklist", "study", "upload"])
def test_each_screen_opens_and_says_what_it_is(site: Records, name: str) -> None:
    study, upload = add_result(site, "3"), refused_upload(site)
    app = opened(name, study=study, upload=upload)
    assert not app.exception
    assert not app.error
    assert NOTICE in said(app)


def test_the_navigation_starts_at_the_worklist(site: Records) -> None:
    app = AppTest.from_file(str(MAIN), default_timeout=60).run()
    assert not app.exception
    assert "Drop a spine MRI study above" in said(app)


def test_an_empty_list_explains_itself_and_offers_the_demonstration(site: Records) -> None:
    app = opened("worklist")
    assert app.button(key="demonstration").label == "Open the demonstration study"


def test_urgent_studies_that_nobody_opened_are_counted(site: Records) -> None:
    for grade in ("3", "2", "0"):
        add_result(site, grade)
    assert "2 urgent studies not opened yet" in said(opened("worklist"))


def test_opening_a_study_counts_as_opened(site: Records) -> None:
    study = add_result(site, "3")
    opened("study", study=study)
    assert "not opened yet" not in said(opened("worklist"))


def test_work_that_nobody_does_is_told_over_the_list(site: Records, tmp_path: Path) -> None:
    def told(received: datetime) -> list[str]:
        with site.writing() as session:
            add_job(session, JobKind.READ_UPLOAD, str(received), received)
        return [warning.value for warning in opened("worklist").warning]

    now = datetime.now(UTC)
    assert told(now) == []
    assert told(now - 2 * worker.NOBODY_FOR) == [worker.NOBODY_WORKS]


def test_arrival_order_is_one_click_away(site: Records) -> None:
    older = add_result(site, "3", waiting=timedelta(hours=2))
    newer = add_result(site, "0", waiting=timedelta(minutes=1))
    app = opened("worklist")
    data = component_data(app, "worklist")
    assert data.index(older) < data.index(newer)
    app.get("button_group")[0].set_value("arrival").run()
    data = component_data(app, "worklist")
    assert data.index(newer) < data.index(older)


def test_a_study_shows_grade_measures_and_their_units(site: Records) -> None:
    words = said(opened("study", study=add_result(site, "3")))
    assert "slice 8 of 12: suspected grade 3 (high)" in words
    assert "43.3" in words
    assert "mm²" in words


def test_a_slice_says_what_speaks_for_its_grade_and_what_its_neighbours_say(site: Records) -> None:
    words = said(opened("study", study=add_result(site, "3")))
    assert "cord dented 1.8 mm, CSF 12 mm² left" in words
    assert "slice 7 agrees: 3" in words
    assert '<td>Cord dent</td><td class="number">1.8</td><td>mm</td>' in words
    assert '<td>CSF left</td><td class="number">12.3</td><td>mm²</td>' in words


def test_what_the_study_says_already_is_not_said_again_of_its_slice(site: Records) -> None:
    words = said(opened("study", study=add_result(site, "3", reasons=(FINDING,))))
    assert words.count("cord dented 1.8 mm") == 1


def test_a_result_without_explanations_still_shows_its_reasons(site: Records) -> None:
    old = slice_document(7, "3") | {"reasons": ["tumour touches 20 % of the cord's outline"]}
    del old["explanation"]
    slices = [slice_document(index, "0") for index in range(7)] + [old]
    words = said(opened("study", study=add_result(site, "3", changes={"slices": slices})))
    assert "tumour touches 20 % of the cord" in words


def test_the_viewer_knows_its_contours_and_where_its_pictures_are(site: Records) -> None:
    app = opened("study", study=add_result(site, "3"))
    data = component_data(app, "slice_viewer")
    assert all(style.label in data for style in OUTLINES.values())
    assert "/api/pictures/" in data


def test_the_address_names_the_slice(site: Records) -> None:
    words = said(opened("study", study=add_result(site, "3"), view="2-1*0-1.2.zc*0-2.3.zf"))
    assert "slice 2 of 12: suspected grade 0 (low)" in words


@pytest.mark.parametrize("word", ["0", "13", "1-1*0-1.13", "1-1*0-1.0", "1-1*0-1.-1", "x*9", "1-1*0-1.９", "1" * 400])
def test_a_slice_that_is_not_there_shows_the_worst_one(site: Records, word: str) -> None:
    assert "slice 8 of 12: suspected" in said(opened("study", study=add_result(site, "3"), view=word))


def test_a_slice_that_was_not_analysed_says_why(site: Records) -> None:
    words = said(opened("study", study=add_result(site, "2"), view="1-1*0-1.12"))
    assert "slice 12 of 12: not analysed, because" in words
    assert "no cord is seen in this slice" in words


@pytest.mark.parametrize("word", ["2-2*0-1.2.zc*0-2.3.zf", "2-1*0-1c.5.zf*0-1.2.zc", "2-1*1-1.5*0-1.2"])
def test_the_panel_speaks_of_the_graded_series_wherever_else_one_looks(site: Records, word: str) -> None:
    assert "slice 2 of 12: suspected grade 0" in said(opened("study", study=add_result(site, "3"), view=word))


def test_a_reformat_carries_no_result(site: Records) -> None:
    words = said(opened("study", study=add_result(site, "2"), view="1-1*0-1r.60"))
    assert "Grades are given on the axial slices only" in words


def test_without_marks_nothing_of_the_suggestion_is_on_the_screen(site: Records) -> None:
    app = opened("study", study=add_result(site, "3"))
    assert DENT in said(app)
    app.button(key="hide_marks").click().run()
    words = said(app)
    assert "AI marks hidden" in words
    assert not any(word in words for word in (DENT, "suspected grade", "IMMEDIATE", "P(high)", "neighbours agree"))
    assert '"hidden": true' in component_data(app, "slice_viewer").replace('":true', '": true')
    assert not [element for element in app.get("bidi_component") if element.proto.id.endswith("profile")]
    assert app.button(key="agree").disabled
    app.button(key="hide_marks").click().run()
    assert DENT in said(app)


def test_the_patient_s_other_studies_are_offered_beside_this_one(site: Records) -> None:
    study, other, stranger = (add_result(site, grade) for grade in ("3", "0", "1c"))
    with site.writing() as session:
        keys = {one: get_study(session, one) for one in (study, other, stranger)}
        session.get(StudyRow, other).patient_key = keys[study].patient_key
    data = component_data(opened("study", study=study), "slice_viewer")
    assert str(keys[other].current_finding_id) in data
    assert str(keys[stranger].current_finding_id) not in data


def test_a_study_without_a_grade_says_why_and_still_shows_its_pictures(site: Records) -> None:
    app = opened("study", study=add_result(site, None, reasons=("no axial T2 series was found",)))
    assert "Not analysed, because" in said(app)
    assert "no axial T2 series was found" in said(app)
    assert "/api/pictures/" in component_data(app, "slice_viewer")


@pytest.mark.parametrize("study", ["", "0" * 32, "../../etc/passwd", HOSTILE])
def test_a_study_that_is_not_here_is_told_in_words(site: Records, study: str) -> None:
    app = opened("study", study=study)
    assert not app.exception
    assert "This study is not here" in said(app)


@pytest.mark.parametrize("name", [HOSTILE, "**bold** [x](javascript:alert(1))", "A\u202egnp.exe", "N" * 65536, "$x^2$"])
def test_names_are_shown_as_text(site: Records, name: str) -> None:
    person = Identity(patient_name=name, patient_id=name)
    study = add_result(site, "3", person, reasons=(name,))
    app = opened("study", study=study)
    assert not app.exception
    words = said(app)
    assert "<img" not in words
    assert "\u202e" not in words
    assert len(words) < 20_000
    assert not app.markdown


def test_no_identity_reaches_the_address_or_the_title(site: Records) -> None:
    person = Identity(patient_name="Okafor^Ngozi", patient_id="RXH4471093")
    app = opened("study", study=add_result(site, "3", person))
    assert "Okafor, Ngozi" in said(app)
    assert not any("Okafor" in str(value) or "RXH" in str(value) for value in app.query_params.values())


def test_rejected_files_are_listed_by_the_names_the_person_knows(site: Records) -> None:
    app = opened("upload", upload=refused_upload(site))
    assert app.dataframe[0].value["File"][0] == f"folder/{HOSTILE}0"
    assert app.dataframe[0].value["Why it was not used"][0] == "this is not a DICOM file"


def test_many_rejected_files_are_paged(site: Records) -> None:
    app = opened("upload", upload=refused_upload(site, 450))
    assert len(app.dataframe[0].value) == 200
    app.number_input(key="page").set_value(3).run()
    assert len(app.dataframe[0].value) == 50


def test_series_that_were_not_analysed_say_why(site: Records) -> None:
    app = opened("study", study=add_result(site, "3"))
    table = app.dataframe[0].value
    assert table["Analysed, or why not"].tolist() == ["analysed", "not analysed: axial images are needed"]


def test_files_of_a_study_that_were_not_used_have_their_names_back(site: Records) -> None:
    app = opened("study", study=add_result(site, "3"))
    assert app.dataframe[1].value["File"].tolist() == ["DISC1/notes.pdf"]


class Stopped:
    """A worker process that has died."""

    alive = False


def test_a_dead_worker_is_told(site: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "_embedded", [Stopped()])
    app = opened("worklist")
    assert "has stopped and is being started again" in app.warning[0].value


def test_a_study_on_its_way_says_so_and_shows_its_grade_when_it_is_there(site: Records) -> None:
    with site.writing() as session:
        record = add_study(session, "2.25.7", "somebody", datetime.now(UTC))
    assert "waiting to be analysed" in said(opened("study", study=record.id))


def test_a_broken_site_is_told_in_words(site: Records) -> None:
    study = add_result(site, "3")
    shutil.rmtree(site.store.root / study)
    app = opened("study", study=study)
    assert not app.exception
    assert "A stored study" in said(app)


def test_another_machine_sees_nothing_without_sign_in(site: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "peer", lambda: "10.0.0.9")
    add_result(site, "3", Identity(patient_name="Okafor^Ngozi"))
    app = AppTest.from_file(str(MAIN), default_timeout=60).run()
    assert "This page is for the team" in said(app)
    # Nothing of the site but the switch between the themes.
    assert [element.key for element in app.get("bidi_component")] == ["theme_switch"]
