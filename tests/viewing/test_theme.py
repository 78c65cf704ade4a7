"""Both themes can be read: WCAG 2.1 contrasts of 4.5 : 1 for text (1.4.3) and 3 : 1 for what is drawn (1.4.11)."""

import pytest

from dashboard.viewing.theme import DARK, LIGHT, OUTLINES, Palette, light_colours

THEMES = pytest.mark.parametrize("palette", [DARK, LIGHT], ids=["dark", "light"])


def luminance(colour: str) -> float:
    """Relative luminance of ``#rrggbb``, WCAG 2.1."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@THEMES
def test_text_and_tiers_can_be_read(palette: Palette) -> None:
    for colour in (palette.text, palette.muted, *palette.tiers.values()):
        assert contrast(colour, palette.background) >= 4.5
        assert contrast(colour, palette.panel) >= 4.5


@THEMES
def test_marks_and_curves_stand_out(palette: Palette) -> None:
    marks = [colour for _, colour in (*palette.grades.values(), palette.not_analysed)]
    for colour in (palette.accent, *marks):
        assert contrast(colour, palette.panel) >= 3


def test_outlines_stand_out_on_the_black_of_pictures() -> None:
    assert all(contrast(style.colour, "#000000") >= 3 for style in OUTLINES.values())


def test_the_themes_have_the_same_signs() -> None:
    assert {name: symbol for name, (symbol, _) in DARK.grades.items()} == {
        name: symbol for name, (symbol, _) in LIGHT.grades.items()
    }
    assert list(DARK.tiers) == list(LIGHT.tiers)
    assert DARK.not_analysed[0] == LIGHT.not_analysed[0]


def test_every_colour_has_one_in_the_light_theme_and_only_one() -> None:
    swaps = light_colours()
    assert swaps[DARK.background] == LIGHT.background
    for name in ("grades", "tiers"):
        for key, dark in getattr(DARK, name).items():
            light = getattr(LIGHT, name)[key]
            assert (swaps[dark], light) == (light, light) if isinstance(dark, str) else swaps[dark[1]] == light[1]
    assert not set(swaps) & set(swaps.values())
