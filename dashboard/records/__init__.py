"""What is kept: uploads, studies, findings, identities, jobs, and the files that belong to them.

::

    records = open_records(settings)
    with records.reading() as session:
        for study in worklist(session): ...
        finding = get_finding(session, study.current_finding_id)
        who = records.identity(session, study.id).person           # None when identities are not kept
    study = read_study(records.finding_dir(finding))               # voxels are memory maps
    seen = read_predictions(records.finding_dir(finding))          # {series_instance_uid: SeriesPrediction}
"""

from dashboard.records.access import Records, Session, open_records
from dashboard.records.audit import ACTIONS, AuditEnd, AuditFault, note
from dashboard.records.audit import entries as audit_entries
from dashboard.records.audit import export as export_audit
from dashboard.records.findings import (
    add_finding,
    get_finding,
    list_findings,
    shown_finding,
    standing_correction,
    study_of_finding,
)
from dashboard.records.flags import FLAGS, list_flags, set_flag
from dashboard.records.identities import get_identity, get_people, keep_identity
from dashboard.records.inbox import Arrived, Inbox, clean_name
from dashboard.records.jobs import (
    MAX_ATTEMPTS,
    READ_PRIORITY,
    add_job,
    beat,
    claim_job,
    end_job,
    has_waiting_job,
    job_counts,
    jobs_at_work,
    open_jobs,
    release_job,
    release_jobs,
    running_workers,
    subjects_with_jobs,
)
from dashboard.records.keys import Keys
from dashboard.records.mirror import WorklistEntry, WorklistMirror, WorklistState
from dashboard.records.model import (
    AuditEntry,
    Details,
    Document,
    Finding,
    FlagChange,
    Job,
    JobKind,
    JobState,
    Reading,
    Role,
    Said,
    Share,
    ShareState,
    StoredIdentity,
    StoredRejection,
    StudyRecord,
    StudyState,
    Upload,
    UploadState,
    User,
    Verdict,
    new_id,
)
from dashboard.records.readings import add_correction, add_reading, current_reading, list_readings, withdraw_reading
from dashboard.records.retention import delete_expired, delete_study
from dashboard.records.settling import settle_upload
from dashboard.records.shares import CANNOT_BE_OPENED, add_share, get_share, list_shares, open_share, revoke_share
from dashboard.records.store import Store
from dashboard.records.studies import (
    add_content,
    add_study,
    current_finding_ids,
    files_of_upload,
    find_study,
    get_content,
    get_study,
    mark_opened,
    mark_started,
    note_stage,
    other_studies,
    worklist,
)
from dashboard.records.study_folder import (
    read_masks,
    read_predictions,
    read_sagittal_masks,
    read_study,
    write_study,
)
from dashboard.records.turnaround import Turnaround, turnarounds
from dashboard.records.uploads import (
    add_upload,
    check_token,
    find_upload,
    get_upload,
    list_uploads,
    mark_done,
    mark_failed,
    note_progress,
)
from dashboard.records.users import disable_user, enable_user, find_user, get_user, list_users, set_role, sign_in
from dashboard.records.witness import check_audit, remember_audit

__all__ = [
    "ACTIONS",
    "CANNOT_BE_OPENED",
    "FLAGS",
    "MAX_ATTEMPTS",
    "READ_PRIORITY",
    "Arrived",
    "AuditEnd",
    "AuditEntry",
    "AuditFault",
    "Details",
    "Document",
    "Finding",
    "FlagChange",
    "Inbox",
    "Job",
    "JobKind",
    "JobState",
    "Keys",
    "Reading",
    "Records",
    "Role",
    "Said",
    "Session",
    "Share",
    "ShareState",
    "Store",
    "StoredIdentity",
    "StoredRejection",
    "StudyRecord",
    "StudyState",
    "Turnaround",
    "Upload",
    "UploadState",
    "User",
    "Verdict",
    "WorklistEntry",
    "WorklistMirror",
    "WorklistState",
    "add_content",
    "add_correction",
    "add_finding",
    "add_job",
    "add_reading",
    "add_share",
    "add_study",
    "add_upload",
    "audit_entries",
    "beat",
    "check_audit",
    "check_token",
    "claim_job",
    "clean_name",
    "current_finding_ids",
    "current_reading",
    "delete_expired",
    "delete_study",
    "disable_user",
    "enable_user",
    "end_job",
    "export_audit",
    "files_of_upload",
    "find_study",
    "find_upload",
    "find_user",
    "get_content",
    "get_finding",
    "get_identity",
    "get_people",
    "get_share",
    "get_study",
    "get_upload",
    "get_user",
    "has_waiting_job",
    "job_counts",
    "jobs_at_work",
    "keep_identity",
    "list_findings",
    "list_flags",
    "list_readings",
    "list_shares",
    "list_uploads",
    "list_users",
    "mark_done",
    "mark_failed",
    "mark_opened",
    "mark_started",
    "new_id",
    "note",
    "note_progress",
    "note_stage",
    "open_jobs",
    "open_records",
    "open_share",
    "other_studies",
    "read_masks",
    "read_predictions",
    "read_sagittal_masks",
    "read_study",
    "release_job",
    "release_jobs",
    "remember_audit",
    "revoke_share",
    "running_workers",
    "set_flag",
    "set_role",
    "settle_upload",
    "shown_finding",
    "sign_in",
    "standing_correction",
    "study_of_finding",
    "subjects_with_jobs",
    "turnarounds",
    "withdraw_reading",
    "worklist",
    "write_study",
]
