"""Cleaning of descriptions: only words of technique and anatomy stay (PS3.15 E.3.5, Clean Descriptors Option).

Series are told apart by what technologists type into free text, and so are patients, by accident. A list of words
that may stay is safer than a list of what may not: no name, number, date or place needs to be recognised.
"""

import re
import tomllib
import unicodedata
from functools import lru_cache
from pathlib import Path

VOCABULARY_FILE = Path(__file__).with_name("vocabulary.toml")
# PS3.5 6.2: LO holds 64 characters. What comes after the first kilobyte of a description is not one.
LONGEST_RESULT = 64
LONGEST_INPUT = 1024
# German writes its umlauts out; every other accent is dropped.
UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "AE", "Ö": "OE", "Ü": "UE", "ß": "ss"})
# Dates, telephone and record numbers typed with separators.
NUMBER_RUN = re.compile(r"\d{1,8}(?:[ ./\\:-]+\d{1,8}){2,}")
TOKEN = re.compile(r"[A-Za-z0-9]+(?:[.+*-][A-Za-z0-9]+)*[*+]?")
PART = re.compile(r"[A-Za-z]+|[0-9]+")
# Vertebral levels (C5, Th12, D4, L5/S1), contrasts, parameters with their unit, matrices.
TECHNICAL = re.compile(
    r"c[1-7]|th?(?:1[0-2]|[1-9])|d(?:1[0-2]|[1-9])|[ls][1-5]"
    r"|t[12](?:\*|s|w|wi)?|[234]d|b\d{1,4}|p[1-4]|x[1-8]|\d{1,2}ch|(?:te|tr|ti|fa|fov)\d{1,4}|\d{1,3}x\d{1,3}"
    r"|\d{1,3}(?:mm|ms|s|cm|deg|min|t)|e[1-9]\d?|v[abde]\d\d[a-z]?|xa\d\d|rr?\d{1,2}|h2d\d"
)
NUMBER = re.compile(r"\d{1,3}(?:\.\d{1,2})?")
UNITS = frozenset({"mm", "cm", "ms", "s", "sec", "min", "deg", "t", "x"})


@lru_cache(maxsize=1)
def vocabulary() -> frozenset[str]:
    """Every word that may stay, lower case and plain ASCII."""
    topics = tomllib.loads(VOCABULARY_FILE.read_text(encoding="utf-8"))
    return frozenset(word for words in topics.values() for word in words.split())


@lru_cache(maxsize=4096)
def clean(text: str, longest: int = LONGEST_RESULT) -> str:
    """Return the words of `text` that name technique or anatomy, joined by single spaces, in plain ASCII.

    A number stays only if it has at most three digits and follows such a word or precedes a unit, which stays with it.
    Several values (separated by a backslash in DICOM) become one line. Never raises: any text gives a text.
    """
    line, kept = text, _kept(text, longest)
    # What was taken out may leave numbers side by side, or one without its word or unit.
    while kept != line:
        line, kept = kept, _kept(kept, longest)
    return kept


def _kept(text: str, longest: int) -> str:
    plain = NUMBER_RUN.sub(" ", fold(text[:LONGEST_INPUT]))
    tokens = [part for token in TOKEN.findall(plain.replace("_", " ")) for part in _parted(token)]
    kept: list[str] = []
    after_word = after_number = False
    for index, token in enumerate(tokens):
        following = tokens[index + 1].lower() if index + 1 < len(tokens) else ""
        if NUMBER.fullmatch(token):
            stays = after_number = after_word or following in UNITS
            after_word = False
        else:
            stays = after_word = _is_word(token.lower()) or (after_number and token.lower() in UNITS)
            after_number = False
        if stays:
            kept.append(token)
    line = " ".join(kept)
    return line if len(line) <= longest else line[:longest].rpartition(" ")[0]


def fold(text: str) -> str:
    """Return `text` in plain ASCII: umlauts written out, other accents dropped, what is left of it blanked."""
    composed = unicodedata.normalize("NFKC", text).translate(UMLAUTS)
    decomposed = unicodedata.normalize("NFD", composed)
    letters = (character for character in decomposed if not unicodedata.combining(character))
    return "".join(character if " " <= character <= "~" else " " for character in letters)


def _parted(token: str) -> list[str]:
    """A token as it is when it is a word or a number, else its pieces (``Meyer-T2`` is two words)."""
    if _is_word(token.lower()) or NUMBER.fullmatch(token):
        return [token]
    return re.split(r"[.+*-]+", token)


def _is_word(token: str) -> bool:
    """Whether a token names technique or anatomy, as a whole or in each of its parts (``tse2d1``, ``t2-tse``)."""
    words = vocabulary()
    if token in words or token.rstrip("*+") in words or TECHNICAL.fullmatch(token):
        return True
    pieces = re.split(r"[.+*-]", token.rstrip("*+"))
    if len(pieces) > 1:
        return all(_is_word(piece) or NUMBER.fullmatch(piece) for piece in pieces) and _is_word(pieces[0])
    parts = PART.findall(token)
    letters = [part for part in parts if part.isalpha()]
    digits = [part for part in parts if part.isdigit()]
    # Sequence names of scanners: "tse2d1", "tir2d1rr15", "fl3d1r". Letters that stand first must name something.
    if len(parts) < 2 or not letters or len(letters[0]) < 2 or letters[0] not in words:
        return False
    return all(part in words or len(part) == 1 for part in letters) and all(len(part) <= 2 for part in digits)
