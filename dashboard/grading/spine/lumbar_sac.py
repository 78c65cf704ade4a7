"""CSF in the dural sac on axial slices at lumbar discs: what tells Schizas A or B from C or D.

Schizas C and D show no CSF in the sac, A and B do. So much can be read off the brightness within the outlined sac, and
no more: A and B differ in how roots lie, C and D in the fat behind the sac, and Lee's grades in how roots cluster.
"""

from collections.abc import Iterable, Mapping
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
SCHIZAS = "Schizas 2010, a hint from the CSF in the sac"
NOT_ACROSS = "no axial T2 slice shows the sac at this disc beside CSF to compare with"
# No CSF, but for noise. Of 79 discs of sixteen people of SPIDER one fell below (0 %: no CSF to be seen there either);
# the next had 11 %. Nobody's Schizas grades were at hand.
NO_CSF_PERCENT = 10.0
# Engineering constants; none is a clinical number. A pixel shows CSF when it is this bright beside the series' own
# CSF: the brightest tenth of the sac, in slices no farther away than a coil's shading is even.
BRIGHT_SHARE, BRIGHTEST, NEAR_MM = 0.6, 90.0, 80.0
# Of those slices the brighter ones speak, since some may be stenosed; and CSF is bright in a T2 picture as such.
REFERENCE_PERCENTILE, LEAST_REFERENCE = 75.0, 0.5
# Fewer slices give no reference; a smaller outline is none of a sac; one cut by the field tells nothing.
LEAST_SLICES, LEAST_SAC_MM2, LEAST_INSIDE = 3, 20.0, 0.9


@dataclass(frozen=True)
class SacAtDisc:
    """The slice of a disc in which least CSF shows.

    Attributes
    ----------
    csf_percent
        Share of the sac, without its outermost pixel, that is as bright as CSF.
    area_mm2
        Of the outlined sac in that slice.
    """

    csf_percent: float
    area_mm2: float
    position_mm: tuple[float, float, float]
    series_instance_uid: str


def sacs_at_discs(slices: Iterable[tuple[str, SlicePrediction, str | None]]) -> dict[str, SacAtDisc]:
    """The sac at each level that slices of a series lie at; the fuller of two series counts less.

    Parameters
    ----------
    slices
        Series instance UID, what the axial model saw, and the level, None where it is unknown.
    """
    by_series: dict[str, list[tuple[SlicePrediction, str | None]]] = {}
    for uid, one, level in slices:
        if one.canal_inside >= LEAST_INSIDE and not one.signal_void and _area_mm2(one) >= LEAST_SAC_MM2:
            by_series.setdefault(uid, []).append((one, level))
    found: dict[str, SacAtDisc] = {}
    for uid, own in by_series.items():
        centres = np.array([one.centre_mm for one, _ in own])
        brightest = np.array([np.percentile(one.image[_sac(one)], BRIGHTEST) for one, _ in own])
        for one, level in own:
            near = brightest[np.linalg.norm(centres - one.centre_mm, axis=1) <= NEAR_MM]
            share = None if level is None else _csf_share(one, near)
            if level is None or share is None:
                continue
            x, y, z = (float(v) for v in one.centre_mm)
            sac = SacAtDisc(100 * share, _area_mm2(one), (x, y, z), uid)
            if level not in found or sac.csf_percent < found[level].csf_percent:
                found[level] = sac
    return found


def lumbar_finding(sacs: Mapping[str, SacAtDisc], level: str, place: Mapping[str, Any]) -> Finding:
    """Stenosis of the lumbar canal at a disc, as far as the CSF on axial slices tells."""
    finding = partial(Finding, **place)
    sac = sacs.get(level)
    if sac is None:
        return not_analysed(finding, "lumbar_stenosis", NOT_ACROSS, "Schizas grade", scale=SCHIZAS)
    empty = sac.csf_percent < NO_CSF_PERCENT
    grade = "C or D" if empty else "A or B"
    told = "stenosis suspected, hardly any CSF in the sac" if empty else "stenosis not flagged, CSF in the sac"
    return Finding(
        **{**place, "position_mm": sac.position_mm, "series_instance_uid": sac.series_instance_uid},
        kind="lumbar_stenosis",
        text=f"{told} ({sac.csf_percent:.0f} % of its {sac.area_mm2:.0f} mm2): Schizas {grade}, not told apart",
        status=SUSPECTED if empty else NOT_FLAGGED,
        grade=grade,
        value=sac.csf_percent,
        unit="%",
        scale=SCHIZAS,
    )


def _csf_share(one: SlicePrediction, brightest: Array) -> float | None:
    """Share of the sac's inside as bright as the CSF of the slices near it, itself among them; None without any."""
    inner = ndimage.binary_erosion(_sac(one))
    if len(brightest) < LEAST_SLICES or not inner.any():
        return None
    reference = float(np.percentile(brightest, REFERENCE_PERCENTILE))
    if reference < LEAST_REFERENCE:
        return None
    return float((one.image[inner] >= BRIGHT_SHARE * reference).mean())


def _sac(one: SlicePrediction) -> Mask:
    return np.isin(one.labels, (CSF, CORD))


def _area_mm2(one: SlicePrediction) -> float:
    return float(_sac(one).sum()) * one.pixel_mm**2
