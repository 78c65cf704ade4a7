"""What a series' entry of the result says about levels: named or why not, and where its header contradicts them."""

from collections.abc import Sequence
from dataclasses import replace

from dashboard.grading.result import LevelsRead, SeriesResult, SliceResult
from dashboard.grading.spine.study import Levels, contradictions
from dashboard.grading.spine.turned import FRONT_BACK, UPSIDE_DOWN
from dashboard.study import Series

NO_SPINE = "no row of vertebrae was found along a canal"


def with_levels(
    result: SeriesResult, series: Series, levels: Levels, slices: Sequence[SliceResult], failure: str | None
) -> SeriesResult:
    """The entry of a series with what is known of its levels.

    Parameters
    ----------
    result, series
        The entry so far, and the series it is of.
    levels
        Of the study.
    slices
        Of the study; those of this series say what an axial one shows.
    failure
        Why a series that shows the spine from the side was not looked at.
    """
    uid = series.series_instance_uid
    looked_at = any(one.spine.series_instance_uid == uid for one in levels.read)
    spine = levels.spine_of(uid)
    if looked_at:
        notes = [one.spine.note for one in levels.read if one.spine.series_instance_uid == uid]
        turned = [words for words in (UPSIDE_DOWN, FRONT_BACK) if any(words in note for note in notes)]
        warnings = tuple(f"{words[0].upper()}{words[1:]}." for words in turned)
        result = replace(result, orientation_ok=not turned, warnings=(*result.warnings, *warnings))
    if spine is None:
        state = LevelsRead.NOT_NAMED if looked_at or failure else LevelsRead.NOT_SAGITTAL
        reason = failure or (NO_SPINE if looked_at else None)
        crossed = [one.level for one in slices if one.series_instance_uid == uid and one.level is not None]
        warnings = contradictions(series, tuple(dict.fromkeys(one.name for one in crossed if one.certain)))
        return replace(result, levels=state, levels_reason=reason, warnings=(*result.warnings, *warnings))
    state = LevelsRead.CERTAIN if spine.certain else LevelsRead.UNCERTAIN
    seen = [one.level for one in spine.named] if spine.certain else []
    warnings = contradictions(series, seen)
    return replace(result, levels=state, levels_reason=spine.note or None, warnings=(*result.warnings, *warnings))
