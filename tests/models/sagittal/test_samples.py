"""What is done to the few real volumes to make more of them."""

import numpy as np
import pytest
from scipy import ndimage

from models.training.sagittal import samples
from models.training.sagittal.appearance import flowing
from models.training.sagittal.labels import CANAL, CORD, DISC, OTHER, PATCH_PX, VERTEBRA
from models.training.sagittal.people import Person
from models.training.sagittal.samples import _collapse, real_sample

ROWS, COLUMNS = 200, 80
DISC_ROWS, LINE_ROWS = 24, 4


def picture() -> np.ndarray:
    """A disc (2) across a bone (1), with a dark line (0) on either side of it."""
    out = np.ones((ROWS, COLUMNS))
    middle = ROWS // 2
    out[middle - DISC_ROWS // 2 - LINE_ROWS : middle + DISC_ROWS // 2 + LINE_ROWS, 16:64] = 0
    out[middle - DISC_ROWS // 2 : middle + DISC_ROWS // 2, 16:64] = 2
    return out


def test_an_old_disc_loses_height_and_keeps_the_lines_of_its_endplates():
    before = picture()
    labels = np.where(before == 2, DISC, 0)
    grid = np.stack(np.meshgrid(np.arange(ROWS, dtype=float), np.arange(COLUMNS, dtype=float), indexing="ij"))
    heights, lines = [], []
    for seed in range(12):
        rows = _collapse(np.random.default_rng(seed), labels, grid)
        after = ndimage.map_coordinates(before, [rows, grid[1]], order=0, mode="nearest")[:, COLUMNS // 2]
        heights.append(int((after == 2).sum()))
        lines.append(int((after == 0).sum()))
    assert min(heights) < DISC_ROWS * 0.55
    assert max(heights) <= DISC_ROWS
    assert min(lines) >= 2 * LINE_ROWS - 1


@pytest.fixture
def person() -> Person:
    """Nine planes of bone with a canal behind it and a cord in that."""
    labels = np.zeros((9, 320, 240), np.uint8)
    labels[:, :, 70:110] = VERTEBRA
    labels[:, :, 110:130] = CANAL
    labels[:, :, 116:124] = CORD
    image = np.choose(np.minimum(labels, 4), [40, 90, 0, 230, 120]).astype(np.uint8)
    spine = np.ones(9, bool)
    return Person("1", image, labels, np.zeros(labels.shape, bool), np.array([1.0, 0.8, 0.8]), 230.0, spine)


def test_planes_with_tumour_in_the_canal_teach_less_canal(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    before, seen = person.labels.copy(), np.array([2, 4, 6])
    for share in (0.0, 1.0):
        monkeypatch.setattr(samples, "MASS_SHARE", share)
        drawn = [samples._with_masses(np.random.default_rng(seed), person, seen) for seed in range(12)]
        taken = [int(((labels == OTHER) & (before[seen] > VERTEBRA)).sum()) for _, labels in drawn]
        assert all(taken) if share else not any(taken)
    assert np.array_equal(person.labels, before)


def test_a_real_sample_holds_the_planes_and_their_classes(person: Person) -> None:
    for seed in range(4):
        image, labels = real_sample(np.random.default_rng(seed), [person])
        assert (image.shape, labels.shape) == ((3, PATCH_PX, PATCH_PX), (PATCH_PX, PATCH_PX))
        assert set(np.unique(labels)) <= {OTHER, VERTEBRA, CANAL, CORD}


def test_streams_of_dark_csf_change_the_csf_alone(person: Person) -> None:
    labels = person.labels[4]
    image = np.ones((3, *labels.shape), np.float32)
    changed = np.abs(flowing(np.random.default_rng(2), image, labels) - image)
    near = ndimage.binary_dilation(labels == CANAL, iterations=3)
    assert changed[:, near].max() > 0.1
    assert changed[:, ~near].max() == 0
