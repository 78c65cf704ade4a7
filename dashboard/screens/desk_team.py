"""What the screens for links, users and the audit log ask of the records."""

from collections.abc import Mapping
from dataclasses import dataclass

from dashboard.ingest import Identity
from dashboard.records import (
    AuditEntry,
    AuditFault,
    Role,
    Share,
    StudyRecord,
    User,
    audit_entries,
    check_audit,
    export_audit,
    get_people,
    get_study,
    list_users,
    note,
)
from dashboard.screens import desk
from dashboard.sharing import (
    CONSOLE,
    LinkKind,
    Person,
    Right,
    change_role,
    check_link,
    close_link,
    disable,
    enable,
    links_of,
    make_link,
    may,
    open_link,
    require,
    team,
)

SHOWN_ENTRIES = 500


@dataclass(frozen=True)
class LinkLine:
    """A link with what its list shows beside it; `person` only for those who may know the patient."""

    share: Share
    study: StudyRecord
    person: Identity | None
    author: str


def add_link(study_id: str, kind: LinkKind, team_only: bool) -> str:
    """Make a link to a study; return its token."""
    return make_link(desk.records(), desk.person(), study_id, kind, team_only, desk.now())[1]


def links(study_id: str | None = None) -> tuple[LinkLine, ...]:
    """Links the visitor may see, newest first."""
    site, visitor = desk.records(), desk.person()
    found = links_of(site, visitor, desk.now(), study_id)
    names = people_by_id()
    with site.reading() as session:
        studies = {share.study_id: get_study(session, share.study_id) for share in found}
        people = get_people(session, site.keys, studies) if may(visitor, Right.SEE_IDENTITY) else {}
    return tuple(
        LinkLine(share, studies[share.study_id], people.get(share.study_id), names.get(share.author, share.author))
        for share in found
    )


def revoke(share_id: str) -> None:
    """Close a link."""
    close_link(desk.records(), desk.person(), share_id, desk.now())


def open_token(token: str) -> Person:
    """The guest whom the holder of a token becomes.

    Raises
    ------
    NotAllowed
        The link does not open.
    """
    return open_link(desk.records(), desk.person(), token, desk.now())


def check_guest(share_id: str) -> Person:
    """The guest of a link that was opened before, if it still opens.

    Raises
    ------
    NotAllowed
        It does not any more.
    """
    return check_link(desk.records(), desk.person(), share_id, desk.now())


def users() -> tuple[User, ...]:
    """Everybody who has ever signed in."""
    return team(desk.records(), desk.person())


def set_user_role(user_id: str, role: Role) -> None:
    """Give a user another role."""
    change_role(desk.records(), desk.person(), user_id, role, desk.now())


def set_user_access(user_id: str, open_again: bool) -> None:
    """End or restore a user's access."""
    (enable if open_again else disable)(desk.records(), desk.person(), user_id, desk.now())


def people_by_id() -> Mapping[str, str]:
    """Names of the users by what the audit log calls them, for members of the team."""
    site = desk.records()
    require(desk.person(), Right.SEE_LIST)
    with site.reading() as session:
        found = list_users(session, site.keys)
    return {CONSOLE.id: "this machine", **{user.id: user.name or user.email for user in found}}


def audit(action: str, subject_id: str) -> tuple[AuditEntry, ...]:
    """The last entries, newest first; of one action or one study where these are given."""
    require(desk.person(), Right.SEE_AUDIT)
    with desk.records().reading() as session:
        return audit_entries(session, action=action or None, subject_id=subject_id or None, limit=SHOWN_ENTRIES)


def audit_fault() -> AuditFault | None:
    """The first entry that is not as it was written, or None where all hold."""
    require(desk.person(), Right.SEE_AUDIT)
    return check_audit(desk.records())[1]


def audit_export() -> bytes:
    """The whole log as JSON lines; that it was taken out stands in it from then on."""
    site, visitor = desk.records(), desk.person()
    require(visitor, Right.SEE_AUDIT)
    with site.writing() as session:
        note(session, site.keys, visitor.id, "export", "", {"what": "audit log"}, desk.now())
    with site.reading() as session:
        return "".join(f"{line}\n" for line in export_audit(session)).encode()
