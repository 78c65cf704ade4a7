"""The folder of de-identified files: instances of a study, and volumes and masks of each finding.

::

    store/<study id>/instances/<sop_instance_uid>.dcm
    store/<study id>/findings/<finding id>/{study.json, volumes/*.npy, masks/*.npy}
    store/incoming/<job id>/                 being read; nothing in it counts yet
    store/blobs/                             what the files above hold, by its hash (dashboard.records.blobs)

A finding's folder is complete before its row exists, so that a row never points at half a folder. Folders without
a row are what a killed worker left behind, and go at the next sweep.
"""

import re
import shutil
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from dashboard.errors import RecordsError
from dashboard.records.blobs import Blobs
from dashboard.records.files import make_private_dir, plain_os_errors

ID = re.compile(r"[0-9a-f]{32}")
UID = re.compile(r"[0-9]+(\.[0-9]+)*")


@dataclass(frozen=True)
class Store:
    """Where things lie under `root`, and what they hold. All ids are checked: they become folder names."""

    root: Path
    blobs: Blobs

    def instances_dir(self, study_id: str) -> Path:
        """Folder of the study's de-identified DICOM files."""
        return self.study_dir(study_id) / "instances"

    def finding_dir(self, study_id: str, finding_id: str) -> Path:
        """Folder of what one finding was made from and shows."""
        return self.study_dir(study_id) / "findings" / checked_id(finding_id)

    def incoming_dir(self, job_id: str) -> Path:
        """Folder of a drop while it is read."""
        return self.root / "incoming" / checked_id(job_id)

    def fresh_dir(self, folder: Path) -> Path:
        """Make `folder` anew, empty, for us alone."""
        self.remove(folder)
        make_private_dir(folder)
        return folder

    def take_in(self, study_id: str, files: Iterable[Path]) -> tuple[Path, ...]:
        """Move de-identified files to the study's folder; a file of the same name is replaced by its equal."""
        folder = self.instances_dir(study_id)
        make_private_dir(folder)
        with plain_os_errors("The store"):
            return tuple(file.replace(folder / file.name) for file in files)

    def remove_study(self, study_id: str) -> None:
        """Delete everything of a study."""
        self.remove(self.study_dir(study_id))

    def remove_finding(self, study_id: str, finding_id: str) -> None:
        """Delete the folder of a finding, and that of a study which holds nothing any more."""
        folder = self.finding_dir(study_id, finding_id)
        self.remove(folder)
        with suppress(OSError):
            folder.parent.rmdir()
            folder.parent.parent.rmdir()

    def remove(self, folder: Path) -> None:
        """Delete a folder of this store with all that is in it."""
        if not folder.is_relative_to(self.root) or folder == self.root:
            raise RecordsError("A folder outside the store is not ours to delete.")
        with plain_os_errors("The store"):
            if folder.exists():
                shutil.rmtree(folder)

    def leftovers(
        self, current: Mapping[str, str | None], busy: Collection[str], working: Collection[str]
    ) -> tuple[Path, ...]:
        """Folders that belong to nothing.

        Parameters
        ----------
        current
            Ids of findings by those of their studies.
        busy
            Ids of studies that a job waits for or works on.
        working
            Ids of jobs that a worker has claimed: what it reads an upload into is in use, however old it looks.
        """
        found = []
        with plain_os_errors("The store"):
            for folder in self.root.iterdir() if self.root.is_dir() else ():
                if folder.name == "incoming":
                    found += [path for path in folder.iterdir() if path.name not in working]
                elif ID.fullmatch(folder.name) and folder.name not in current:
                    found.append(folder)
                elif folder.name not in busy and (folder / "findings").is_dir():
                    kept = current.get(folder.name)
                    found += [path for path in (folder / "findings").iterdir() if path.name != kept]
        return tuple(found)

    def sweep_findings(self, study_id: str, keep: Collection[str]) -> None:
        """Delete folders of findings of `study_id` other than `keep`."""
        folder = self.study_dir(study_id) / "findings"
        with plain_os_errors("The store"):
            present = [path for path in folder.iterdir() if path.name not in keep] if folder.is_dir() else []
        for path in present:
            self.remove(path)

    def study_dir(self, study_id: str) -> Path:
        """Folder of everything of a study."""
        return self.root / checked_id(study_id)


def checked_id(text: str) -> str:
    """Return `text` if it is one of our opaque ids.

    Raises
    ------
    RecordsError
        It is not, and could leave its folder.
    """
    if not ID.fullmatch(text):
        raise RecordsError("This is not an id of this site.")
    return text
