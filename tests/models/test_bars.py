"""Bars and tables: verdicts in words, from lines as evaluation.json holds them."""

import json
from pathlib import Path

import pytest

from models.training.evaluation.bars import BY, PUBLISHED, Bar, bars, summary, verdict
from models.training.evaluation.card import between
from models.training.evaluation.tables import bars_card, bars_text, figures_card, figures_text, readable

AT_LEAST, AT_MOST = Bar("", "", 0.95, ""), Bar("", "", 0.02, "", at_most=True)
FIGURES = Path(__file__).parents[2] / "models" / "compression" / "evaluation.json"


def line(name, value=0.9, ci=(0.85, 0.95), split="test", **about):
    return {"name": name, "split": split, "n": 100, "people": 13, "value": value, "ci95": list(ci), **about}


def row(metrics, words, on=None, sizes=None):
    (found,) = [r for r in bars(metrics, sizes or {}) if r["bar"] == words and on in (None, r["on"])]
    return found


@pytest.mark.parametrize(
    ("bar", "value", "ci", "words"),
    [
        (AT_LEAST, 0.97, (0.96, 0.98), "met"),
        (AT_LEAST, 0.95, (0.95, 0.98), "met"),
        (AT_LEAST, 0.96, (0.94, 0.98), "met; the interval reaches past the bar"),
        (AT_LEAST, 0.94, (0.90, 0.96), "not met; the interval reaches the bar"),
        (AT_LEAST, 0.90, (0.85, 0.94), "not met"),
        (AT_LEAST, 0.97, (None, None), "met; no interval"),
        (AT_LEAST, 0.90, (None, None), "not met; no interval"),
        (AT_LEAST, None, (None, None), "not measured"),
        (AT_MOST, 0.01, (0.0, 0.02), "met"),
        (AT_MOST, 0.01, (0.0, 0.03), "met; the interval reaches past the bar"),
        (AT_MOST, 0.03, (0.01, 0.05), "not met; the interval reaches the bar"),
        (AT_MOST, 0.05, (0.03, 0.07), "not met"),
        (Bar("", "", None, ""), 0.5, (None, None), "reported only"),
    ],
)
def test_verdicts_say_whether_the_interval_leaves_it_open(bar, value, ci, words):
    assert verdict(bar, value, ci) == words


def test_without_figures_every_bar_is_there_and_not_measured():
    rows = bars([], {})
    assert {r["verdict"] for r in rows} == {"not measured"}
    assert len({(r["bar"], r["on"]) for r in rows}) == len(rows)


@pytest.mark.parametrize(
    ("words", "name", "required"),
    [
        ("quadratic weighted kappa", "quadratic_weighted_kappa", ">= 0.92"),
        ("sensitivity, 1c or worse", "sensitivity_1c_or_worse", ">= 0.95"),
        ("specificity, 1c or worse", "specificity_1c_or_worse", ">= 0.95"),
        ("sensitivity, 2 or 3", "sensitivity_2_or_3", ">= 0.95"),
        ("specificity, 2 or 3", "specificity_2_or_3", ">= 0.97"),
        ("2 or 3 called 0 to 1b", "grade_2_or_3_called_0_to_1b", "<= 0.02"),
        ("bone only called 1a or worse", "bone_only_called_1a_or_worse", "<= 0.08"),
        ("calibration error, P(1c or worse)", "calibration_error_1c_or_worse", "<= 0.04"),
        ("calibration error, P(2 or 3)", "calibration_error_2_or_3", "<= 0.04"),
    ],
)
def test_implants_are_judged_on_all_contrasts_by_head_and_rules_in_test_people(words, name, required):
    wrong = [
        line(name, 0.1, contrast="t2", by=BY),
        line(name, 0.2, contrast="all", by="head"),
        line(name, 0.3, contrast="all", by=BY, split="tuning"),
    ]
    assert row(wrong, words)["value"] is None
    found = row([*wrong, line(name, 0.9, contrast="all", region="x", by=BY)], words)
    assert (found["value"], found["required"], found["people"]) == (0.9, required, 13)


def test_the_published_figures_stand_beside_ours():
    found = row([], "sensitivity, 1c or worse")["published"]
    assert found == "Hallinan 2022: 0.976 internal, 0.899 external"
    assert row([], "specificity, 1c or worse")["published"] == "Hallinan 2022: 0.936 internal, 0.981 external"
    assert all("doi" in one["source"] for one in PUBLISHED)


@pytest.mark.parametrize(
    ("contrast", "value", "verdict_words"),
    [("T2", 0.94, "not met; no interval"), ("T2*", 0.94, "met; no interval"), ("T1", 0.2, "reported only")],
)
def test_cord_dice_is_judged_volume_by_volume_and_contrast(contrast, value, verdict_words):
    about = {"volume": "v", "contrast": contrast}
    metrics = [
        line("cord_dice_3d", value, (None, None), **about),
        line("cord_dice_whole_volume", value, (None, None), **about),
        line("cord_dice_worst_slice", 0.86, (None, None), **about),
    ]
    found = row(metrics, "cord Dice, 3-D", f"cervical {contrast}, v")
    assert (found["value"], found["verdict"]) == (value, verdict_words)
    worst = row(metrics, "cord Dice, worst slice")
    assert worst["required"] == ("reported only" if contrast == "T1" else ">= 0.85")
    assert not [r for r in bars(metrics, {}) if r["bar"] == "cord Dice, every slice"]


