"""The CSV says everything about each slice, in full precision, and nothing in it is a formula."""

import csv
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.study import GRADES
from dashboard.viewing.profile_table import FORMULA_STARTS, profile_csv

MODELS = [{"name": "compression", "version": "1", "sha256": "ab"}, {"name": "canal", "version": "2", "sha256": "cd"}]


def entry(**changes: Any) -> dict[str, Any]:
    """A slice of a result document."""
    return {
        "number": 8,
        "level": "T8",
        "position_mm": [1.25, -30.5, 0.1 + 0.2],
        "along_canal_mm": 28.0,
        "status": "analysed",
        "grade": "1c",
        "band": "watch",
        "probabilities": dict.fromkeys(GRADES, 1 / 6),
        "measures": {"cord_area_mm2": 37.3, "cord_diameter_AP_mm": 6.05, "csf_fraction": 0.256},
        "reasons": [],
    } | changes


def rows(*slices: dict[str, Any]) -> list[dict[str, str]]:
    """The table as a spreadsheet reads it."""
    return list(csv.DictReader(io.StringIO(profile_csv(slices, MODELS, "0.1.0"), newline="")))


def test_a_row_says_where_what_and_made_by_which_model() -> None:
    (row,) = rows(entry())
    assert (row["slice"], row["level"], row["suspected grade"], row["band"]) == ("8", "T8", "1c", "watch")
    assert (row["position L [mm]"], row["position P [mm]"]) == ("1.25", "-30.5")
    assert row["along the canal [mm]"] == "28.0"
    assert (row["model"], row["software version"]) == ("compression 1; canal 2", "0.1.0")
    assert "not a medical device" in row["notice"]


def test_every_measure_has_its_unit_in_the_header() -> None:
    (row,) = rows(entry())
    assert row["cord_area [mm2]"] == "37.3"
    assert row["cord_diameter_AP [mm]"] == "6.05"
    assert row["csf_fraction [1]"] == "0.256"
    assert [row[f"P({grade}) [1]"] for grade in GRADES] == [repr(1 / 6)] * 6


def test_numbers_keep_their_full_precision() -> None:
    (row,) = rows(entry())
    assert float(row["position S [mm]"]) == 0.1 + 0.2


def test_a_slice_that_was_not_analysed_has_empty_cells_and_its_reason() -> None:
    (row,) = rows(
        entry(grade=None, band=None, probabilities=None, measures=None, status="not_analysed", reasons=["no cord"])
    )
    assert (row["suspected grade"], row["P(3) [1]"], row["status"], row["reasons"]) == (
        "",
        "",
        "not_analysed",
        "no cord",
    )


def test_a_measure_that_only_some_slices_have_keeps_its_column() -> None:
    first, second = rows(entry(measures={"cord_gap_mm": None}), entry(measures={"cord_area_mm2": 50.0}))
    assert (first["cord_gap [mm]"], first["cord_area [mm2]"]) == ("", "")
    assert (second["cord_gap [mm]"], second["cord_area [mm2]"]) == ("", "50.0")


@pytest.mark.parametrize("start", [*FORMULA_STARTS, "  ="])
def test_no_text_becomes_a_formula(start: str) -> None:
    (row,) = rows(entry(level=f"{start}cmd|' /C calc'!A0", reasons=[f"{start}1+1"]))
    assert row["level"].startswith("'")
    assert row["reasons"].startswith("'")


@given(st.text())
def test_every_text_comes_back_as_it_was_or_behind_an_apostrophe(text: str) -> None:
    (row,) = rows(entry(reasons=[text]))
    assert row["reasons"] in (text, f"'{text}")
    assert not row["reasons"].lstrip(" ").startswith(FORMULA_STARTS)


def test_negative_numbers_stay_numbers() -> None:
    (row,) = rows(entry(measures={"cord_gap_mm": -0.5}))
    assert row["cord_gap [mm]"] == "-0.5"


def test_without_slices_there_is_a_header_alone() -> None:
    assert profile_csv([], MODELS, "0.1.0").count("\n") == 1


@pytest.mark.parametrize(("certain", "cell"), [(True, "yes"), (False, "no"), (None, "")])
def test_a_row_says_whether_its_level_is_certain(certain: bool | None, cell: str) -> None:
    (row,) = rows(entry(level_certain=certain))
    assert row["level certain"] == cell
