"""How far the canal is narrowed where sagittal images alone raise suspicion, in words."""

import pytest

from dashboard.screens.findings_panel import narrowing_words

CANAL = {"canal_diameter_AP_mm": 8.9, "mcc_percent": 42.0}
AGAINST = "narrowed against the levels above and below"


@pytest.mark.parametrize(
    ("worst", "words"),
    [
        (CANAL, f"canal AP 8.9 mm, canal {AGAINST} (MCC) 42 %. MCC: Fehlings 1999, source to be confirmed."),
        ({"canal_diameter_AP_mm": 8.9, "mcc_percent": None}, "canal AP 8.9 mm."),
        (
            {"canal_diameter_AP_mm": 14.2, "csf_signal_percent": 35.2},
            "canal AP 14.2 mm, CSF signal 35 % of that above and below.",
        ),
        ({"canal_diameter_AP_mm": 14.2, "mcc_percent": -9.0}, "canal AP 14.2 mm."),
        ({}, ""),
    ],
)
def test_sources_are_those_of_what_is_shown(worst: dict[str, float | None], words: str) -> None:
    assert narrowing_words({"sagittal": {"worst": worst}}) == words


def test_cord_and_canal_each_name_theirs() -> None:
    words = narrowing_words({"sagittal": {"worst": CANAL | {"mscc_percent": 41.0}}})
    assert words.endswith("MSCC: Miyanji 2007; MCC: Fehlings 1999, source to be confirmed.")
