"""What a study shows from the side, over all its sagittal volumes: findings by level, and what the canal asks for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dashboard.grading.spine.contrasts import STIR, T1, OtherContrast
from dashboard.grading.spine.findings import spine_findings, study_triage
from dashboard.grading.spine.lumbar_sac import Sacs
from dashboard.grading.spine.measures import measure_spine
from dashboard.grading.spine.result import Finding, in_order
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

        def asks(one: SagittalTriage) -> tuple[bool, bool, float]:
            return one.asks, one.suspected, one.worst.probability if one.worst else 0.0

        return max(analysed, key=asks).to_document()


def look_from_the_side(
    study: Study,
    levels: Levels,
    models: SpineModels | None,
    graded_mm: Sequence[Sequence[float]] = (),
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
        Positions of graded axial slices, LPS mm.
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
        triage = study_triage(read.spine, models, measures).shown_across(graded_mm)
        for one in spine_findings(prediction, read.spine, models, triage, others, measures, is_t2, sacs):
            kept = findings.get((one.level, one.kind))
            # The first volume that could say something speaks: volumes come by their worth.
            if kept is None or (kept.status == "not_analysed" and one.status != "not_analysed"):
                findings[one.level, one.kind] = one
        if is_t2:
            triages.append(triage)
    return SideView(in_order(findings.values()), tuple(triages))


def _other_contrasts(own: Series, every: Iterable[Series]) -> tuple[OtherContrast, ...]:
    """STIR and T1 volumes whose coordinates compare with those of a series."""
    frame = own.frame_of_reference_uid
    return tuple(
        OtherContrast(OTHER_ROLES[one.role], np.asarray(volume.voxels, np.float32), volume.affine)
        for one in every
        if one.role in OTHER_ROLES and one is not own and frame and one.frame_of_reference_uid == frame
        for volume in one.volumes
    )
