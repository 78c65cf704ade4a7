"""The sagittal spine in numbers: shapes of bodies and discs, the canal along its length, findings by level."""

from dashboard.grading.spine.contrasts import OtherContrast
from dashboard.grading.spine.findings import spine_findings, study_triage
from dashboard.grading.spine.measures import SpineMeasures, measure_spine
from dashboard.grading.spine.result import Finding
from dashboard.grading.spine.triage import SagittalTriage

__all__ = [
    "Finding",
    "OtherContrast",
    "SagittalTriage",
    "SpineMeasures",
    "measure_spine",
    "spine_findings",
    "study_triage",
]
