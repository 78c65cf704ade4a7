"""The identity table: the only place that knows who a patient is. Everything in it is encrypted at rest."""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from dashboard.ingest import Identity
from dashboard.records.keys import Keys
from dashboard.records.model import Details, StoredIdentity
from dashboard.records.plain import from_plain, to_plain
from dashboard.records.tables import IdentityRow


def keep_identity(
    session: Session,
    keys: Keys,
    subject_id: str,
    person: Identity | None = None,
    original_uids: Mapping[str, str] | None = None,
    names: Mapping[str, str] | None = None,
) -> None:
    """Add to what is known of a study or an upload; what was known stays, and the first person counts."""
    known = get_identity(session, keys, subject_id)
    details = Details(
        {**(original_uids or {}), **known.details.original_uids}, {**(names or {}), **known.details.names}
    )
    kept = known.person or person
    session.merge(
        IdentityRow(
            subject_id=subject_id,
            person=keys.encrypt(json.dumps(None if kept is None else to_plain(kept))),
            details=keys.encrypt(json.dumps(to_plain(details))),
        )
    )
    session.flush()


def forget_names(session: Session, keys: Keys, subject_id: str, tokens: Collection[str]) -> None:
    """Take names, by their tokens, out of what is known of an upload."""
    row = session.get(IdentityRow, subject_id)
    if row is None or not tokens:
        return
    details = from_plain(Details, json.loads(keys.decrypt(row.details)))
    names = {token: name for token, name in details.names.items() if token not in tokens}
    row.details = keys.encrypt(json.dumps(to_plain(replace(details, names=names))))
    session.flush()


def get_identity(session: Session, keys: Keys, subject_id: str) -> StoredIdentity:
    """Everything known of a study or an upload; empty when identities are not kept.

    Raises
    ------
    RecordsError
        It was encrypted with another key.
    """
    row = session.get(IdentityRow, subject_id)
    if row is None:
        return StoredIdentity()
    return StoredIdentity(_person(keys, row.person), from_plain(Details, json.loads(keys.decrypt(row.details))))


def get_people(session: Session, keys: Keys, subject_ids: Iterable[str]) -> dict[str, Identity]:
    """Who the patients of these studies are; studies without a kept identity are left out."""
    wanted = list(subject_ids)
    people = {}
    # Databases bound the number of values of one query.
    for start in range(0, len(wanted), 500):
        chunk = wanted[start : start + 500]
        query = select(IdentityRow.subject_id, IdentityRow.person).where(IdentityRow.subject_id.in_(chunk))
        for subject_id, encrypted in session.execute(query):
            person = _person(keys, encrypted)
            if person is not None:
                people[subject_id] = person
    return people


def _person(keys: Keys, encrypted: bytes) -> Identity | None:
    plain = json.loads(keys.decrypt(encrypted))
    return None if plain is None else from_plain(Identity, plain)
