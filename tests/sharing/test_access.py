"""Rights: what each role may do, and that everybody else may do nothing."""

import pytest

from dashboard.errors import NotAllowed
from dashboard.records import Role
from dashboard.sharing import CONSOLE, RIGHTS, STRANGER, Person, Right, guest, may, require

EXPECTED = {
    Role.NONE: set(),
    Role.VIEWER: {Right.SEE_LIST, Right.SEE_STUDY},
    Role.READER: set(Right) - {Right.DELETE, Right.ADMINISTER, Right.SEE_AUDIT},
    Role.ADMIN: set(Right),
}


@pytest.mark.parametrize("role", list(Role))
def test_each_role_has_its_rights_and_no_other(role: Role) -> None:
    person = Person("1", "", role)
    assert {right for right in Right if may(person, right, "study")} == EXPECTED[role]


def test_every_role_is_in_the_table() -> None:
    assert set(RIGHTS) == set(Role)


@pytest.mark.parametrize("right", list(Right))
def test_a_stranger_may_do_nothing(right: Right) -> None:
    assert not may(STRANGER, right, "study")


@pytest.mark.parametrize("right", list(Right))
def test_the_console_may_do_everything(right: Right) -> None:
    require(CONSOLE, right)


@pytest.mark.parametrize("right", list(Right))
@pytest.mark.parametrize("study", ["this one", "another", "", None])
def test_a_guest_may_see_one_study_and_nothing_else(right: Right, study: str | None) -> None:
    expected = right is Right.SEE_STUDY and study == "this one"
    assert may(guest("share", "this one"), right, study) is expected


@pytest.mark.parametrize("right", list(Right))
def test_a_disabled_administrator_may_do_nothing(right: Right) -> None:
    assert not may(Person("1", "", Role.ADMIN, disabled=True), right, "study")


def test_a_refusal_says_what_may_not_be_done() -> None:
    with pytest.raises(NotAllowed, match="You may not delete studies"):
        require(Person("1", "", Role.READER), Right.DELETE, "study")


def test_a_name_is_in_no_repr() -> None:
    assert "Okafor" not in repr(Person("1", "Okafor", Role.READER))
