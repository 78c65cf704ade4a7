"""UIDs are replaced consistently, and patients hidden behind a key."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.uid import RE_VALID_UID, ExplicitVRLittleEndian

from dashboard.ingest.uids import KeyedPseudonym, KeyedUids, OriginalUids

uid_texts = st.lists(st.integers(0, 10**9), min_size=2, max_size=6).map(
    lambda parts: "1.2." + ".".join(map(str, parts))
)


@given(uid_texts)
def test_a_replacement_is_a_valid_uid(uid: str) -> None:
    replaced = KeyedUids(b"key").replace(uid)
    assert re.fullmatch(RE_VALID_UID, replaced)
    assert len(replaced) <= 64


@given(st.lists(uid_texts, unique=True, max_size=20))
def test_different_uids_stay_different(uids: list[str]) -> None:
    assert len({KeyedUids(b"key").replace(uid) for uid in uids}) == len(uids)


def test_two_maps_with_one_key_agree() -> None:
    assert KeyedUids(b"key").replace("1.2.3") == KeyedUids(b"key").replace("1.2.3")


def test_another_key_gives_another_uid() -> None:
    assert KeyedUids(b"key").replace("1.2.3") != KeyedUids(b"other").replace("1.2.3")


@pytest.mark.parametrize("uid", ["", str(ExplicitVRLittleEndian)])
def test_empty_and_registered_uids_stay(uid: str) -> None:
    assert KeyedUids(b"key").replace(uid) == uid


def test_original_uids_stay() -> None:
    assert OriginalUids().replace("1.2.3") == "1.2.3"


@pytest.mark.parametrize("made", [KeyedUids, KeyedPseudonym])
def test_an_empty_key_is_refused(made: type) -> None:
    with pytest.raises(ValueError, match="empty"):
        made(b"")


def test_a_pseudonym_does_not_show_the_patient() -> None:
    pseudonym = KeyedPseudonym(b"key")("id|12345|")
    assert "12345" not in pseudonym
    assert pseudonym == KeyedPseudonym(b"key")("id|12345|") != KeyedPseudonym(b"other")("id|12345|")
