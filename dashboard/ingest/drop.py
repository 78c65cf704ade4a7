"""A whole drop, read file by file: what was accepted, what was not and why, and who the patients are."""

import hashlib
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from dashboard.errors import InputRefused, RecordsError
from dashboard.ingest.archives import expand
from dashboard.ingest.deidentify import Door, Identity
from dashboard.ingest.file_kind import FileKind, kind_of, read_head, size_of
from dashboard.ingest.instance import Drop, DroppedFile, Instance, ReadProgress, RejectedFile
from dashboard.ingest.nifti import read_nifti
from dashboard.ingest.patients import Claim, put_together
from dashboard.ingest.reading import Accepted, read_or_reject, sha256_of
from dashboard.ingest.uids import UUID_BYTES, UUID_ROOT
from dashboard.settings import ArchiveLimits
from dashboard.study import Acquisition, Rejection

INCOMING = ".incoming"
NO_NUMBER = "Images without a patient number carry this study number; they were taken for the same patient's."
TWO_PATIENTS = "Images of another patient carry the same study number; they were kept apart."


def read_drop(
    files: Iterable[DroppedFile],
    door: Door,
    out_dir: Path,
    scratch: Path,
    limits: ArchiveLimits,
    progress: Callable[[ReadProgress], None],
) -> Drop:
    """Read every file of a drop, archives unfolded, and store the accepted images de-identified in `out_dir`.

    Parameters
    ----------
    files
        What was dropped; the files themselves are left as they are.
    out_dir, scratch
        Existing folders; `scratch` is empty again afterwards.
    progress
        Called after each file.

    Raises
    ------
    RecordsError
        A folder cannot be written, or a dropped file cannot be read.

    Notes
    -----
    The result does not depend on the order of `files`: of two files with one SOPInstanceUID the one with the
    smaller checksum stays, and the other is rejected.
    """
    desk = _Desk(door, out_dir, scratch, limits, progress)
    try:
        desk.incoming.mkdir(exist_ok=True)
        for file in files:
            desk.take(file, limits)
        # Images refused after their pixels were stored lie here still.
        shutil.rmtree(desk.incoming)
    except OSError as error:
        raise RecordsError(
            f"Files cannot be read or stored ({error.strerror}); check the disk and try again."
        ) from error
    return desk.drop()


@dataclass
class _Desk:
    """What has been read so far."""

    door: Door
    out_dir: Path
    scratch: Path
    limits: ArchiveLimits
    progress: Callable[[ReadProgress], None]
    accepted: dict[str, Instance] = field(default_factory=dict)
    rejected: list[RejectedFile] = field(default_factory=list)
    identities: dict[tuple[str, str], Identity] = field(default_factory=dict)
    claims: dict[tuple[str, str], Claim] = field(default_factory=dict)
    checksums: set[str] = field(default_factory=set)
    acquisitions: dict[Acquisition, Acquisition] = field(default_factory=dict)
    duplicates: int = 0
    files_done: int = 0
    bytes_done: int = 0

    @property
    def incoming(self) -> Path:
        """Where images lie until it is known that no other claims their number."""
        return self.out_dir / INCOMING

    def take(self, dropped: DroppedFile, limits: ArchiveLimits) -> None:
        """Read one dropped file with all it unfolds to."""
        size = size_of(dropped.path)
        unpacked = 0
        for item in expand([dropped], self.scratch, limits):
            if isinstance(item, DroppedFile):
                self._read(item)
                unpacked += item.packed_bytes
                if item.path != dropped.path:
                    item.path.unlink(missing_ok=True)
            else:
                self._reject(item)
            self.files_done += 1
            self._report(min(unpacked, size))
        self.bytes_done += size
        self._report(0)

    def drop(self) -> Drop:
        """Everything read, patients told apart."""
        instances = _patients_apart(sorted(self.accepted.values(), key=lambda item: item.name), self.claims)
        identities = {
            item.study_instance_uid: self.identities[
                self.accepted[item.sop_instance_uid].study_instance_uid, item.patient_key
            ]
            for item in instances
        }
        studies: dict[str, set[str]] = defaultdict(set)
        for item in instances:
            studies[item.series_instance_uid].add(item.study_instance_uid)
        rejected = tuple(_with_study(item, studies) for item in self.rejected)
        return Drop(tuple(instances), rejected, identities, self.duplicates)

    def _read(self, file: DroppedFile) -> None:
        try:
            images = self._images(file)
        except InputRefused as refusal:
            self._reject(Rejection(file.name, str(refusal)))
        except OSError as error:
            self._reject(Rejection(file.name, f"The file cannot be read ({str(error.strerror).lower()})."))
        else:
            for image in images:
                self._accept(image)

    def _images(self, file: DroppedFile) -> list[Accepted]:
        """Images of one file; a refused or repeated DICOM file is noted and gives none."""
        if kind_of(file.name, read_head(file.path)) is not FileKind.DICOM:
            slices = read_nifti(file, self.door, self.incoming, self.scratch, self.limits)
            if slices[0].instance.sha256 not in self.checksums:
                return slices
            for repeated in slices:
                repeated.instance.path.unlink()
            self.duplicates += 1
            return []
        sha256 = sha256_of(file.path)
        if sha256 in self.checksums:
            self.duplicates += 1
            return []
        found = read_or_reject(file, self.door, self.incoming, sha256)
        if isinstance(found, RejectedFile):
            self.rejected.append(found)
            return []
        return [found]

    def _accept(self, found: Accepted) -> None:
        new = found.instance
        old = self.accepted.get(new.sop_instance_uid)
        if old is not None and (old.sha256 <= new.sha256):
            new.path.unlink(missing_ok=True)
            self._conflict(new, old)
            return
        path = self.out_dir / new.path.name
        new.path.replace(path)
        if old is not None:
            self._conflict(old, new)
        acquisition = self.acquisitions.setdefault(new.acquisition, new.acquisition)
        self.accepted[new.sop_instance_uid] = replace(new, path=path, acquisition=acquisition)
        patient = new.study_instance_uid, new.patient_key
        self.identities.setdefault(patient, found.identity)
        self.claims[patient] = self.claims.get(patient, found.claim).and_also(found.claim)
        self.checksums.add(new.sha256)

    def _conflict(self, loser: Instance, winner: Instance) -> None:
        if loser.sha256 == winner.sha256:
            self.duplicates += 1
            return
        reason = "Another file of this drop carries the same image number with other content, and was kept."
        self.rejected.append(RejectedFile(loser.name, reason, loser.study_instance_uid))

    def _reject(self, rejection: Rejection) -> None:
        self.rejected.append(RejectedFile(rejection.name, rejection.reason))

    def _report(self, unpacked: int) -> None:
        done = self.bytes_done + unpacked
        self.progress(ReadProgress(self.files_done, done, len(self.accepted), len(self.rejected)))


