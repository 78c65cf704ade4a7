"""Other findings in words: what was found, what was not, and why."""

from typing import Any

import pytest

from dashboard.screens.finding_lines import FindingLine, counts_words, finding_lines, head_words
from dashboard.screens.scales import SCALES, scale_words
from tests.screens.site import SAGITTAL_UID
from tests.screens.spines import NOTE, finding, findings, spine, suspicion

VIEWS = {SAGITTAL_UID: "2"}


def lines(certain: bool = True, found: list[dict[str, Any]] | None = None) -> list[FindingLine]:
    return finding_lines({"findings": findings() if found is None else found, "spine": spine(certain)}, VIEWS)


def test_lines_stand_in_the_order_of_the_result_with_their_numbers() -> None:
    found = lines()
    assert [line.level for line in found] == [one["level"] for one in findings()]
    loss = found[1]
    assert (loss.what, loss.measure) == ("Height loss, wedge", "grade 1, 24 %")
    assert (loss.sign, loss.status_words, loss.probability) == ("◆", "suspected", "0.81")
    assert loss.view == "2"
    assert loss.at == tuple(findings()[1]["position_mm"])


@pytest.mark.parametrize(
    ("more", "measure"),
    [
        ({"value": 0.314, "unit": "ratio"}, "0.31"),
        ({"value": -4.88, "unit": "z"}, "-4.9 z"),
        ({"value": 4.21, "unit": "mm"}, "4.2 mm"),
        ({"value": 31.4, "unit": "%"}, "31 %"),
        ({"grade": "IV"}, "grade IV"),
        ({"grade": "IV", "text": "Pfirrmann IV"}, ""),
        ({"grade": "1", "text": "height loss of 31.5 mm"}, "grade 1"),
        ({"value": 4.2, "unit": "mm", "text": "slip of 4.2 mm"}, ""),
        ({}, ""),
    ],
)
def test_a_number_has_its_unit_and_is_told_once(more: dict[str, Any], measure: str) -> None:
    assert lines(found=[{**finding("T8", "kind", "words"), **more}])[0].measure == measure


def test_a_narrow_place_far_below_the_norm_says_so_with_the_norm_s_source() -> None:
    found = suspicion()
    place = next(one for one in found["canal"] if one["level"] == "T8") | {"norm_z": -2.4}
    document = {"findings": [finding("T8", "canal_narrowing", "canal narrowing suspected")], "spine": spine()}
    (line,) = finding_lines({**document, "sagittal": {**found, "canal": [place]}}, VIEWS)
    assert line.what == "Canal narrowing suspected; cord 2.4 SD below the norm of the level"
    assert "PAM50" in line.detail
    (line,) = finding_lines({**document, "sagittal": found}, VIEWS)
    assert line.what == "Canal narrowing suspected"


def test_a_finding_s_own_doubt_about_its_level_counts() -> None:
    (line,) = lines(found=[finding("T8", "k", "words", level_certain=False)])
    assert not line.certain


def test_what_was_not_analysed_says_why() -> None:
    last = lines()[-1]
    assert last.status_words == "not analysed, because the field of view cuts this vertebra"
    assert lines(found=[finding("T8", "k", "words", "not_analysed")])[0].status_words.endswith("no reason was given")
    told = lines(found=[finding("T8", "k", "slip not analysed, because it is cut", "not_analysed")])[0]
    assert (told.what, told.status_words) == ("Slip not analysed, because it is cut", "not analysed")


def test_nothing_is_left_out_unsaid() -> None:
    assert counts_words(lines()) == "3 suspected · 2 measured · 1 not flagged · 1 not analysed"


def test_a_place_without_pictures_is_not_led_to() -> None:
    (line,) = finding_lines({"findings": findings()[:1]}, {})
    assert (line.view, line.at) == ("", None)


def test_uncertain_levels_are_said_to_be_before_the_first_line() -> None:
    assert not any(line.certain for line in lines(certain=False))
    words = head_words({"spine": spine(certain=False)})
    assert words == f"{NOTE[:1].upper()}{NOTE[1:]}; the first could also be T2 (0.21)"
    assert head_words({"spine": spine(certain=False) | {"note": "", "alternatives": []}}) == "Level uncertain"


def test_a_transitional_vertebra_is_noted_where_levels_are_sure() -> None:
    note = "possible transitional vertebra between L5 and the sacrum"
    assert head_words({"spine": spine() | {"note": note}}) == f"P{note[1:]}"
    assert head_words({"spine": spine()}) == ""


def test_a_correction_keeps_what_was_noted_before() -> None:
    corrected = spine() | {"note_before_correction": NOTE, "correction": {"was": "T8", "now": "T9"}}
    assert head_words({"spine": corrected}).startswith("Noted by the software before the levels were corrected: level")


def test_findings_without_a_counted_spine_have_unknown_levels() -> None:
    assert head_words({"spine": None, "findings": findings()}).startswith("Level unknown")
    assert head_words({"spine": None}) == head_words({}) == ""


def test_text_of_a_result_is_made_fit_to_be_shown() -> None:
    (line,) = lines(found=[finding("T8", "k", "a\u202eb\n" + "x" * 500)])
    assert "\u202e" not in line.what
    assert len(line.what) <= 300


@pytest.mark.parametrize("name", sorted(SCALES))
def test_every_scale_says_whether_its_source_was_read(name: str) -> None:
    told = scale_words(f"{name.capitalize()} 2001", "")
    assert told.endswith("Source read." if SCALES[name].checked else "Source to be confirmed.")


def test_the_result_s_own_word_on_the_source_counts() -> None:
    assert scale_words("Lee", "source to be confirmed").endswith("Source to be confirmed.")
    assert scale_words("Genant SQ", "verified").endswith("Source read.")
    both = scale_words("Schizas 2010, Lee 2011", "verified")
    assert "Schizas, axial T2." in both
    assert "Lee, lumbar central canal" in both
    assert scale_words("Some other scale", "") == "Some other scale. Source to be confirmed."
