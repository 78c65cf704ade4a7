"""A link to copy."""

from dashboard.screens.parts import register

_element = register("copy_link")


def copy_link(path: str, origin: str, key: str) -> None:
    """Show the address `origin` + `path` with a button that copies it; an empty `origin` is the browser's own."""
    _element(key=key, data={"path": path, "origin": origin})
