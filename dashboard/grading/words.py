"""Measurements and grades in the words of a report: what a reader would point at."""

from collections.abc import Iterable, Mapping, Sequence
from math import isfinite

from dashboard.grading.beside import USUAL_RATIO
from dashboard.grading.bilsky import SliceGrade, grade_probabilities
from dashboard.grading.morphometry import Measures
from dashboard.grading.result import LENGTH_DIGITS
from dashboard.study import GRADES

# Below these a number would be printed as 0: a share is then said to be small, a dent not to be there.
LEAST_SHARE = 0.005
LEAST_MM = 0.05


def slice_words(grade: SliceGrade, measures: Measures) -> tuple[str, ...]:
    """Why a slice has its grade, the most telling first: what a reader would point at, and whether it is disputed."""
    words = []
    if grade.grade != "0" or grade.rules_grade != "0":
        words.append(finding_words(grade.grade, measures))
    if grade.disagree:
        words.append(disagreement_words(grade))
    return tuple(words)


def finding_words(grade: str, measures: Measures) -> str:
    """What speaks for `grade`, in one sentence: tumour and cord, dents, CSF left, size of the cord."""
    tumour = measures.cord_gap_mm is not None
    parts = [_tumour_words(grade, measures)]
    if tumour:
        parts.extend(_dent_words(grade, measures))
    parts.append(_csf_words(measures, "round the cord" if grade == "0" else "left"))
    parts.append(f"cord area {measures.cord_area_mm2:.0f} mm2{_beside_words(grade, measures)}")
    return ", ".join(parts)


def disagreement_words(grade: SliceGrade) -> str:
    """That model and measurements disagree, and what each says."""
    return (
        f"model and measurements disagree: the model suggests grade {grade.head_grade}, "
        f"the measurements grade {grade.rules_grade}"
    )


def opinion_words(grade: SliceGrade) -> str | None:
    """What model and measurements say each by itself; None where they say the same."""
    if grade.disagree:
        return disagreement_words(grade)
    if grade.head_grade == grade.rules_grade:
        return None
    return f"the model by itself suggests grade {grade.head_grade}, the measurements grade {grade.rules_grade}"


def leaning_words(grade: SliceGrade) -> str | None:
    """That a milder grade is the likeliest, which looks like a mistake where nobody says why; None where it is not."""
    chances = grade_probabilities(grade.at_least)
    likeliest = max(chances, key=lambda one: chances[one])
    if rank(likeliest) >= rank(grade.grade):
        return None
    return (
        f"grade {likeliest} is the likeliest (P {chances[likeliest]:.2f}); {grade.grade} is suggested all the same, so "
        "that few are missed"
    )


def neighbour_words(agreeing: Mapping[int, str], others: Mapping[int, str], unseen: Sequence[int]) -> str:
    """Whether the slices beside one bear its grade out.

    Parameters
    ----------
    agreeing, others
        Grades by slice number, of the neighbours that show at least a milder form of the same, and of the rest.
    unseen
        Numbers of the slices next to it that were not analysed.
    """
    parts = []
    if agreeing:
        parts.append(f"{_slices(agreeing)} {'agrees' if len(agreeing) == 1 else 'agree'}: {_grades(agreeing)}")
        if others:
            parts.append(f"{_slices(others)} does not: {_grades(others)}")
    elif others:
        are = "is" if len(others) == 1 else "are"
        parts.append(f"no neighbour supports it: {_slices(others)} {are} graded {_grades(others)}")
    else:
        parts.append("no neighbour supports it: no slice beside it was analysed")
    if unseen and (agreeing or others):
        parts.append(f"{_slices(unseen)} {'was' if len(unseen) == 1 else 'were'} not analysed")
    return "; ".join(parts)


def elsewhere_words(grade: str) -> str:
    """That another series bears a grade out at the same place."""
    return f"another series shows the same place as {grade}"


def supported_words(grade: str) -> str:
    """The grade that is left when neighbours are asked."""
    return f"together with its neighbours: grade {grade}"


