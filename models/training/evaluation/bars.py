"""The bars the project set itself, beside what was measured and what others published: met or not met, in words.

Pure: everything is read from the lines of ``evaluation.json``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from models.training.statistics import wilson

Line = Mapping[str, Any]
Row = dict[str, Any]

# Published by others on other data; here to be read beside our figures, not to be beaten by them. Low is 0 to 1b,
# high 1c to 3.
PUBLISHED = (
    {
        "source": "Hallinan 2022, doi 10.3389/fonc.2022.849447",
        "test": "internal",
        "sensitivity": 0.976,
        "specificity": 0.936,
    },
    {
        "source": "Hallinan 2022, doi 10.3389/fonc.2022.849447",
        "test": "external",
        "sensitivity": 0.899,
        "specificity": 0.981,
    },
)
LEAST_SLICES, LEAST_PEOPLE = 2000, 12
LARGEST_FILE_MB = 5.0
BY = "as graded"


@dataclass(frozen=True)
class Bar:
    """One figure and what is asked of it.

    Attributes
    ----------
    words, on
        What is measured, and on what, for a person.
    limit
        Least value that meets the bar, or greatest where `at_most`; None where the figure is reported only.
    name, pick
        Which line of ``evaluation.json`` holds it: its name, and values that its other keys must have.
    """

    words: str
    on: str
    limit: float | None
    name: str
    pick: Mapping[str, str] = field(default_factory=dict)
    at_most: bool = False
    published: str = ""

    @property
    def required(self) -> str:
        """The bar as it is printed."""
        return "reported only" if self.limit is None else f"{'<=' if self.at_most else '>='} {self.limit:g}"

    def reached(self, value: float) -> bool | None:
        """Whether a value meets the bar; None where there is none."""
        if self.limit is None:
            return None
        return value <= self.limit if self.at_most else value >= self.limit


def bars(metrics: Sequence[Line], file_mb: Mapping[str, float]) -> list[Row]:
    """All bars in their order.

    Parameters
    ----------
    metrics
        Lines of ``evaluation.json`` of the compression model.
    file_mb
        Size of each model file in MB (10^6 bytes), by name of the model.
    """
    rows = [row_of(bar, line) for bar, line in _cord_bars(metrics)]
    rows.append(_test_set(metrics))
    rows += [row_of(bar, find(metrics, bar)) for bar in _FIXED]
    rows += [_file_row(name, size) for name, size in file_mb.items()]
    return rows


def verdict(bar: Bar, value: float | None, ci: Sequence[float | None]) -> str:
    """Met or not met, and whether the 95 % interval leaves it open."""
    if value is None:
        return "not measured"
    reached = bar.reached(value)
    if reached is None:
        return "reported only"
    ends = [bar.reached(end) for end in ci if end is not None]
    if not ends:
        return f"{'met' if reached else 'not met'}; no interval"
    if reached:
        return "met" if all(ends) else "met; the interval reaches past the bar"
    return "not met; the interval reaches the bar" if any(ends) else "not met"


def summary(rows: Sequence[Row]) -> str:
    """How many bars are met, not met, not measured."""
    count = Counter(row["met"] for row in rows if row["required"] != "reported only" and row["value"] is not None)
    missing = sum(row["value"] is None for row in rows)
    words = f"{count[True]} of {count[True] + count[False]} measured bars met, {count[False]} not met"
    return f"{words}; {missing} not measured" if missing else words


def _cord_bars(metrics: Sequence[Line]) -> Iterator[tuple[Bar, Line]]:
    """One bar a masked volume for Dice, one for the worst slice; T1 and MT are reported only.

    The bars are about the slices that were outlined by hand. Where a volume has others (above the foramen magnum, in
    one), the figure over every slice is reported beside: there an outline of ours counts as wrong, whatever it shows.
    """
    outlined = {line["volume"]: line["n"] for line in metrics if line["name"] == "cord_dice_3d"}
    for line in metrics:
        limit, note = (_dice_limit(line) if line["name"].startswith("cord_dice") else None), ""
        if line["name"] == "cord_dice_3d":
            words = "cord Dice, 3-D"
        elif line["name"] == "cord_dice_worst_slice":
            words, limit = "cord Dice, worst slice", None if limit is None else 0.85
        elif line["name"] == "cord_dice_whole_volume" and line["n"] > outlined.get(line["volume"], 0):
            words, limit = "cord Dice, every slice", None
            note = f", {line['n'] - outlined.get(line['volume'], 0)} slices not outlined by hand"
        else:
            continue
        tuning = ", tuning volume" if line["split"] == "tuning" else ""
        where = f"{line.get('region', 'cervical')} {line['contrast']}, {line['volume']}{tuning}{note}"
        yield Bar(words, where, limit, line["name"]), line


def _dice_limit(line: Line) -> float | None:
    if line["contrast"] not in ("T2", "T2*"):
        return None
    return 0.95 if line["contrast"] == "T2" and line.get("region", "cervical") == "cervical" else 0.93


def _implants(words: str, limit: float, name: str, at_most: bool = False, published: str = "") -> Bar:
    pick = {"contrast": "all", "by": BY}
    return Bar(words, "implants, all levels with a cord", limit, name, pick, at_most, published)


def _healthy(words: str, limit: float, name: str) -> list[Bar]:
    """Over all healthy test people, then by region."""
    return [
        Bar(words, where, limit, name, {"where": where, "by": BY}, at_most=True)
        for where in ("healthy, all test people", "healthy T2, lower thoracic", "healthy T2*, cervical")
    ]


def _recognised(where: str, limit: float, on: str = "") -> list[Bar]:
    """Slice by slice, then series by series."""
    pick = {"where": where}
    return [
        Bar("not gradable recognised, slices", on or where, limit, "not_gradable_recognised", pick),
        Bar("not gradable recognised, whole series", on or where, limit, "series_not_gradable_recognised", pick),
    ]


def _published(key: str) -> str:
    return "Hallinan 2022: " + ", ".join(f"{one[key]:.3f} {one['test']}" for one in PUBLISHED)


BRAIN = "brain (other time point of a patient seen in training)"
_FIXED: tuple[Bar, ...] = (
    _implants("quadratic weighted kappa", 0.92, "quadratic_weighted_kappa"),
    _implants("sensitivity, 1c or worse", 0.95, "sensitivity_1c_or_worse", published=_published("sensitivity")),
    _implants("specificity, 1c or worse", 0.95, "specificity_1c_or_worse", published=_published("specificity")),
    _implants("sensitivity, 2 or 3", 0.95, "sensitivity_2_or_3"),
    _implants("specificity, 2 or 3", 0.97, "specificity_2_or_3"),
    _implants("2 or 3 called 0 to 1b", 0.02, "grade_2_or_3_called_0_to_1b", at_most=True),
    Bar(
        "gradable slices not graded",
        "implants, all levels with a cord",
        0.05,
        "implants_not_graded",
        {"contrast": "all"},
        at_most=True,
    ),
    Bar(
        "studies with a 2 or 3 in immediate or urgent",
        "2 to 6 slices implanted",
        0.98,
        "studies_2_or_3_immediate_or_urgent",
        {"where": "2 to 6 slices implanted"},
    ),
    *(
        Bar(
            "healthy series in immediate or urgent",
            where,
            0.02,
            "healthy_studies_immediate_or_urgent",
            {"where": where},
            at_most=True,
        )
        for where in ("axial stacks", "3-D volumes, lumbar, 16 to 27 mm wide")
    ),
    *_healthy("healthy slices called 1a or worse", 0.03, "healthy_called_1a_or_worse"),
    *_healthy("healthy slices called 1c or worse", 0.005, "healthy_called_1c_or_worse"),
    *_healthy("healthy slices called 2 or 3", 0.0, "healthy_called_2_or_worse"),
    _implants("bone only called 1a or worse", 0.08, "bone_only_called_1a_or_worse", at_most=True),
    *_recognised("T1", 0.97),
    *_recognised("cauda equina", 0.97),
    *_recognised("front to back", 0.9),
    *_recognised("quarter turn", 0.9),
    *_recognised("half turn", 0.9),
    *_recognised("spacing 1.5 times too large", 0.9),
    *_recognised("spacing 1.5 times too small", 0.9),
    *_recognised(BRAIN, 0.99, "non-spine: brain"),
    _implants("calibration error, P(1c or worse)", 0.04, "calibration_error_1c_or_worse", at_most=True),
    _implants("calibration error, P(2 or 3)", 0.04, "calibration_error_2_or_3", at_most=True),
)


def find(metrics: Sequence[Line], bar: Bar) -> Line | None:
    """The test line a bar is about; None where it was not measured."""
    for line in metrics:
        same = all(line.get(key) == value for key, value in bar.pick.items())
        if line["name"] == bar.name and same and line["split"] == "test":
            return line
    return None


def row_of(bar: Bar, line: Line | None) -> Row:
    found: Line = line or {"value": None, "ci95": [None, None], "n": 0, "people": 0}
    value, ci = found["value"], list(found["ci95"])
    if value in (0.0, 1.0) and ci == [value, value]:
        # Resampling people finds no spread where all are alike, and none in three people is little to go by.
        ci = [round(end, 4) for end in wilson(value, found["n"])]
    return {
        "bar": bar.words,
        "on": bar.on,
        "value": value,
        "ci95": ci,
        "n": found["n"],
        "people": found["people"],
        "required": bar.required,
        "met": None if value is None else bar.reached(value),
        "verdict": verdict(bar, value, ci),
        "published": bar.published,
    }


def _test_set(metrics: Sequence[Line]) -> Row:
    """Whether the implanted test set is as large as it was to be."""
    line = find(metrics, Bar("", "", None, "quadratic_weighted_kappa", {"contrast": "all", "by": BY}))
    met = None if line is None else line["n"] >= LEAST_SLICES and line["people"] >= LEAST_PEOPLE
    return {
        "bar": "size of the test set",
        "on": "implants, all levels with a cord",
        "value": None if line is None else line["n"],
        "ci95": [None, None],
        "n": 0 if line is None else line["n"],
        "people": 0 if line is None else line["people"],
        "required": f">= {LEAST_SLICES} slices, >= {LEAST_PEOPLE} people",
        "met": met,
        "verdict": {None: "not measured", True: "met", False: "not met"}[met],
        "published": "",
    }


def _file_row(name: str, size_mb: float) -> Row:
    met = size_mb < LARGEST_FILE_MB
    return {
        "bar": "size of the model file, MB",
        "on": name,
        "value": round(size_mb, 3),
        "ci95": [None, None],
        "n": 1,
        "people": 0,
        "required": f"< {LARGEST_FILE_MB:g}",
        "met": met,
        "verdict": "met" if met else "not met",
        "published": "",
    }
