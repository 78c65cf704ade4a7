"""Malformed files: none crashes, none is read without a word, and what is read holds its pixels."""

from collections import Counter
from pathlib import Path

import pytest

from dashboard.ingest import RejectedFile
from dashboard.ingest.reading import read_or_reject
from tests.ingest.builders import dropped, original_door

pytestmark = pytest.mark.shared_data

# Parts of names of files that differ from the valid one in nothing that pixels, places or assignment depend on, and
# break no rule that the file itself shows. Everything else is refused or carries a warning.
HARMLESS = (
    "BASELINE_valid",
    "_exact_max",
    "_empty",
    "_len1",
    "manufacturer_LO_as_UN",
    "implicit_date_allff",  # the file is the valid one
    "undef_length_seq",  # the file is the valid one
    "declares_explicit_data_implicit",  # declares implicit, and is
    "age_999Y",
    "cs_lowercase",
    "depth_10",
    "_items",
    "seq_with_pixeldata",
    "private_",
    "inject_",
    "preamble_",
    "fmt",
    "rtl_unicode",
    "odd_length_",  # padded to even by its writer
    "vm_1000_backslash",
    "nonexistent_ref",
    "window_",
    "missing_patient_name",
    "sq_no_delim_ref_study_sq",  # the sequence has a length
    "signed_full",
    "voi_lut_huge_entries",
    "px_1x1_1b_odd",
    "overlay_empty",
)
REFUSED_WHOLLY = ("cat04_", "cat10_", "cat11_", "cat15_")


@pytest.fixture(scope="module")
def outcomes(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str | tuple[str, ...]]:
    """Reason of each refused file, warnings of each accepted one."""
    folder = tmp_path_factory.mktemp("malformed")
    door = original_door()
    found: dict[str, str | tuple[str, ...]] = {}
    for path in sorted((shared_data / "malformed").iterdir()):
        read = read_or_reject(dropped(path), door, folder)
        found[path.name] = read.reason if isinstance(read, RejectedFile) else read.instance.warnings
    return found


def test_every_file_ends_in_a_reason_or_an_image(outcomes: dict[str, str | tuple[str, ...]]) -> None:
    assert len(outcomes) == 471
    assert Counter(isinstance(outcome, str) for outcome in outcomes.values())[True] > 300
    assert all(outcome.endswith(".") for outcome in outcomes.values() if isinstance(outcome, str))


def test_none_is_read_without_a_word_but_the_harmless(outcomes: dict[str, str | tuple[str, ...]]) -> None:
    silent = [name for name, outcome in outcomes.items() if outcome == ()]
    assert [name for name in silent if not any(part in name for part in HARMLESS)] == []


@pytest.mark.parametrize("category", REFUSED_WHOLLY)
def test_damaged_pixels_and_file_headers_are_refused(outcomes: dict[str, str | tuple[str, ...]], category: str) -> None:
    found = {name: outcome for name, outcome in outcomes.items() if category in name}
    assert found
    assert [name for name, outcome in found.items() if not isinstance(outcome, str)] == []


def test_no_reason_holds_a_value_of_a_header(outcomes: dict[str, str | tuple[str, ...]]) -> None:
    for outcome in outcomes.values():
        text = outcome if isinstance(outcome, str) else " ".join(outcome)
        assert "FUZZ" not in text.replace("fuzz", "")
        assert "%n" not in text
        assert "/etc" not in text
