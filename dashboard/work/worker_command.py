"""The ``worker`` command: one worker until it is told to end."""

import logging
import os
import signal
import sys
import threading
from types import FrameType

from dashboard.records import open_records
from dashboard.settings import Settings
from dashboard.work.engine import load_engine_or_reason
from dashboard.work.worker import Worker

READ_BYTES = 4096

log = logging.getLogger(__name__)


def run_worker(settings: Settings, child: bool) -> None:
    """Work until SIGTERM or SIGINT, which let the present job end; as a `child` also until standard input ends.

    A child ends at once when its parent does: its job runs again at the next start.

    Raises
    ------
    RecordsError, SettingsError
        The site's records cannot be opened.
    """
    if child:
        threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    records = open_records(settings)
    engine = load_engine_or_reason(settings.models_dir)
    if engine.failure:
        log.error("%s No study will be graded until then.", engine.failure)
    worker = Worker(records, engine)

    def stop(number: int, frame: FrameType | None) -> None:
        worker.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    log.info("worker ready")
    try:
        worker.run()
    finally:
        records.close()


def _end_with_parent() -> None:
    while os.read(sys.stdin.fileno(), READ_BYTES):
        pass
    # Not an orderly exit: the main thread may be deep in a decoder, and nothing is lost.
    os._exit(0)
