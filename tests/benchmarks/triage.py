"""Time from last byte to grade for a 200-slice study, with its parts, beside a raw read of the same files.

usage: python -m tests.benchmarks.triage [MODELS_DIR]
"""

import copy
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pydicom
from scipy import ndimage

from dashboard.exchange.demonstration import write_demonstration
from dashboard.records import get_finding, get_upload, list_findings, open_records, worklist
from dashboard.settings import REPOSITORY, load_settings
from dashboard.work import WorkerProcess, receive_files

SLICES, SIDE = 200, 512
TARGET_S = 5.0
PIECE = 1024**2


def write_study(folder: Path) -> None:
    """The demonstration's axial series, made finer: 200 slices of 512x512."""
    small = folder / "small"
    datasets = [pydicom.dcmread(path) for path in write_demonstration(small)]
    axial = [item for item in datasets if "AX" in item.SeriesDescription]
    axial.sort(key=lambda item: float(item.ImagePositionPatient[2]))
    stack = np.stack([item.pixel_array for item in axial])
    rng = np.random.default_rng(1)
    folder = folder / "study"
    folder.mkdir()
    for number in range(SLICES):
        at = number * (len(stack) - 1) / (SLICES - 1)
        low = min(int(at), len(stack) - 2)
        plane = stack[low] * (1 - at + low) + stack[low + 1] * (at - low)
        finer = ndimage.zoom(plane, SIDE / plane.shape[0], order=1) + rng.normal(0, 8, (SIDE, SIDE))
        dataset = copy.deepcopy(axial[0])
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = f"2.25.{10**30 + number}"
        step = (float(axial[-1].ImagePositionPatient[2]) - float(axial[0].ImagePositionPatient[2])) / (SLICES - 1)
        x, y, z = (float(value) for value in axial[0].ImagePositionPatient)
        dataset.ImagePositionPatient = [x, y, round(z + number * step, 4)]
        dataset.PixelSpacing = [float(value) * plane.shape[0] / SIDE for value in axial[0].PixelSpacing]
        dataset.SliceThickness = dataset.SpacingBetweenSlices = round(abs(step), 4)
        dataset.Rows = dataset.Columns = SIDE
        dataset.InstanceNumber = number + 1
        dataset.PixelData = np.clip(finer, 0, 4095).astype("<u2").tobytes()
        dataset.save_as(folder / f"IM{number:04d}")


def raw_read_s(folder: Path) -> float:
    """Every byte of the files once."""
    start = time.perf_counter()
    for path in sorted(folder.iterdir()):
        with path.open("rb", buffering=0) as file:
            while file.read(PIECE):
                pass
    return time.perf_counter() - start


def cpu_s(pid: int) -> float:
    """Processor seconds a process has used so far, all threads: a measure that a busy machine does not stretch."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def command_line(folder: Path, environment: dict[str, str]) -> tuple[dict[str, float], float, float, float]:
    """Timings of the result, seconds and processor seconds of the whole process, MiB of its peak."""
    start = time.perf_counter()
    command = [sys.executable, "-m", "dashboard", "triage", str(folder)]
    done = subprocess.run(command, env=environment, cwd=REPOSITORY, capture_output=True, check=True)
    taken = time.perf_counter() - start
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    document = json.loads(done.stdout)
    print(f"  result: {document['status']}, grade {document['grade']}, tier {document['urgency']['tier']}")
    return document["timings_s"], taken, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def page(folder: Path, environment: dict[str, str]) -> tuple[dict[str, float], float, float, float]:
    """Timings of the finding, seconds from last byte to grade, the worker's processor seconds, its peak in MiB."""
    records = open_records(load_settings(environment))
    worker = WorkerProcess(environment)
    worker.start()
    locks = records.settings.data_dir / "workers"
    while not locks.is_dir() or not any(locks.iterdir()):
        time.sleep(0.05)
    upload = receive_files(records, [folder])
    assert worker.pid is not None
    before, last_byte = cpu_s(worker.pid), datetime.now(UTC)
    try:
        while True:
            with records.reading() as session:
                studies = worklist(session)
                if studies and studies[0].finished_at is not None:
                    break
            time.sleep(0.02)
        used = cpu_s(worker.pid) - before
        peak = int(Path(f"/proc/{worker.pid}/status").read_text().split("VmHWM:")[1].split()[0]) / 1024
        with records.reading() as session:
            finding = get_finding(session, studies[0].current_finding_id)
            assert finding is not None
            assert len(list_findings(session, studies[0].id)) == 1
            read = get_upload(session, upload.id).finished_at
        assert read is not None
        timings = {"reading the upload": (read - last_byte).total_seconds(), **finding.document["timings_s"]}
        return timings, (studies[0].finished_at - last_byte).total_seconds(), used, peak
    finally:
        worker.stop()
        records.close()


def main() -> None:
    models_dir = Path(sys.argv[1]) if len(sys.argv) > 1 else REPOSITORY / "models"
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        write_study(root)
        folder = root / "study"
        size = sum(path.stat().st_size for path in folder.iterdir()) / 1024**2
        environment = {
            **os.environ,
            "PYTHONPATH": str(REPOSITORY),
            "TRIAGE_MODELS_DIR": str(models_dir),
            "TRIAGE_DATA_DIR": str(root / "data"),
        }
        raw = raw_read_s(folder)
        print(f"{SLICES} slices of {SIDE}x{SIDE}, {size:.0f} MiB; load {os.getloadavg()[0]:.1f}")
        print(f"raw read of the files            {raw:8.3f} s")
        timings, taken, used, peak = command_line(folder, environment)
        for part, seconds in timings.items():
            print(f"command line, {part:18} {seconds:8.3f} s   {seconds / raw:7.1f} raw reads")
        print(f"command line, whole process      {taken:8.3f} s   {used:.2f} processor s, peak {peak:.0f} MiB")
        timings, graded, used, peak = page(folder, environment)
        for part, seconds in timings.items():
            print(f"page, {part:26} {seconds:8.3f} s   {seconds / raw:7.1f} raw reads")
        verdict = "met" if graded < TARGET_S else "missed"
        print(f"page, last byte to grade         {graded:8.3f} s   {graded / raw:7.1f} raw reads")
        print(f"worker: {used:.2f} processor s, peak {peak:.0f} MiB")
        print(f"target {TARGET_S:.0f} s: {verdict} at a load of {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
