"""The contact arc is drawn along exactly the outline pixels that grading counts as touched."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dashboard.grading.morphometry import measure
from dashboard.study import GRADES
from dashboard.study.contact import outline
from dashboard.study.masks import slice_masks
from dashboard.viewing import mask_outlines
from dashboard.viewing.outlines import contact_arcs, outline_arcs
from tests.grading.crops import PIXEL_MM, Anatomy, crop_of_grade, ellipse, paint, prediction

RNG = np.random.default_rng(5)
SHAPES = st.tuples(st.integers(2, 8), st.integers(2, 8))


def is_border(row: float, column: float) -> bool:
    """Half way between two pixels that share a side: one whole coordinate, one half; ends of arcs are otherwise."""
    return sorted((row % 1, column % 1)) == [0.0, 0.5]


def pixels_beside(arcs: list[np.ndarray], mask: np.ndarray) -> set[tuple[int, int]]:
    """Pixels of `mask` whose borders the arcs run along, by walking the arcs rather than by asking the drawing."""
    found = set()
    for arc in arcs:
        for row, column in arc:
            if not is_border(row, column):
                continue
            for r, c in {(np.floor(row), np.floor(column)), (np.ceil(row), np.ceil(column))}:
                if 0 <= r < mask.shape[0] and 0 <= c < mask.shape[1] and mask[int(r), int(c)]:
                    found.add((int(r), int(c)))
    return found


def identity() -> np.ndarray:
    """Affine under which LPS x is the column and y the row, in pixels."""
    affine = np.eye(4)
    affine[:3, :3] = [[0, 0, 1], [0, 1, 0], [1, 0, 0]]
    return affine


@pytest.mark.parametrize("grade", GRADES)
def test_the_pixels_along_the_arc_are_the_measured_share_of_the_outline(grade: str) -> None:
    labels = None
    while labels is None:
        labels = crop_of_grade(grade, RNG)
    masks = slice_masks(labels, PIXEL_MM)
    arcs = [arc[:, [1, 0]] for arc in contact_arcs(labels, identity(), PIXEL_MM)]
    share = len(pixels_beside(arcs, masks.cord)) / int(outline(masks.cord).sum())
    assert share == pytest.approx(measure(masks).contact_fraction, abs=1e-12)


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_marked_pixels_and_no_others_are_run_along(data: st.DataObject) -> None:
    mask = data.draw(arrays(bool, data.draw(SHAPES)))
    marked = data.draw(arrays(bool, mask.shape)) & outline(mask)
    arcs = outline_arcs(mask, marked)
    assert pixels_beside(arcs, mask) == {(int(r), int(c)) for r, c in np.argwhere(marked)}
    drawn = {tuple(point) for arc in arcs for point in arc if is_border(*point)}
    assert drawn <= {tuple(point) for loop in mask_outlines(mask) for point in loop}


def test_a_cord_held_all_round_has_one_closed_arc() -> None:
    cord = ellipse(6, 8)
    (arc,) = contact_arcs(paint(cord, cord, ellipse(12, 14) & ~cord), identity(), PIXEL_MM)
    assert (arc[0] == arc[-1]).all()


def test_two_touches_give_two_open_arcs() -> None:
    anatomy = Anatomy()
    sides = ellipse(3, 4, (0, -6.5)) | ellipse(3, 4, (0, 6.5))
    arcs = contact_arcs(paint(anatomy.sac & ~sides, anatomy.cord, sides & ~anatomy.cord), identity(), PIXEL_MM)
    assert len(arcs) == 2
    assert all((arc[0] != arc[-1]).any() for arc in arcs)


def test_without_contact_there_is_no_arc() -> None:
    anatomy = Anatomy()
    assert contact_arcs(paint(anatomy.sac, anatomy.cord), identity(), PIXEL_MM) == ()


def test_the_arc_lies_in_the_patient_on_the_cord() -> None:
    cord = ellipse(6, 8)
    one = prediction(z_mm=-40.0, labels=paint(cord, cord, ellipse(12, 14) & ~cord))
    (arc,) = contact_arcs(one.labels, one.affine, one.pixel_mm)
    assert set(arc[:, 2]) == {-40.0}
    assert np.abs(arc[:, 0]).max() == pytest.approx(4.0, abs=PIXEL_MM)
    assert np.abs(arc[:, 1]).max() == pytest.approx(3.0, abs=PIXEL_MM)
