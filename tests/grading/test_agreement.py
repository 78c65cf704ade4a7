"""Coefficients of agreement against examples worked by hand."""

import numpy as np
import pytest

from dashboard.grading import agreement
from dashboard.grading.agreement import FEWEST, gwet_ac2, weighted_kappa
from dashboard.study import GRADES


def test_complete_agreement_is_one() -> None:
    both = agreement([(grade, grade) for grade in GRADES])
    assert both.kappa is not None
    assert both.kappa.value == pytest.approx(1.0)
    assert both.ac2 is not None
    assert both.ac2.value == pytest.approx(1.0)
    assert (both.count, both.exact) == (6, 6)


def test_kappa_of_two_classes_by_hand() -> None:
    # Observed agreement 0.7; by chance 0.5 * 0.6 + 0.5 * 0.4 = 0.5.
    assert weighted_kappa(np.array([[20, 5], [10, 15]])) == pytest.approx((0.7 - 0.5) / 0.5)


def test_kappa_weights_by_the_square_of_the_distance() -> None:
    # Three classes: losses 0, 1/4, 1. One pair (0, 2), one each on the diagonal.
    table = np.array([[1, 0, 1], [0, 1, 0], [0, 0, 1]])
    rows, columns = table.sum(1), table.sum(0)
    loss = np.array([[0, 0.25, 1], [0.25, 0, 0.25], [1, 0.25, 0]])
    assert weighted_kappa(table) == pytest.approx(1 - 1 / (loss * np.outer(rows, columns) / 4).sum())


def test_ac2_of_two_classes_by_hand() -> None:
    # Gwet's AC1: share of the first class 0.55, by chance 2 * 0.55 * 0.45 = 0.495.
    assert gwet_ac2(np.array([[20, 5], [10, 15]])) == pytest.approx((0.7 - 0.495) / 0.505)


def test_ac2_stays_high_where_nearly_all_are_of_one_grade() -> None:
    table = np.array([[96, 2], [2, 0]])
    kappa, ac2 = weighted_kappa(table), gwet_ac2(table)
    assert kappa is not None
    assert ac2 is not None
    assert kappa < 0 < 0.9 < ac2


def test_one_grade_only_has_no_kappa() -> None:
    both = agreement([("0", "0")] * 10)
    assert both.kappa is None
    assert both.ac2 is not None


def test_few_pairs_give_a_table_and_no_coefficient() -> None:
    both = agreement([("2", "3")] * (FEWEST - 1))
    assert both.kappa is None
    assert both.ac2 is None
    assert both.table[4, 5] == FEWEST - 1


def test_the_interval_holds_the_value_and_repeats() -> None:
    pairs = [("2", "2"), ("0", "0"), ("1c", "2"), ("3", "3"), ("0", "1a"), ("0", "0"), ("2", "1c")]
    first, second = agreement(pairs), agreement(pairs)
    assert first.kappa == second.kappa
    assert first.kappa is not None
    assert first.kappa.low <= first.kappa.value <= first.kappa.high


def test_grades_are_words_of_the_scale() -> None:
    with pytest.raises(ValueError, match="index"):
        agreement([("4", "0")])
