"""Findings of real lumbar spines: near their gradings, no alarm of the canal, a sac without CSF where there is none.

People of the training and calibration splits: this shows that the parts fit together, not how good they are.
"""

from pathlib import Path

import numpy as np
import pytest

from dashboard.grading import grade_study
from dashboard.grading.spine.findings import spine_findings, study_triage
from dashboard.grading.spine.measures import measure_spine
from dashboard.inference import analyse_sagittal, analyse_series, load_models
from dashboard.inference.finding_models import read_finding_models
from dashboard.study import Role, Study

pytestmark = [pytest.mark.shared_data, pytest.mark.slow]
PERSON = "136"
# No CSF shows in the sac at L4/5 of this person, by eye, and the fat behind it is kept; above and below there is CSF.
EMPTY_SAC, EMPTY_AT = "57", "L4/5"


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


def test_a_sac_without_csf_is_told_from_those_above_and_below(shared_data: Path, repository: Path) -> None:
    pytest.importorskip("nibabel")
    from models.training.sagittal.cords import upright_series
    from models.training.volumes import load

    image, affine = load(shared_data / "spider" / f"{EMPTY_SAC}_t2.nii.gz")
    spacing = np.sqrt((affine[:3, :3] ** 2).sum(0))
    series = upright_series(image, spacing, Role.VOLUME_T2)
    models, uid = load_models(repository / "models"), series.series_instance_uid
    found = grade_study(
        Study("1.1", (series,)),
        {uid: analyse_series(series, models)},
        sagittal={uid: analyse_sagittal(series, models)},
        finding_models=models.findings.models,
    ).findings
    grades = {one["level"]: one["grade"] for one in found if one["kind"] == "lumbar_stenosis"}
    assert set(grades) == {"L1/2", "L2/3", "L3/4", "L4/5", "L5/S1"}
    assert {level for level, grade in grades.items() if grade != "A or B"} == {EMPTY_AT}
    fronts = {one["level"]: one["grade"] for one in found if one["kind"] == "anterior_csf_loss"}
    assert set(fronts) == set(grades)
    assert {level for level, grade in fronts.items() if grade != "0 or 1"} == {EMPTY_AT}
