"""What Streamlit runs for every visit: page set-up, then the screen that was asked for."""

import streamlit as st

from dashboard.screens import pages, study, upload, worklist
from dashboard.screens.frame import style, told
from dashboard.screens.parts import FOLDER

# Streamlit fetches its own icons from the internet; a page full of names asks nobody.
ICON = FOLDER / "icon.svg"
SCREENS = {"worklist": worklist.show, "study": study.show, "upload": upload.show}

st.set_page_config(page_title="Spine Triage", page_icon=str(ICON), layout="wide")
style()
pages.declare({name: told(screen) for name, screen in SCREENS.items()}).run()
