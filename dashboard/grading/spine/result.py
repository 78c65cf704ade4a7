"""A finding of the sagittal view and its published form."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from dashboard.study.levels import LEVELS

MEASURED, SUSPECTED, NOT_FLAGGED, NOT_ANALYSED = "measured", "suspected", "not_flagged", "not_analysed"
VERIFIED, TO_BE_CONFIRMED = "verified", "source to be confirmed"
# Kinds in the order in which they stand within a level.
KINDS = (
    "canal_narrowing",
    "cervical_stenosis",
    "lumbar_stenosis",
    "anterior_csf_loss",
    "disc_herniation",
    "disc_bulge",
    "disc_narrowing",
    "disc_height_index",
    "disc_degeneration",
    "modic_change",
    "listhesis",
    "vertebral_height_loss",
    "fracture_age",
    "marrow_signal",
    "coverage",
)


@dataclass(frozen=True)
class Finding:
    """One line of "Other findings by level".

    Attributes
    ----------
    level, level_certain
        Vertebra or disc, and whether its name is sure.
    series_instance_uid, position_mm, level_series_instance_uid
        Where it is seen, LPS; and the series in which the level was counted.
    kind
        One of :data:`KINDS`.
    grade
        On `scale`, as its authors write it; None where there is none.
    value, unit
        The measure behind it.
    probability
        Calibrated, 0 to 1, that a reader would have called it so; None where nothing was fitted.
    status, reason
        ``measured``, ``suspected``, ``not_flagged`` or ``not_analysed``, and why.
    scale
        Published scale with its source; None for a plain measure.
    text
        One line a clinician reads beside the level; it names none itself, so that a corrected level changes no text.
    source_status
        ``verified``, or ``source to be confirmed`` where nobody has yet read the scale in its source.
    """

    level: str
    kind: str
    text: str
    status: str
    series_instance_uid: str
    position_mm: tuple[float, float, float]
    level_certain: bool
    level_series_instance_uid: str
    grade: str | None = None
    value: float | None = None
    unit: str | None = None
    probability: float | None = None
    reason: str | None = None
    scale: str | None = None
    source_status: str = VERIFIED

    def to_document(self) -> dict[str, Any]:
        """The published form."""
        return {
            "level": self.level,
            "level_certain": self.level_certain,
            "kind": self.kind,
            "grade": self.grade,
            "value": _rounded(self.value, 3),
            "unit": self.unit,
            "probability": _rounded(self.probability, 4),
            "status": self.status,
            "reason": self.reason,
            "scale": self.scale,
            "text": self.text,
            "series_instance_uid": self.series_instance_uid,
            "level_series_instance_uid": self.level_series_instance_uid,
            "position_mm": [_rounded(v, 2) for v in self.position_mm],
            "source_status": self.source_status,
        }


# Makes a finding at a place already given.
Maker = Callable[..., Finding]


def recalled(scale: str) -> dict[str, str]:
    """A finding's scale that nobody has yet read in its source."""
    return {"scale": scale, "source_status": TO_BE_CONFIRMED}


def not_analysed(finding: Maker, kind: str, reason: str, what: str = "", **scale: str) -> Finding:
    """A finding that could not be made, and why.

    Parameters
    ----------
    finding
        Makes it at its place.
    what
        What the text calls it; the kind where empty.
    scale
        ``scale`` and ``source_status`` of the finding, where it has them.
    """
    named = what or kind.replace("_", " ")
    text = f"{named} not analysed, because {reason}"
    return finding(kind=kind, text=text, status=NOT_ANALYSED, reason=reason, **scale)


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Head to foot, then by kind."""
    return tuple(sorted(findings, key=lambda one: (LEVELS.index(one.level), KINDS.index(one.kind))))


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(float(value), digits) + 0.0
