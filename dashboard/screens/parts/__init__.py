"""Page elements of our own: their markup, style and scripts lie beside as files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st

FOLDER = Path(__file__).resolve().parent


def register(name: str, scripts: Sequence[str] = (), isolate_styles: bool = True) -> Any:
    """Register the element of ``name.html`` and ``name.css``, with ``name.js`` or the `scripts` one after another."""
    html, css = (_text(f"{name}.{kind}") for kind in ("html", "css"))
    js = "\n".join(_text(f"{script}.js") for script in scripts or (name,))
    return st.components.v2.component(f"spine_triage_{name}", html=html, css=css, js=js, isolate_styles=isolate_styles)


def nothing() -> None:
    """What a change calls that is answered by drawing again: Streamlit tells of it only where a callback is named."""


def _text(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")
