"""Diameters are those of the ellipse of the same moments, named by where they point."""

import numpy as np
import pytest

from dashboard.study.diameters import diameters


def ellipse(front_back: float, right_left: float, tilt: float = 0.0) -> np.ndarray:
    """Mask of an ellipse of those diameters, in pixels, turned by `tilt` degrees."""
    rows, columns = np.indices((120, 120)) - 60.0
    turn = np.radians(tilt)
    along = rows * np.cos(turn) + columns * np.sin(turn)
    across = columns * np.cos(turn) - rows * np.sin(turn)
    return (2 * along / front_back) ** 2 + (2 * across / right_left) ** 2 <= 1


@pytest.mark.parametrize(("front_back", "right_left"), [(40, 60), (60, 40), (50, 52)])
def test_each_diameter_is_named_by_its_direction(front_back: float, right_left: float) -> None:
    found = diameters(ellipse(front_back, right_left))
    assert found is not None
    assert (found.ap_px, found.rl_px) == pytest.approx((front_back, right_left), rel=0.02)


def test_the_ends_lie_on_the_ellipse_front_first_and_right_first() -> None:
    found = diameters(ellipse(40, 60))
    assert found is not None
    ap, rl = found.ends()
    np.testing.assert_allclose(ap, [[40, 60], [80, 60]], atol=0.6)
    np.testing.assert_allclose(rl, [[60, 30], [60, 90]], atol=0.6)


def test_a_tilted_shape_has_tilted_diameters() -> None:
    found = diameters(ellipse(30, 60, tilt=20.0))
    assert found is not None
    assert (found.ap_px, found.rl_px) == pytest.approx((30, 60), rel=0.03)
    assert abs(found.ap_direction @ found.rl_direction) < 1e-9
    assert np.degrees(np.arccos(found.rl_direction[1])) == pytest.approx(20, abs=1)


@pytest.mark.parametrize("pixels", [0, 1])
def test_there_is_none_of_nothing(pixels: int) -> None:
    mask = np.zeros((4, 4), bool)
    mask.flat[:pixels] = True
    assert diameters(mask) is None
