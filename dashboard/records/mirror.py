"""The worklist kept in memory: what has not changed is neither read, nor decrypted, nor sorted again.

The database counts its changes (migration 0003), whoever makes them; a list that is up to date costs one small query.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock
from types import MappingProxyType

from sqlalchemy import func, select

from dashboard.ingest import Identity
from dashboard.records.access import Records, Session
from dashboard.records.identities import get_people
from dashboard.records.model import StudyRecord
from dashboard.records.studies import arrival_key, as_record, urgency_key
from dashboard.records.tables import StudyRow, WorklistStateRow


@dataclass(frozen=True)
class WorklistEntry:
    """A study and its patient; None where identities are not kept. Who may see the patient is the caller's business."""

    study: StudyRecord
    person: Identity | None = field(repr=False)


@dataclass(frozen=True)
class WorklistState:
    """The whole list at one revision of the database, in both orders."""

    revision: int = -1
    entries: Mapping[str, WorklistEntry] = field(default_factory=dict, repr=False)
    by_urgency: tuple[WorklistEntry, ...] = field(default=(), repr=False)
    by_arrival: tuple[WorklistEntry, ...] = field(default=(), repr=False)


class WorklistMirror:
    """The list of one site, shared by all who look at it. Safe to use from several threads.

    Parameters
    ----------
    records
        The site's records.
    """

    def __init__(self, records: Records) -> None:
        self._records, self._lock, self._state = records, Lock(), WorklistState()

    def look(self) -> WorklistState:
        """The list as it is now.

        Raises
        ------
        RecordsError
            The database cannot be read, or identities were encrypted with another key.
        """
        with self._lock:
            with self._records.reading() as session:
                revision = session.scalar(select(WorklistStateRow.revision)) or 0
                if revision != self._state.revision:
                    self._state = self._fresh(session, revision)
            return self._state

    def _fresh(self, session: Session, revision: int) -> WorklistState:
        # A database that was put back from a backup may count less than before.
        known = dict(self._state.entries) if revision > self._state.revision else {}
        since = self._state.revision if known else -1
        changed = [as_record(row) for row in session.scalars(select(StudyRow).where(StudyRow.revision > since))]
        nameless = [study.id for study in changed if study.id not in known or known[study.id].person is None]
        people = get_people(session, self._records.keys, nameless)
        for study in changed:
            before = known.get(study.id)
            person = people.get(study.id) or (before.person if before else None)
            known[study.id] = WorklistEntry(study, person)
        if len(known) != session.scalar(select(func.count()).select_from(StudyRow)):
            here = frozenset(session.scalars(select(StudyRow.id)))
            known = {study_id: entry for study_id, entry in known.items() if study_id in here}
        entries = list(known.values())
        return WorklistState(
            revision,
            MappingProxyType(known),
            tuple(sorted(entries, key=lambda entry: urgency_key(entry.study))),
            tuple(sorted(entries, key=lambda entry: arrival_key(entry.study))),
        )
