"""Other findings as a table that a spreadsheet reads and does not run."""

import csv
import io

from dashboard.viewing.findings_table import findings_csv
from tests.screens.spines import findings, spine


def rows(**changes: object) -> list[dict[str, str]]:
    document = {"findings": findings(), "spine": spine(), "model": [{"name": "sagittal", "version": "1"}], **changes}
    return list(csv.DictReader(io.StringIO(findings_csv(document, "0.1.0"))))


def test_one_row_a_finding_with_its_numbers_and_its_source() -> None:
    found = rows()
    assert [row["level"] for row in found] == [one["level"] for one in findings()]
    bulge = found[4]
    assert (bulge["value"], bulge["unit"], bulge["probability"]) == ("4.2", "mm", "0.77")
    assert (bulge["scale"], bulge["source_status"], bulge["level certain"]) == (
        "Fardon 2014",
        "source to be confirmed",
        "yes",
    )
    assert float(bulge["position S [mm]"]) < 0
    assert (bulge["model"], bulge["software version"]) == ("sagittal 1", "0.1.0")
    assert found[-1]["reason"] == "the field of view cuts this vertebra"


def test_no_cell_is_a_formula() -> None:
    assert rows(findings=[{**findings()[0], "text": "=1+1"}])[0]["text"] == "'=1+1"


def test_a_result_without_findings_has_a_header_only() -> None:
    assert findings_csv({}, "0.1.0").count("\n") == 1
