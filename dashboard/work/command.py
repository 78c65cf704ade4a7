"""The ``triage`` command: grades files of this machine, touching neither database nor store."""

import contextlib
import hashlib
import os
import re
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Any, TextIO

import numpy as np
import numpy.typing as npt

from dashboard import __version__
from dashboard.errors import TriageError
from dashboard.grading import canonical_json
from dashboard.ingest import Door, KeyedPseudonym, OriginalUids
from dashboard.settings import Settings
from dashboard.study import Series
from dashboard.study.sagittal import SagittalPrediction
from dashboard.work.engine import load_engine
from dashboard.work.local_files import Found, find_files
from dashboard.work.triage import TriagedStudy, triage_drop, without_words

ALL_HANDLED, SET_UP_FAILED, INPUT_NOT_READ = 0, 1, 2
ENDED_BY_SIGNAL = 128
# PS3.5 9.1: digits in groups separated by dots, 64 characters at most. Anything else is no folder name either.
UID = re.compile(r"[0-9]+(\.[0-9]+)*")
LONGEST_UID = 64
RESULT_FILE = "result.json"
# No secret: it only tells patients apart within a run, UIDs stay the person's own, and nothing made with it is written.
PSEUDONYM_KEY = b"spine-triage command line"


def triage_paths(paths: Sequence[Path], out: Path | None, settings: Settings, stdout: TextIO, stderr: TextIO) -> int:
    """Grade every study found under `paths` together; return the exit status.

    One JSON document a study goes to `stdout`, one a line, as soon as it is done; with `out` also to
    ``out/<study_instance_uid>/result.json``, with ``masks.dcm``, ``masks-2.dcm`` ... for its graded series in the
    order of the result. Files of several paths that carry one StudyInstanceUID are one study.

    Returns
    -------
    int
        0 when every study was handled, 2 when a path held nothing that could be read, 1 when the models cannot be
        used or something could not be written to `out`.
    """
    try:
        engine = load_engine(settings.models_dir)
        found = find_files(paths)
        door = Door(OriginalUids(), KeyedPseudonym(PSEUDONYM_KEY), keep_identity=False)
        report = _Report(out, stdout, stderr)
        with _Signals() as signals, signals.folder() as folder:
            for triaged in triage_drop(
                found.files, door, folder, engine, settings.archive, signals.leave_if_told, found.rejected
            ):
                report.study(triaged)
                signals.leave_if_told()
                if report.nobody_listens:
                    break
    except TriageError as error:
        stderr.write(f"{error}\n")
        return SET_UP_FAILED
    if report.unread(found):
        return INPUT_NOT_READ
    return SET_UP_FAILED if report.failed else ALL_HANDLED


class _Report:
    """Where results go."""

    def __init__(self, out: Path | None, stdout: TextIO, stderr: TextIO) -> None:
        self._out, self._stdout, self._stderr = out, stdout, stderr
        self._folders: set[str] = set()
        self._accepted: set[str] = set()
        self._rejected: set[str] = set()
        self._broken = False
        self.failed = False

    @property
    def nobody_listens(self) -> bool:
        """Whether going on would be for nothing."""
        return self._broken and self._out is None

    def study(self, triaged: TriagedStudy) -> None:
        """Print one result, then write it where wanted."""
        self._accepted |= {instance.name for instance in triaged.instances}
        self._rejected |= {item["name"] for item in triaged.document["rejected"]}
        line = canonical_json(triaged.document)
        self._print(line)
        if self._out is not None and triaged.document["study_instance_uid"] is not None:
            self._write(self._out, triaged, line)

    def _print(self, line: str) -> None:
        if self._broken:
            return
        try:
            self._stdout.write(line + "\n")
            self._stdout.flush()
        except BrokenPipeError:
            self._broken = True
            # The interpreter flushes once more at its end; give it somewhere to do so.
            with contextlib.suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), self._stdout.fileno())

    def unread(self, found: Found) -> bool:
        """Whether a path gave nothing but rejected files; says which."""
        unread = [name for name in found.names if _within(name, self._rejected) and not _within(name, self._accepted)]
        for name in unread:
            self._stderr.write(f"{name}: nothing in it could be read; the result lists why.\n")
        return bool(unread)

    def _write(self, out: Path, triaged: TriagedStudy, line: str) -> None:
        folder = out / self._folder_name(triaged.study.study_instance_uid)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for stale in (*folder.glob("masks*.dcm"), *folder.glob("spine*.dcm")):
                stale.unlink()
            part = folder / f".{RESULT_FILE}.part"
            part.write_text(line + "\n", encoding="ascii")
            part.replace(folder / RESULT_FILE)
            write_study_masks(triaged, folder)
        except OSError as error:
            reason = (error.strerror or "unknown error").lower()
            self._fail(f"{folder.name}: results cannot be written to the --out folder: {reason}.")
        except TriageError as error:
            self._fail(f"{folder.name}: {error}")
        except Exception as error:  # noqa: BLE001 - whatever a header provokes in a library, the other studies go on
            self._fail(f"{folder.name}: masks cannot be made of this study: {without_words(error)}.")

    def _fail(self, words: str) -> None:
        """Say what went wrong; the other studies go on."""
        self.failed = True
        self._stderr.write(f"{words}\n")

    def _folder_name(self, study_instance_uid: str) -> str:
        """A name for the study's folder that stays in its place, whatever a file calls its study."""
        name = study_instance_uid
        if len(name) > LONGEST_UID or not UID.fullmatch(name):
            name = f"study-{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"
        number = 1
        while name in self._folders:
            number += 1
            name = f"{name.removesuffix(f'-{number - 1}')}-{number}"
        self._folders.add(name)
        return name


