"""Failures: which slices are shown, in what order, and that the page stays out of the repository."""

from argparse import ArgumentTypeError
from dataclasses import replace

import numpy as np
import pytest

from dashboard.grading.morphometry import measure
from dashboard.grading.quality import Obstacle
from dashboard.study.masks import slice_masks
from models.training.evaluation.failures import KINDS, REPOSITORY, Shown, choose, outside
from models.training.evaluation.gallery import page
from models.training.evaluation.implants import Case, groups
from models.training.evaluation.series import Verdict
from tests.grading.crops import PIXEL_MM, Anatomy, ellipse, paint, prediction

LABELS = paint(Anatomy().sac, Anatomy().cord, ellipse(4, 6, (-6, 0)))
TITLES = [kind.title for kind in KINDS]


def verdict(rank: int, sure: float = 0.9, *obstacles: Obstacle) -> Verdict:
    """A verdict of this rank, `sure` of every step up to it."""
    steps = np.where(np.arange(5) < rank, sure, 0.05)
    measures = measure(slice_masks(LABELS, PIXEL_MM))
    return Verdict(steps, steps, steps, rank, rank, np.array([0.9, 0.1, 0, 0, 0]), obstacles, measures)


def shown(rank: int, found: Verdict, implanted: bool = True, number: int = 1) -> Shown:
    """A slice of this true rank."""
    one = prediction(labels=LABELS)
    square = np.zeros((128, 128), bool)
    square[50:80, 50:80] = True
    truth = {"sac": square, "cord": square, "tumour": square} if implanted else {"sac": square, "cord": square}
    return Shown("person <1>", "cervical", number, rank, implanted, False, found, one, truth, (3, 4))


def numbers(chosen, title):
    """Numbers of the slices chosen of a kind."""
    (found,) = [slices for name, _, _, slices in chosen if name == title]
    return [one.number for one in found]


def test_each_kind_of_failure_finds_its_own():
    slices = [
        shown(4, verdict(1), number=1),
        shown(3, verdict(4), number=2),
        shown(4, verdict(3), number=3),
        shown(0, verdict(3), implanted=False, number=4),
        shown(2, verdict(2, 0.9, Obstacle.UNLIKE), number=5),
        shown(4, verdict(4), number=6),
    ]
    chosen = choose(slices, 9)
    assert [numbers(chosen, title) for title in TITLES] == [[1], [2], [1, 3], [4], [5]]
    assert [(failed, among) for _, failed, among, _ in chosen] == [(1, 3), (1, 1), (2, 3), (1, 1), (1, 6)]


def test_the_worst_come_first_and_only_so_many():
    slices = [shown(3, verdict(4, sure), number=n) for n, sure in enumerate((0.6, 0.99, 0.8), start=1)]
    assert numbers(choose(slices, 2), "true 1c called 2 or 3") == [2, 3]
    missed = [
        shown(5, replace(verdict(1), at_least=np.full(5, p)), number=n) for n, p in enumerate((0.4, 0.01), start=1)
    ]
    assert numbers(choose(missed, 2), "true 2 or 3 called 0 to 1b") == [2, 1]


def test_the_page_shows_pictures_outlines_probabilities_and_measures():
    text = page(choose([shown(4, verdict(1)), shown(2, verdict(2, 0.9, Obstacle.UNLIKE))], 3))
    assert "true 2, called 1a: person &lt;1&gt; (cervical), slice 1" in text
    assert "<1>" not in text
    assert text.count("data:image/png;base64,") == 6
    assert 'stroke-dasharray="1.4 1"' in text
    assert "contact fraction" in text and "P(at least), head" in text and Obstacle.UNLIKE.value in text
    assert "<p>none</p>" in text


def test_truth_is_drawn_where_it_lies_in_the_series():
    one = shown(4, verdict(1))
    affine = np.eye(4)
    affine[:3, :3] = [[0, 0, 0.5], [0, 0.5, 0], [1, 0, 0]]
    affine[:3, 3] = [27.0, 26.5, 0.0]  # the crop begins 54 columns and 53 rows into the series
    text = page([("x", 1, 1, [replace(one, prediction=replace(one.prediction, affine=affine))])])
    # The square begins at row 3 + 50 and column 4 + 50: its border lies half a pixel before the crop's first pixel.
    assert 'points="-0.50,0.00 0.00,-0.50 1.00,-0.50' in text


@pytest.mark.parametrize("folder", [".", "models/x", "../" + REPOSITORY.name])
def test_the_page_is_never_written_into_the_repository(folder, monkeypatch):
    monkeypatch.chdir(REPOSITORY)
    with pytest.raises(ArgumentTypeError, match="outside"):
        outside(folder)


def test_another_folder_is_fine(tmp_path):
    assert outside(str(tmp_path / "new")) == (tmp_path / "new").resolve()


def case(kind: str, region: str) -> Case:
    """A case of this contrast and region."""
    return Case("p", kind, region, 0, False, False, verdict(0))


def test_contrast_and_region_that_hold_the_same_slices_are_one_group():
    cases = [case("t2", "lower thoracic"), case("t2", "lower thoracic"), case("t2star", "cervical")]
    named = [(contrast, region, len(chosen)) for contrast, region, chosen in groups(cases)]
    assert named == [("t2", "lower thoracic", 2), ("t2star", "cervical", 1), ("all", "cervical and lower thoracic", 3)]


def test_regions_are_split_where_a_contrast_has_several():
    cases = [case("t2", "lower thoracic"), case("t2", "cervical"), case("t2star", "cervical")]
    named = [(contrast, region) for contrast, region, _ in groups(cases)]
    assert named == [
        ("t2", "cervical"),
        ("t2", "lower thoracic"),
        ("t2", "cervical and lower thoracic"),
        ("t2star", "cervical"),
        ("t2 and t2star", "cervical"),
        ("all", "cervical and lower thoracic"),
    ]


def test_no_cases_make_no_groups():
    assert groups([]) == []
