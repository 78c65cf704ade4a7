"""Studies a minute of two workers beside one, and beside one that is held to a single core, in the same run.

What is measured: the time from the drop of all studies, one by one, to the last grade. A study is the demonstration
under other numbers, read and graded by the shipped models. The cluster (dispatcher, scheduler, workers) is held to the
cores named; this process, which receives the drops as the server does, may use any, which favours the single core.
The runs alternate.

Two ratios, because one worker is not one core: alone on two cores it looks at two slices at a time, so that a single
study is graded sooner. It then keeps more than one core busy, and two workers on two cores cannot give more than
2 / (cores it keeps busy) times its throughput. The ratio that says whether workers get in each other's way is that
against one worker on one core.

Beside the times stand the CPU seconds a study took, by process, and what processes of others used meanwhile: where
that is more than a few hundredths of a core, the machine was not quiet and the ratios mean little.

usage: python -m tests.benchmarks.throughput [STUDIES]
"""

import os
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from dashboard.exchange.demonstration import write_demonstration
from dashboard.records import Records, open_jobs, open_records, worklist
from dashboard.settings import REPOSITORY, load_settings
from dashboard.work import WorkerProcess, receive_files
from tests.work.drops import drops_of

ROUNDS = 3
TARGET_RATIO = 1.7
WARM_UP = 4
POLL_S = 0.05


@dataclass(frozen=True)
class Run:
    """Seconds a study: of the clock, and of CPUs by whose they were; `others` is in cores."""

    clock: float
    server: float
    dispatcher: float
    workers: float
    others: float

    @property
    def busy(self) -> float:
        """Cores kept busy."""
        return (self.server + self.dispatcher + self.workers) / self.clock


@dataclass(frozen=True)
class Cpu:
    """CPU seconds used so far: of this process, the dispatcher, its children, and all processes of the machine."""

    server: float
    dispatcher: float
    workers: float
    machine: float

    @classmethod
    def now(cls, dispatcher: int) -> "Cpu":
        """Look at the processes."""
        process = psutil.Process(dispatcher)
        machine = psutil.cpu_times()
        return cls(
            _used(psutil.Process()),
            _used(process),
            sum(_used(child) for child in process.children(recursive=True)),
            machine.user + machine.nice + machine.system,
        )


def _used(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def write_studies(folder: Path, count: int) -> list[Path]:
    """Folders of `count` studies, and of some to warm up with."""
    write_demonstration(folder / "made")
    return drops_of(folder / "made", folder, count + WARM_UP, slices=None)


def wait(records: Records) -> None:
    """Until nothing is left to do."""
    while True:
        with records.reading() as session:
            if open_jobs(session) == 0:
                return
        time.sleep(POLL_S)


def run(folders: list[Path], workers: int, cores: int) -> Run:
    """Have all studies graded by a cluster held to some cores."""
    every = os.sched_getaffinity(0)
    with tempfile.TemporaryDirectory() as data_dir:
        environment = {**os.environ, "TRIAGE_DATA_DIR": data_dir, "TRIAGE_WORKERS": str(workers)}
        records = open_records(load_settings(environment))
        cluster = WorkerProcess({**environment, "PYTHONPATH": str(REPOSITORY)})
        os.sched_setaffinity(0, sorted(every)[:cores])
        cluster.start()
        os.sched_setaffinity(0, every)
        try:
            _grade(records, folders[:WARM_UP])
            before = Cpu.now(cluster.pid or 0)
            took = _grade(records, folders[WARM_UP:])
            after = Cpu.now(cluster.pid or 0)
        finally:
            cluster.stop()
        with records.reading() as session:
            graded = sum(study.grade is not None for study in worklist(session))
        records.close()
    if graded != len(folders):
        raise SystemExit(f"{graded} of {len(folders)} studies graded")
    return _run(before, after, took, len(folders) - WARM_UP)


def _grade(records: Records, folders: list[Path]) -> float:
    """Seconds until all are graded."""
    start = time.perf_counter()
    for folder in folders:
        receive_files(records, [folder])
    wait(records)
    return time.perf_counter() - start


def _run(before: Cpu, after: Cpu, took: float, count: int) -> Run:
    server, dispatcher, workers = (
        getattr(after, name) - getattr(before, name) for name in ("server", "dispatcher", "workers")
    )
    others = after.machine - before.machine - server - dispatcher - workers
    return Run(took / count, server / count, dispatcher / count, workers / count, max(0.0, others / took))


def median(runs: tuple[Run, ...], name: str) -> float:
    """Median of one figure of several runs."""
    return statistics.median(getattr(run, name) for run in runs)


def main() -> None:
    """Print studies a minute, what they cost, and the ratios."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 24
    with tempfile.TemporaryDirectory() as folder:
        folders = write_studies(Path(folder), count)
        rounds = [(run(folders, 1, 1), run(folders, 1, 2), run(folders, 2, 2)) for _ in range(ROUNDS)]
    names = ("one worker on one core", "one worker on two cores", "two workers on two cores")
    for name, runs in zip(names, zip(*rounds, strict=True), strict=True):
        print(
            f"{name}: {60 / median(runs, 'clock'):.0f} studies a minute, median of {ROUNDS}; CPU seconds a study: "
            f"workers {median(runs, 'workers'):.3f}, dispatcher {median(runs, 'dispatcher'):.3f}, "
            f"server {median(runs, 'server'):.3f}; {median(runs, 'busy'):.2f} cores busy, "
            f"{median(runs, 'others'):.2f} with others' processes"
        )
    for place, name in enumerate(names[:2]):
        ratios = [runs[place].clock / runs[2].clock for runs in rounds]
        print(f"two workers against {name}: {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")
    print(f"at least {TARGET_RATIO} wanted against one worker on one core")


if __name__ == "__main__":
    main()