def _with_study(rejected: RejectedFile, studies: Mapping[str, set[str]]) -> RejectedFile:
    """A refused image that names no study belongs to that of its series, where `studies` of others tell just one."""
    if rejected.study_instance_uid or not rejected.series_instance_uid:
        return rejected
    of_series = studies.get(rejected.series_instance_uid, set())
    if len(of_series) == 1:
        return replace(rejected, study_instance_uid=next(iter(of_series)))
    return replace(rejected, series_instance_uid="", sop_instance_uid="")


def _patients_apart(instances: list[Instance], claims: Mapping[tuple[str, str], Claim]) -> list[Instance]:
    """Give each patient beyond the first under one StudyInstanceUID a study number of their own."""
    together = _together(instances, claims)
    patients: dict[str, set[str]] = defaultdict(set)
    for instance in together:
        patients[instance.study_instance_uid].add(instance.patient_key)
    shared = {uid: min(keys) for uid, keys in patients.items() if len(keys) > 1}
    return [_apart(instance, shared) for instance in together]


def _together(instances: list[Instance], claims: Mapping[tuple[str, str], Claim]) -> list[Instance]:
    """Give files that name one patient in several ways the key of that patient."""
    found: dict[str, dict[str, Claim]] = defaultdict(dict)
    for instance in instances:
        uid, key = instance.study_instance_uid, instance.patient_key
        found[uid][key] = claims[uid, key]
    standing = {uid: put_together(of_study) for uid, of_study in found.items()}
    return [
        _named(instance, standing[instance.study_instance_uid][instance.patient_key], found) for instance in instances
    ]


def _named(instance: Instance, patient_key: str, found: Mapping[str, Mapping[str, Claim]]) -> Instance:
    if patient_key == instance.patient_key:
        return instance
    numbered = found[instance.study_instance_uid][instance.patient_key].number
    warned = instance.warnings if numbered else (*instance.warnings, NO_NUMBER)
    return replace(instance, patient_key=patient_key, warnings=warned)


def _apart(instance: Instance, shared: dict[str, str]) -> Instance:
    uid = instance.study_instance_uid
    if uid not in shared:
        return instance
    warned = (*instance.warnings, TWO_PATIENTS)
    if instance.patient_key == shared[uid]:
        return replace(instance, warnings=warned)
    digest = hashlib.sha256(f"{uid}|{instance.patient_key}".encode()).digest()[:UUID_BYTES]
    own = UUID_ROOT + str(int.from_bytes(digest, "big"))
    return replace(instance, study_instance_uid=own, warnings=warned)
