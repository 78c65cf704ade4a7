"""Features and gradings of people, side by side: what findings are fitted and judged on."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dashboard.grading.spine.canal import CanalStation, canal_profile
from dashboard.grading.spine.csf import csf_effaced
from dashboard.grading.spine.features import disc_features
from dashboard.grading.spine.measures import measure_spine
from dashboard.grading.spine.triage import canal_features
from dashboard.study.finding_models import FEATURES
from dashboard.study.sagittal import SagittalPrediction
from dashboard.study.spine import Spine
from models.training.sagittal.pinch import cervical, cervical_subjects, frayed, pinched
from models.training.sagittal.truth import truth_case

# Column of the public gradings by finding.
COLUMNS = {
    "pfirrmann": "Pfirrman grade",
    "narrowing": "Disc narrowing",
    "herniation": "Disc herniation",
    "bulge": "Disc bulging",
    "listhesis": "Spondylolisthesis",
    "modic": "Modic",
}
# A station this near to where a pinch was put shows it.
SAME_PLACE_MM = 4.0
NO_SPINE = Spine("", 0, (), "guess", False)
Source = Callable[[str], tuple[SagittalPrediction, Spine]]


@dataclass(frozen=True)
class DiscRow:
    """One disc: its features and its gradings."""

    person: str
    level: str
    features: dict[str, float | None]
    graded: dict[str, int]


@dataclass(frozen=True)
class CanalRow:
    """The canal beside one level, or the whole of a pinch: its features and whether it is narrowed (None: unclear)."""

    person: str
    level: str | None
    kind: str
    has_cord: bool
    features: dict[str, float | None]
    rank: int | None
    csf_effaced: bool = False


def gradings(folder: Path) -> dict[tuple[str, int], dict[str, int]]:
    """Gradings by person and public label (1 = the lowest disc)."""
    with (folder / "spider" / "gradings.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    return {
        (row["Patient"], int(row["IVD label"])): {
            name: int(row[column]) if name == "pfirrmann" else int(row[column] != "0")
            for name, column in COLUMNS.items()
        }
        for row in rows
    }


def truth_source(folder: Path) -> Source:
    """Spines from the public masks."""

    def read(person: str) -> tuple[SagittalPrediction, Spine]:
        case = truth_case(folder, person)
        return case.prediction, case.spine

    return read


def read_people(
    folder: Path, people: Iterable[str], source: Source, pinches: int, seed: int
) -> tuple[list[DiscRow], list[CanalRow]]:
    """Disc rows and canal rows of lumbar people; `pinches` altered canals a person."""
    graded = gradings(folder)
    discs, canals = [], []
    for person in people:
        prediction, spine = source(person)
        rng = np.random.default_rng([seed, int(person)])
        measures = measure_spine(prediction, spine)
        lowest = [one.level for one in reversed(spine.named) if one.segment.kind == "disc"]
        for place, disc in measures.discs.items():
            # Public labels count discs from L5/S1 upwards.
            found = graded.get((person, lowest.index(disc.level) + 1))
            if found is not None and lowest[0] == "L5/S1":
                discs.append(DiscRow(person, disc.level, disc_features(disc, measures.endplates.get(place)), found))
        named = {level: graded.get((person, label)) for label, level in enumerate(lowest, start=1)}
        clear = {level for level, found in named.items() if found is not None and not _narrows(found)}
        unclear = set(named) - clear
        canals += unaltered(person, measures.stations, unclear)
        canals += altered(person, prediction, spine, rng, pinches)
    return discs, canals


def read_necks(folder: Path, pinches: int, seed: int) -> list[CanalRow]:
    """Canal rows of the public healthy necks."""
    rows = []
    for number, subject in enumerate(cervical_subjects(folder)):
        prediction = cervical(folder, subject)
        rows += unaltered(subject, canal_profile(prediction, NO_SPINE), set())
        rows += altered(subject, prediction, NO_SPINE, np.random.default_rng([seed, number]), pinches)
    return rows


def unaltered(person: str, stations: tuple[CanalStation, ...], marked: set[str]) -> list[CanalRow]:
    """Rows of every station; rank None beside `marked` discs: graded with bulge, herniation or slip, or not graded."""
    return [
        CanalRow(
            person,
            one.level,
            "unaltered",
            one.cord_mm is not None,
            canal_features(stations, place),
            None if _beside(one.level, marked) else 0,
            csf_effaced(one),
        )
        for place, one in enumerate(stations)
    ]


def altered(
    person: str, prediction: SagittalPrediction, spine: Spine, rng: np.random.Generator, count: int
) -> list[CanalRow]:
    """Rows of the station at the middle of each of `count` pinches, masks frayed."""
    whole = canal_profile(prediction, spine)
    if len(whole) < 20:
        return []
    rows = []
    for _ in range(count):
        target = whole[int(rng.integers(4, len(whole) - 4))]
        row = round(float((np.linalg.inv(prediction.affine) @ np.append(target.position_mm, 1.0))[1]))
        depth = float(rng.uniform(0.05, 0.95)) * target.canal_mm
        side = str(rng.choice(["front", "front", "back", "both"]))
        changed, made = pinched(prediction, row, target.plane, depth, float(rng.uniform(8, 35)), side)
        stations = canal_profile(frayed(changed, rng), spine)
        if not stations:
            continue
        # By height: what is pushed in moves the canal's middle, and with it the way along it.
        height = [abs(one.position_mm[2] - target.position_mm[2]) for one in stations]
        near = int(np.argmin(height))
        here = stations[near]
        if height[near] > SAME_PLACE_MM:
            continue
        rows.append(
            CanalRow(person, here.level, "pinched", here.cord_mm is not None, canal_features(stations, near), made.rank)
        )
    return rows


def matrix(rows: Iterable[DiscRow | CanalRow], name: str) -> np.ndarray:
    """(n, k) features of a finding, NaN where missing."""
    return np.array(
        [[np.nan if row.features[key] is None else row.features[key] for key in FEATURES[name]] for row in rows], float
    )


def _narrows(graded: dict[str, int]) -> bool:
    return bool(graded["herniation"] or graded["bulge"] or graded["listhesis"])


def _beside(level: str | None, marked: set[str]) -> bool:
    """Whether a level is one of the marked discs or a vertebra beside one: what bulges reaches behind its bodies."""
    if level is None:
        return False
    return any(level == disc or level in _bodies_of(disc) for disc in marked)


def _bodies_of(disc: str) -> tuple[str, str]:
    above, below = disc.split("/")
    return above, below if below[0].isalpha() else above[0] + below
