"""The whole path, from accepted files to the published result, as the command line and the page's worker both take it.

A result is a pure function of pixels, headers, model files and settings; only `timings_s` differs between two runs.
"""

import logging
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from dashboard.errors import TriageError
from dashboard.grading import grade_study, trusted_labels
from dashboard.inference import analyse_sagittal, analyse_series, shows_sagittal
from dashboard.ingest import (
    Door,
    Drop,
    DroppedFile,
    Instance,
    ReadProgress,
    RejectedFile,
    build_studies,
    read_drop,
    study_moment,
)
from dashboard.records import Document
from dashboard.settings import ArchiveLimits
from dashboard.study import Series, SeriesPrediction, Study
from dashboard.study.sagittal import SagittalPrediction
from dashboard.work.engine import Engine

NOTHING_READABLE = "No file of this input could be read as part of an imaging study."
STOPPED = "The analysis stopped unexpectedly; read this study now."
NO_IMAGE = "None of this study's files holds an image that could be read."

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class TriagedStudy:
    """A study, its published result, and what both were made from.

    `predictions` are by series_instance_uid of the series that were analysed; their `native_labels` hold what the
    result stands by and nothing of refused slices. `instances` are the study's files. `sagittal` are what was outlined
    in series that show the spine from the side, one a volume.
    """

    study: Study
    document: Document
    predictions: Mapping[str, SeriesPrediction]
    instances: tuple[Instance, ...]
    sagittal: Mapping[str, tuple[SagittalPrediction, ...]] = field(default_factory=dict)


def triage_drop(
    files: Iterable[DroppedFile],
    door: Door,
    folder: Path,
    engine: Engine,
    limits: ArchiveLimits,
    progress: Callable[[ReadProgress], None] = lambda progress: None,
    refused: Iterable[RejectedFile] = (),
) -> Iterator[TriagedStudy]:
    """Read files and grade each study among them; one at a time, as they are done.

    Parameters
    ----------
    files
        As dropped.
    door
        What happens to identity and UIDs.
    folder
        An empty folder for intermediate files; the caller deletes it when done with the results.
    limits
        Bounds on archives.
    progress
        Told how far reading has come.
    refused
        Rejections from before reading, such as paths that do not exist.

    Yields
    ------
    TriagedStudy
        At least one: where nothing could be read, a result without study_instance_uid that says so.
    """
    started = time.perf_counter()
    (folder / "instances").mkdir()
    (folder / "scratch").mkdir()
    drop = read_drop(files, door, folder / "instances", folder / "scratch", limits, progress)
    drop = replace(drop, rejections=(*refused, *drop.rejections))
    read_s = time.perf_counter() - started
    studies = split_by_study(drop)
    for number, part in enumerate(studies):
        yield _triage_or_say_why(part, folder / f"volumes-{number}", engine, read_s)
    if not studies:
        yield _nothing_readable(drop, engine, read_s)


def _triage_or_say_why(part: Drop, volumes_dir: Path, engine: Engine, read_s: float) -> TriagedStudy:
    """One study's mishap is that study's result, and none of the others'."""
    try:
        return triage_study(part, volumes_dir, engine, read_s)
    except TriageError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever a foreign decoder throws, the other studies go on
        log.error("%s", without_words(error))
        return not_analysed(part, engine, STOPPED)


def without_words(error: Exception) -> str:
    """What an error is and where it arose; its text is left out unless it is ours, it may quote a header."""
    words = str(error) if isinstance(error, TriageError) else type(error).__name__
    where = traceback.extract_tb(error.__traceback__)[-1]
    return f"{words} ({Path(where.filename).name}:{where.lineno})"


def split_by_study(drop: Drop) -> tuple[Drop, ...]:
    """One drop a study and patient, in order of appearance.

    A study of which every file was rejected has a part of its own; rejections that name no study go to every part.
    """
    parts: dict[tuple[str, str], list[Instance]] = {}
    for instance in drop.instances:
        parts.setdefault((instance.study_instance_uid, instance.patient_key), []).append(instance)
    seen = {uid for uid, _ in parts}
    for rejection in drop.rejections:
        if rejection.study_instance_uid and rejection.study_instance_uid not in seen:
            seen.add(rejection.study_instance_uid)
            parts[rejection.study_instance_uid, ""] = []
    return tuple(
        replace(
            drop,
            instances=tuple(instances),
            rejections=tuple(item for item in drop.rejections if item.study_instance_uid in ("", uid)),
            identities={key: value for key, value in drop.identities.items() if key == uid},
        )
        for (uid, _), instances in parts.items()
    )


def study_uid(part: Drop) -> str:
    """The one study_instance_uid of a part made by :func:`split_by_study`."""
    if part.instances:
        return part.instances[0].study_instance_uid
    return next((item.study_instance_uid for item in part.rejections if item.study_instance_uid), "")


