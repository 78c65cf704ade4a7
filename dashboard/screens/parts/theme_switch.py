"""The switch between the dark theme of the reading room and a light one; the choice stays in the person's browser."""

from collections.abc import Iterable

from dashboard.screens.parts import register

_element = register("theme_switch")


def theme_switch(screens: Iterable[str]) -> None:
    """Draw the switch; `screens` are the paths, without slash, under which a page may be loaded."""
    _element(key="theme_switch", data={"paths": ["/", *(f"/{name}" for name in screens)]})
