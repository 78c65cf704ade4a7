"""Every screen opened by everybody: through the gate that all screens share, and with that gate forgotten."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.errors import RecordsUnavailable
from dashboard.ingest import Identity
from dashboard.records import Records, Role, add_share, audit_entries, list_users, set_role
from dashboard.screens import desk, pages
from dashboard.settings import load_settings
from dashboard.sharing import CONSOLE, LinkKind, Person, Right, admit, disable, make_link, make_pass
from dashboard.sharing.signing_in import read_claims
from tests.screens.site import add_result, open_site
from tests.screens.test_screens import component_data, said
from tests.sharing.conftest import ISSUER, SIGN_IN

GATED = (
    "from dashboard.screens import entry, frame, {name}\n"
    "frame.style()\nframe.told(lambda: entry.let_in('{name}') and {name}.show())()\n"
)
BARE = "from dashboard.screens import frame, {name}\nframe.style()\nframe.told({name}.show)()\n"
PATIENT = Identity(patient_name="Okafor^Ngozi", patient_id="RXH4471093", birth_date="19610203")
IDENTIFYING = ("Okafor", "RXH4471093", "1961-02-03", "notes.pdf")
MAY = {
    "anonymous": (),
    "none": (),
    "disabled": (),
    "viewer": ("worklist", "study", "turnaround"),
    "reader": ("worklist", "study", "upload", "links", "turnaround"),
    "admin": ("worklist", "study", "upload", "links", "turnaround", "users", "audit"),
}
GUARDED = [name for name, right in pages.SCREENS.items() if isinstance(right, Right)]


def user_info(who: str) -> dict[str, Any]:
    """What Streamlit reads from the cookie of a person."""
    if who == "anonymous":
        return {"is_logged_in": False}
    now = datetime.now(UTC).timestamp()
    return {"is_logged_in": True, "iss": ISSUER, "sub": who, "iat": now - 5, "name": f"Name of {who}", "email": ""}


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Records]:
    """A team's site with one person of each kind."""
    monkeypatch.setenv("TRIAGE_DATA_DIR", str(tmp_path))
    for name, value in SIGN_IN.items():
        monkeypatch.setenv(name, value)
    records = open_site(tmp_path)
    sign_in = load_settings().sign_in
    assert sign_in is not None
    for who in ("none", "viewer", "reader", "admin", "disabled"):
        person = admit(records, read_claims(user_info(who)), sign_in, datetime.now(UTC))
        with records.writing() as session:
            set_role(session, person.id, Role.ADMIN if who == "disabled" else Role(who), datetime.now(UTC))
        if who == "disabled":
            disable(records, CONSOLE, person.id, datetime.now(UTC))
    yield records
    records.close()


def opened(script: str, name: str, who: str, **query: str) -> AppTest:
    """A screen as a person finds it."""
    app = AppTest.from_string(script.format(name=name), default_timeout=120)
    app.user = user_info(who)
    for key, value in query.items():
        app.query_params[key] = value
    return app.run()


def everything(app: AppTest) -> str:
    """All that was sent to the browser, elements of our own included."""
    return str(app._tree.proto if hasattr(app._tree, "proto") else "") + "\n".join(
        str(element.proto) for kind in ("html", "bidi_component", "arrow_data_frame") for element in app.get(kind)
    )


@pytest.mark.parametrize("who", list(MAY))
@pytest.mark.parametrize("name", GUARDED)
def test_who_sees_which_screen(site: Records, name: str, who: str) -> None:
    study = add_result(site, "3", PATIENT)
    app = opened(GATED, name, who, **({"study": study} if name == "study" else {}))
    assert not app.exception
    assert not app.error
    shown = said(app)
    allowed = name in MAY[who]
    assert ("This page is for the team" in shown) is (who == "anonymous")
    assert ("Ask an administrator" in shown) is (who in ("none", "disabled"))
    assert ("You may not" in shown) is (not allowed and who in ("viewer", "reader"))
    if not allowed or who == "viewer":
        assert not any(word in everything(app) for word in IDENTIFYING)
    if allowed and name in ("worklist", "study") and who != "viewer":
        assert "Okafor" in everything(app)


@pytest.mark.parametrize("who", list(MAY))
@pytest.mark.parametrize("name", GUARDED)
def test_each_screen_asks_by_itself_too(site: Records, name: str, who: str) -> None:
    if name in MAY[who]:
        return
    app = opened(BARE, name, who, study=add_result(site, "3", PATIENT))
    assert not app.exception
    assert [error.value for error in app.error] == [f"You may not {pages.SCREENS[name].value}."]
    assert not any(word in everything(app) for word in IDENTIFYING)