def test_slices_that_nobody_outlined_are_reported_beside():
    about = {"volume": "v", "contrast": "T2*"}
    metrics = [
        line("cord_dice_3d", 0.95, **about),
        line("cord_dice_whole_volume", 0.76, **about) | {"n": 106},
    ]
    found = row(metrics, "cord Dice, every slice", "cervical T2*, v, 6 slices not outlined by hand")
    assert (found["value"], found["verdict"]) == (0.76, "reported only")
    assert row(metrics, "cord Dice, 3-D")["met"] is True


def test_tuning_volumes_are_named_as_such():
    metrics = [line("cord_dice_3d", 0.99, volume="v", contrast="T2", split="tuning")]
    assert row(metrics, "cord Dice, 3-D")["on"] == "cervical T2, v, tuning volume"


@pytest.mark.parametrize(("n", "people", "met"), [(2000, 12, True), (1999, 12, False), (2000, 11, False)])
def test_the_test_set_must_be_large_enough(n, people, met):
    metrics = [line("quadratic_weighted_kappa", contrast="all", by=BY) | {"n": n, "people": people}]
    assert row(metrics, "size of the test set")["met"] is met


def test_slices_and_whole_series_that_lie_are_judged_apart():
    metrics = [
        line("not_gradable_recognised", 0.5, where="quarter turn"),
        line("series_not_gradable_recognised", 1.0, (1.0, 1.0), where="quarter turn"),
    ]
    assert row(metrics, "not gradable recognised, slices", "quarter turn")["met"] is False
    assert row(metrics, "not gradable recognised, whole series", "quarter turn")["met"] is True


def test_none_among_few_is_no_certainty():
    metrics = [line("healthy_called_1c_or_worse", 0.0, (0.0, 0.0), where="healthy T2*, cervical", by=BY)]
    found = row(metrics, "healthy slices called 1c or worse", "healthy T2*, cervical")
    assert found["ci95"] == [0.0, pytest.approx(0.037, abs=1e-3)]
    assert found["verdict"] == "met; the interval reaches past the bar"


def test_files_must_be_small():
    rows = {
        r["on"]: r["verdict"] for r in bars([], {"canal": 0.94, "large": 5.0}) if r["bar"].startswith("size of the m")
    }
    assert rows == {"canal": "met", "large": "not met"}


def test_the_summary_counts_what_was_measured():
    metrics = [
        line("quadratic_weighted_kappa", 0.93, contrast="all", by=BY),
        line("sensitivity_2_or_3", 0.8, contrast="all", by=BY),
        line("cord_dice_3d", 0.8, volume="v", contrast="T1"),
    ]
    # The test set of 100 slices is too small.
    assert summary(bars(metrics, {})).startswith("1 of 3 measured bars met, 2 not met; ")


def test_tables_are_readable_and_whole():
    rows = bars([line("quadratic_weighted_kappa", 0.9314, (0.9, 0.95), contrast="all", by=BY)], {"canal": 0.94})
    card = bars_card(rows).splitlines()
    assert card[0].startswith("**2 of 3 measured bars met")
    assert {text.count(" | ") for text in card[4:]} == {8}
    assert any(
        "| 0.931 | 0.900 to 0.950 | 100 | 13 | >= 0.92 | met; the interval reaches past the bar |" in t for t in card
    )
    text = bars_text(rows)
    assert len(text.splitlines()) == len(rows) + 2


def test_lines_of_the_head_by_itself_are_left_out_of_the_tables():
    metrics = [line("exact_agreement", contrast="t2", by=by) for by in ("as graded", "head", "rules", "head before")]
    assert [one["by"] for one in readable(metrics)] == ["as graded", "rules", "head before"]
    assert len(figures_card(metrics).splitlines()) == 5
    assert len(figures_text(metrics).splitlines()) == 4


def test_an_asterisk_in_a_cell_is_an_asterisk():
    assert "T2\\*, cervical" in figures_card([line("x", where="T2*, cervical")])


def test_content_goes_between_its_markers_and_nowhere_else():
    text = "a\n<!-- bars -->\nold\n<!-- /bars -->\nz\n"
    assert between(text, "bars", "new") == "a\n<!-- bars -->\nnew\n<!-- /bars -->\nz\n"
    with pytest.raises(ValueError, match="bars"):
        between("nothing", "bars", "new")


def test_every_bar_is_judged_from_the_figures_that_are_stored():
    metrics = json.loads(FIGURES.read_text(encoding="utf-8"))["metrics"]
    rows = bars(metrics, {"compression": 2.6})
    assert sum(r["value"] is not None for r in rows) > 25
    assert all(r["verdict"].startswith(("met", "not met", "not measured", "reported only")) for r in rows)
