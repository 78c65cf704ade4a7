"""Vertebral bodies in words: height loss, its age where another contrast tells, marrow that stands out."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from dashboard.grading.spine.contrasts import STIR, STIR_BRIGHT, T1, T1_BRIGHT, T1_DARK, age_hint
from dashboard.grading.spine.disc_findings import needs_t2
from dashboard.grading.spine.result import (
    MEASURED,
    NOT_FLAGGED,
    SUSPECTED,
    Finding,
    Maker,
    not_analysed,
    recalled,
)
from dashboard.grading.spine.vertebrae import GENANT_CUTS, BodyMeasures, genant_grade

GENANT = "Genant 1993, semiquantitative"
# A body stands out among at least four by this robust z. On the training people, 2 of 114 bodies did: a bright lesion
# and a body half of Modic change.
MARROW_Z = 4.0
MARROW_LIMITS = (
    "could be metastasis, infection, haemangioma or Modic change; a diffuse change of all bodies would not show here"
)


def body_findings(
    body: BodyMeasures,
    row_place: int,
    ratios: Mapping[str, Mapping[int, float]],
    place: Mapping[str, Any],
    is_t2: bool = True,
) -> list[Finding]:
    """Findings of one body.

    Parameters
    ----------
    row_place
        Its place in ``spine.named``, by which `ratios` are looked up.
    ratios
        :func:`~dashboard.grading.spine.contrasts.body_ratios` of the other contrasts.
    place, is_t2
        As for :func:`~dashboard.grading.spine.disc_findings.disc_findings`.
    """
    finding = partial(Finding, **place)
    found = [_height(body, finding)]
    if body.loss is not None and body.loss >= GENANT_CUTS[0]:
        found.append(_age(ratios, row_place, finding))
    marrow = _marrow(body, ratios, row_place, finding)
    found.append(marrow if is_t2 else needs_t2(finding, "marrow_signal"))
    return found


def _height(body: BodyMeasures, finding: Maker) -> Finding:
    if body.loss is None:
        reason = "no whole vertebra beside it to compare with"
        if not body.ends_seen:
            reason = "no disc beyond it: the edge of the field may cut it"
        return not_analysed(finding, "vertebral_height_loss", reason, "height loss", **recalled(GENANT))
    grade = genant_grade(body.loss)
    heights = f"front {body.front_mm:.0f}, middle {body.middle_mm:.0f}, back {body.back_mm:.0f} mm"
    suspected = grade != "0"
    share = max(0.0, body.loss)
    return finding(
        kind="vertebral_height_loss",
        text=f"{body.shape} height loss of {share:.0%} suspected, Genant {grade} ({heights})"
        if suspected
        else f"height loss not flagged ({heights})",
        status=SUSPECTED if suspected else NOT_FLAGGED,
        grade=grade,
        value=100 * share,
        unit="%",
        **recalled(GENANT),
    )


def _age(ratios: Mapping[str, Mapping[int, float]], row_place: int, finding: Maker) -> Finding:
    hint, words = age_hint(ratios, row_place)
    if hint is None:
        return not_analysed(finding, "fracture_age", words, "age of the height loss")
    return finding(
        kind="fracture_age",
        text=words,
        status=SUSPECTED if hint == "recent" else MEASURED,
        grade=hint,
        value=ratios.get(STIR, ratios.get(T1, {})).get(row_place),
        unit="ratio",
    )


def _marrow(body: BodyMeasures, ratios: Mapping[str, Mapping[int, float]], row_place: int, finding: Maker) -> Finding:
    stir, t1 = ratios.get(STIR, {}).get(row_place), ratios.get(T1, {}).get(row_place)
    if body.marrow_z is None and stir is None and t1 is None:
        reason = "fewer than four whole vertebrae to compare with"
        return not_analysed(finding, "marrow_signal", reason, "marrow")
    signs = []
    if body.marrow_z is not None and abs(body.marrow_z) >= MARROW_Z:
        signs.append(f"T2 signal {'above' if body.marrow_z > 0 else 'below'} the other bodies (z {body.marrow_z:+.1f})")
    if stir is not None and stir >= STIR_BRIGHT:
        signs.append(f"STIR {stir:.1f} times")
    if t1 is not None and (t1 <= T1_DARK or t1 >= T1_BRIGHT) and signs:
        signs.append(f"T1 {t1:.1f} times{', as fat is' if t1 >= T1_BRIGHT else ''}")
    return finding(
        kind="marrow_signal",
        text=f"marrow stands out, {', '.join(signs)}: {MARROW_LIMITS}"
        if signs
        else "marrow not flagged against the other bodies",
        status=SUSPECTED if signs else NOT_FLAGGED,
        value=body.marrow_z,
        unit="z",
    )
