"""Reading on the study's screen: who may, what is kept, what a guest sees of it."""

import shutil
from datetime import UTC, datetime

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.records import (
    Records,
    Role,
    Said,
    Verdict,
    audit_entries,
    current_reading,
    get_study,
    list_flags,
    list_readings,
    list_users,
    set_role,
    worklist,
)
from dashboard.sharing import CONSOLE, LinkKind, flag, give_reading, make_link
from dashboard.study import SlicePlace
from tests.screens.site import AXIAL_UID, add_result
from tests.screens.test_entry import GATED, PATIENT, opened, site, user_info
from tests.screens.test_screens import said

__all__ = ["site"]
READING = {"agree", "change", "level", "undo", "flags", "next"}
WORDS = "Mrs Okafor fell"


def keys(app: AppTest) -> set[str]:
    return {button.key for button in app.button}


def read(site: Records, study: str, said: Said) -> None:
    with site.reading() as session:
        finding = get_study(session, study).current_finding_id
    assert finding is not None
    give_reading(site, CONSOLE, study, finding, said, datetime.now(UTC))


def drawer(call: str, who: str = "reader") -> AppTest:
    """A drawer by itself: an AppTest always runs the whole screen, which would close it."""
    app = AppTest.from_string(f"from dashboard.screens import deletion, flag_drawer, reading_drawer\n{call}\n")
    app.default_timeout = 60
    app.user = user_info(who)
    return app.run()


def change(
    site: Records,
    study: str,
    suggested: str | None,
    grade: str,
    reason: str = "",
    level: str = "",
    at: SlicePlace | None = None,
) -> AppTest:
    """Give a reading through the drawer, which was opened with the slice `at` on screen."""
    with site.reading() as session:
        finding = get_study(session, study).current_finding_id
    asked = f"reading_drawer.Asked({study!r}, {finding!r}, {suggested!r}, None, {at!r})"
    app = drawer(f"from dashboard.study import SlicePlace\nreading_drawer.drawer({asked}, False)")
    app.button_group(key="reading_grade").set_value(grade)
    app.text_area(key="reading_reason").set_value(reason)
    if level:
        app.selectbox(key="reading_level").set_value(level)
    if at:
        app.checkbox(key="reading_slice").check()
    return app.button(key="save_reading").click().run()


def test_one_key_agrees_and_one_takes_it_back(site: Records) -> None:
    study = add_result(site, "3", PATIENT)
    app = opened(GATED, "study", "reader", study=study)
    assert "Not read yet" in said(app)
    app.button(key="agree").click().run()
    assert "Read: grade 3, agreed · Name of reader" in said(app)
    assert app.button(key="agree").disabled
    with site.reading() as session:
        kept = current_reading(session, site.keys, study)
    assert kept is not None
    assert not kept.marks_hidden
    app.button(key="undo").click().run()
    assert "Not read yet" in said(app)
    assert app.button(key="undo").disabled
    with site.reading() as session:
        assert len(list_readings(session, site.keys, study)) == 2
        assert [entry.action for entry in audit_entries(session, limit=2)] == ["withdraw_reading", "read_study"]


def test_another_grade_needs_a_reason_and_the_finding_stays(site: Records) -> None:
    study = add_result(site, "3", PATIENT)
    refused = change(site, study, "3", "1c")
    assert [error.value for error in refused.error] == ["A change needs its reason, in a few words."]
    assert not change(site, study, "3", "1c", WORDS, "T8").error
    app = opened(GATED, "study", "reader", study=study)
    assert "Read: grade 1c instead of 3, level T8" in said(app)
    assert "suspected grade <b>3</b>" in said(app)
    with site.reading() as session:
        kept = current_reading(session, site.keys, study)
    assert kept is not None
    assert (kept.grade, kept.level, kept.reason) == ("1c", "T8", WORDS)


@pytest.mark.parametrize("key", ["change", "level"])
def test_a_study_whose_pictures_are_lost_can_still_be_graded(site: Records, key: str) -> None:
    study = add_result(site, "3", PATIENT)
    with site.reading() as session:
        finding = get_study(session, study).current_finding_id
    assert finding is not None
    shutil.rmtree(site.store.finding_dir(study, finding))
    app = opened(GATED, "study", "reader", study=study)
    app.button(key=key).click().run()
    assert "save_reading" in keys(app)
    assert not [box.key for box in app.checkbox if box.key == "reading_slice"]


def test_a_reading_points_at_the_slice_on_screen_where_the_person_says_so(site: Records) -> None:
    study = add_result(site, "3", PATIENT)
    at = SlicePlace(AXIAL_UID, 0, 4, 5)
    assert not change(site, study, "3", "1c", WORDS, at=at).error
    assert "Read: grade 1c instead of 3, seen on slice 5" in said(opened(GATED, "study", "reader", study=study))
    with site.reading() as session:
        kept = current_reading(session, site.keys, study)
    assert kept is not None
    assert kept.at == at


