"""Why a study has no grade, in words: what was sent, and what is needed."""

from collections.abc import Sequence

from dashboard.grading.result import SeriesResult
from dashboard.study import Role

NEEDED = "axial T2 images of the spine are needed for a grade"
GRADABLE_ROLES = (Role.AXIAL_T2, Role.VOLUME_T2, Role.AXIAL_T2STAR)
# What a study consists of when all its series have one of these roles, in the order in which they are looked for.
KINDS: tuple[tuple[frozenset[Role], str], ...] = (
    (frozenset({Role.SAGITTAL_T2, Role.SAGITTAL_T1, Role.SAGITTAL_STIR}), "only sagittal images"),
    (frozenset({Role.CT}), "only CT"),
    (frozenset({Role.PET, Role.CT}), "only PET and CT"),
    (frozenset({Role.BRAIN_FLAIR, Role.BRAIN_T2, Role.BRAIN_DWI}), "only brain images"),
    (frozenset({Role.DWI, Role.ADC}), "only diffusion images"),
    (frozenset({Role.AXIAL_T1, Role.AXIAL_T1_CONTRAST}), "axial images are T1 only"),
)


def study_absence(series: Sequence[SeriesResult], rejected: int) -> tuple[str, ...]:
    """Reasons of a study in which no slice was graded; each begins with ``not analysed``.

    Parameters
    ----------
    series
        All series, none of them analysed.
    rejected
        Files of the study that could not be used.
    """
    if not series:
        files = f" ({rejected} files could not be used)" if rejected else ""
        return (f"not analysed: no images could be read{files}; {NEEDED}",)
    tried = [one for one in series if one.role in GRADABLE_ROLES]
    if tried:
        reasons = dict.fromkeys(one.reason for one in tried if one.reason)
        return tuple(f"not analysed: {reason}" for reason in reasons)
    roles = {Role(one.role) for one in series}
    for kind, words in KINDS:
        if roles <= kind:
            return (f"not analysed: {words}; {NEEDED}",)
    own = dict.fromkeys(one.reason for one in series if one.reason)
    return (f"not analysed: no axial T2 images; {NEEDED}", *own)
