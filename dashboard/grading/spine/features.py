"""What the fitted models are shown of a disc, by name: few, each with a meaning that a clinician would grant it."""

from math import log

from dashboard.grading.spine.disc_measures import DiscMeasures
from dashboard.grading.spine.endplates import EndplateMeasures

# Below this a signal ratio is noise, and its logarithm would run away.
LEAST_RATIO = 0.01


def disc_features(
    disc: DiscMeasures, endplates: EndplateMeasures | None, is_t2: bool = True
) -> dict[str, float | None]:
    """Features of one disc; None where it could not be measured, and for signals that are not of a T2 (`is_t2`)."""
    return {
        "log_nucleus_to_csf": _log(disc.signals.nucleus_to_csf) if is_t2 else None,
        "log_nucleus_to_marrow": _log(disc.signals.nucleus_to_marrow) if is_t2 else None,
        "log_slenderness": log(max(LEAST_RATIO, disc.height_mm / disc.depth_mm)),
        "bulge_mm": disc.bulge_widest_mm,
        "overhang_mm": disc.overhang_mm,
        "canal_narrowing": None if disc.canal_percent is None else disc.canal_percent / 100,
        "shift_percent": disc.shift_percent,
        "endplate_brightest": None if endplates is None or not is_t2 else endplates.brightest,
    }


def _log(ratio: float | None) -> float | None:
    return None if ratio is None else log(max(LEAST_RATIO, ratio))
