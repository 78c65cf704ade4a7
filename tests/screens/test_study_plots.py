"""The plots of a study: rows by choice, norms with their source, files that the audit log knows of."""

import csv
import io
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.records import Records, Role, audit_entries, get_study, list_users, set_role
from dashboard.sharing import CONSOLE, LinkKind, make_link
from dashboard.viewing.profile_figure import NOTE, ROWS, USUAL
from tests.screens.site import SLICES, add_result, document
from tests.screens.test_entry import GATED, IDENTIFYING, PATIENT, opened, site, user_info
from tests.screens.test_screens import component_data, said

__all__ = ["site"]
SAVES = {"profile_png", "profile_csv", "plot_flagged_png"}
LEVELS = ["T5", "T5", "T6", "T6", "T6", "T7", "T7", "T8", "T8", "T9", "T9", "T10"]


def levelled(site: Records) -> str:
    """A study whose slices have levels."""
    slices = document("3")["slices"]
    for one, level in zip(slices, LEVELS, strict=True):
        one["level"] = level
    return add_result(site, "3", PATIENT, changes={"slices": slices})


def given(app: AppTest, key: str) -> Any:
    """What an element of our own was given."""
    return json.loads(component_data(app, key))


def traces(app: AppTest) -> list[str]:
    """Names of what the profile draws."""
    return [trace["name"] for trace in json.loads(given(app, "profile")["figure"])["data"]]


def notes(app: AppTest) -> list[str]:
    """What the profile says of its norms."""
    written = json.loads(given(app, "profile")["figure"])["layout"]["annotations"]
    return [one["text"] for one in written if one["name"] == NOTE]


def keys(app: AppTest) -> set[str]:
    return {button.key for button in app.button}


def exports(site: Records, study: str) -> list[tuple[str, Any]]:
    """(actor, details) of every export of a study."""
    with site.reading() as session:
        found = audit_entries(session, action="export", subject_id=study)
    return [(entry.actor, dict(entry.details)) for entry in found]


def test_the_most_useful_rows_are_drawn_and_others_by_choice(site: Records) -> None:
    app = opened(GATED, "study", "reader", study=add_result(site, "3"))
    assert traces(app) == [ROWS[name].label for name in USUAL]
    (pills,) = [group for group in app.get("button_group") if group.key == "profile_rows"]
    pills.set_value(["compression_ratio"]).run()
    assert traces(app) == ["AP / RL"]


def test_without_levels_there_is_no_band_and_it_is_said_why(site: Records) -> None:
    app = opened(GATED, "study", "reader", study=add_result(site, "3"))
    assert "norm mean" not in traces(app)
    assert notes(app) == ["no norm band: levels are unknown or uncertain"]
    assert "No norm band: levels are unknown or uncertain." in said(app)


def test_with_levels_there_is_a_band_with_its_source_one_click_away(site: Records) -> None:
    app = opened(GATED, "study", "reader", study=levelled(site))
    assert traces(app)[1:5] == ["norm ± 2 SD", "norm ± 1 SD", "norm mean", "Cord area"]
    area = json.loads(given(app, "profile")["figure"])["data"][4]
    assert area["hovertext"][7] == "slice 8, T8: Cord area 43.3 mm²<br>norm 37.3 ± 4.1, z +1.5"
    assert notes(app) == ["broken line and bands: norm, ± 1 and 2 SD"]
    words = said(app)
    assert "PAM50-normalized-metrics" in words
    assert "MIT" in words
    assert "whole-spine" in words
    # No slice of this study has a level of the other cohort.
    assert "spine-generic" not in words


def test_the_profile_is_saved_as_csv_once_and_noted(site: Records) -> None:
    study = levelled(site)
    app = opened(GATED, "study", "reader", study=study)
    assert given(app, "profile")["save"] is None
    app.button(key="profile_csv").click().run()
    file = given(app, "profile")["save"]
    rows = list(csv.DictReader(io.StringIO(file["text"], newline="")))
    assert len(rows) == SLICES
    assert (rows[7]["level"], rows[7]["suspected grade"], rows[7]["cord_area [mm2]"]) == ("T8", "3", "43.3")
    assert rows[7]["model"] == "compression 1"
    with site.reading() as session:
        finding = get_study(session, study).current_finding_id
        (reader,) = [user.id for user in list_users(session, site.keys) if user.role is Role.READER]
    assert file["name"] == f"spine-triage-profile-{str(finding)[:8]}.csv"
    assert not any(word in json.dumps(file).lower() for word in IDENTIFYING)
    assert exports(site, study) == [(reader, {"what": "profile as CSV"})]
    app.run()
    assert given(app, "profile")["save"] is None