def write_study_masks(triaged: TriagedStudy, folder: Path) -> tuple[Path, ...]:
    """Write DICOM SEG objects for each series in which something was outlined.

    In the order of the study: ``masks.dcm``, ``masks-2.dcm`` ... of the graded series, ``spine.dcm`` ... of those that
    were looked at from the side, with segments of their own.
    """
    # Imported here: DICOM's code dictionaries take a fifth of a second, and only --out needs them.
    from dashboard.exchange.segmentation import Algorithm, write_masks
    from dashboard.exchange.segments import COMPRESSION, SAGITTAL

    written: dict[str, list[Path]] = {"masks": [], "spine": []}
    sources = {instance.sop_instance_uid: instance.path for instance in triaged.instances}
    analysed = {one["series_instance_uid"] for one in triaged.document["series"] if one["analysed"]}
    models = {model["name"]: model for model in triaged.document["model"]}
    for series in triaged.study.series:
        uid = series.series_instance_uid
        prediction = triaged.predictions.get(uid) if uid in analysed else None
        wanted = [] if prediction is None else [("masks", "compression", prediction.native_labels, COMPRESSION)]
        if uid in triaged.sagittal:
            wanted.append(("spine", "sagittal", _by_volume(series, triaged.sagittal[uid]), SAGITTAL))
        for stem, name, labels, kinds in wanted:
            # A result of one model names the model that segments last.
            model = models.get(name) or triaged.document["model"][-1]
            algorithm = Algorithm(model["name"], model["version"], __version__)
            count = len(written[stem])
            path = folder / (f"{stem}-{count + 1}.dcm" if count else f"{stem}.dcm")
            written[stem] += write_masks(series, labels, sources, path, algorithm, kinds).paths
    return (*written["masks"], *written["spine"])


def _by_volume(series: Series, seen: Sequence[SagittalPrediction]) -> tuple[npt.NDArray[np.uint8], ...]:
    """Labels of every volume of a series, empty where it was not looked at."""
    found = {one.volume_index: one.native_labels for one in seen}
    return tuple(
        found.get(place, np.zeros(volume.voxels.shape, np.uint8)) for place, volume in enumerate(series.volumes)
    )


def _within(path_name: str, names: set[str]) -> bool:
    """Whether one of `names` lies at or below `path_name`."""
    return any(name == path_name or name.startswith(f"{path_name}/") for name in names)


class _Signals:
    """Turns SIGINT, SIGTERM and SIGHUP into an orderly exit, so that intermediate files are deleted.

    The exception raised by a handler is now and then cleared by compiled code that it passes through; so the signal
    is remembered, and asked for again between files and studies.
    """

    def __init__(self) -> None:
        self._told: int | None = None
        self._held = False
        self._former: dict[signal.Signals, Any] = {}

    def __enter__(self) -> "_Signals":
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            self._former[number] = signal.signal(number, self._tell)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._former.items():
            signal.signal(number, handler)

    @contextlib.contextmanager
    def folder(self) -> Iterator[Path]:
        """A folder for intermediate files; while it is made or deleted a signal waits."""
        self._held = True
        with tempfile.TemporaryDirectory(prefix="spine-triage-") as name:
            try:
                self._held = False
                self.leave_if_told()
                yield Path(name)
            finally:
                self._held = True
        self._held = False
        self.leave_if_told()

    def leave_if_told(self, _: object = None) -> None:
        """Exit where a signal asked for it."""
        if self._told is not None and not self._held:
            sys.exit(ENDED_BY_SIGNAL + self._told)

    def _tell(self, number: int, _: FrameType | None) -> None:
        self._told = number
        self.leave_if_told()
