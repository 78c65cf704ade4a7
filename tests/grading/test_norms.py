"""Norms are the published ones, and a level without one gets none."""

import csv
from pathlib import Path

import pytest

from dashboard.grading.norms import MEASURES, TABLE, missing_words, norm


# CLINICAL reference, section 4: the published table at C1, C5 and T1, and T8 of the whole spine.
@pytest.mark.parametrize(
    ("measure", "level", "mean", "sd"),
    [
        ("cord_area_mm2", "C1", 73.96, 7.33),
        ("cord_area_mm2", "C5", 76.38, 7.74),
        ("cord_diameter_AP_mm", "C5", 7.47, 0.51),
        ("compression_ratio", "T1", 0.671, 0.052),
        ("cord_area_mm2", "T8", 37.3, 4.08),
        ("canal_diameter_AP_mm", "C5", 12.78, 1.17),
    ],
)
def test_the_published_numbers_are_kept(measure: str, level: str, mean: float, sd: float) -> None:
    found = norm(measure, level)
    assert found is not None
    assert found.mean == pytest.approx(mean, abs=0.005)
    assert found.sd == pytest.approx(sd, abs=0.005)


def test_the_larger_cohort_is_used_where_it_reaches() -> None:
    cervical, thoracic = norm("cord_area_mm2", "T1"), norm("cord_area_mm2", "T2")
    assert cervical is not None
    assert thoracic is not None
    assert (cervical.cohort, cervical.count) == ("spine-generic", 203)
    assert (thoracic.cohort, thoracic.count) == ("whole-spine", 58)


@pytest.mark.parametrize("level", [None, "", "T8/9", "L1", "L4", "t8", "S1"])
def test_no_level_is_guessed(level: str | None) -> None:
    assert all(norm(measure, level) is None for measure in MEASURES)


def test_a_measure_without_norms_has_none() -> None:
    assert norm("csf_fraction", "T8") is None


def test_z_counts_standard_deviations() -> None:
    found = norm("cord_area_mm2", "T8")
    assert found is not None
    assert found.z(found.mean - 2 * found.sd) == pytest.approx(-2)


def test_it_is_said_why_there_is_no_norm() -> None:
    assert missing_words([None, None]) == "no norm band: levels are unknown or uncertain"
    assert missing_words(["T8", "T9"]) == ""
    assert missing_words(["T8", "L1", "L1"]) == "no norm at L1"
    assert missing_words(["L2", "T11/12", "T12/L1", "L1", "L1/2"]) == "no norm at T11/12, T12/L1 to L2"
    assert missing_words(["T8", None]) == "no norm where the level is unknown or uncertain"
    assert missing_words([]) == "no norm band: levels are unknown or uncertain"


@pytest.mark.shared_data
def test_the_table_is_the_published_one_number_by_number(shared_data: Path) -> None:
    names = {
        ("cord", "area"): "cord_area_mm2",
        ("cord", "diameter_AP"): "cord_diameter_AP_mm",
        ("cord", "ap_rl_ratio"): "compression_ratio",
        ("canal", "diameter_AP"): "canal_diameter_AP_mm",
    }
    with (shared_data / "norms" / "morphometry_by_level.csv").open(encoding="utf-8", newline="") as lines:
        source = {
            (row["cohort"], row["level"], names[row["structure"], row["metric"]]): (
                int(row["n"]),
                float(row["mean"]),
                float(row["sd"]),
            )
            for row in csv.DictReader(lines)
            if (row["structure"], row["metric"]) in names
        }
    with TABLE.open(encoding="utf-8", newline="") as lines:
        kept = list(csv.DictReader(lines))
    assert len(kept) == 3 * 19 + 8
    for row in kept:
        assert source[row["cohort"], row["level"], row["measure"]] == (
            int(row["count"]),
            float(row["mean"]),
            float(row["sd"]),
        )
