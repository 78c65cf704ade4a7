"""The ``worker`` command: joins a cluster; as the server's own child, has its jobs dispatched."""

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType

from dashboard.errors import SettingsError
from dashboard.records import open_records
from dashboard.settings import Settings
from dashboard.work.cluster import join
from dashboard.work.dispatcher import Dispatcher

READ_BYTES = 4096
NO_CLUSTER = (
    "A worker joins the cluster whose scheduler TRIAGE_SCHEDULER names, and none is named. A server without it has "
    "workers of its own; TRIAGE_WORKERS says how many."
)

log = logging.getLogger(__name__)


def run_worker(settings: Settings) -> None:
    """Work for a cluster until it ends, or SIGTERM or SIGINT come.

    Raises
    ------
    SettingsError
        No cluster is named, or its address is malformed.
    """
    if not settings.scheduler:
        raise SettingsError(NO_CLUSTER)
    log.info("joining the cluster")
    join(settings.scheduler)


def run_dispatcher(settings: Settings) -> None:
    """Dispatch the site's jobs until SIGTERM or SIGINT come, or standard input ends.

    Ends at once when its parent does, and takes its workers along: their jobs run again at the next start.

    Raises
    ------
    RecordsError, SettingsError
        The site's records cannot be opened, or the cluster's address is malformed.
    """
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    records = open_records(settings)
    dispatcher = Dispatcher(records)
    _at_signal(dispatcher.stop)
    try:
        dispatcher.run()
    finally:
        records.close()


def _at_signal(act: Callable[[], None]) -> None:
    def handle(number: int, frame: FrameType | None) -> None:
        act()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, handle)


def _end_with_parent() -> None:
    while os.read(sys.stdin.fileno(), READ_BYTES):
        pass
    # Not an orderly exit: nothing is lost, and workers notice that their parent is gone.
    os._exit(0)
