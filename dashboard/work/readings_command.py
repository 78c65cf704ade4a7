"""The ``readings`` command: what persons confirmed, as a folder from which a site can adapt the model."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from dashboard.errors import RecordsError
from dashboard.exchange.readings_folder import ConfirmedSlice, make_folder, write_readings
from dashboard.grading import confirmed_slices
from dashboard.inference.manifest import COMPRESSION
from dashboard.records import (
    Finding,
    Reading,
    Records,
    current_reading,
    get_finding,
    note,
    open_records,
    read_predictions,
    worklist,
)
from dashboard.settings import Settings
from dashboard.study import PLACE
from dashboard.work.audit_command import ACTOR
from dashboard.work.engine import load_engine

UNGRADED = "saying that the study cannot be graded"
UNPLACED = "naming no slice that was graded (where a grade is changed to 1a or worse, tick that the slice shows it)"
OTHER_MODEL = "of a result by another model than the one that is installed"


@dataclass(frozen=True)
class _Read:
    """A reading, the result that it is of, and the entries of slices whose grade it tells."""

    person: str
    study: str
    reading: Reading
    finding: Finding
    entries: Sequence[Mapping[str, Any]]


@dataclass
class _Found:
    """What there is to export, and how many readings were left out, by the reason."""

    read: list[_Read] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)


def export_readings(settings: Settings, out: Path, stderr: TextIO) -> None:
    """Write the readings that count into the folder `out` and say what was left out.

    One reading a study, the last one; synthetic studies are left out. Names and numbers of patients, the site's keys
    and UIDs are not in it.

    Raises
    ------
    TriageError
        There is nothing to export, the folder is in use, or models or records cannot be read.
    """
    model = next(one for one in load_engine(settings.models_dir).describe() if one["name"] == COMPRESSION.name)
    records = open_records(settings)
    try:
        found = _find(records, model["sha256"])
        for why, number in found.left_out.items():
            stderr.write(f"Readings left out, {why}: {number}.\n")
        if not found.read:
            raise RecordsError("There is no reading to export: nothing was written.")
        make_folder(out)
        with records.writing() as session:
            note(
                session,
                records.keys,
                ACTOR,
                "export",
                "",
                {"what": "readings", "studies": len(found.read)},
                datetime.now(UTC),
            )
        slices = write_readings(out, model, _slices(records, found.read))
    finally:
        records.close()
    people, blind = len({one.person for one in found.read}), sum(one.reading.marks_hidden for one in found.read)
    stderr.write(
        f"Slices written: {slices}. Studies: {len(found.read)}. People: {people}. Readings given with the software's "
        f"marks hidden: {blind}.\n"
    )


def _find(records: Records, sha256: str) -> _Found:
    found = _Found()
    people: dict[str, str] = {}
    with records.reading() as session:
        for study in worklist(session, by_urgency=False):
            reading = current_reading(session, records.keys, study.id)
            finding = get_finding(session, study.current_finding_id)
            if study.synthetic or reading is None or finding is None:
                continue
            entries = confirmed_slices(finding.document, reading.grade, reading.at)
            if reading.grade is None:
                found.left_out[UNGRADED] += 1
            elif not any(one.get("sha256") == sha256 for one in finding.models):
                found.left_out[OTHER_MODEL] += 1
            elif not entries:
                found.left_out[UNPLACED] += 1
            else:
                person = people.setdefault(study.patient_key, f"person-{len(people) + 1}")
                found.read.append(_Read(person, f"study-{len(found.read) + 1}", reading, finding, entries))
    return found


def _slices(records: Records, read: Sequence[_Read]) -> Iterator[ConfirmedSlice]:
    for one in read:
        seen = read_predictions(records.finding_dir(one.finding))
        images = {
            (uid, item.volume_index, item.slice_index): item.image
            for uid, series in seen.items()
            for item in series.slices
        }
        for entry in one.entries:
            image = images[tuple(entry[key] for key in PLACE)]
            yield ConfirmedSlice(one.person, one.study, str(one.reading.grade), image)
