"""A link to copy."""

from dashboard.screens.parts import register

_element = register("copy_link")


def copy_link(path: str, fragment: str, origin: str, key: str) -> None:
    """Show the address of `origin`, `path` and `fragment` with a button that copies it.

    It leads to the view that is on screen as it is copied. An empty `origin` is the browser's own.
    """
    _element(key=key, data={"path": path, "fragment": fragment, "origin": origin})
