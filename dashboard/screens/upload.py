"""Uploads: the files of one that were not used, each with its reason; without an id in the address, all of them."""

import streamlit as st

from dashboard.records import UploadState
from dashboard.screens import desk, pages
from dashboard.screens.entry import needs
from dashboard.screens.frame import top
from dashboard.screens.text import counted, markup, plain
from dashboard.sharing import Right

PAGE_ROWS = 200


@needs(Right.UPLOAD)
def show() -> None:
    """Draw the screen."""
    top()
    if st.button("Worklist", key="back", icon=":material/arrow_back:", shortcut="Esc"):
        pages.go("worklist")
    if "upload" not in st.query_params:
        _all_uploads()
        return
    upload, files = desk.rejected_files(st.query_params["upload"])
    st.html(
        f"<h2 style='font-size:1.1rem;margin:0.4rem 0'>{counted(len(files), 'file')} of this upload not used</h2>"
        f"<p>{markup(upload.reason, 300)}</p>"
    )
    if not files:
        return
    pages_count = -(-len(files) // PAGE_ROWS)
    page = (
        st.number_input(f"Page, 1 to {pages_count}", 1, pages_count, 1, key="page", width=170) if pages_count > 1 else 1
    )
    shown = files[(int(page) - 1) * PAGE_ROWS : int(page) * PAGE_ROWS]
    # The table draws its texts on a canvas: nothing in them can become markup.
    st.dataframe(
        {"File": [plain(name, 300) for name, _ in shown], "Why it was not used": [plain(why, 300) for _, why in shown]},
        hide_index=True,
        column_config={"File": st.column_config.TextColumn(width="medium")},
        height=min(38 + 36 * len(shown), 640),
    )


def _all_uploads() -> None:
    found = [upload for upload in desk.uploads() if upload.state is not UploadState.RECEIVING]
    st.html("<h2 style='font-size:1.1rem;margin:0.4rem 0'>Latest uploads</h2>")
    event = st.dataframe(
        {
            "Received (UTC)": [f"{upload.created_at:%Y-%m-%d %H:%M}" for upload in found],
            "State": [upload.state.value for upload in found],
            "Files sent": [upload.files_received for upload in found],
            "Studies": [upload.studies for upload in found],
            "Images": [upload.accepted for upload in found],
            "Duplicates": [upload.duplicates for upload in found],
            "Files not used": [upload.rejected for upload in found],
            "What the software says": [plain(upload.reason, 300) for upload in found],
        },
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        key="uploads",
    )
    st.caption("Choose a line to see which of its files were not used, and why.")
    for row in event.selection.rows:
        pages.go("upload", upload=found[row].id)
