"""A study's files as contents of the store: kept when they are finished, fetched when they are not here, let go."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from dashboard.errors import RecordsError
from dashboard.records.blobs import Content
from dashboard.records.files import make_private_dir, plain_os_errors
from dashboard.records.store import checked_id
from dashboard.records.stored_files import add_stored_files, forget_stored_files, named_contents, stored_files
from dashboard.records.studies import current_finding_ids

if TYPE_CHECKING:
    from dashboard.records.access import Records

# Contents without a name may be about to get one; those that still have none after this long belong to nothing.
UNNAMED_FOR = timedelta(days=1)
# A worker that was at a study when it was deleted is done with it, or dead, by then.
REMEMBERED_FOR = timedelta(days=1)
# Contents deleted under one write lock; at 50 ms each across a network and eight at a time it is held for 0.3 s.
AT_A_TIME = 50
UNNAMED_FILE = "unnamed-contents"


def keep_files(records: "Records", study_id: str, paths: Iterable[Path]) -> None:
    """Keep finished files of a study, and name them.

    Raises
    ------
    RecordsError
        The store or the database cannot be written to; doing it again repairs it.
    """
    folder = records.store.study_dir(study_id)
    kept: dict[Path, Content] = {}
    try:
        records.store.blobs.keep_all(paths, kept)
        files = {path.relative_to(folder).as_posix(): content for path, content in kept.items()}
        with records.writing() as session:
            add_stored_files(session, study_id, files)
    except RecordsError:
        # The study may have been deleted meanwhile: what nobody names must not stay.
        let_go(records, {content.sha256 for content in kept.values()})
        raise


def contents_of(records: "Records", study_id: str, folder: Path) -> dict[str, Content]:
    """Keep every file below a folder of a study elsewhere too; {} where everything is kept here alone.

    The caller names them in the transaction that makes them count (:func:`add_stored_files`).
    """
    if not records.store.blobs.elsewhere:
        return {}
    root = records.store.study_dir(study_id)
    kept = records.store.blobs.keep_all(path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(root).as_posix(): content for path, content in kept.items()}


def fetch_files(records: "Records", study_id: str, below: str) -> None:
    """Have a study's files whose path begins with `below` here, where they are kept elsewhere too.

    Raises
    ------
    RecordsError
        A file is missing or altered where it is kept, or the store cannot be reached.
    """
    if not records.store.blobs.elsewhere:
        return
    folder = records.store.study_dir(study_id)
    with records.reading() as session:
        wanted = stored_files(session, study_id, below)
    for path, content in wanted.items():
        if not (folder / path).exists():
            records.store.blobs.fetch(content, folder / path)


def forget_findings(records: "Records", study_id: str, keep: Collection[str]) -> None:
    """Let go of what only findings of a study other than `keep` were made of."""
    with records.writing() as session:
        names = forget_stored_files(session, study_id, keep)
    let_go(records, names)


def note_leaving(records: "Records", study_id: str, names: Collection[str]) -> None:
    """Write down which contents a deletion will let go of, so that housekeeping can finish it."""
    with plain_os_errors("The data folder"):
        _note(records, study_id).write_text("\n".join(sorted(names)), encoding="ascii")


def finish_leaving(records: "Records", study_id: str) -> None:
    """Delete the files of a study whose rows are gone; doing it again does no harm.

    Raises
    ------
    RecordsError
        Something could not be deleted; it stays written down.
    """
    records.store.remove_study(study_id)
    note = _note(records, study_id)
    with plain_os_errors("The data folder"):
        names = note.read_text(encoding="ascii").split() if note.exists() else []
    if names:
        let_go(records, names)
        with plain_os_errors("The data folder"):
            note.write_text("", encoding="ascii")


def sweep_leaving(records: "Records", now: datetime) -> None:
    """Finish deletions that died half-way, and those whose files a worker at the study brought back."""
    with records.reading() as session:
        known = current_finding_ids(session)
    with plain_os_errors("The data folder"):
        notes = [path for path in records.settings.leaving_dir.iterdir() if path.name not in known]
    for note in notes:
        finish_leaving(records, note.name)
        with plain_os_errors("The data folder"):
            if now.timestamp() - note.stat().st_mtime > REMEMBERED_FOR.total_seconds():
                note.unlink()


def _note(records: "Records", study_id: str) -> Path:
    make_private_dir(records.settings.leaving_dir)
    return records.settings.leaving_dir / checked_id(study_id)


def let_go(records: "Records", names: Collection[str]) -> None:
    """Delete those contents that no study names any more.

    Under the write lock: whoever names one of them at this moment does so before or after, not in between. A few at a
    time, for a store across a network is slow and everybody else waits.
    """
    left = sorted(names)
    for start in range(0, len(left), AT_A_TIME):
        some = left[start : start + AT_A_TIME]
        with records.writing() as session:
            records.store.blobs.remove(set(some) - named_contents(session, some))


def sweep_contents(records: "Records", now: datetime) -> None:
    """Delete contents to which nobody gave a name within a day: something that broke off left them."""
    path = records.settings.data_dir / UNNAMED_FILE
    with plain_os_errors("The store"):
        if path.exists() and now.timestamp() - path.stat().st_mtime < UNNAMED_FOR.total_seconds():
            return
        before = set(path.read_text(encoding="ascii").split()) if path.exists() else set()
    found = set(records.store.blobs.names())
    with records.reading() as session:
        unnamed = found - named_contents(session, found)
    let_go(records, unnamed & before)
    with plain_os_errors("The store"):
        path.write_text("\n".join(sorted(unnamed - before)), encoding="ascii")
