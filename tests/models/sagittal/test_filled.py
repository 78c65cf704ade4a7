"""Tissue built into a canal for measuring lies in the canal, at its place, and leaves open what it should."""

import numpy as np
import pytest

from models.training.sagittal.filled import fill

ROW, ROWS = 40, 20.0


@pytest.fixture
def canal() -> tuple[np.ndarray, np.ndarray]:
    """A volume (5, 80, 60) with a bright canal of 20 pixels, and its mask."""
    mask = np.zeros((5, 80, 60), bool)
    mask[:, :, 20:40] = True
    return np.where(mask, 1000.0, 300.0).astype(np.float32), mask


@pytest.mark.parametrize("left", [0.0, 0.25, 0.5])
def test_tissue_takes_its_share_of_the_depth_from_the_front(canal: tuple[np.ndarray, np.ndarray], left: float) -> None:
    image, mask = canal
    made = fill(image, mask, ROW, ROWS, left, np.random.default_rng(1))
    dark = made[2, ROW, 20:40] < 700
    assert dark.sum() == pytest.approx(20 * (1 - left), abs=1)
    assert dark[: dark.sum()].all()


def test_nothing_changes_outside_the_canal_or_away_from_the_place(canal: tuple[np.ndarray, np.ndarray]) -> None:
    image, mask = canal
    made = fill(image, mask, ROW, ROWS, 0.0, np.random.default_rng(1))
    assert np.array_equal(made[:, :, :18], image[:, :, :18])
    assert np.array_equal(made[:, :, 42:], image[:, :, 42:])
    assert np.array_equal(made[:, : ROW - 12], image[:, : ROW - 12])
    assert np.array_equal(made[:, ROW + 12 :], image[:, ROW + 12 :])
    assert image[2, ROW, 30] == 1000.0
