"""What the screens ask of the records: opened once a process, looked up anew at every run."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from dashboard.ingest import Identity
from dashboard.records import (
    Finding,
    Records,
    StudyRecord,
    Upload,
    get_finding,
    get_people,
    get_study,
    get_upload,
    list_uploads,
    mark_opened,
    open_records,
    worklist,
)
from dashboard.screens.text import plain
from dashboard.settings import Settings, load_settings


def records() -> Records:
    """The records of the settings in force."""
    return _open(load_settings())


@lru_cache(maxsize=4)
def _open(settings: Settings) -> Records:
    return open_records(settings)


def now() -> datetime:
    """The server's clock."""
    return datetime.now(UTC)


def studies(by_urgency: bool) -> list[tuple[StudyRecord, Identity | None, str]]:
    """Every study with its patient and where its worst slice lies."""
    site = records()
    with site.reading() as session:
        found = worklist(session, by_urgency)
        people = get_people(session, site.keys, [study.id for study in found])
        return [(study, people.get(study.id), _where(site, study)) for study in found]


def uploads() -> tuple[Upload, ...]:
    """The latest uploads."""
    with records().reading() as session:
        return list_uploads(session)


def rejected_files(upload_id: str) -> tuple[Upload, list[tuple[str, str]]]:
    """An upload and its files that were not used: (name, reason)."""
    site = records()
    with site.reading() as session:
        upload = get_upload(session, upload_id)
        names = site.identity(session, upload_id).details.names
    return upload, [(names.get(item.name, item.name), item.reason) for item in upload.rejections]


@dataclass(frozen=True)
class OpenStudy:
    """A study on screen. `names` turns the tokens of rejected files back into what the person called them."""

    record: StudyRecord
    person: Identity | None
    names: Mapping[str, str]
    finding: Finding | None


def open_study(study_id: str) -> OpenStudy:
    """A study that a person opens now; the first opening is kept.

    Raises
    ------
    RecordsError
        There is no such study.
    """
    site = records()
    with site.reading() as session:
        study = get_study(session, study_id)
        finding = get_finding(session, study.current_finding_id)
        known = site.identity(session, study_id)
    if study.opened_at is None and finding is not None:
        with site.writing() as session:
            mark_opened(session, study_id, now())
    return OpenStudy(study, known.person, known.details.names, finding)


def _where(site: Records, study: StudyRecord) -> str:
    if study.level or study.current_finding_id is None:
        return study.level
    return _worst_place(study.current_finding_id, site)


@lru_cache(maxsize=20_000)
def _worst_place(finding_id: str, site: Records) -> str:
    """A finding never changes, so its worst slice is looked up once."""
    with site.reading() as session:
        finding = get_finding(session, finding_id)
    return place_words(finding.document) if finding else ""


def place_words(document: dict[str, object]) -> str:
    """Level of the worst slice, or its number counted from the head."""
    worst = document.get("worst_slice")
    if not isinstance(worst, dict):
        return ""
    level = worst.get("level")
    if level:
        return plain(str(level), 20)
    slices = document.get("slices")
    same = [
        one
        for one in (slices if isinstance(slices, list) else [])
        if one.get("series_instance_uid") == worst.get("series_instance_uid")
    ]
    return f"slice {worst.get('number')} of {len(same)}"
