"""Which files of one study number are of one patient, from what each says of the patient.

Archives and scanners fill these headers unevenly: an issuer in one series only, a number lost by a reformatting
station. Taking that for another patient tears a study apart; taking another patient for this one is worse. So files
are put together only where nothing they say contradicts, and where there is one patient alone that they can be of.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import combinations

from dashboard.ingest.identity import folded_name, folded_number

# So many patients under one number are no study, and comparing each with each would take long.
MOST_COMPARED = 64


@dataclass(frozen=True)
class Claim:
    """What files say of their patient, each word as a pseudonym, empty where they say nothing.

    Attributes
    ----------
    number, issuer
        PatientID and IssuerOfPatientID.
    names, birth_dates
        All that the files of one number gave.
    """

    number: str = ""
    issuer: str = ""
    names: frozenset[str] = frozenset()
    birth_dates: frozenset[str] = frozenset()

    def and_also(self, other: "Claim") -> "Claim":
        """This claim with names and birth dates of another one of the same patient."""
        return Claim(self.number, self.issuer, self.names | other.names, self.birth_dates | other.birth_dates)


def read_claim(identity: Mapping[str, str], pseudonym: Callable[[str], str]) -> Claim:
    """Claim of one file, from the texts of :func:`~dashboard.ingest.identity.read_identity`."""

    def hidden(kind: str, text: str) -> str:
        return pseudonym(f"{kind}|{text}") if text else ""

    return Claim(
        number=hidden("number", folded_number(identity["patient_id"])),
        issuer=hidden("issuer", folded_number(identity["issuer"])),
        names=frozenset({hidden("called", folded_name(identity["patient_name"]))} - {""}),
        birth_dates=frozenset({hidden("born", identity["birth_date"])} - {""}),
    )


def contradict(one: Claim, other: Claim) -> bool:
    """Whether two claims cannot be of one patient.

    Two numbers, or one number of two issuers, are two patients; under one number a name may have changed. Where a
    number is missing, names and birth dates decide.
    """
    if one.number and other.number:
        return one.number != other.number or bool(one.issuer and other.issuer and one.issuer != other.issuer)
    stated = ((one.names, other.names), (one.birth_dates, other.birth_dates))
    return any(first and second and first.isdisjoint(second) for first, second in stated)


def put_together(claims: Mapping[str, Claim]) -> dict[str, str]:
    """Find the patients among the `claims` of one study number.

    Parameters
    ----------
    claims
        By patient key.

    Returns
    -------
    dict
        For each key the one that stands for its patient: of those put together, the one that says most. A claim that
        fits two patients who contradict each other is put to neither.
    """
    if len(claims) > MOST_COMPARED:
        return {key: key for key in claims}
    alike = {key: {other for other in claims if not contradict(claims[key], claims[other])} for key in claims}
    unsure = {
        key
        for key, others in alike.items()
        if any(contradict(claims[one], claims[other]) for one, other in combinations(others, 2))
    }
    return {
        key: key if key in unsure else min(alike[key] - unsure, key=lambda other: (_unsaid(claims[other]), other))
        for key in claims
    }


def _unsaid(claim: Claim) -> tuple[bool, ...]:
    return not claim.number, not claim.issuer, not claim.names, not claim.birth_dates
