"""Findings of a real lumbar spine from its public masks: near its gradings, and no alarm of the canal.

A person of the training split: this shows that the parts fit together, not how good they are.
"""

from pathlib import Path

import pytest

from dashboard.grading.spine.findings import spine_findings, study_triage
from dashboard.grading.spine.measures import measure_spine
from dashboard.inference.finding_models import read_finding_models

pytestmark = [pytest.mark.shared_data, pytest.mark.slow]
PERSON = "136"


@pytest.fixture(scope="module")
def real(shared_data: Path, repository: Path):
    pytest.importorskip("nibabel")
    from models.training.sagittal.tables import gradings
    from models.training.sagittal.truth import truth_case

    case = truth_case(shared_data, PERSON)
    models = read_finding_models(repository / "models" / "sagittal").models
    measures = measure_spine(case.prediction, case.spine)
    found = spine_findings(case.prediction, case.spine, models, measures=measures)
    graded = {case.level_of_label[label]: row for (name, label), row in gradings(shared_data).items() if name == PERSON}
    return found, study_triage(case.spine, models, measures), graded


def test_pfirrmann_is_within_one_grade(real) -> None:
    found, _, graded = real
    ours = {one.level: int(one.grade) for one in found if one.kind == "disc_degeneration"}
    assert set(ours) == set(graded)
    assert all(abs(ours[level] - row["pfirrmann"]) <= 1 for level, row in graded.items())


def test_lengths_are_those_of_an_adult(real) -> None:
    found, _, _ = real
    heights = [one.value for one in found if one.kind == "disc_narrowing"]
    assert all(2 < height < 16 for height in heights)
    canals = [place.station.canal_mm for place in real[1].places]
    assert all(4 < canal < 25 for canal in canals)


def test_no_compression_is_suspected(real) -> None:
    assert not real[1].suspected


def test_no_slip_is_suspected(real) -> None:
    assert {one.status for one in real[0] if one.kind == "listhesis"} <= {"not_flagged", "not_analysed"}
