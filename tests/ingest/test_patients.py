"""Which files of one study number are of one patient."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.ingest.patients import MOST_COMPARED, Claim, contradict, put_together

NAMES = st.frozensets(st.sampled_from("AB"), max_size=2)
CLAIMS = st.lists(st.builds(Claim, st.sampled_from(["", "1", "2"]), st.sampled_from(["", "X", "Y"]), NAMES), max_size=6)


def called(name: str, number: str = "", issuer: str = "") -> Claim:
    return Claim(number, issuer, frozenset({name} - {""}))


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        (Claim("1"), Claim("2"), True),
        (Claim("1", "X"), Claim("1", "Y"), True),
        (Claim("1", "X"), Claim("1"), False),
        (Claim("1"), Claim(), False),
        (called("A", "1"), called("B", "1"), False),
        (called("A", "1"), called("A"), False),
        (called("A", "1"), called("B"), True),
        (called("A"), called("B"), True),
        (called("A"), Claim(), False),
        (Claim(birth_dates=frozenset({"1950"})), Claim("1", birth_dates=frozenset({"1960"})), True),
    ],
)
def test_what_two_claims_say_decides(one: Claim, other: Claim, apart: bool) -> None:
    assert contradict(one, other) is contradict(other, one) is apart


def test_the_claim_that_says_most_stands_for_the_patient() -> None:
    found = put_together({"a": Claim(), "b": Claim("1"), "c": Claim("1", "X")})
    assert set(found.values()) == {"c"}


def test_what_fits_two_patients_is_put_to_neither() -> None:
    found = put_together({"a": Claim("1"), "b": Claim("1", "X"), "c": Claim("2"), "d": Claim()})
    assert found == {"a": "b", "b": "b", "c": "c", "d": "d"}


def test_a_number_without_issuer_is_not_given_to_one_of_two_issuers() -> None:
    claims = {"a": Claim("1"), "b": Claim("1", "X"), "c": Claim("1", "Y")}
    assert put_together(claims) == {key: key for key in claims}


def test_very_many_patients_under_one_number_are_not_compared() -> None:
    claims = {str(number): Claim() for number in range(MOST_COMPARED + 1)}
    assert put_together(claims) == {key: key for key in claims}


@given(CLAIMS)
def test_no_two_that_contradict_are_put_together(found: list[Claim]) -> None:
    claims = {str(number): claim for number, claim in enumerate(found)}
    settled = put_together(claims)
    assert settled.keys() == claims.keys()
    for one, other in ((one, other) for one in claims for other in claims if settled[one] == settled[other]):
        assert not contradict(claims[one], claims[other])
        assert settled[settled[one]] == settled[one]
