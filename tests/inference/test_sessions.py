import numpy as np
import pytest

from dashboard.errors import ModelError
from dashboard.inference.manifest import CANAL, COMPRESSION
from dashboard.inference.sessions import spread


@pytest.fixture
def slices():
    return np.random.default_rng(3).random((11, 1, 96, 96), np.float32)


@pytest.mark.parametrize("name", ["canal", "compression"])
def test_one_by_one_and_in_batches_is_the_same(models, slices, name):
    session = getattr(models, name)
    together = session.run(slices)
    for k in range(len(slices)):
        alone = session.run(slices[k : k + 1])
        for key, values in together.items():
            np.testing.assert_array_equal(values[k], alone[key][0])


@pytest.mark.parametrize("name", ["canal", "compression"])
def test_threads_change_nothing(models, slices, name):
    session = getattr(models, name)
    parts = [slices[k : k + 1] for k in range(len(slices))]
    one, two = (spread(session.run, parts, threads) for threads in (1, 2))
    for first, second in zip(one, two, strict=True):
        assert all(first[key].tobytes() == second[key].tobytes() for key in first)


def test_outputs_have_the_shapes_of_the_contract(models, slices):
    for session, contract in ((models.canal, CANAL), (models.compression, COMPRESSION)):
        outputs = session.run(slices)
        assert {k: v.shape for k, v in outputs.items()} == {k: (11, *s) for k, s in contract.outputs.items()}


def test_an_answer_that_is_not_a_number_is_refused(models):
    with pytest.raises(ModelError, match="heatmap is not finite"):
        models.canal.run(np.full((1, 1, 96, 96), np.nan, np.float32))


def test_spread_keeps_order_and_raises():
    assert spread(lambda x: x * x, range(20), 2) == [x * x for x in range(20)]
    with pytest.raises(ZeroDivisionError):
        spread(lambda x: 1 // x, [1, 0], 2)
