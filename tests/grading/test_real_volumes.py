"""Real volumes of people without compression, through models and grading: flagged or refused as they must be."""

from pathlib import Path

import nibabel
import numpy as np
import pytest

from dashboard.inference import Models, load_models
from tests.grading.stacks import graded

pytestmark = pytest.mark.shared_data
CERVICAL = ["cord/gm_sub-10062Ses1/t2star.nii.gz", "cord/gm_sub-9604/t2star.nii.gz", "cord/sct_t2s/t2s.nii.gz"]


@pytest.fixture(scope="module")
def models(repository: Path) -> Models:
    return load_models(repository / "models")


def axial(path: Path) -> tuple[np.ndarray, tuple[float, float, float]]:
    """(slice head to foot, row front to back, column right to left) and spacing in that order."""
    image = nibabel.as_closest_canonical(nibabel.load(path))
    x, y, z = (float(value) for value in image.header.get_zooms()[:3])
    array = np.asarray(image.dataobj, np.float32)
    return np.ascontiguousarray(array[::-1, ::-1, ::-1].transpose(2, 1, 0)), (z, y, x)


@pytest.mark.parametrize("name", CERVICAL)
def test_a_healthy_cervical_series_is_graded_and_not_flagged_as_compression(shared_data, models, name):
    found = graded(models, *axial(shared_data / name))
    assert found.status == "graded" and found.urgency.tier.value in ("routine", "soon")
    assert found.at_least is not None and found.at_least[3] < 0.3


@pytest.mark.parametrize("turn", [np.s_[:, ::-1], np.s_[:, ::-1, ::-1]])
def test_pixels_that_contradict_their_header_are_refused_as_such(shared_data, models, turn):
    images, spacing = axial(shared_data / CERVICAL[0])
    found = graded(models, images[turn], spacing)
    assert found.status == "not_analysed" and found.series[0].orientation_ok is False


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("cord/sct_mt_sub-01/mt.nii.gz", "do not look like T2"),
        ("brain_followup/patient01/study1_T2W.nii.gz", "do not look like axial slices of the spine"),
        ("brain_followup/patient01/study1_FLAIR.nii.gz", "do not look like axial slices of the spine"),
    ],
)
def test_what_is_no_t2_of_the_spine_is_refused_whatever_its_header_says(shared_data, models, name, reason):
    found = graded(models, *axial(shared_data / name))
    assert found.status == "not_analysed" and reason in found.reasons[0]
