"""Who the patient is: read once at the door, kept apart from pixels and headers from then on."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from pydicom.dataset import Dataset

# Longer values are damage or an attack, not a name; PS3.5 allows 64 characters for most of these.
LONGEST_VALUE = 256


@dataclass(frozen=True, repr=False)
class Identity:
    """What names a patient, as text, empty where the file said nothing.

    The representation shows no value, so that an identity that reaches a log line by mistake says nothing there.

    Attributes
    ----------
    original_uids
        ``{in the patient's files: in ours}`` for the study, series, instance and frame of reference.
    """

    patient_name: str = ""
    patient_id: str = ""
    issuer: str = ""
    birth_date: str = ""
    sex: str = ""
    age: str = ""
    accession_number: str = ""
    referring_physician: str = ""
    institution: str = ""
    original_uids: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        known = [item.name for item in fields(self) if getattr(self, item.name)]
        return f"Identity(known={known})"


KEYWORDS = {
    "patient_name": "PatientName",
    "patient_id": "PatientID",
    "issuer": "IssuerOfPatientID",
    "birth_date": "PatientBirthDate",
    "sex": "PatientSex",
    "age": "PatientAge",
    "accession_number": "AccessionNumber",
    "referring_physician": "ReferringPhysicianName",
    "institution": "InstitutionName",
}


def read_identity(dataset: Dataset) -> dict[str, str]:
    """Return the texts of :class:`Identity` found in `dataset`; what cannot be read is empty."""
    with warnings.catch_warnings():
        # pydicom warns of every value that breaks a rule of the standard; here any text is welcome.
        warnings.simplefilter("ignore")
        return {name: _text(dataset, keyword) for name, keyword in KEYWORDS.items()}


def patient_text(identity: Mapping[str, str], study_instance_uid: str) -> str:
    """Return the text that tells this patient from all others, for the pseudonym to be made from.

    The number and who issued it; without a number the name and birth date; without those the study, since two
    nameless patients must never be taken for one. Letter case, blanks and empty parts of a name tell nobody apart.
    """
    number, name = folded_number(identity["patient_id"]), folded_name(identity["patient_name"])
    if number:
        return f"id|{number}|{folded_number(identity['issuer'])}"
    if name:
        return f"name|{name}|{identity['birth_date']}"
    return f"study|{study_instance_uid}"


def folded_number(text: str) -> str:
    """PatientID or its issuer without letter case and needless blanks."""
    return " ".join(text.upper().split())


def folded_name(text: str) -> str:
    """PatientName without letter case, needless blanks and the ``^`` and ``=`` of empty parts at its end."""
    groups = [" ".join(group.casefold().split()).rstrip("^ ") for group in text.split("=")]
    return "=".join(groups).rstrip("=")


def _text(dataset: Dataset, keyword: str) -> str:
    """Text of one element, printable, bounded."""
    try:
        value = dataset.get(keyword)
        text = "" if value is None else str(value)
    except Exception:  # noqa: BLE001 - pydicom raises whatever a damaged value provokes; an unreadable name is no name
        return ""
    return "".join(character for character in text if character.isprintable()).strip()[:LONGEST_VALUE]
