"""Letting go of identified files: what arrived is deleted once what was made of it is safely on the disk."""

from dashboard.records.access import Records
from dashboard.records.contents import keep_files
from dashboard.records.files import flush
from dashboard.records.model import UploadState
from dashboard.records.studies import files_of_upload
from dashboard.records.uploads import find_upload


def settle_upload(records: Records, upload_id: str) -> None:
    """Delete an upload's identified files, once what was made of them is safely on the disk.

    Those of an upload that is not done stay: they may be all there is.

    Raises
    ------
    RecordsError
        Something that was made of them is not on the disk; reading them again repairs it.
    """
    with records.reading() as session:
        upload = find_upload(session, upload_id)
        if upload is None or upload.state is not UploadState.DONE:
            return
        stored = files_of_upload(session, upload_id)
    for study_id, names in stored.items():
        folder = records.store.instances_dir(study_id)
        keep_files(records, study_id, (folder / name for name in names))
        flush([*(folder / name for name in names), folder])
    records.inbox.remove(upload_id)
