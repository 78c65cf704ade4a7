"""Page elements of our own: their markup, style and script lie beside as files."""

from pathlib import Path
from typing import Any

import streamlit as st

FOLDER = Path(__file__).resolve().parent


def register(name: str, isolate_styles: bool = True) -> Any:
    """Register the element whose files are called ``name.html``, ``name.css`` and ``name.js``."""
    html, css, js = ((FOLDER / f"{name}.{kind}").read_text(encoding="utf-8") for kind in ("html", "css", "js"))
    return st.components.v2.component(f"spine_triage_{name}", html=html, css=css, js=js, isolate_styles=isolate_styles)
