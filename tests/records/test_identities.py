"""Who a patient is lies encrypted, apart, and comes back whole."""

from datetime import UTC, datetime
from pathlib import Path

from dashboard.ingest import Identity
from dashboard.records import Details, Records, add_study, get_identity, get_people, keep_identity
from tests.postgresql import ONLY_SQLITE

WHO = Identity(patient_name="HOPPER^GRACE", patient_id="4711", birth_date="19061209")
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def everything_on_disk(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def test_identity_comes_back(records: Records) -> None:
    with records.writing() as session:
        keep_identity(session, records.keys, "study", WHO, {"2.25.1": "1.2.3"}, {"file 1": "Hopper/IM1"})
    with records.reading() as session:
        stored = get_identity(session, records.keys, "study")
        assert get_people(session, records.keys, ["study", "other"]) == {"study": WHO}
    assert stored.person == WHO
    assert stored.details == Details({"2.25.1": "1.2.3"}, {"file 1": "Hopper/IM1"})


@ONLY_SQLITE
def test_nothing_readable_lies_on_the_disk(records: Records) -> None:
    with records.writing() as session:
        add_study(session, "2.25.1", "key", NOW)
        keep_identity(session, records.keys, "study", WHO, {"2.25.1": "1.2.3.4.5"}, {"file 1": "Hopper/IM1"})
    found = everything_on_disk(records.settings.data_dir)
    assert b"2.25.1" in found
    for secret in (b"HOPPER", b"Hopper", b"4711", b"19061209", b"1.2.3.4.5"):
        assert secret not in found


def test_later_uploads_add_and_never_replace(records: Records) -> None:
    with records.writing() as session:
        keep_identity(session, records.keys, "study", WHO, {"2.25.1": "1.2"})
        keep_identity(session, records.keys, "study", Identity(patient_name="OTHER"), {"2.25.2": "1.3"})
    with records.reading() as session:
        stored = get_identity(session, records.keys, "study")
    assert stored.person == WHO
    assert stored.details.original_uids == {"2.25.1": "1.2", "2.25.2": "1.3"}


def test_unknown_subject_has_no_identity(records: Records) -> None:
    with records.reading() as session:
        assert get_identity(session, records.keys, "nobody").person is None


def test_representations_show_nothing(records: Records) -> None:
    with records.writing() as session:
        keep_identity(session, records.keys, "study", WHO, {"2.25.1": "1.2.3"}, {"file 1": "Hopper/IM1"})
    with records.reading() as session:
        shown = repr(get_identity(session, records.keys, "study")) + repr(records)
    assert not any(secret in shown for secret in ("HOPPER", "Hopper", "1.2.3"))


def test_a_files_name_has_one_token_that_tells_nothing(records: Records) -> None:
    token = records.keys.name_token("Hopper/IM1")
    assert token == records.keys.name_token("Hopper/IM1")
    assert token != records.keys.name_token("Hopper/IM2")
    assert "Hopper" not in token