# Of a study that is a 0 although single slices are not.
NOT_BORNE_OUT = "not flagged: what single slices suggest, those beside them do not bear out"


def flag_words(grade: str) -> str:
    """The study's grade as a suggestion."""
    return {
        "0": "not flagged: no epidural tumour suspected in the slices analysed",
        "1a": "suspected epidural tumour, thecal sac not deformed",
        "1b": "suspected epidural tumour that deforms the thecal sac",
        "1c": "suspected epidural tumour that touches the cord",
        "2": "suspected cord compression, CSF partly kept",
        "3": "suspected severe cord compression",
    }[grade]


def agreement_words(first: int, last: int) -> str:
    """Which neighbouring slices bear a grade out."""
    return f"slices {first} {'and' if last == first + 1 else 'to'} {last} agree"


def alone_words(apart_mm: float) -> str:
    """Why a grade counts that no slice beside bears out."""
    apart = f"slices lie {_mm(apart_mm)} apart" if isfinite(apart_mm) else "there is no other slice"
    return f"{apart}, and one as sure as this counts alone"


def rank(grade: str) -> int:
    """Place of a grade in :data:`dashboard.study.GRADES`, for comparisons only."""
    return GRADES.index(grade)


def _tumour_words(grade: str, measures: Measures) -> str:
    # Without a grade above 0 nothing is suspected, but what was outlined is still said.
    outlined = f"an area of {measures.tumour_area_mm2:.0f} mm2 outlined as tumour"
    subject = outlined if grade == "0" else "suspected tumour"
    if measures.contact_fraction > 0:
        share = measures.contact_fraction
        shown = f"{100 * share:.0f} %" if share >= LEAST_SHARE else "less than 1 %"
        return f"{subject} touches {shown} of the cord's outline"
    if measures.cord_gap_mm is not None:
        return f"{subject} comes within {_mm(measures.cord_gap_mm)} of the cord"
    return "no tumour outlined beside the cord"


def _dent_words(grade: str, measures: Measures) -> list[str]:
    """The cord's dent where tumour touches it, the sac's where it does not."""
    touches = measures.contact_fraction > 0
    what = "cord" if touches else "thecal sac"
    depth = measures.cord_indentation_mm if touches else measures.sac_indentation_mm
    if depth >= LEAST_MM:
        return [f"{what} dented {_mm(depth)}"]
    # A cord pressed flat leaves no outline to measure a dent against: that none was measured says nothing there.
    return [] if touches and grade in ("2", "3") else [f"{what} not dented"]


def _beside_words(grade: str, measures: Measures) -> str:
    """How area and outline compare with those beside; that a compressed cord is no smaller is said as well."""
    ratio, change = measures.cord_area_ratio, measures.cord_change_mm
    parts = []
    if ratio is not None and ratio < USUAL_RATIO:
        parts.append(f"{100 * (1 - ratio):.0f} % less than beside")
    elif ratio is not None and grade in ("2", "3"):
        parts.append("no less than beside")
    # Whether the cord has changed is what tells 1c from 2.
    if change is not None and grade in ("1c", "2", "3"):
        parts.append(f"outline changed by {_mm(change)}" if change >= LEAST_MM else "outline as beside")
    return f" ({', '.join(parts)})" if parts else ""


def _mm(length: float) -> str:
    """A length as the result states it, which is rounded first: 0.649 is 0.65, and both are printed as 0.7."""
    return f"{round(length, LENGTH_DIGITS):.1f} mm"


def _csf_words(measures: Measures, where: str) -> str:
    if measures.visible_csf_mm2 <= 0:
        return "no CSF seen round the cord"
    return f"CSF {measures.visible_csf_mm2:.0f} mm2 {where}"


def _slices(numbers: Iterable[int]) -> str:
    """``slice 3``, ``slices 3 and 5``."""
    listed = [str(number) for number in numbers]
    return f"slice {listed[0]}" if len(listed) == 1 else f"slices {' and '.join(listed)}"


def _grades(found: Mapping[int, str]) -> str:
    return ", ".join(found.values())
