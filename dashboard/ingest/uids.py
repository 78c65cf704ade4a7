"""Replacing UIDs so that what belonged together still does, and hiding who a patient is behind a keyed number.

A keyed hash is used instead of a table of pairs: two processes that hold the same key agree without talking to each
other, a study sent again a year later keeps its UIDs, and nobody without the key can go back.
"""

import hmac
from functools import lru_cache
from hashlib import sha256
from typing import Protocol

from pydicom import config
from pydicom.uid import UID

# One drop holds tens of thousands of SOP instance UIDs and a handful of others, each of them read several times.
CACHED_UIDS = 65_536
# UUID-derived UIDs, PS3.5 B.2: 2.25. and a number of up to 128 bits.
UUID_ROOT = "2.25."
UUID_BYTES = 16


class UidMap(Protocol):
    """Gives each UID of a patient's file the one that stands for it in ours."""

    @property
    def keeps(self) -> bool:
        """True when UIDs stay as they are, which the de-identification record must then say."""

    def replace(self, uid: str) -> str:
        """Return the UID that stands for `uid`; the same in, the same out."""


def is_standard_uid(uid: str) -> bool:
    """Whether the standard itself registers `uid` (PS3.6 A): such a UID names a thing, never a patient."""
    return UID(uid, config.IGNORE).name != uid


class KeyedUids:
    """UIDs under 2.25 computed with HMAC-SHA256, so only the holder of `key` can tell which came from which."""

    def __init__(self, key: bytes) -> None:
        if not key:
            raise ValueError("The key of the UID map is empty.")
        self._key = key
        self._hashed = lru_cache(maxsize=CACHED_UIDS)(self._hash)

    @property
    def keeps(self) -> bool:
        """False: every UID is replaced."""
        return False

    def replace(self, uid: str) -> str:
        """Return the UID that stands for `uid`; empty text and UIDs of the standard stay as they are."""
        return uid if not uid or is_standard_uid(uid) else self._hashed(uid)

    def _hash(self, uid: str) -> str:
        digest = hmac.digest(self._key, b"uid:" + uid.encode("utf-8", "surrogateescape"), "sha256")
        return UUID_ROOT + str(int.from_bytes(digest[:UUID_BYTES], "big"))


class OriginalUids:
    """Keeps every UID: for a person's own files at the command line, so that results point back at them."""

    @property
    def keeps(self) -> bool:
        """True: nothing is replaced."""
        return True

    def replace(self, uid: str) -> str:
        """Return `uid`."""
        return uid


class KeyedPseudonym:
    """Turns what names a patient into an opaque key, the same for every study of that patient under one `key`."""

    def __init__(self, key: bytes) -> None:
        if not key:
            raise ValueError("The key of patients' pseudonyms is empty.")
        self._key = sha256(b"patient:" + key).digest()

    def __call__(self, patient: str) -> str:
        """Return 20 hexadecimal digits for `patient`, the text that names them."""
        return hmac.digest(self._key, patient.encode("utf-8", "surrogateescape"), "sha256").hex()[:20].upper()
