"""What a sagittal volume shows besides compression: findings by level, head to foot."""

from collections.abc import Sequence
from typing import Any

from dashboard.grading.spine.body_findings import body_findings
from dashboard.grading.spine.canal_findings import canal_finding, coverage_finding, kang_finding
from dashboard.grading.spine.contrasts import OtherContrast, body_ratios
from dashboard.grading.spine.disc_findings import disc_findings
from dashboard.grading.spine.lumbar_sac import Sacs, lumbar_findings
from dashboard.grading.spine.measures import SpineMeasures, measure_spine
from dashboard.grading.spine.result import Finding, in_order
from dashboard.grading.spine.triage import SagittalTriage, sagittal_triage
from dashboard.study.finding_models import SpineModels
from dashboard.study.sagittal import SagittalPrediction
from dashboard.study.spine import NamedSegment, Spine

LUMBAR_DISCS = ("L1/2", "L2/3", "L3/4", "L4/5", "L5/S1")


def spine_findings(
    prediction: SagittalPrediction,
    spine: Spine,
    models: SpineModels,
    triage: SagittalTriage | None = None,
    others: Sequence[OtherContrast] = (),
    measures: SpineMeasures | None = None,
    is_t2: bool = True,
    sacs: Sacs | None = None,
) -> tuple[Finding, ...]:
    """Findings of one sagittal volume, ordered head to foot, then by kind.

    Parameters
    ----------
    prediction, spine
        The model's view, and its named segments with masks in the same grid.
    models
        Fitted models of the sagittal model's folder.
    triage
        :func:`study_triage` of the same volume, where it is at hand.
    others
        STIR and T1 volumes of the same frame of reference.
    measures
        :func:`~dashboard.grading.spine.measures.measure_spine` of the same volume, where it is at hand.
    is_t2
        Whether the series is T2-weighted. Of another, lengths are told and what reads signal is not analysed.
    sacs
        :func:`~dashboard.grading.spine.lumbar_sac.sacs_at_discs` of the study's axial slices.
    """
    measured = measures or measure_spine(prediction, spine, others)
    triage = triage or study_triage(spine, models, measured, is_t2=is_t2)
    ratios = body_ratios(prediction, spine, measured.near, others)
    found: list[Finding] = []
    for k, one in enumerate(spine.named):
        place = _place(spine, one)
        found.append(canal_finding(triage, one.level, place))
        if k in measured.discs:
            found += disc_findings(measured.discs[k], measured.endplates.get(k), models, place, is_t2)
            if one.level in LUMBAR_DISCS:
                found += lumbar_findings(sacs or {}, one.level, place)
            elif one.level[0] == "C":
                found.append(kang_finding(prediction, measured.stations, one.level, place))
        elif k in measured.bodies:
            found += body_findings(measured.bodies[k], k, ratios, place, is_t2)
        else:
            found.append(coverage_finding(one.segment.kind, k in measured.lateral, place))
    return in_order(found)


def study_triage(spine: Spine, models: SpineModels, measures: SpineMeasures, *, is_t2: bool = True) -> SagittalTriage:
    """Suspected compression by the canal's profile of one sagittal volume."""
    return sagittal_triage(spine.series_instance_uid, spine.sure_levels, measures.stations, models, is_t2=is_t2)


def _place(spine: Spine, one: NamedSegment) -> dict[str, Any]:
    x, y, z = (float(v) for v in one.segment.centre_mm)
    return {
        "level": one.level,
        "level_certain": spine.is_sure_of(one),
        "series_instance_uid": spine.series_instance_uid,
        "level_series_instance_uid": spine.series_instance_uid,
        "position_mm": (x, y, z),
    }
