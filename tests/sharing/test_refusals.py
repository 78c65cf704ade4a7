"""Refusals are noted, but nobody fills the disk by knocking."""

from dashboard.records import Records, audit_entries
from dashboard.sharing import STRANGER, Refusals


def test_refusals_are_noted_and_rationed(records: Records) -> None:
    refusals = Refusals(records, most=3)
    assert [refusals.note(STRANGER, "GET /media/*") for _ in range(6)] == [True] * 3 + [False] * 3
    refusals._noted.clear()
    refusals.note(STRANGER, "GET /media/*")
    with records.reading() as session:
        found = audit_entries(session)
    assert len(found) == 4
    assert {entry.actor for entry in found} == {"stranger"}
    assert found[0].details == {"what": "GET /media/*", "not_noted": 3}
