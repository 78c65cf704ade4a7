"""The Bilsky (ESCC) grade of one slice: the model's head, with the cord beside taken in, and what measurements say.

The head names the grade. Where the cord beside is known, it has first taken in how much narrower the cord is here, and
how far its outline departs (:mod:`dashboard.grading.beside`). The measurements of the outlines name a grade of their
own by rules; where the two are far apart, that is said. A vote of the rules in the grade itself was tried: on people
apart from training it cost specificity and brought nothing (MODEL_CARD.md).
Definitions: Bilsky MH et al. 2010, J Neurosurg Spine 13:324-8.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from dashboard.grading.beside import evidence_of, with_evidence
from dashboard.grading.morphometry import Measures
from dashboard.grading.thresholds import GradingThresholds
from dashboard.study import GRADES
from dashboard.study.geometry import Array


class Band(StrEnum):
    """Grades gathered for the worklist. 1c has a band of its own: published "high-grade" differs over it."""

    LOW = "low"
    WATCH = "watch"
    HIGH = "high"


# The scheme in words, stored with every result: a reader's "high-grade" and a paper's may not mean the same.
BAND_SCHEME = "low: 0, 1a, 1b; watch: 1c; high: 2, 3"
BAND_OF_GRADE = dict(
    zip(GRADES, (Band.LOW, Band.LOW, Band.LOW, Band.WATCH, Band.HIGH, Band.HIGH), strict=True),
)

# Our reading of the definitions as geometry, on the 0.5 mm grid of the model. Each pair is the value at which the
# measurements are undecided, and the scale over which they make up their mind (about one pixel). The generator that
# makes truth leaves out what lies between two grades; the undecided values lie in the middle of what it leaves out.
TUMOUR_SEEN_MM2 = (2.0, 0.5)  # truth: none below 0.6, 1a from 3
SAC_INDENTED_MM = (0.5, 0.12)  # truth: 1a up to 0.3, 1b from 0.7
CORD_TOUCHED_MM = (0.9, 0.1)  # truth: 1b from a gap of 1.1, 1c up to 0.72
# Grade 2 must be visible as compression: 1 mm of indentation, or contact along 28 % of the outline (feasibility study:
# trivial contact, called grade 2 by construction, could not be told from 1c by anyone). A cord cut straight leaves no
# outline to measure indentation against; contact then speaks alone: 95 of 100 built 1c touch less than 28 %.
CORD_INDENTED_MM = (0.9, 0.15)
CONTACT_ALONG = (0.3, 0.03)
CSF_LEFT_MM2 = (5.0, 1.0)  # truth: 3 up to 3 mm2 of CSF at least 1 mm thick, 2 from 7

# As likely as not.
EVEN = 0.5
# Head and measurements disagree when they name grades this many ranks apart: neighbouring grades are confused by
# readers too (2 of 5 steps), and exact agreement of head and truth was 0.55 to 0.65.
DISAGREEMENT_RANKS = 2


@dataclass(frozen=True)
class SliceGrade:
    """The grade of one slice and what went into it.

    Attributes
    ----------
    at_least
        Combined P(>= 1a, 1b, 1c, 2, 3), not rising.
    head_grade, rules_grade
        What each of the two would have said alone.
    """

    at_least: tuple[float, ...]
    grade: str
    head_grade: str
    rules_grade: str

    @property
    def band(self) -> Band:
        """Band of the grade."""
        return BAND_OF_GRADE[self.grade]

    @property
    def disagree(self) -> bool:
        """Whether head and measurements are too far apart to pass over in silence."""
        return abs(GRADES.index(self.head_grade) - GRADES.index(self.rules_grade)) >= DISAGREEMENT_RANKS


def rules_at_least(measures: Measures) -> Array:
    """How far the measurements support >= 1a, 1b, 1c, 2, 3: shape (5), 0 to 1, not rising.

    Never falls when contact or indentation grow or when gap or CSF shrink.
    """
    seen = _above(measures.tumour_area_mm2, TUMOUR_SEEN_MM2)
    indented = _above(measures.sac_indentation_mm, SAC_INDENTED_MM)
    gap = measures.cord_gap_mm
    touched = 0.0 if gap is None else 1.0 - _above(gap, CORD_TOUCHED_MM)
    csf_gone = 1.0 - _above(measures.visible_csf_mm2, CSF_LEFT_MM2)
    # A cord that tumour touches in a sac without CSF has nowhere left to be but against something.
    deformed = max(
        _above(measures.cord_indentation_mm, CORD_INDENTED_MM),
        _above(measures.contact_fraction, CONTACT_ALONG),
        csf_gone,
    )
    supported = np.array([1.0, max(indented, touched), touched, touched * deformed, touched * deformed * csf_gone])
    return np.asarray(seen * supported)


def grade_slice(head: Array, measures: Measures, thresholds: GradingThresholds) -> SliceGrade:
    """Grade one slice from the head's calibrated P(>= k), (5), and its measurements."""
    rules = rules_at_least(measures)
    evidence = evidence_of(measures.cord_area_ratio, measures.cord_change_mm)
    at_least = with_evidence(head, evidence, (thresholds.narrowing_weight, thresholds.change_weight))
    return SliceGrade(
        at_least=tuple(at_least.tolist()),
        grade=grade_from(at_least, thresholds.grade_cut),
        head_grade=grade_from(head, thresholds.grade_cut),
        rules_grade=GRADES[int((rules >= 0.5).sum())],
    )


def grade_from(at_least: Sequence[float] | Array, cuts: Sequence[float]) -> str:
    """The worst grade whose P(>= grade) reaches its cut, provided that tumour is suspected at all.

    The cuts of the worse grades are low, so that none is missed; without P(>= 1a) at its own cut they would make a 2
    of a slice that is most likely a 0. What is likelier a compression than not is no 0 wherever the cut for 1a lies.
    """
    if at_least[0] < cuts[0] and at_least[GRADES.index("2") - 1] < EVEN:
        return GRADES[0]
    return GRADES[max(rank for rank in range(1, len(GRADES)) if at_least[rank - 1] >= cuts[rank - 1])]


def grade_probabilities(at_least: Sequence[float] | Array) -> dict[str, float]:
    """Probability of each grade from P(>= k): six values, 0 to 1, summing to 1."""
    steps = [1.0, *np.minimum.accumulate(np.clip(np.asarray(at_least, np.float64), 0.0, 1.0)).tolist(), 0.0]
    return {grade: steps[rank] - steps[rank + 1] for rank, grade in enumerate(GRADES)}


def _above(value: float, middle_and_scale: tuple[float, float]) -> float:
    """0 to 1, one half at the middle, logistic."""
    middle, scale = middle_and_scale
    return float(1.0 / (1.0 + np.exp(-np.clip((value - middle) / scale, -60.0, 60.0))))
