"""What the screens ask of the records: opened once a process, looked up anew at every run."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache

import streamlit as st

from dashboard.errors import RecordsUnavailable
from dashboard.ingest import Identity
from dashboard.records import (
    Finding,
    Records,
    StoredIdentity,
    StudyRecord,
    Upload,
    get_study,
    get_upload,
    list_uploads,
    mark_opened,
    note,
    open_records,
    shown_finding,
)
from dashboard.settings import Settings, load_settings
from dashboard.sharing import CONSOLE, STRANGER, Person, Refusals, Right, admit, is_loopback, may, read_claims, require

# What this visitor's audit lines have been written for already.
NOTED = "noted"
# When it first opened each study.
LOOKS = "first_looks"

log = logging.getLogger(__name__)


def records() -> Records:
    """The records of the settings in force."""
    return _open(load_settings())


@lru_cache(maxsize=4)
def _open(settings: Settings) -> Records:
    return open_records(settings)


def now() -> datetime:
    """The server's clock."""
    return datetime.now(UTC)


def person() -> Person:
    """Who is visiting, with the role they have at this moment: asked anew at every run of a screen or a part of it."""
    site = records()
    if site.settings.sign_in is not None:
        return admit(site, read_claims(st.user.to_dict()), site.settings.sign_in, now())
    # The gate has asked already; a screen relies on nobody.
    address = peer()
    return CONSOLE if address is None or is_loopback(address) else STRANGER


def peer() -> str | None:
    """Address of the other end; Streamlit says None for this machine's own."""
    return st.context.ip_address


def uploads() -> tuple[Upload, ...]:
    """The latest uploads, for those who may add some."""
    if not may(person(), Right.UPLOAD):
        return ()
    with records().reading() as session:
        return list_uploads(session)


def rejected_files(upload_id: str) -> tuple[Upload, list[tuple[str, str]]]:
    """An upload and its files that were not used: (name, reason)."""
    require(person(), Right.UPLOAD)
    site = records()
    with site.reading() as session:
        upload = get_upload(session, upload_id)
        names = site.identity(session, upload_id).details.names
    return upload, [(names.get(item.name, item.name), item.reason) for item in upload.rejections]


@dataclass(frozen=True)
class OpenStudy:
    """A study on screen.

    `names` turns the tokens of rejected files back into what the person called them. `unnoted` says why it could not
    be noted for now that it was opened; "" where it was.
    """

    record: StudyRecord
    person: Identity | None
    names: Mapping[str, str]
    finding: Finding | None
    unnoted: str = ""


def open_study(study_id: str) -> OpenStudy:
    """A study that a member of the team opens now; the first opening is kept, as soon as it can be.

    Raises
    ------
    NotAllowed
        The visitor may not see it.
    RecordsError
        There is no such study.
    """
    visitor = person()
    try:
        found = look_at(visitor, study_id)
        if found.record.opened_at is None and found.finding is not None:
            with records().writing() as session:
                mark_opened(session, study_id, visitor.id, _first_look(visitor, study_id))
    except RecordsUnavailable as error:
        # A finding that can be read must not wait for room on the disk.
        found = _looked_up(visitor, study_id)
        log.error("%s opened study %s, which could not be noted: %s", visitor.id, study_id, error)
        return replace(found, unnoted=str(error))
    return found


def _first_look(visitor: Person, study_id: str) -> datetime:
    """When the visitor first opened a study in this session: a note that comes late says when it was."""
    looks: dict[tuple[str, str], datetime] = st.session_state.setdefault(LOOKS, {})
    return looks.setdefault((visitor.id, study_id), now())


def look_at(visitor: Person, study_id: str) -> OpenStudy:
    """A study as `visitor` may see it: without the patient and the names of files for those who may not know them.

    The first look of a session is noted in the audit log.

    Raises
    ------
    NotAllowed
        The visitor may not see it.
    RecordsError
        There is no such study.
    """
    found = _looked_up(visitor, study_id)
    site = records()
    _once(lambda: _note_view(site, visitor, study_id), "view_study", visitor.id, study_id)
    return found


def _looked_up(visitor: Person, study_id: str) -> OpenStudy:
    require(visitor, Right.SEE_STUDY, study_id)
    site = records()
    with site.reading() as session:
        study = get_study(session, study_id)
        finding = shown_finding(session, study.current_finding_id)
        known = site.identity(session, study_id) if may(visitor, Right.SEE_IDENTITY) else StoredIdentity()
    return OpenStudy(study, known.person, known.details.names, finding)


def seen(visitor: Person) -> frozenset[str]:
    """Studies that the visitor has opened in this session."""
    noted: frozenset[tuple[str, ...]] = st.session_state.get(NOTED, frozenset())
    return frozenset(what[2] for what in noted if what[:2] == ("view_study", visitor.id))


def check_study(study_id: str) -> None:
    """Look again whether the visitor may see a study.

    Raises
    ------
    NotAllowed
        They may not any more.
    """
    require(person(), Right.SEE_STUDY, study_id)


def note_refusal(visitor: Person, what: str) -> None:
    """Note in the audit log that `visitor` was refused a screen, once a session."""
    _once(lambda: _refusals(records()).note(visitor, what), "refuse", visitor.id, what)


@lru_cache(maxsize=4)
def _refusals(site: Records) -> Refusals:
    return Refusals(site)


def _note_view(site: Records, visitor: Person, study_id: str) -> None:
    with site.writing() as session:
        note(session, site.keys, visitor.id, "view_study", study_id, {}, _first_look(visitor, study_id))


def _once(act: Callable[[], object], *what: str) -> None:
    """Do something once in this visitor's session; what failed is done again the next time."""
    noted: frozenset[tuple[str, ...]] = st.session_state.get(NOTED, frozenset())
    if what not in noted:
        act()
        st.session_state[NOTED] = noted | {what}
