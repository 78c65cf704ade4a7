import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dashboard.inference.calibration import at_least, scene
from dashboard.inference.manifest import Calibration

logits = st.lists(st.floats(-80, 80, width=32), min_size=5, max_size=5).map(lambda v: np.array(v, np.float32))


@given(logits)
def test_probabilities_never_rise(values):
    found = at_least(values, Calibration(scale=(1, 2, 0.5, 1, 1), offset=(0, 1, -1, 0, 2)))
    assert np.all(np.diff(found) <= 0) and np.all((found >= 0) & (found <= 1))


@given(logits)
def test_scenes_sum_to_one(values):
    assert np.isclose(scene(values, Calibration(scene_temperature=1.7)).sum(), 1)


def test_scale_and_offset_count_a_step_each():
    found = at_least(
        np.array([2, 0, 0, 0, 0], np.float32), Calibration(scale=(0.5, 1, 1, 1, 1), offset=(0, 0, -1, -2, -3))
    )
    np.testing.assert_allclose(found, 1 / (1 + np.exp([-1, 0, 1, 2, 3])))


def test_a_hot_temperature_makes_scenes_alike():
    values = np.array([3, 0, 0, 0, 0], np.float32)
    assert scene(values, Calibration(scene_temperature=100))[0] < 0.25 < scene(values, Calibration())[0]
