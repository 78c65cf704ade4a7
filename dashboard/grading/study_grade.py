"""The grade, the urgency and the reasons of a whole study."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from dashboard.grading.absence import study_absence
from dashboard.grading.bilsky import grade_from
from dashboard.grading.claims import claims_of_lost, claims_of_part, claims_of_series, suspicions
from dashboard.grading.explanation import explained
from dashboard.grading.levels import group_levels
from dashboard.grading.parts import Part, originals
from dashboard.grading.profile import MILDER_RANK, along_canal_mm, support
from dashboard.grading.result import (
    ANALYSED,
    GRADED,
    NOT_ANALYSED,
    SeriesResult,
    SliceResult,
    StudyResult,
)
from dashboard.grading.series import grade_series
from dashboard.grading.series_levels import with_levels
from dashboard.grading.spine.lumbar_sac import sacs_at_discs
from dashboard.grading.spine.sideview import SideView, look_from_the_side
from dashboard.grading.spine.study import Levels, read_levels
from dashboard.grading.thresholds import GradingThresholds
from dashboard.grading.urgency import (
    TIER_OF_GRADE,
    Claim,
    Tier,
    Urgency,
    judge,
)
from dashboard.grading.words import NOT_BORNE_OUT, agreement_words, alone_words, flag_words, rank, slice_words
from dashboard.study import Series, SeriesPrediction, SlicePrediction, Study
from dashboard.study.finding_models import SpineModels
from dashboard.study.geometry import Array
from dashboard.study.sagittal import SagittalPrediction


def grade_study(
    study: Study,
    predictions: Mapping[str, SeriesPrediction],
    thresholds: GradingThresholds | None = None,
    failures: Mapping[str, str] | None = None,
    sagittal: Mapping[str, Sequence[SagittalPrediction]] | None = None,
    sagittal_failures: Mapping[str, str] | None = None,
    finding_models: SpineModels | None = None,
) -> StudyResult:
    """Grade a study from what the models saw in its series.

    Parameters
    ----------
    study
        Its series in their fixed order.
    predictions
        By series instance UID, of the series that were looked at.
    thresholds
        Cuts on probabilities; the defaults where None.
    failures
        By series instance UID, why a gradable series could not be looked at.
    sagittal
        By series instance UID, what the sagittal model saw: one a volume.
    sagittal_failures
        By series instance UID, why a series that shows the spine from the side could not be looked at.
    finding_models
        Fitted models of the sagittal model's folder; without them there are no findings besides levels.

    Returns
    -------
    StudyResult
        Graded when at least one slice was, otherwise not analysed with its reasons.
    """
    cuts = thresholds or GradingThresholds()
    levels = read_levels(study, sagittal or {})
    parts = [
        Part(number, series, grade_series(predictions[series.series_instance_uid], cuts))
        for number, series in enumerate(study.series)
        if series.series_instance_uid in predictions
    ]
    supported = _support(parts, cuts)
    found = {part.number: _slice_results(part, supported[part.number], cuts, levels) for part in parts}
    beside = {part.number: [one for other in part.comparable(parts) for one in found[other.number]] for part in parts}
    slices = tuple(one for part in parts for one in explained(found[part.number], beside[part.number]))
    series = tuple(_series_result(number, one, parts, failures or {}) for number, one in enumerate(study.series))
    series = tuple(
        with_levels(result, one, levels, slices, (sagittal_failures or {}).get(one.series_instance_uid))
        for result, one in zip(series, study.series, strict=True)
    )
    graded = [one for one in slices if one.status == ANALYSED]
    sacs = sacs_at_discs(_across(parts, found))
    graded_mm: dict[str, list[tuple[float, float, float]]] = {}
    for one in graded:
        graded_mm.setdefault(one.series_instance_uid, []).append(one.position_mm)
    side = look_from_the_side(study, levels, finding_models, graded_mm, sacs)
    at_least = _study_at_least(graded)
    reasons = () if graded else study_absence(series, len(study.rejected))
    worst = max(graded, key=_severity, default=None)
    return StudyResult(
        study_instance_uid=study.study_instance_uid,
        status=GRADED if graded else NOT_ANALYSED,
        reasons=reasons,
        grade=None if worst is None else worst.supported_grade,
        at_least=at_least,
        urgency=_urgency(study, parts, slices, worst, at_least, reasons, series, side),
        worst=worst,
        levels=group_levels(graded),
        series=series,
        slices=slices,
        rejected=study.rejected,
        spines=levels.documents(study),
        findings=side.finding_documents(),
        sagittal=side.sagittal_document(),
    )


def _across(
    parts: Sequence[Part], found: Mapping[int, Sequence[SliceResult]]
) -> Iterator[tuple[str, SlicePrediction, str | None]]:
    """Slices of the axial T2 series that could be read, each with its level; whether one alone was graded or not."""
    for part in parts:
        if part.graded.reason is None:
            for one, result in zip(part.graded.slices, found[part.number], strict=True):
                level = None if result.level is None else result.level.name
                yield part.series.series_instance_uid, one.prediction, level


def _support(parts: Sequence[Part], cuts: GradingThresholds) -> dict[int, Array]:
    """Supported P(>= k) of the analysed slices of each part."""
    rows = [(part, one) for part in parts for one in part.analysed]
    if not rows:
        return {part.number: np.zeros((0, 5)) for part in parts}
    numbers, original = [part.number for part, _ in rows], originals(parts)
    supported = support(
        np.array([one.grade.at_least for _, one in rows]),
        np.array([one.prediction.centre_mm for _, one in rows]),
        np.concatenate([part.apart_mm[[one.gate.passed for one in part.graded.slices]] for part in parts]),
        numbers,
        [original[number] for number in numbers],
        [part.series.frame_of_reference_uid for part, _ in rows],
        cuts.grade_cut,
    )
    return {part.number: supported[np.array(numbers) == part.number] for part in parts}


def _slice_results(part: Part, supported: Array, cuts: GradingThresholds, levels: Levels) -> list[SliceResult]:
    uid, frame = part.series.series_instance_uid, part.series.frame_of_reference_uid
    along = along_canal_mm(np.array([one.prediction.centre_mm for one in part.graded.slices]).reshape(-1, 3))
    apart_mm = part.apart_mm
    rows = iter(supported)
    results = []
    for index, one in enumerate(part.graded.slices):
        passed = one.gate.passed
        row = next(rows) if passed else None
        results.append(
            SliceResult(
                series_instance_uid=uid,
                number=index + 1,
                volume_index=one.prediction.volume_index,
                slice_index=one.prediction.slice_index,
                frame=one.prediction.frame,
                position_mm=_point(one.prediction.centre_mm),
                along_canal_mm=float(along[index]),
                apart_mm=float(apart_mm[index]),
                status=ANALYSED if passed else NOT_ANALYSED,
                reasons=slice_words(one.grade, one.measures) if passed else tuple(o.value for o in one.gate.obstacles),
                grade=one.grade if passed else None,
                supported=None if row is None else tuple(row.tolist()),
                supported_grade=None if row is None else grade_from(row, cuts.grade_cut),
                measures=one.measures if passed else None,
                level=levels.level_at(one.prediction.centre_mm.tolist(), uid, frame),
            )
        )
    return results


def _series_result(number: int, series: Series, parts: Sequence[Part], failures: Mapping[str, str]) -> SeriesResult:
    graded = next((part.graded for part in parts if part.number == number), None)
    if graded is not None:
        reason = graded.reason
    else:
        reason = series.reason or failures.get(series.series_instance_uid) or "this series was not looked at"
    return SeriesResult(
        series_instance_uid=series.series_instance_uid,
        series_number=series.series_number,
        description=series.acquisition.series_description,
        modality=series.acquisition.modality,
        plane=series.plane.value,
        role=series.role.value,
        frames=series.frame_count,
        analysed=reason is None,
        reason=reason,
        orientation_ok=None if graded is None else graded.orientation_ok,
        warnings=series.warnings,
    )


def _study_at_least(graded: Sequence[SliceResult]) -> tuple[float, ...] | None:
    """The worst supported slice, rank by rank."""
    if not graded:
        return None
    return tuple(np.max([one.supported for one in graded if one.supported is not None], axis=0).tolist())


def _severity(one: SliceResult) -> tuple[int, float, int, float]:
    """Supported grade first, then what the slice says alone."""
    supported, grade = one.supported or (), one.grade
    own = (0, 0.0) if grade is None else (rank(grade.grade), sum(grade.at_least))
    return rank(one.supported_grade or "0"), sum(supported), *own


def _urgency(
    study: Study,
    parts: Sequence[Part],
    slices: Sequence[SliceResult],
    worst: SliceResult | None,
    at_least: tuple[float, ...] | None,
    reasons: tuple[str, ...],
    series: Sequence[SeriesResult],
    side: SideView,
) -> Urgency:
    """All claims of a study, judged."""
    lost = claims_of_lost(study)
    if worst is None or worst.supported_grade is None:
        return judge([Claim(Tier.NOT_ANALYSED, reasons), *suspicions(parts), *side.claims(), *lost], None)
    # That of a slice: probabilities are the worst of all, rank by rank, and no slice need have them together.
    grade = worst.supported_grade
    place = (worst.series_instance_uid, worst.number)
    claims = [Claim(TIER_OF_GRADE[grade], _grade_reasons(grade, worst, slices), place), *side.claims()]
    for part in parts:
        claims.extend(claims_of_part(part, parts, slices))
    return judge([*claims, *claims_of_series(study, series), *lost], at_least)


def _grade_reasons(grade: str, worst: SliceResult, slices: Sequence[SliceResult]) -> tuple[str, ...]:
    contradicted = any(one.grade is not None and one.grade.grade != "0" for one in slices)
    words = [NOT_BORNE_OUT if grade == "0" and contradicted else flag_words(grade)]
    if grade != "0":
        words.extend(worst.reasons)
        first, last = _agreeing(rank(grade), worst, slices)
        alone = alone_words(worst.apart_mm)
        if last > first:
            words.append(agreement_words(first, last))
        elif any(alone in sentence for sentence in worst.explanation):
            words.append(alone)
    return tuple(words)


def _agreeing(grade_rank: int, worst: SliceResult, slices: Sequence[SliceResult]) -> tuple[int, int]:
    """Numbers of the first and last of the slices round the worst that show at least a milder form of it."""
    least = MILDER_RANK[grade_rank]
    ranks = {
        one.number: rank(one.grade.grade)
        for one in slices
        if one.series_instance_uid == worst.series_instance_uid and one.grade is not None
    }
    first = last = worst.number
    while ranks.get(first - 1, 0) >= least:
        first -= 1
    while ranks.get(last + 1, 0) >= least:
        last += 1
    return first, last


def _point(centre_mm: Array) -> tuple[float, float, float]:
    x, y, z = (float(value) for value in centre_mm)
    return x, y, z
