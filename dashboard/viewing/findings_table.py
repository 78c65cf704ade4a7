"""Other findings as CSV: one row a finding, head to foot, numbers as they stand in the result."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from dashboard.study import level_is_certain
from dashboard.viewing.profile_table import AXES, NOTICE, safe_cell

FIELDS = (
    "level",
    "kind",
    "status",
    "grade",
    "value",
    "unit",
    "probability",
    "scale",
    "source_status",
    "text",
    "reason",
)


def findings_csv(document: Mapping[str, Any], software_version: str) -> str:
    """The table, RFC 4180, with a header; no cell can become a formula.

    Parameters
    ----------
    document
        The result document; ``position_mm`` of its findings is LPS.
    """
    findings: Sequence[Mapping[str, Any]] = document.get("findings") or []
    made_by = "; ".join(f"{one.get('name')} {one.get('version')}" for one in document.get("model") or [])
    written = io.StringIO()
    table = csv.writer(written)
    places = [f"position {axis} [mm]" for axis in AXES]
    table.writerow([*FIELDS, "level certain", *places, "model", "software version", "notice"])
    for one in findings:
        position = one.get("position_mm") or [None] * 3
        row = [*(one.get(name) for name in FIELDS), "yes" if level_is_certain(document, one) else "no", *position]
        table.writerow([safe_cell(cell) for cell in (*row, made_by, software_version, NOTICE)])
    return written.getvalue()
