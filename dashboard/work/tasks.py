"""What a Dask worker runs. A task carries no study: each takes the first job of the database's queue.

So the queue alone decides what comes first, a task that Dask runs twice does no harm, and neither the scheduler nor its
log ever learns of a patient or a study. The module is also the workers' preload: models are warm before the first task.
"""

import atexit
import logging
import os
from functools import lru_cache
from typing import Any

from dashboard.records import open_records
from dashboard.settings import load_settings
from dashboard.work.engine import load_engine_or_reason, threads_of
from dashboard.work.worker import Worker

log = logging.getLogger(__name__)


def run_next_job() -> bool:
    """Do the first waiting job; False when there was none, or the records cannot be reached for now."""
    return _this_worker().turn()


def look_after_others() -> None:
    """Take back jobs of workers that died, and clear what they left."""
    _this_worker().look_after_others()


def dask_setup(_worker: Any) -> None:
    """Called by Dask in each of its worker processes at their start."""
    _this_worker()


@lru_cache(maxsize=1)
def _this_worker() -> Worker:
    """The one worker of this process; its settings are the environment's, as in every process of the site."""
    settings = load_settings()
    threads = threads_of(settings.workers, len(os.sched_getaffinity(0)))
    engine = load_engine_or_reason(settings.models_dir, threads)
    if engine.failure:
        log.error("%s No study will be graded until then.", engine.failure)
    worker = Worker(open_records(settings), engine)
    worker.open()
    atexit.register(worker.close)
    log.info("worker ready")
    return worker