def test_a_part_that_the_database_kept_from_being_shown_is_tried_again(
    site: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    person, asked = desk.person, list[None]()

    def away_after_the_first_question() -> Person:
        asked.append(None)
        if len(asked) > 1:
            raise RecordsUnavailable("The database server does not answer.")
        return person()

    monkeypatch.setattr(desk, "person", away_after_the_first_question)
    app = opened(BARE, "worklist", "reader")
    assert "does not answer" in said(app)
    assert component_data(app, "retry_dashboard.screens.worklist._live")


def test_a_screen_that_nobody_classified_is_nobody_s(site: Records) -> None:
    app = opened(
        "from dashboard.screens import entry\nimport streamlit as st\nst.text(entry.let_in('new'))\n", "", "admin"
    )
    assert app.text[0].value == "False"


def test_every_screen_is_in_the_table(repository: Path) -> None:
    folder = repository / "dashboard" / "screens"
    with_show = {path.stem for path in folder.glob("*.py") if "\ndef show()" in path.read_text(encoding="utf-8")}
    assert with_show == set(pages.SCREENS)
    assert [name for name, right in pages.SCREENS.items() if right is pages.EVERYBODY] == ["shared"]


def test_a_view_is_noted_once_a_session_and_study(site: Records) -> None:
    first, second = add_result(site, "3"), add_result(site, "2")
    app = opened(GATED, "study", "reader", study=first)
    app.run()
    app.query_params["study"] = second
    app.run()
    app.query_params["study"] = first
    app.run()
    with site.reading() as session:
        views = audit_entries(session, action="view_study")
        (reader,) = [user.id for user in list_users(session, site.keys) if user.name == "Name of reader"]
    assert [(view.actor, view.subject_id) for view in views] == [(reader, second), (reader, first)]


def test_a_refused_screen_is_noted_once_a_session(site: Records) -> None:
    app = opened(GATED, "audit", "viewer")
    app.run()
    with site.reading() as session:
        refused = audit_entries(session, action="refuse")
    assert [entry.details for entry in refused] == [{"what": "audit"}]


def test_a_role_that_is_taken_away_counts_at_the_next_run(site: Records) -> None:
    app = opened(GATED, "worklist", "reader")
    assert not said(app).count("Ask an administrator")
    with site.writing() as session:
        (reader,) = [user.id for user in list_users(session, site.keys) if user.name == "Name of reader"]
        set_role(session, reader, Role.NONE, datetime.now(UTC))
    app.run()
    assert "Ask an administrator" in said(app)


def test_a_guest_sees_the_study_and_nobody_s_name(site: Records) -> None:
    study = add_result(site, "3", PATIENT)
    share, _ = make_link(site, CONSOLE, study, LinkKind.INSTANT, False, datetime.now(UTC))
    app = AppTest.from_string(GATED.format(name="shared"), default_timeout=120)
    app.user = user_info("anonymous")
    app.session_state["opened_link"] = share.id
    app.run()
    assert "suspected grade <b>3</b>" in said(app)
    assert make_pass(site.keys, share.id) in component_data(app, "slice_viewer")
    assert not any(word in everything(app) for word in IDENTIFYING)
    assert {button.key for button in app.button} <= {"hide_marks"}
    with site.reading() as session:
        assert audit_entries(session, limit=1)[0].actor == f"share:{share.id}"


@pytest.mark.parametrize("share", ["", "0" * 32, "' OR 1=1"])
def test_a_guest_without_a_link_sees_nothing(site: Records, share: str) -> None:
    add_result(site, "3", PATIENT)
    app = AppTest.from_string(GATED.format(name="shared"), default_timeout=120)
    app.user = user_info("anonymous")
    app.session_state["opened_link"] = share
    app.run()
    assert "This link cannot be opened." in said(app)
    assert not any(word in everything(app) for word in IDENTIFYING)


def test_the_dialog_for_links_opens_for_a_reader_only(site: Records) -> None:
    study = add_result(site, "3", PATIENT)
    app = opened(GATED, "study", "reader", study=study)
    app.button(key="share").click().run()
    assert not app.exception
    assert app.button(key="create_link").label == "Create link"
    assert "share" not in {button.key for button in opened(GATED, "study", "viewer", study=study).button}


def test_a_link_of_a_kind_that_is_not_known_any_more_is_listed(site: Records) -> None:
    study = add_result(site, "2")
    with site.writing() as session:
        add_share(session, study, "yearly", False, CONSOLE.id, datetime.now(UTC), timedelta(days=1))
    app = opened(GATED, "links", "admin")
    assert not app.exception
    assert any("yearly" in text.value for text in app.text)


def test_a_reader_revokes_a_link_on_the_screen_of_links(site: Records) -> None:
    claims, sign_in = read_claims(user_info("reader")), load_settings().sign_in
    assert sign_in is not None
    reader = admit(site, claims, sign_in, datetime.now(UTC))
    study = add_result(site, "3", PATIENT)
    share, _ = make_link(site, reader, study, LinkKind.INSTANT, False, datetime.now(UTC))
    app = opened(GATED, "links", "reader")
    app.button(key=f"revoke_list_{share.id}").click().run()
    assert not app.exception
    assert "There is no link that opens now." in said(app)
    with site.reading() as session:
        assert audit_entries(session, limit=1)[0].action == "revoke_share"


def test_an_administrator_changes_a_role(site: Records) -> None:
    with site.reading() as session:
        (viewer,) = [user.id for user in list_users(session, site.keys) if user.name == "Name of viewer"]
    app = opened(GATED, "users", "admin")
    app.selectbox(key=f"role_{viewer}").set_value(Role.READER).run()
    app.button(key=f"access_{viewer}").click().run()
    assert not app.exception
    with site.reading() as session:
        (changed,) = [user for user in list_users(session, site.keys) if user.id == viewer]
    assert changed.role is Role.READER
    assert changed.disabled_at is not None


def test_the_log_says_who_and_what_and_that_it_holds(site: Records) -> None:
    opened(GATED, "study", "reader", study=add_result(site, "3", PATIENT))
    app = opened(GATED, "audit", "admin")
    app.button(key="check_audit").click().run()
    assert "Every entry is as it was written" in app.success[0].value
    table = app.dataframe[0].value
    assert "Name of reader" in table["Who"].tolist()
    assert "study opened" in table["What"].tolist()
    assert not any(word in str(table.to_dict()) for word in IDENTIFYING)
