"""The files of one upload that were not used, each with its reason."""

import streamlit as st

from dashboard.screens import desk, pages
from dashboard.screens.frame import top
from dashboard.screens.text import counted, markup, plain

PAGE_ROWS = 200


def show() -> None:
    """Draw the screen of the upload named in the address."""
    top()
    if st.button("Worklist", key="back", icon=":material/arrow_back:", shortcut="Esc"):
        pages.go("worklist")
    upload, files = desk.rejected_files(st.query_params.get("upload", ""))
    st.html(
        f"<h2 style='font-size:1.1rem;margin:0.4rem 0'>{counted(len(files), 'file')} of this upload not used</h2>"
        f"<p>{markup(upload.reason, 300)}</p>"
    )
    if not files:
        return
    pages_count = -(-len(files) // PAGE_ROWS)
    page = st.number_input("Page", 1, pages_count, 1, key="page") if pages_count > 1 else 1
    shown = files[(int(page) - 1) * PAGE_ROWS : int(page) * PAGE_ROWS]
    # The table draws its texts on a canvas: nothing in them can become markup.
    st.dataframe(
        {"File": [plain(name, 300) for name, _ in shown], "Why it was not used": [plain(why, 300) for _, why in shown]},
        hide_index=True,
        column_config={"File": st.column_config.TextColumn(width="medium")},
        height=min(38 + 36 * len(shown), 640),
    )
