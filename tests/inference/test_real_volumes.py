"""The shipped models on public volumes: no centre given, whole series in, masks compared in the native grid."""

import numpy as np
import pytest

from dashboard.inference import Models, analyse_series, load_models
from dashboard.study import Role
from tests.inference.volumes import as_series, dice, load

pytestmark = pytest.mark.shared_data
CORD = 2
GREY_MATTER = ("gm_sub-10062Ses1", "gm_sub-9418", "gm_sub-9604", "gm_sub-9709Ses1")


@pytest.fixture(scope="module")
def shipped(repository) -> Models:
    return load_models(repository / "models")


def test_cervical_t2_is_the_same_from_sagittal_and_axial_storage(shared_data, shipped):
    folder = shared_data / "cord" / "sct_t2"
    found = {}
    for plane in ("sagittal", "axial"):
        series = as_series(folder / "t2.nii.gz", plane, Role.VOLUME_T2)
        truth, _ = load(folder / "cord.nii.gz", plane)
        found[plane] = dice(analyse_series(series, shipped).native_labels[0] == CORD, truth > 0.5)
    assert found["sagittal"] == pytest.approx(found["axial"], abs=1e-3)
    assert found["sagittal"] > 0.93


@pytest.mark.parametrize("name", GREY_MATTER)
def test_the_cord_is_found_in_axial_t2star_of_four_sites(shared_data, shipped, name):
    folder = shared_data / "cord" / name
    series = as_series(folder / "t2star.nii.gz", "axial", Role.AXIAL_T2STAR)
    truth, _ = load(folder / "cord.nii.gz", "axial")
    found = analyse_series(series, shipped)
    masked = (truth > 0.5).any(axis=(1, 2))
    assert dice(found.native_labels[0][masked] == CORD, truth[masked] > 0.5) > 0.93
    for one in found.slices:
        if not masked[one.slice_index]:
            continue
        rows, columns = np.nonzero(truth[one.slice_index] > 0.5)
        centre = (series.volumes[0].affine @ [one.slice_index, rows.mean(), columns.mean(), 1])[:3]
        assert np.linalg.norm(one.centre_mm - centre) < 2.5


def test_a_lumbar_volume_shows_the_canal_along_its_length(shared_data, shipped):
    series = as_series(shared_data / "spider" / "11_t2.nii.gz", "sagittal", Role.VOLUME_T2)
    mask, affine = load(shared_data / "spider" / "11_mask.nii.gz", "sagittal")
    index = np.argwhere(mask == 3)
    canal = (affine[:3, :3] @ index.T + affine[:3, 3:]).T
    inside = []
    for one in analyse_series(series, shipped).slices:
        height = (canal - one.centre_mm) @ one.affine[:3, 0]
        near = canal[np.abs(height) < 1.0]
        if len(near) > 50:
            inside.append(np.linalg.norm(near - one.centre_mm, axis=1).min() < 2.0)
    assert len(inside) > 60 and np.mean(inside) > 0.95
