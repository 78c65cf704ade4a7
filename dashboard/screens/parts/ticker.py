"""Has the fragment it stands in drawn anew every so often."""

import time

from dashboard.screens.parts import nothing, register

_element = register("ticker")


def ticker(every_s: float, key: str) -> None:
    """Refresh the surrounding fragment `every_s` seconds after each time it was drawn."""
    # A new stamp makes the page notice that its last question was answered.
    data = {"every_ms": round(every_s * 1000), "stamp": time.monotonic_ns()}
    _element(key=key, data=data, on_tick_change=nothing)
