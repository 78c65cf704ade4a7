"""A pass names a share and cannot be made without this site's secret."""

import secrets

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st

from dashboard.records import Keys
from dashboard.sharing.passes import make_pass, read_pass

SHARE = "0123456789abcdef" * 2
KEYS = Keys(secrets.token_bytes(32), Fernet(Fernet.generate_key()))
OTHERS = Keys(secrets.token_bytes(32), KEYS.identity)
GOOD = make_pass(KEYS, SHARE)
# By what was done to it: the pass itself is another one in each process that collects these tests.
ALTERED = {
    "nothing": "",
    "point alone": ".",
    "share alone": SHARE,
    "share and point": f"{SHARE}.",
    "cut short": GOOD[:-1],
    "blank behind": f"{GOOD} ",
    "capitals": GOOD.upper(),
    "another digit": GOOD.replace("0", "1", 1),
    "another share": f"{SHARE[::-1]}.{GOOD.partition('.')[2]}",
}


def test_a_pass_names_its_share_again() -> None:
    assert read_pass(KEYS, make_pass(KEYS, SHARE)) == SHARE


def test_another_site_s_pass_names_nothing() -> None:
    assert read_pass(KEYS, make_pass(OTHERS, SHARE)) is None


@pytest.mark.parametrize("text", ALTERED.values(), ids=ALTERED)
def test_an_altered_pass_names_nothing(text: str) -> None:
    assert read_pass(KEYS, text) is None


@given(st.text())
def test_no_text_is_taken_for_a_pass(text: str) -> None:
    assert read_pass(KEYS, text) is None
