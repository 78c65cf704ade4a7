"""Running work: the path from files to results, the queue's worker, and the way files take from a browser.

::

    worker = WorkerProcess(); worker.start(); ...; worker.stop()      # the application's lifespan
    UploadRoutes(records, allow).routes()                             # beside the pages' own routes
    receive_files(records, paths, synthetic=True)                     # as if they had been dropped on the page
"""

from dashboard.work.local_files import receive_files
from dashboard.work.triage import TriagedStudy, triage_drop, triage_study
from dashboard.work.upload_route import UploadRoutes, upload_methods
from dashboard.work.worker_process import WorkerProcess

__all__ = [
    "TriagedStudy",
    "UploadRoutes",
    "WorkerProcess",
    "receive_files",
    "triage_drop",
    "triage_study",
    "upload_methods",
]
