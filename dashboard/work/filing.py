"""From a drop that was read to rows of the database: everything an upload changes, in one transaction."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from dashboard.ingest import Drop, Instance, study_moment
from dashboard.ingest.uids import UidMap
from dashboard.records import (
    Job,
    JobKind,
    Records,
    Session,
    StoredRejection,
    StudyRecord,
    Upload,
    UploadState,
    add_content,
    add_job,
    add_study,
    end_job,
    find_study,
    get_content,
    get_finding,
    keep_identity,
    mark_done,
    name_study,
    studies_of_uid,
)
from dashboard.records.blobs import Content
from dashboard.records.stored_files import add_stored_files
from dashboard.study import Rejection
from dashboard.work.engine import Engine
from dashboard.work.triage import split_by_study, study_uid

OTHER_CONTENT = (
    "An image with the same SOP Instance UID but other content is stored for this study already; that one is kept."
)
# Rank of a study's analysis, lower first: what may turn out urgent before what cannot.
AXIAL_OR_VOLUME, OTHER_MR, NO_MR = 0, 10, 20
# Planes within 45 degrees of axial: only those show the outline of a compressed cord.
AXIAL_COSINE = 0.7


class NotedUids:
    """A UID map that remembers what it replaced: ``noted`` is {ours: original}."""

    def __init__(self, uids: UidMap) -> None:
        self._uids = uids
        self.noted: dict[str, str] = {}

    @property
    def keeps(self) -> bool:
        """Whether UIDs stay as they are."""
        return self._uids.keeps

    def replace(self, uid: str) -> str:
        """Return the UID that stands for `uid`."""
        ours = self._uids.replace(uid)
        self.noted[ours] = uid
        return ours


@dataclass(frozen=True)
class Filing:
    """Files one upload.

    Parameters
    ----------
    session
        Of :meth:`Records.writing`.
    original_uids
        {ours: original} of the whole upload.
    kept
        What each instance's file holds, where files are kept elsewhere too.
    """

    session: Session
    records: Records
    upload: Upload
    engine: Engine
    original_uids: Mapping[str, str]
    kept: Mapping[Path, Content] = field(default_factory=dict)

    def keep(self, drop: Drop, job: Job) -> None:
        """Store a drop and end its job; nothing happens when another worker has taken the job over."""
        now = datetime.now(UTC)
        if not end_job(self.session, job, now):
            return
        duplicates, rejections = drop.duplicates, self._stored(drop.rejections)
        parts = split_by_study(drop)
        for part in parts:
            if self._was_deleted(part):
                continue
            for study in self._studies(part):
                again, differing = self._keep_study(study, part, now)
                duplicates += again
                rejections += differing
        if self.records.settings.keep_identity:
            keep_identity(self.session, self.records.keys, self.upload.id, names=self._names(drop))
        if self.upload.state is UploadState.DONE:
            # Read again to repair what a crash cut short; the first reading's counts stand.
            return
        mark_done(
            self.session,
            self.upload.id,
            now,
            studies=len(parts),
            accepted=len(drop.instances),
            duplicates=duplicates,
            rejections=rejections,
        )

    def _was_deleted(self, part: Drop) -> bool:
        """Whether an upload that is read again, to repair a crash, brings back what a person deleted since."""
        if self.upload.state is not UploadState.DONE:
            return False
        patient_key = part.instances[0].patient_key if part.instances else ""
        return find_study(self.session, study_uid(part), patient_key) is None

    def _keep_study(self, study: StudyRecord, part: Drop, now: datetime) -> tuple[int, list[StoredRejection]]:
        """Store one study's part and queue its analysis; return duplicates, and images that contradict stored ones."""
        known_instances, known_rejections = get_content(self.session, study.id)
        known = {item.sop_instance_uid: item.sha256 for item in known_instances}
        new = [item for item in part.instances if item.sop_instance_uid not in known]
        again = [item for item in part.instances if item.sop_instance_uid in known]
        differing = [
            StoredRejection(self._token(item.name), OTHER_CONTENT)
            for item in again
            if known[item.sop_instance_uid] != item.sha256
        ]
        rejections = dict.fromkeys([*self._stored(part.rejections), *differing])
        unseen = [item for item in rejections if item not in known_rejections]
        stored_at = self.records.store.instances_dir(study.id)
        lost = [item for item in again if not (stored_at / item.path.name).exists()]
        taken = [item.path for item in (*new, *lost)]
        self.records.store.take_in(study.id, taken)
        files = {f"{stored_at.name}/{path.name}": self.kept[path] for path in taken if path in self.kept}
        add_stored_files(self.session, study.id, files)
        if new or unseen:
            anonymous = [replace(item, name=self._token(item.name)) for item in new]
            add_content(self.session, study.id, self.upload.id, anonymous, unseen)
        if self.records.settings.keep_identity:
            self._keep_identity(study, part)
        finding = get_finding(self.session, study.current_finding_id)
        outdated = finding is None or list(finding.models) != list(self.engine.describe())
        if new or unseen or outdated:
            priority = priority_of((*known_instances, *new))
            add_job(self.session, JobKind.TRIAGE_STUDY, study.id, now, priority)
        return len(again) - len(differing), differing

    def _studies(self, part: Drop) -> tuple[StudyRecord, ...]:
        """The records that a part belongs to, made if there are none.

        Files that could not be read name no patient: whatever is stored of their study lacks them.
        """
        known = () if part.instances else studies_of_uid(self.session, study_uid(part))
        return known or (self._study(part),)

    def _study(self, part: Drop) -> StudyRecord:
        """The study's record, made if it is new; one that only such files told of so far becomes the patient's."""
        uid = study_uid(part)
        first = part.instances[0] if part.instances else None
        patient_key = first.patient_key if first else ""
        known = find_study(self.session, uid, patient_key)
        if known is not None:
            return known
        date, time = study_moment(part.instances)
        descriptions = (item.acquisition.study_description for item in part.instances)
        description = next(filter(None, descriptions), "")
        nameless = find_study(self.session, uid, "")
        if nameless is not None and not get_content(self.session, nameless.id)[0]:
            return name_study(
                self.session,
                nameless.id,
                patient_key,
                study_date=date[:8],
                study_time=time[:16],
                description=description,
            )
        return add_study(
            self.session,
            uid,
            patient_key,
            self.upload.received_at or self.upload.created_at,
            study_date=date[:8],
            study_time=time[:16],
            description=description,
            synthetic=self.upload.synthetic,
        )

    def _keep_identity(self, study: StudyRecord, part: Drop) -> None:
        person = part.identities.get(study.study_instance_uid)
        uids = {
            uid
            for item in part.instances
            for uid in (
                item.study_instance_uid,
                item.series_instance_uid,
                item.sop_instance_uid,
                item.frame_of_reference_uid,
            )
        } | {study.study_instance_uid}
        keep_identity(
            self.session,
            self.records.keys,
            study.id,
            None if person is None else replace(person, original_uids={}),
            {uid: self.original_uids[uid] for uid in sorted(uids) if uid in self.original_uids},
            self._names(part),
        )

    def _names(self, part: Drop) -> dict[str, str]:
        """Names of files by their tokens."""
        names = [*(item.name for item in part.rejections), *(item.name for item in part.instances)]
        return {self._token(name): name for name in names}

    def _stored(self, rejections: Iterable[Rejection]) -> list[StoredRejection]:
        return [
            StoredRejection(self._token(item.name), item.reason, item.series_instance_uid, item.sop_instance_uid)
            for item in rejections
        ]

    def _token(self, name: str) -> str:
        return self.records.keys.name_token(name)


def priority_of(instances: Sequence[Instance]) -> int:
    """Rank of a study's analysis by its headers, before anything is decoded."""
    magnetic = [item for item in instances if item.acquisition.modality == "MR"]
    if any(item.acquisition.mr_acquisition_type == "3D" or _is_axial(item) for item in magnetic):
        return AXIAL_OR_VOLUME
    return OTHER_MR if magnetic else NO_MR


def _is_axial(instance: Instance) -> bool:
    for plane in instance.frame_planes[:1]:
        rx, ry, _, cx, cy, _ = plane.image_orientation_patient
        return abs(rx * cy - ry * cx) >= AXIAL_COSINE
    return False
