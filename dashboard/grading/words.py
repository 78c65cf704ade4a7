"""Measurements and grades in the words of a report: what a reader would point at."""

from dashboard.grading.bilsky import SliceGrade
from dashboard.grading.morphometry import Measures
from dashboard.study import GRADES


def slice_words(grade: SliceGrade, measures: Measures) -> tuple[str, ...]:
    """Why a slice has its grade, the most telling first."""
    words = []
    if grade.grade != "0" or grade.rules_grade != "0":
        words.append(_tumour_words(measures))
        if measures.cord_indentation_mm > 0 and measures.contact_fraction > 0:
            words.append(f"cord indented by {measures.cord_indentation_mm:.1f} mm")
        words.append(_csf_words(measures))
        words.append(f"cord area {measures.cord_area_mm2:.0f} mm2")
    if grade.disagree:
        words.append(disagreement_words(grade))
    return tuple(words)


def disagreement_words(grade: SliceGrade) -> str:
    """That model and measurements disagree, and how."""
    return (
        f"model and measurements disagree: the model suggests grade {grade.head_grade}, "
        f"the measurements grade {grade.rules_grade}"
    )


def flag_words(grade: str) -> str:
    """The study's grade as a suggestion."""
    return {
        "0": "not flagged: no epidural tumour suspected in the slices analysed",
        "1a": "suspected epidural tumour, thecal sac not deformed",
        "1b": "suspected epidural tumour that deforms the thecal sac",
        "1c": "suspected epidural tumour that touches the cord",
        "2": "suspected cord compression, CSF partly kept",
        "3": "suspected cord compression, no CSF left",
    }[grade]


def agreement_words(first: int, last: int) -> str:
    """Which neighbouring slices bear a grade out."""
    return f"slices {first} to {last} agree"


def rank(grade: str) -> int:
    """Place of a grade in :data:`dashboard.study.GRADES`, for comparisons only."""
    return GRADES.index(grade)


def _tumour_words(measures: Measures) -> str:
    if measures.contact_fraction > 0:
        return f"tumour touches {100 * measures.contact_fraction:.0f} % of the cord's outline"
    if measures.cord_gap_mm is not None:
        return f"suspected tumour {measures.cord_gap_mm:.1f} mm from the cord"
    return "no tumour outlined"


def _csf_words(measures: Measures) -> str:
    if measures.visible_csf_mm2 <= 0:
        return "no CSF seen round the cord"
    return f"CSF {100 * (measures.csf_fraction or 0):.0f} % of the sac"
