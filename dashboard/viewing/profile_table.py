"""The profile of a series as CSV: one row a slice, units in the header, numbers as they stand in the result.

No cell can become a formula: a spreadsheet runs what begins with ``= + - @``, a tab or a line break (OWASP, CSV
injection), so that a text which does gets an apostrophe before it. Numbers are written by Python and stay numbers.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from dashboard.study import GRADES

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
NOTICE = "research software, not a medical device"
# Ending of a measure's name in the result document -> its unit; what has none is a ratio.
UNITS = (("_mm2", "mm2"), ("_mm", "mm"))
AXES = ("L", "P", "S")


def profile_csv(slices: Sequence[Mapping[str, Any]], models: Sequence[Mapping[str, Any]], software_version: str) -> str:
    """The table, RFC 4180, with a header.

    Parameters
    ----------
    slices
        Entries of the result document, in the order of the rows. ``position_mm`` is LPS; it is written as millimetres
        towards the patient's left, back (P) and head (S).
    models
        The models named in the result document.
    """
    measures = list(dict.fromkeys(name for one in slices for name in one.get("measures") or {}))
    made_by = "; ".join(f"{one.get('name')} {one.get('version')}" for one in models)
    header = [
        "slice",
        "level",
        *(f"position {axis} [mm]" for axis in AXES),
        "along the canal [mm]",
        "status",
        "suspected grade",
        "band",
        *(f"P({grade}) [1]" for grade in GRADES),
        *(_heading(name) for name in measures),
        "level certain",
        "reasons",
        "model",
        "software version",
        "notice",
    ]
    written = io.StringIO()
    table = csv.writer(written)
    table.writerow(header)
    for one in slices:
        chances, found = one.get("probabilities") or {}, one.get("measures") or {}
        cells = [
            one.get("number"),
            one.get("level"),
            *_three(one.get("position_mm")),
            one.get("along_canal_mm"),
            one.get("status"),
            one.get("grade"),
            one.get("band"),
            *(chances.get(grade) for grade in GRADES),
            *(found.get(name) for name in measures),
            _certain(one),
            "; ".join(str(reason) for reason in one.get("reasons") or []),
            made_by,
            software_version,
            NOTICE,
        ]
        table.writerow([safe_cell(cell) for cell in cells])
    return written.getvalue()


def _certain(one: Mapping[str, Any]) -> str:
    certain = one.get("level_certain")
    return "" if certain is None else "yes" if certain else "no"


def _heading(name: str) -> str:
    for ending, unit in UNITS:
        if name.endswith(ending):
            return f"{name.removesuffix(ending)} [{unit}]"
    return f"{name} [1]"


def _three(position: Sequence[float] | None) -> list[float | None]:
    return [None] * 3 if position is None else list(position)


def safe_cell(value: object) -> str:
    """A value as a cell that no spreadsheet runs."""
    if value is None:
        return ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return repr(value)
    text = str(value)
    # Spaces before it do not keep a spreadsheet from running a formula.
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA_STARTS) else text