def triage_study(
    part: Drop,
    volumes_dir: Path,
    engine: Engine,
    read_s: float = 0.0,
    report: Callable[[str], None] = lambda stage: None,
) -> TriagedStudy:
    """Decode, analyse and grade one study.

    Parameters
    ----------
    part
        Files of one study.
    volumes_dir
        Where decoded volumes go; made when absent.
    read_s
        Time already spent on reading, for `timings_s`.
    report
        Told in words how far it has come.
    """
    started = time.perf_counter()
    report("reading images")
    volumes_dir.mkdir(parents=True, exist_ok=True)
    built = build_studies(part, volumes_dir) if part.instances else ()
    study = built[0] if built else _without_images(part)
    decoded = time.perf_counter()
    predictions, failures = _analyse(study.series, engine, report)
    sagittal, unseen = _analyse_sagittal(study.series, engine, report)
    analysed = time.perf_counter()
    report("grading")
    result = grade_study(study, predictions, engine.thresholds, failures, sagittal, unseen, engine.finding_models)
    if not built:
        result = replace(result, reasons=(NO_IMAGE,))
    graded = time.perf_counter()
    timings = {
        "read": read_s + decoded - started,
        "inference": analysed - decoded,
        "grading": graded - analysed,
        "total": read_s + graded - started,
    }
    document = result.to_document(timings, engine.describe())
    return TriagedStudy(study, document, _as_far_as_trusted(study, predictions, document), part.instances, sagittal)


def not_analysed(part: Drop, engine: Engine, reason: str) -> TriagedStudy:
    """The result of a study that could not be analysed for a `reason` outside it."""
    study = _without_images(part)
    result = replace(grade_study(study, {}, engine.thresholds), reasons=(reason,))
    return TriagedStudy(study, result.to_document(_no_time(), engine.describe()), {}, part.instances)


def _analyse(
    series: Iterable[Series], engine: Engine, report: Callable[[str], None]
) -> tuple[dict[str, SeriesPrediction], dict[str, str]]:
    """Predictions of the series that may be graded, and why others of them have none."""
    predictions: dict[str, SeriesPrediction] = {}
    failures: dict[str, str] = {}
    wanted = [item for item in series if item.reason is None]
    for number, item in enumerate(wanted, start=1):
        report(f"analysing series {number} of {len(wanted)}")
        if engine.models is None:
            failures[item.series_instance_uid] = engine.failure
            continue
        try:
            predictions[item.series_instance_uid] = analyse_series(item, engine.models)
        except TriageError as error:
            failures[item.series_instance_uid] = str(error)
    return predictions, failures


def _analyse_sagittal(
    series: Iterable[Series], engine: Engine, report: Callable[[str], None]
) -> tuple[dict[str, tuple[SagittalPrediction, ...]], dict[str, str]]:
    """What the sagittal model sees in the series that show the spine from the side, and why it saw none in others."""
    predictions: dict[str, tuple[SagittalPrediction, ...]] = {}
    failures: dict[str, str] = {}
    wanted = [item for item in series if shows_sagittal(item)]
    for number, item in enumerate(wanted, start=1):
        report(f"naming levels in series {number} of {len(wanted)}")
        if engine.models is None or engine.models.sagittal is None:
            failures[item.series_instance_uid] = engine.failure or engine.sagittal_failure
            continue
        try:
            predictions[item.series_instance_uid] = analyse_sagittal(item, engine.models)
        except TriageError as error:
            failures[item.series_instance_uid] = str(error)
    return predictions, failures


def _as_far_as_trusted(
    study: Study, predictions: Mapping[str, SeriesPrediction], document: Document
) -> dict[str, SeriesPrediction]:
    series = {item.series_instance_uid: item for item in study.series}
    return {
        uid: replace(seen, native_labels=trusted_labels(series[uid], seen, document["slices"]))
        for uid, seen in predictions.items()
    }


def _without_images(part: Drop) -> Study:
    date, time = study_moment(part.instances)
    return Study(study_uid(part), (), date, time, part.rejections)


def _nothing_readable(drop: Drop, engine: Engine, read_s: float) -> TriagedStudy:
    study = Study("", (), rejected=drop.rejections)
    result = replace(grade_study(study, {}, engine.thresholds), reasons=(NOTHING_READABLE,))
    document = result.to_document({**_no_time(), "read": read_s, "total": read_s}, engine.describe())
    return TriagedStudy(study, {**document, "study_instance_uid": None}, {}, ())


def _no_time() -> dict[str, float]:
    return {"read": 0.0, "inference": 0.0, "grading": 0.0, "total": 0.0}