def test_a_picture_is_noted_before_it_is_made_and_says_what_it_is(site: Records) -> None:
    study = add_result(site, "3", PATIENT)
    app = opened(GATED, "study", "reader", study=study)
    app.button(key="profile_png").click().run()
    file = given(app, "profile")["save"]
    assert file["name"].endswith(".png")
    assert file["text"] == ""
    assert "compression 1" in file["words"]
    assert "not a medical device" in file["words"]
    assert [details for _, details in exports(site, study)] == [{"what": "profile as PNG"}]


def test_rows_that_have_no_norm_say_nothing_of_one(site: Records) -> None:
    app = opened(GATED, "study", "reader", study=add_result(site, "3"))
    (pills,) = [group for group in app.get("button_group") if group.key == "profile_rows"]
    pills.set_value(["csf_fraction"]).run()
    assert notes(app) == []


def test_a_plot_of_no_study_is_noted_without_one(site: Records) -> None:
    opened(GATED, "study", "reader", study=add_result(site, "3"))
    app = opened(GATED, "turnaround", "reader")
    app.button(key="plot_waits_png").click().run()
    assert given(app, "plot_waits")["save"]["name"] == "spine-triage-waits.png"
    assert [details for _, details in exports(site, "")] == [{"what": "waiting times as PNG"}]
    assert not any(key.endswith("_png") for key in keys(opened(GATED, "turnaround", "viewer")))


def test_a_viewer_saves_nothing(site: Records) -> None:
    app = opened(GATED, "study", "viewer", study=add_result(site, "3"))
    assert traces(app)
    assert not keys(app) & SAVES


@pytest.mark.parametrize("who", ["anonymous", "reader"])
def test_a_shared_study_saves_nothing_whoever_looks(site: Records, who: str) -> None:
    study = add_result(site, "3", PATIENT)
    share, _ = make_link(site, CONSOLE, study, LinkKind.INSTANT, False, datetime.now(UTC))
    app = AppTest.from_string(GATED.format(name="shared"), default_timeout=120)
    app.user = user_info(who)
    app.session_state["opened_link"] = share.id
    app.run()
    assert traces(app)
    assert not keys(app) & SAVES


def test_who_lost_the_right_meanwhile_saves_nothing(site: Records) -> None:
    study = add_result(site, "3")
    app = opened(GATED, "study", "reader", study=study)
    with site.writing() as session:
        (reader,) = [user.id for user in list_users(session, site.keys) if user.role is Role.READER]
        set_role(session, reader, Role.VIEWER, datetime.now(UTC))
    app.button(key="profile_csv").click().run()
    assert "You may not export studies." in said(app)
    assert given(app, "profile")["save"] is None
    assert exports(site, study) == []


def test_the_flagged_slice_costs_nothing_until_it_is_opened(site: Records) -> None:
    app = opened(GATED, "study", "reader", study=levelled(site))
    assert not [one for one in app.get("bidi_component") if one.proto.id.endswith("plot_flagged")]
    app.session_state["flagged_part"] = True
    app.run()
    figure = json.loads(given(app, "plot_flagged")["figure"])
    words = [note["text"] for note in figure["layout"]["annotations"]]
    assert "AP 7.5 mm" in words
    assert "RL 9.1 mm" in words
    app.button(key="plot_flagged_png").click().run()
    assert given(app, "plot_flagged")["save"]["name"].startswith("spine-triage-slice-")


def test_the_flagged_slice_is_named_by_level_and_grade(site: Records) -> None:
    app = opened(GATED, "study", "reader", study=levelled(site))
    labels = [part.label for part in app.expander]
    assert "Flagged slice: T8, suspected grade 3, with its measures drawn" in labels


def test_a_low_grade_is_not_called_flagged(site: Records) -> None:
    app = opened(GATED, "study", "reader", study=add_result(site, "1a"))
    labels = [part.label for part in app.expander]
    assert "Worst slice, not flagged: slice 8, suspected grade 1a, with its measures drawn" in labels
