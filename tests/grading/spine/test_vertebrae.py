"""Bodies are compared with their neighbours: heights, shape of the loss, marrow."""

import numpy as np
import pytest

from dashboard.grading.spine.vertebrae import genant_grade, height_loss, marrow_outliers
from tests.grading.spine.drawn import BODY_MM, PIXEL_MM, Drawing, measured


def body(level: str, drawing: Drawing | None = None):
    measures, places = measured(drawing)
    return measures.bodies[places[level]]


def test_heights_are_those_of_the_drawing() -> None:
    found = body("L3")
    for height in (found.front_mm, found.middle_mm, found.back_mm):
        assert height == pytest.approx(BODY_MM - 0.8, abs=PIXEL_MM)


def test_a_plain_spine_has_lost_nothing() -> None:
    measures, _ = measured()
    assert max(one.loss for one in measures.bodies.values() if one.loss is not None) < 0.05


def test_a_body_with_no_disc_beyond_it_may_be_cut_and_has_lost_nothing() -> None:
    measures, places = measured(Drawing(height={"T12": (7.0, 7.0)}))
    top = measures.bodies[places["T12"]]
    assert (top.ends_seen, top.loss) == (False, None)
    assert measures.bodies[places["L1"]].loss == pytest.approx(0, abs=0.05)


def test_a_wedge_is_lost_in_front() -> None:
    found = body("L2", Drawing(height={"L2": (BODY_MM * 0.6, BODY_MM)}))
    assert found.shape == "wedge"
    assert found.loss == pytest.approx(0.34, abs=0.04)


def test_a_crush_is_lost_everywhere() -> None:
    found = body("L2", Drawing(height={"L2": (BODY_MM * 0.5, BODY_MM * 0.5)}))
    assert found.shape == "crush"
    assert genant_grade(found.loss) == "3"


def test_a_collapsed_neighbour_does_not_hide_a_collapse() -> None:
    tall, low = np.full(3, 28.0), np.full(3, 14.0)
    loss, _ = height_loss({0: tall, 2: low, 4: low, 6: tall}, 2)
    assert loss == pytest.approx(0.5)


def test_of_three_collapsed_bodies_the_middle_one_has_lost_as_much_as_the_others() -> None:
    heights = dict(zip(range(0, 14, 2), (np.full(3, mm) for mm in (22.0, 22, 11, 11, 11, 22, 22)), strict=True))
    assert [height_loss(heights, place)[0] for place in range(0, 14, 2)] == pytest.approx([0, 0, 0.5, 0.5, 0.5, 0, 0])


def test_l5_may_be_low_behind() -> None:
    heights = {0: np.full(3, 28.0), 2: np.array([28.0, 27.0, 20.0])}
    assert height_loss(heights, 2, wedged=True)[0] == pytest.approx(1 / 28)


def test_a_body_alone_has_no_loss() -> None:
    assert height_loss({4: np.full(3, 28.0)}, 4) == (None, None)


@pytest.mark.parametrize(("loss", "grade"), [(0.19, "0"), (0.2, "1"), (0.25, "2"), (0.41, "3"), (-0.1, "0")])
def test_genant_grades_begin_where_the_reference_says(loss: float, grade: str) -> None:
    assert genant_grade(loss) == grade


def test_one_bright_body_stands_out() -> None:
    z = marrow_outliers({0: 0.4, 2: 0.41, 4: 0.8, 6: 0.39, 8: 0.4})
    assert z[4] > 4
    assert max(abs(value) for place, value in z.items() if place != 4) < 2


def test_a_coil_that_brightens_one_end_is_no_finding() -> None:
    z = marrow_outliers({place: 0.3 * np.exp(0.15 * place) for place in range(0, 14, 2)})
    assert max(abs(value) for value in z.values()) < 0.5


def test_three_bodies_are_too_few_to_stand_out_from() -> None:
    assert marrow_outliers({0: 0.4, 2: 0.9, 4: 0.4}) == {}


def test_marrow_is_read_in_the_picture() -> None:
    assert body("L3", Drawing(marrow={"L3": 0.7})).marrow_z > 4


def test_a_bright_endplate_is_found() -> None:
    measures, places = measured()
    assert abs(measures.endplates[places["L3/4"]].brightest) < 0.1
