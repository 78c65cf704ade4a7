"""What the cord measures in healthy persons, by vertebral level: the numbers of ``norms.csv`` and where they come from.

A level is looked up by its name and never guessed: a disc, a level outside the table and a slice without a name have
no norm. L1 is left out of the table: its cord area of 18.9 mm2 with an SD of 14.0 says only that some cords have ended.
"""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from dashboard.study.levels import LEVELS

# The canal's norm reaches from C1 to T1: the table has it for fewer persons below, and for none of the lumbar spine.
MEASURES = ("cord_area_mm2", "cord_diameter_AP_mm", "compression_ratio", "canal_diameter_AP_mm")
TABLE = Path(__file__).with_name("norms.csv")
SOURCE = (
    "Mean and standard deviation between persons, computed from PAM50-normalized-metrics at commit 61c5a21 "
    "(MIT licence; Valosek J et al. 2024, doi 10.1162/imag_a_00075)."
)
COHORTS: Mapping[str, str] = {
    "spine-generic": "C1 to T1: spine-generic, 203 healthy adults, T2-weighted at 0.8 mm, aged 28.7 ± 5.6 (19 to 52).",
    "whole-spine": "T2 to T12: whole-spine, 57 or 58 persons; the table does not give their ages.",
}
CAVEATS = (
    "The table has no norms by age and sex for each level, so none are applied. Cords shrink with age: at C2/3 a "
    "healthy 75-year-old looks about 1 SD small against persons of 29. Areas of T1- and T2-weighted images are not "
    "interchangeable, and areas measured here are not corrected for a tilted slice. Discs have no norm of their own. "
    "At L1 some cords have ended, so that the spread says nothing: no norm is given there."
)


# Name of a place's comparison with the norm of its level -> the measure that is compared.
COMPARISONS: Mapping[str, str] = {"norm_z": "cord_diameter_AP_mm", "canal_norm_z": "canal_diameter_AP_mm"}
# Norms are of young adults; a cord of 75 looks about 1 SD small against them.
TOLD_Z = -2.0


@dataclass(frozen=True)
class Norm:
    """One measure at one level, in the measure's own unit, over `count` persons of `cohort`."""

    mean: float
    sd: float
    count: int
    cohort: str

    def z(self, value: float) -> float:
        """How many standard deviations `value` lies above the mean."""
        return (value - self.mean) / self.sd


def norm(measure: str, level: str | None) -> Norm | None:
    """Norm of a measure at a level, None where there is none.

    Parameters
    ----------
    measure
        Name in the result document; only those of :data:`MEASURES` have norms.
    level
        Vertebral level as in :data:`dashboard.study.levels.VERTEBRAE`; None for a slice whose level is not known.
    """
    return None if level is None else _table().get((measure, level))


def comparisons(measures: Mapping[str, Any], level: str | None) -> dict[str, float | None]:
    """How a place along the canal compares with the norms of its level, in SD.

    Parameters
    ----------
    measures
        Diameters in mm by their names in the result document, None where there is none.
    level
        None where it is not known or not sure: then nothing is compared.
    """
    found: dict[str, float | None] = {}
    for name, measure in COMPARISONS.items():
        known, value = norm(measure, level), measures.get(measure)
        found[name] = None if known is None or value is None else round(known.z(float(value)), 2) + 0.0
    return found


def missing_words(levels: Iterable[str | None]) -> str:
    """Why some of the slices at these levels have no norm; empty where all have one."""
    given = list(levels)
    if not any(given):
        return "no norm band: levels are unknown or uncertain"
    without = dict.fromkeys(level for level in given if level and norm("cord_area_mm2", level) is None)
    named = f"no norm at {', '.join(_runs(without))}" if without else ""
    unnamed = "no norm where the level is unknown or uncertain" if not all(given) else ""
    return "; ".join(filter(None, (named, unnamed)))


def _runs(levels: Iterable[str]) -> list[str]:
    """Levels head to foot, three and more that follow one another as "first to last"."""
    runs: list[list[str]] = []
    for level in sorted(levels, key=LEVELS.index):
        if runs and LEVELS.index(level) == LEVELS.index(runs[-1][-1]) + 1:
            runs[-1].append(level)
        else:
            runs.append([level])
    return [word for run in runs for word in ([f"{run[0]} to {run[-1]}"] if len(run) > 2 else run)]


@cache
def _table() -> Mapping[tuple[str, str], Norm]:
    with TABLE.open(encoding="utf-8", newline="") as lines:
        return {
            (row["measure"], row["level"]): Norm(float(row["mean"]), float(row["sd"]), int(row["count"]), row["cohort"])
            for row in csv.DictReader(lines)
        }
