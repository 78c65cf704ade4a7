"""Who the patient is, read without trust in what the file says."""

import pytest
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from dashboard.ingest.identity import LONGEST_VALUE, patient_text, read_identity

NOBODY = dict.fromkeys(read_identity(Dataset()), "")


def named(value: bytes) -> Dataset:
    dataset = Dataset()
    tag = Tag(0x00100010)
    dataset[tag] = RawDataElement(tag, "PN", len(value), value, 0, False, True, True)
    return dataset


def test_an_empty_file_names_nobody() -> None:
    assert set(NOBODY.values()) == {""}


def test_control_characters_are_left_out() -> None:
    assert read_identity(named(b"A\x1bB\x00\x07^C"))["patient_name"] == "AB^C"


def test_a_very_long_name_is_cut() -> None:
    assert len(read_identity(named(b"A" * 65_000))["patient_name"]) == LONGEST_VALUE


def test_the_number_tells_patients_apart_before_the_name() -> None:
    one = NOBODY | {"patient_id": "1", "patient_name": "Married^Anna"}
    other = NOBODY | {"patient_id": "1", "patient_name": "Born^Anna"}
    assert patient_text(one, "1.2.3") == patient_text(other, "1.2.4")


def test_without_a_number_name_and_birth_date_do() -> None:
    one = NOBODY | {"patient_name": "Doe^Anna", "birth_date": "19500101"}
    other = NOBODY | {"patient_name": "Doe^Anna", "birth_date": "19600101"}
    assert patient_text(one, "1.2.3") != patient_text(other, "1.2.3")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"patient_id": "ab 1"}, {"patient_id": " AB  1"}),
        ({"patient_id": "1", "issuer": "Hosp"}, {"patient_id": "1", "issuer": "HOSP"}),
        ({"patient_name": "Doe^Anna"}, {"patient_name": "DOE^ANNA^^^"}),
        ({"patient_name": "Doe^Anna"}, {"patient_name": "Doe^Anna^=="}),
    ],
)
def test_case_blanks_and_empty_parts_tell_nobody_apart(one: dict[str, str], other: dict[str, str]) -> None:
    assert patient_text(NOBODY | one, "1.2.3") == patient_text(NOBODY | other, "1.2.3")


def test_the_nameless_are_told_apart_by_study() -> None:
    assert patient_text(NOBODY, "1.2.3") != patient_text(NOBODY, "1.2.4")
