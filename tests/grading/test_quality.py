"""Each reason not to grade a slice, by its name."""

import numpy as np
import pytest

from dashboard.grading import GradingThresholds, Obstacle
from dashboard.grading.masks import slice_masks
from dashboard.grading.morphometry import measure
from dashboard.grading.quality import Gate, gate_slice
from tests.grading.crops import PIXEL_MM, Anatomy, ellipse, paint, prediction

EMPTY = np.zeros((96, 96), np.uint8)
CAUDA = paint(ellipse(13, 15), np.zeros((96, 96), bool))


def gate(**changes) -> Gate:
    one = prediction(**changes)
    return gate_slice(one, measure(slice_masks(one.labels, PIXEL_MM)), GradingThresholds())


def scene(**probabilities: float) -> tuple[float, ...]:
    names = ("gradable", "wrong_contrast", "no_cord", "wrong_geometry", "not_spine")
    return tuple(probabilities.get(name, 0.02) for name in names)


def test_a_healthy_slice_passes():
    assert gate().passed


@pytest.mark.parametrize(
    ("kind", "obstacle"),
    [
        ("wrong_contrast", Obstacle.WRONG_CONTRAST),
        ("wrong_geometry", Obstacle.WRONG_GEOMETRY),
        ("not_spine", Obstacle.NOT_SPINE),
    ],
)
def test_the_scene_that_is_likeliest_is_the_reason(kind, obstacle):
    assert gate(scene=scene(gradable=0.1, **{kind: 0.82})).obstacles == (obstacle,)


def test_cauda_equina_in_csf_has_no_cord_and_is_owed_no_grade():
    found = gate(scene=scene(gradable=0.1, no_cord=0.82), labels=CAUDA)
    assert found.obstacles == (Obstacle.NO_CORD,) and not found.grade_owed


def test_neither_cord_nor_csf_in_sight_is_owed_a_grade():
    found = gate(scene=scene(gradable=0.1, no_cord=0.82), labels=EMPTY)
    assert found.obstacles == (Obstacle.CORD_NOT_FOUND,) and found.grade_owed


def test_another_kind_that_is_likelier_than_gradable_refuses_a_slice_above_the_least():
    one = prediction(scene=scene(gradable=0.3, not_spine=0.4, no_cord=0.2))
    measures = measure(slice_masks(one.labels, PIXEL_MM))
    assert gate_slice(one, measures, GradingThresholds(gradable_min=0.15)).obstacles == (Obstacle.NOT_SPINE,)


def test_a_cord_that_may_not_be_there_is_left_to_the_series():
    one = prediction(scene=scene(gradable=0.3, no_cord=0.6))
    measures = measure(slice_masks(one.labels, PIXEL_MM))
    assert gate_slice(one, measures, GradingThresholds(gradable_min=0.15)).passed


def test_a_scene_like_nothing_known_is_said_to_be_unlike():
    assert gate(scene=(0.3, 0.2, 0.2, 0.2, 0.1)).obstacles == (Obstacle.UNLIKE,)


def test_the_least_probability_is_the_models_to_set():
    one = prediction(scene=scene(gradable=0.6, no_cord=0.32))
    measures = measure(slice_masks(one.labels, PIXEL_MM))
    assert gate_slice(one, measures, GradingThresholds()).passed
    assert not gate_slice(one, measures, GradingThresholds(gradable_min=0.7)).passed


@pytest.mark.parametrize(
    ("changes", "obstacle"),
    [
        ({"canal_score": 0.02}, Obstacle.CANAL_NOT_FOUND),
        ({"inside": 0.2}, Obstacle.FIELD_EDGE),
        ({"canal_inside": 0.8}, Obstacle.FIELD_EDGE),
        ({"labels": CAUDA}, Obstacle.CORD_NOT_FOUND),
        ({"labels": paint(ellipse(13, 15), ellipse(2, 3))}, Obstacle.CORD_NOT_FOUND),
        ({"labels": paint(ellipse(18, 20), ellipse(13, 14))}, Obstacle.CORD_NOT_PLAUSIBLE),
        ({"labels": paint(ellipse(7, 9), ellipse(7, 9))}, Obstacle.CSF_ABSENT),
    ],
)
def test_outlines_that_make_no_sense_are_named(changes, obstacle):
    found = gate(**changes)
    assert found.obstacles == (obstacle,) and found.grade_owed


def test_csf_gone_with_tumour_to_explain_it_passes():
    cord = Anatomy(cord_ap=5).cord
    assert gate(labels=paint(cord, cord, ellipse(14, 16) & ~cord)).passed


def test_a_narrow_field_that_holds_the_canal_passes():
    assert gate(inside=20 / 48).passed


@pytest.mark.parametrize("obstacle", list(Obstacle))
def test_reasons_are_sentences_without_forbidden_words(obstacle):
    assert not {"normal", "ruled", "diagnosed"} & set(obstacle.value.lower().split())
    assert len(obstacle.value) > 20
