"""CSF in the dural sac on axial slices at lumbar discs: what tells Schizas A or B from C or D, and Lee 0, 1 from 2, 3.

Schizas C and D show no CSF in the sac, A and B do. Lee goes by the CSF in front of the roots, which lie at the back of
the sac in a person on their back: kept in grade 0, a little less in 1. So much can be read off the brightness within
the outlined sac, and no more: A and B, 0 and 1, 2 and 3 differ in how roots lie, C and D in the fat behind the sac.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from scipy import ndimage

from dashboard.grading.spine.result import NOT_FLAGGED, SUSPECTED, Finding, not_analysed
from dashboard.study.geometry import Array
from dashboard.study.masks import Mask
from dashboard.study.prediction import LABELS, SlicePrediction

CSF, CORD = LABELS.index("csf"), LABELS.index("cord")
NOT_ACROSS = "no axial T2 slice shows the sac at this disc beside CSF to compare with"
NOT_OUTLINED = "in a slice at this disc hardly any sac was outlined"
# No CSF, but for noise. Of 79 discs of sixteen people of SPIDER one fell below (0 %: no CSF to be seen there either);
# the next had 11 %. Nobody's Schizas grades were at hand.
NO_CSF_PERCENT = 10.0
# More of the CSF in front is gone than a mild loss takes. Of 74 discs of fourteen of those people six fell below (0 to
# 27 %; each graded with a bulge, a herniation or a slip); the next had 42 %. Nobody's Lee grades were at hand.
FRONT_LOST_PERCENT = 100 / 3
# Engineering constants; none is a clinical number. A pixel shows CSF when it is this bright beside the series' own
# CSF: the brightest tenth of the sac, in slices no farther away than a coil's shading is even.
BRIGHT_SHARE, BRIGHTEST, NEAR_MM = 0.6, 90.0, 80.0
# Of those slices the brighter ones speak, since some may be stenosed; and CSF is bright in a T2 picture as such.
REFERENCE_PERCENTILE, LEAST_REFERENCE = 75.0, 0.5
# Fewer slices give no reference; a smaller outline is none of a sac; one cut by the field tells nothing.
LEAST_SLICES, LEAST_SAC_MM2, LEAST_INSIDE = 3, 20.0, 0.9
# The front of a sac is this share of its depth; with fewer pixels it tells nothing.
FRONT_SHARE, LEAST_FRONT_PIXELS = 1 / 3, 5


@dataclass(frozen=True)
class SacAtDisc:
    """The sac in one slice at a disc.

    Attributes
    ----------
    csf_percent
        Share of the sac, without its outermost pixel, that is as bright as CSF; None where hardly any sac was outlined.
    front_percent
        The same of its front third; None where that is too small to tell.
    area_mm2
        Of the outlined sac.
    """

    csf_percent: float | None
    front_percent: float | None
    area_mm2: float
    position_mm: tuple[float, float, float]
    series_instance_uid: str


Sacs = Mapping[str, Sequence[SacAtDisc]]


@dataclass(frozen=True)
class _Hint:
    """What a share of CSF says on one scale: grade and words where it is kept, and where less than the cut is left."""

    kind: str
    author: str
    scale: str
    cut_percent: float
    kept: tuple[str, str]
    lost: tuple[str, str]


BY_SAC = _Hint(
    "lumbar_stenosis",
    "Schizas",
    "Schizas 2010, a hint from the CSF in the sac",
    NO_CSF_PERCENT,
    ("A or B", "stenosis not flagged, CSF in the sac"),
    ("C or D", "stenosis suspected, hardly any CSF in the sac"),
)
BY_FRONT = _Hint(
    "anterior_csf_loss",
    "Lee",
    "Lee 2011, a hint from the CSF in front",
    FRONT_LOST_PERCENT,
    ("0 or 1", "CSF in front of the roots not flagged"),
    ("2 or 3", "loss of the CSF in front of the roots suspected"),
)


def sacs_at_discs(slices: Iterable[tuple[str, SlicePrediction, str | None]]) -> Sacs:
    """The sac in every slice that tells of it, by the level that the slice lies at.

    Parameters
    ----------
    slices
        Series instance UID, what the axial model saw, and the level, None where it is unknown.
    """
    by_series: dict[str, list[tuple[SlicePrediction, str | None]]] = {}
    for uid, one, level in slices:
        if one.canal_inside >= LEAST_INSIDE and not one.signal_void:
            by_series.setdefault(uid, []).append((one, level))
    found: dict[str, list[SacAtDisc]] = {}
    for uid, own in by_series.items():
        outlined = [one for one, _ in own if _area_mm2(one) >= LEAST_SAC_MM2]
        centres = np.array([one.centre_mm for one in outlined]).reshape(-1, 3)
        brightest = np.array([np.percentile(one.image[_sac(one)], BRIGHTEST) for one in outlined])
        for one, level in own:
            near = brightest[np.linalg.norm(centres - one.centre_mm, axis=1) <= NEAR_MM]
            sac = None if level is None else _sac_at(one, near, uid)
            if level is not None and sac is not None:
                found.setdefault(level, []).append(sac)
    return found


def lumbar_findings(sacs: Sacs, level: str, place: Mapping[str, Any]) -> tuple[Finding, Finding]:
    """Stenosis of the lumbar canal at a disc, as far as the CSF on axial slices tells: on Schizas's and on Lee's scale.

    Of several slices the one with the least CSF speaks, for each scale by itself.
    """
    here = sacs.get(level, ())
    hidden = any(one.csf_percent is None for one in here)
    whole = [(one.csf_percent, f"its {one.area_mm2:.0f} mm2", one) for one in here if one.csf_percent is not None]
    front = [(one.front_percent, "the front third of the sac", one) for one in here if one.front_percent is not None]
    return _finding(BY_SAC, whole, place, hidden), _finding(BY_FRONT, front, place, hidden)


def _finding(
    hint: _Hint, read: Iterable[tuple[float, str, SacAtDisc]], place: Mapping[str, Any], hidden: bool
) -> Finding:
    """What the least of some shares says: each with what it is a share of, and the sac it was read in.

    With a `hidden` sac, one hardly outlined, beside them nothing is called kept.
    """
    least = min(read, key=lambda one: one[0], default=None)
    lost = least is not None and least[0] < hint.cut_percent
    if least is None or (hidden and not lost):
        reason = NOT_OUTLINED if hidden else NOT_ACROSS
        return not_analysed(partial(Finding, **place), hint.kind, reason, f"{hint.author} grade", scale=hint.scale)
    percent, of_what, sac = least
    grade, told = hint.lost if lost else hint.kept
    return Finding(
        **{**place, "position_mm": sac.position_mm, "series_instance_uid": sac.series_instance_uid},
        kind=hint.kind,
        text=f"{told} ({percent:.0f} % of {of_what}): {hint.author} {grade}, not told apart",
        status=SUSPECTED if lost else NOT_FLAGGED,
        grade=grade,
        value=percent,
        unit="%",
        scale=hint.scale,
    )


def _sac_at(one: SlicePrediction, brightest: Array, uid: str) -> SacAtDisc | None:
    """How much of the sac is as bright as the CSF of the slices near it, itself among them; None without any."""
    x, y, z = (float(v) for v in one.centre_mm)
    if _area_mm2(one) < LEAST_SAC_MM2:
        return SacAtDisc(None, None, _area_mm2(one), (x, y, z), uid)
    inner = ndimage.binary_erosion(_sac(one))
    if len(brightest) < LEAST_SLICES or not inner.any():
        return None
    reference = float(np.percentile(brightest, REFERENCE_PERCENTILE))
    if reference < LEAST_REFERENCE:
        return None
    bright = one.image >= BRIGHT_SHARE * reference
    front = inner & (_depth(_sac(one)) < FRONT_SHARE)
    told = np.count_nonzero(front) >= LEAST_FRONT_PIXELS
    return SacAtDisc(
        csf_percent=100 * float(bright[inner].mean()),
        front_percent=100 * float(bright[front].mean()) if told else None,
        area_mm2=_area_mm2(one),
        position_mm=(x, y, z),
        series_instance_uid=uid,
    )


def _depth(sac: Mask) -> Array:
    """(rows, columns) share of the way from the front of the sac to its back, column by column."""
    first = sac.argmax(axis=0)
    last = len(sac) - 1 - sac[::-1].argmax(axis=0)
    return np.asarray((np.arange(len(sac))[:, None] - first) / np.maximum(1, last - first))


def _sac(one: SlicePrediction) -> Mask:
    return np.isin(one.labels, (CSF, CORD))


def _area_mm2(one: SlicePrediction) -> float:
    return float(_sac(one).sum()) * one.pixel_mm**2