def test_a_study_that_was_not_analysed_is_given_a_grade_or_none(site: Records) -> None:
    study = add_result(site, None, PATIENT)
    app = opened(GATED, "study", "reader", study=study)
    assert app.button(key="agree").disabled
    change(site, study, None, "2")
    assert "Read: grade 2 · Name of reader" in said(app.run())
    change(site, study, None, "none", "metal everywhere")
    assert "Read: cannot be graded · Name of reader" in said(app.run())


def test_that_marks_were_hidden_is_kept(site: Records) -> None:
    study = add_result(site, "3", PATIENT)
    app = opened(GATED, "study", "reader", study=study)
    app.session_state["hide_ai_marks"] = True
    app.button(key="agree").click().run()
    with site.reading() as session:
        kept = current_reading(session, site.keys, study)
    assert kept is not None
    assert kept.marks_hidden


def test_a_viewer_sees_the_reading_without_its_words_and_adds_none(site: Records) -> None:
    study = add_result(site, "3", PATIENT)
    read(site, study, Said(Verdict.CHANGED, "2", "T8", WORDS, WORDS))
    app = opened(GATED, "study", "viewer", study=study)
    assert "Read: grade 2 instead of 3, level T8 · this machine" in said(app)
    assert not keys(app) & READING
    assert WORDS not in str([element.value.to_dict() for element in app.dataframe])
    reader = opened(GATED, "study", "reader", study=study)
    assert WORDS in str([element.value.to_dict() for element in reader.dataframe])


def test_a_guest_sees_the_reading_and_nobody_s_name_nor_words(site: Records) -> None:
    study = add_result(site, "3", PATIENT)
    change(site, study, "3", "2", WORDS)
    share, _ = make_link(site, CONSOLE, study, LinkKind.INSTANT, False, datetime.now(UTC))
    guest = AppTest.from_string(GATED.format(name="shared"), default_timeout=120)
    guest.user = user_info("anonymous")
    guest.session_state["opened_link"] = share.id
    guest.run()
    assert "Read: grade 2 instead of 3 · 2" in said(guest)
    everything = said(guest) + str([element.value.to_dict() for element in guest.dataframe])
    for word in ("Name of reader", WORDS, "Okafor"):
        assert word not in everything
    assert not keys(guest) & (READING | {"share", "delete_study"})


def test_flags_are_set_and_taken_back_with_who_and_when(site: Records) -> None:
    study = add_result(site, "1c", PATIENT)
    app = drawer(f"flag_drawer.drawer({study!r})")
    app.toggle(key="flag_new_deficit").set_value(True).run()
    assert "set by Name of reader" in "\n".join(caption.value for caption in app.caption)
    app.date_input(key="flag_symptom_onset").set_value(datetime(2026, 1, 2).date()).run()
    app.toggle(key="flag_new_deficit").set_value(False).run()
    with site.reading() as session:
        assert [(one.flag, one.value) for one in list_flags(session, study)] == [
            ("new_deficit", "yes"),
            ("symptom_onset", "2026-01-02"),
            ("new_deficit", ""),
        ]
    assert "Clinical flags: symptom onset 2026-01-02" in said(opened(GATED, "study", "reader", study=study))


def test_next_leads_to_the_most_urgent_unread_study(site: Records) -> None:
    first, second = add_result(site, "3", PATIENT), add_result(site, "2", PATIENT)
    read(site, second, Said(Verdict.AGREED))
    app = opened(GATED, "study", "reader", study=first)
    app.button(key="next").click().run()
    assert [toast.value for toast in app.toast] == ["Every other study has been read."]


def test_only_an_administrator_deletes_and_only_by_typing_the_word(site: Records) -> None:
    study = add_result(site, "3", PATIENT)
    flag(site, CONSOLE, study, "known_cancer", "yes", datetime.now(UTC))
    assert "delete_study" not in keys(opened(GATED, "study", "reader", study=study))
    assert "delete_study" in keys(opened(GATED, "study", "admin", study=study))
    assert drawer(f"deletion.dialog({study!r}, 'Okafor')", "reader").button == []
    app = drawer(f"deletion.dialog({study!r}, 'Okafor')", "admin")
    app.button(key="delete_for_good").click().run()
    assert "Nothing was deleted" in app.error[0].value
    with site.reading() as session:
        assert len(worklist(session)) == 1


@pytest.mark.parametrize("role", [Role.VIEWER, Role.NONE])
def test_who_lost_the_role_meanwhile_reads_no_more(site: Records, role: Role) -> None:
    study = add_result(site, "3", PATIENT)
    app = opened(GATED, "study", "reader", study=study)
    with site.writing() as session:
        (reader,) = [user.id for user in list_users(session, site.keys) if user.name == "Name of reader"]
        set_role(session, reader, role, datetime.now(UTC))
    app.button(key="agree").click().run()
    with site.reading() as session:
        assert list_readings(session, site.keys, study) == ()
    assert not keys(app) & READING
