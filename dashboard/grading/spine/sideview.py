"""What a study shows from the side, over all its sagittal volumes: findings by level, and what the canal asks for."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dashboard.grading.spine.contrasts import STIR, T1, OtherContrast
from dashboard.grading.spine.findings import spine_findings, study_triage
from dashboard.grading.spine.lumbar_sac import Sacs
from dashboard.grading.spine.measures import measure_spine
from dashboard.grading.spine.result import NOT_ANALYSED, SUSPECTED, Finding, in_order
from dashboard.grading.spine.study import Levels
from dashboard.grading.spine.triage import SagittalTriage
from dashboard.grading.urgency import Claim
from dashboard.study import Role, Series, Study
from dashboard.study.finding_models import SpineModels

T2_ROLES = frozenset({Role.SAGITTAL_T2, Role.VOLUME_T2})
OTHER_ROLES = {Role.SAGITTAL_STIR: STIR, Role.SAGITTAL_T1: T1}


@dataclass(frozen=True, eq=False)
class SideView:
    """Findings and canal triages of a study; both empty where nothing was seen from the side."""

    findings: tuple[Finding, ...] = ()
    triages: tuple[SagittalTriage, ...] = ()

    def claims(self) -> list[Claim]:
        """What the narrow places ask for that no graded axial slice shows."""
        found = (one.claim() for one in self.triages)
        return [claim for claim in found if claim is not None]

    def finding_documents(self) -> tuple[dict[str, Any], ...]:
        """Published findings, head to foot."""
        return tuple(one.to_document() for one in self.findings)

    def sagittal_document(self) -> dict[str, Any] | None:
        """The published block of the volume that asks for most; None where no canal was seen."""
        analysed = [one for one in self.triages if one.worst is not None]
        if not analysed:
            return None

        def asks(one: SagittalTriage) -> tuple[bool, bool, bool, bool, float]:
            weight = one.worst.weight if one.worst else 0.0
            return one.is_t2 and one.asks_of_cord, one.asks, one.asks_of_cord, one.suspected, weight

        return max(analysed, key=asks).to_document()


def look_from_the_side(
    study: Study,
    levels: Levels,
    models: SpineModels | None,
    graded_mm: Mapping[str, Sequence[Sequence[float]]] | None = None,
    sacs: Sacs | None = None,
) -> SideView:
    """Measure every named sagittal volume and word what was found.

    Parameters
    ----------
    study
        Its series in their fixed order.
    levels
        Of the same study.
    models
        The fitted models behind findings; without them nothing is found.
    graded_mm
        Positions of graded axial slices, LPS mm, by series instance UID. What they show of a place counts only where
        their coordinates compare with those of the sagittal series.
    sacs
        :func:`~dashboard.grading.spine.lumbar_sac.sacs_at_discs` of axial slices.
    """
    if models is None:
        return SideView()
    series = {one.series_instance_uid: one for one in study.series}
    findings: dict[tuple[str, str], Finding] = {}
    triages = []
    for read in levels.by_worth(study):
        own = series[read.spine.series_instance_uid]
        prediction = read.row.prediction
        is_t2 = own.role in T2_ROLES
        others = _other_contrasts(own, study.series)
        measures = measure_spine(prediction, read.spine, others)
        triage = study_triage(read.spine, models, measures, is_t2=is_t2).shown_across(
            [place for uid, places in (graded_mm or {}).items() if own.compares_with(series[uid]) for place in places]
        )
        for one in spine_findings(prediction, read.spine, models, triage, others, measures, is_t2, sacs):
            kept = findings.get((one.level, one.kind))
            if kept is None or _speaks_before(one, kept, is_t2):
                findings[one.level, one.kind] = one
        triages.append(triage)
    # The canal in other contrasts speaks where none in T2 does.
    measured = [one for one in triages if one.is_t2 and one.worst is not None]
    return SideView(in_order(findings.values()), tuple(measured or triages))


def _speaks_before(one: Finding, kept: Finding, is_t2: bool) -> bool:
    """Whether a finding of a later volume replaces that of one before it.

    The first volume that could say something speaks: volumes come by their worth. But a canal that is narrowed in one
    T2 volume alone, as with the neck bent, is narrowed.
    """
    if kept.status == NOT_ANALYSED:
        return one.status != NOT_ANALYSED
    return is_t2 and one.kind == "canal_narrowing" and one.status == SUSPECTED and kept.status != SUSPECTED


def _other_contrasts(own: Series, every: Iterable[Series]) -> tuple[OtherContrast, ...]:
    """STIR and T1 volumes whose coordinates compare with those of a series."""
    return tuple(
        OtherContrast(OTHER_ROLES[one.role], np.asarray(volume.voxels, np.float32), volume.affine)
        for one in every
        if one.role in OTHER_ROLES and one is not own and own.compares_with(one)
        for volume in one.volumes
    )
