"""Studies a minute of two workers beside one, and beside one that is held to a single core, in the same run.

One worker alone already uses a second core while it looks at slices, so that a single study is graded sooner: two
workers on two cores cannot double its throughput.

A study is the demonstration under other numbers, read and graded by the shipped models. The runs alternate.

usage: python -m tests.benchmarks.throughput [STUDIES]
"""

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from dashboard.exchange.demonstration import write_demonstration
from dashboard.records import Records, open_jobs, open_records, worklist
from dashboard.settings import REPOSITORY, load_settings
from dashboard.work import WorkerProcess, receive_files
from tests.work.drops import drops_of

ROUNDS = 3
TARGET_RATIO = 1.7


def write_studies(folder: Path, count: int) -> list[Path]:
    """Folders of `count` studies, and of two to warm up with."""
    write_demonstration(folder / "made")
    return drops_of(folder / "made", folder, count + 2, slices=None)


def wait(records: Records) -> None:
    """Until nothing is left to do."""
    while True:
        with records.reading() as session:
            if open_jobs(session) == 0:
                return
        time.sleep(0.02)


def seconds(folders: list[Path], workers: int, cores: int) -> float:
    """From the drop of all studies, one by one, to the last grade, by a cluster held to some cores."""
    every = os.sched_getaffinity(0)
    with tempfile.TemporaryDirectory() as data_dir:
        environment = {**os.environ, "TRIAGE_DATA_DIR": data_dir, "TRIAGE_WORKERS": str(workers)}
        records = open_records(load_settings(environment))
        cluster = WorkerProcess({**environment, "PYTHONPATH": str(REPOSITORY)})
        os.sched_setaffinity(0, sorted(every)[:cores])
        cluster.start()
        os.sched_setaffinity(0, every)
        try:
            for folder in folders[:2]:
                receive_files(records, [folder])
            wait(records)
            start = time.perf_counter()
            for folder in folders[2:]:
                receive_files(records, [folder])
            wait(records)
            took = time.perf_counter() - start
        finally:
            cluster.stop()
        with records.reading() as session:
            graded = sum(study.grade is not None for study in worklist(session))
        records.close()
    if graded != len(folders):
        raise SystemExit(f"{graded} of {len(folders)} studies graded")
    return took


def main() -> None:
    """Print studies a minute and their ratio."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 24
    with tempfile.TemporaryDirectory() as folder:
        folders = write_studies(Path(folder), count)
        rounds = [(seconds(folders, 1, 1), seconds(folders, 1, 2), seconds(folders, 2, 2)) for _ in range(ROUNDS)]
    names = ("one worker on one core", "one worker on two cores", "two workers on two cores")
    for name, times in zip(names, zip(*rounds, strict=True), strict=True):
        print(f"{name}: {60 * count / statistics.median(times):.0f} studies a minute, median of {ROUNDS}")
    for place, name in enumerate(names[:2]):
        ratios = [times[place] / times[2] for times in rounds]
        print(f"two workers against {name}: {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")
    print(f"at least {TARGET_RATIO} wanted")


if __name__ == "__main__":
    main()
