"""Tumour built into canals for training: what it takes is taught as no canal, what it leaves keeps its classes."""

import numpy as np
import pytest

from models.training.sagittal.epidural import Mass, draw_mass, implant
from models.training.sagittal.labels import CANAL, CORD, OTHER, VERTEBRA

FRONT, BACK, ROW, HALF_ROWS = 20, 50, 40, 16.0
CORD_FRONT, CORD_BACK = 30, 42
BRIGHT, GREY = 1000.0, 500.0


def mass(side: str, depth: float, *, csf_first: bool = True) -> Mass:
    return Mass(2.0, float(ROW), 6.0, HALF_ROWS, depth, side, csf_first, 0.5)


@pytest.fixture
def volume() -> tuple[np.ndarray, np.ndarray]:
    """Five planes (80, 70): bone, a canal of 30 pixels, and in it a cord of 12."""
    labels = np.zeros((5, 80, 70), np.uint8)
    labels[:, :, :FRONT] = VERTEBRA
    labels[:, :, FRONT:BACK] = CANAL
    labels[:, :, CORD_FRONT:CORD_BACK] = CORD
    return np.choose(np.minimum(labels, 4), [100.0, 300.0, 0.0, BRIGHT, GREY]).astype(np.float32), labels


def build(volume: tuple[np.ndarray, np.ndarray], one: Mass) -> tuple[np.ndarray, np.ndarray]:
    image, labels = volume
    return implant(np.random.default_rng(4), image, labels, np.arange(5), one, BRIGHT)


@pytest.mark.parametrize(("side", "share"), [("front", 0.3), ("front", 0.7), ("behind", 0.5), ("round", 0.5)])
def test_a_mass_takes_its_share_of_the_canal_from_its_side(volume, side, share):
    _, taught = build(volume, mass(side, share))
    row = taught[2, ROW, FRONT:BACK]
    assert (row == OTHER).sum() == pytest.approx(share * (BACK - FRONT), abs=1)
    left = np.flatnonzero(row != OTHER)
    assert (np.diff(left) == 1).all()
    ends = {"front": (False, True), "behind": (True, False), "round": (False, False)}[side]
    assert (bool(row[0] != OTHER), bool(row[-1] != OTHER)) == ends


def test_the_cord_keeps_its_depth_until_the_csf_is_gone(volume):
    csf = BACK - FRONT - (CORD_BACK - CORD_FRONT)
    for depth, cord in ((0.3, CORD_BACK - CORD_FRONT), (0.8, (BACK - FRONT) * 0.2)):
        _, taught = build(volume, mass("front", depth))
        row = taught[2, ROW, FRONT:BACK]
        assert (row == CORD).sum() == pytest.approx(cord, abs=1)
        assert (row == CANAL).sum() == pytest.approx(max(0.0, csf - depth * (BACK - FRONT)), abs=1)


def test_cord_and_csf_give_way_alike_where_the_csf_does_not_go_first(volume):
    _, taught = build(volume, mass("front", 0.5, csf_first=False))
    row = taught[2, ROW, FRONT:BACK]
    assert (row == CORD).sum() == pytest.approx((CORD_BACK - CORD_FRONT) / 2, abs=1)


def test_a_mass_that_takes_all_leaves_no_canal(volume):
    _, taught = build(volume, mass("round", 1.1))
    assert (taught[2, ROW, FRONT:BACK] == OTHER).all()


def test_nothing_beyond_the_mass_changes_and_bone_stays_bone(volume):
    image, labels = volume
    made, taught = build(volume, mass("front", 0.6))
    away = np.abs(np.arange(80) - ROW) > HALF_ROWS + 3
    assert np.array_equal(taught[:, away], labels[:, away])
    assert np.array_equal(made[:, away], image[:, away])
    assert np.array_equal(taught[:, :, :FRONT], labels[:, :, :FRONT])
    assert np.array_equal(taught[:, :, BACK:], labels[:, :, BACK:])
    assert image[2, ROW, FRONT] == BRIGHT


def test_specks_of_a_mask_beside_the_canal_are_not_part_of_it(volume):
    image, labels = volume
    labels[:, ROW, 5] = CANAL
    _, taught = build((image, labels), mass("front", 0.5))
    assert taught[2, ROW, 5] == CANAL
    assert (taught[2, ROW, FRONT:BACK] == OTHER).sum() == pytest.approx((BACK - FRONT) / 2, abs=1)


def test_masses_are_drawn_within_the_canal_of_a_person(volume):
    _, labels = volume
    labels[:, :10] = 0
    for seed in range(40):
        one = draw_mass(np.random.default_rng(seed), labels, np.array([3.0, 0.5, 0.5]))
        assert 10 <= one.row < 80
        assert 0 < one.share(int(np.clip(round(one.plane), 0, 4)), np.array([one.row]))[0] <= 1
