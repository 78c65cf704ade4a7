"""The token of the share link that the page was opened with."""

from dashboard.screens.parts import nothing, register

_element = register("link_token")
NONE = "none"


def link_token(ask: bool, key: str = "link_token") -> str | None:
    """The token, once the browser has told it; "" where there is none, None while it has said nothing new."""
    told = _element(key=key, data={"ask": ask}, on_token_change=nothing).token
    if not isinstance(told, str):
        return None
    return "" if told == NONE else told
