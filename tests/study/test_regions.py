"""Regions by the words of descriptions."""

import pytest

from dashboard.study import REGIONS, regions_of


@pytest.mark.parametrize(
    ("described", "expected"),
    [
        ("C-SPINE T2 TSE", ("cervical",)),
        ("MRT HWS", ("cervical",)),
        ("T SPINE", ("thoracic",)),
        ("AX T2 SPINE", ()),
        ("IRM rachis lombaire", ("lumbar",)),
        ("cervicothoracic", ("cervical", "thoracic")),
        ("thoracolumbar", ("thoracic", "lumbar")),
        ("WHOLE SPINE", REGIONS),
        ("colonna totale", REGIONS),
        ("brain", ()),
        ("", ()),
    ],
)
def test_words_name_regions(described: str, expected: tuple[str, ...]) -> None:
    assert regions_of([described]) == expected


def test_all_descriptions_count() -> None:
    assert regions_of(["LWS", "sag T2", "BWS"]) == ("thoracic", "lumbar")
