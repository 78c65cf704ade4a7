"""Which files a study has and what each holds: the names by which contents of the store are kept alive."""

from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from dashboard.records.blobs import Content
from dashboard.records.tables import StoredFileRow

# Databases bound the number of values of one query.
VALUES_AT_ONCE = 500


def add_stored_files(session: Session, study_id: str, files: Mapping[str, Content]) -> None:
    """Name contents by their files' paths below the study's folder; a path that is known is left as it is."""
    known = stored_files(session, study_id)
    session.add_all(
        StoredFileRow(study_id=study_id, path=path, sha256=content.sha256, size_bytes=content.size_bytes)
        for path, content in sorted(files.items())
        if path not in known
    )
    session.flush()


def stored_files(session: Session, study_id: str, below: str = "") -> dict[str, Content]:
    """Contents of a study's files by path, of those whose path begins with `below`."""
    query = select(StoredFileRow).where(StoredFileRow.study_id == study_id)
    return {
        row.path: Content(row.sha256, row.size_bytes) for row in session.scalars(query) if row.path.startswith(below)
    }


def forget_stored_files(session: Session, study_id: str, keep: Iterable[str]) -> tuple[str, ...]:
    """Take back the names of a study's files below ``findings/`` other than these findings'; return the contents."""
    kept = tuple(f"findings/{finding_id}/" for finding_id in keep)
    query = select(StoredFileRow).where(StoredFileRow.study_id == study_id, StoredFileRow.path.startswith("findings/"))
    gone = [row for row in session.scalars(query) if not row.path.startswith(kept)]
    for row in gone:
        session.delete(row)
    session.flush()
    return tuple(sorted({row.sha256 for row in gone}))


def named_contents(session: Session, names: Collection[str]) -> set[str]:
    """Those of `names` by which a study still has a file."""
    found: set[str] = set()
    listed = sorted(names)
    for start in range(0, len(listed), VALUES_AT_ONCE):
        chunk = listed[start : start + VALUES_AT_ONCE]
        found |= set(session.scalars(select(StoredFileRow.sha256).where(StoredFileRow.sha256.in_(chunk))))
    return found
