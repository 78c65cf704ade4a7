"""The switch between the dark theme of the reading room and a light one; the choice stays in the person's browser."""

from dashboard.screens.parts import register

_element = register("theme_switch")


def theme_switch() -> None:
    """Draw the switch."""
    _element(key="theme_switch")
