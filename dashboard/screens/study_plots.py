"""The plots of a study: the profile along the spine, and the flagged slice with everything drawn and named."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from dashboard.grading.norms import CAVEATS, COHORTS, MEASURES, SOURCE, missing_words, norm
from dashboard.screens import saving
from dashboard.screens.frame import told
from dashboard.screens.parts.plot import picked, plot
from dashboard.screens.text import plain
from dashboard.study import level_words
from dashboard.viewing.flagged_figure import flagged_figure
from dashboard.viewing.measure_lines import measure_lines
from dashboard.viewing.profile_figure import BELOW_PX, ROWS, USUAL, ProfilePoint, profile_figure
from dashboard.viewing.profile_table import profile_csv
from dashboard.viewing.slice_figure import SliceView
from dashboard.viewing.theme import OUTLINES

if TYPE_CHECKING:
    from dashboard.screens.desk_pictures import Opened
    from dashboard.viewing.stack import Slice, Stack

PROFILE, FLAGGED = "profile", "plot_flagged"
CROP_MM = 48.0
BAND = "broken line and bands: norm, ± 1 and 2 SD"
# px: the usual rows share the first height, each further one adds the second.
HEIGHT, ROW_HEIGHT = 262, 46


def profile(opened: "Opened", stack: "Stack", at: int, go_to: Callable[[int], None], exports: bool) -> None:
    """The profile of an analysed series, the switches of its rows, where the norms are from, and its files.

    Parameters
    ----------
    go_to
        Called with the index of the slice that was clicked.
    exports
        Whether this screen lets anything be saved; the visitor's right is asked besides.
    """
    points = stack.profile()
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="profile_bar"):
        rows = st.pills(
            "Rows of the profile",
            list(ROWS),
            selection_mode="multi",
            default=list(USUAL),
            key="profile_rows",
            format_func=lambda name: ROWS[name].label,
            label_visibility="collapsed",
            persist_state="page",
        )
        with st.popover("Norms", type="tertiary", key="profile_norms"):
            st.html(_norm_words(points))
        if exports and saving.may_save():
            saving.save_button(PROFILE, "png", "profile", opened.finding_id)
            saving.save_button(PROFILE, "csv", "profile", opened.finding_id)
    norms = {name: [_range(name, point.norm_level) for point in points] for name in rows}
    note = _note(rows, points)
    figure = profile_figure(points, at, rows, norms, note)
    label = f"{', '.join(ROWS[name].label for name in rows)} along the spine, slice {at + 1} marked. {note}".strip()
    note_px = figure.layout.margin.b - BELOW_PX
    height = HEIGHT + ROW_HEIGHT * max(0, len(rows) - len(USUAL)) + note_px
    click = saving.asked(PROFILE)
    text = _table(opened, stack) if click and click.ending == "csv" else ""
    file = saving.save(click, "profile", _made_by(opened), opened.finding_id, text)
    plot(figure, "profile", label, PROFILE, lambda: _jump(go_to), height=height, save=file)


@st.fragment
@told
def flagged_slice(opened: "Opened", check: Callable[[], None], exports: bool) -> None:
    """The slice that gives the study its grade, closed until somebody opens it: nothing is drawn before.

    `check` raises :class:`NotAllowed` once the visitor may not see the study any more.
    """
    check()
    if not opened.document.get("grade") or not opened.stacks:
        return
    stack = opened.stacks[0]
    at = stack.worst(opened.document)
    one = stack.slices[at]
    if one.prediction is None or not one.analysed:
        return
    part = st.expander(_flagged_words(opened.document, one, at), key="flagged_part", on_change="rerun")
    if not part.open:
        return
    with part:
        if exports and saving.may_save():
            saving.save_button(FLAGGED, "png", "flagged slice", opened.finding_id)
        file = saving.save(saving.asked(FLAGGED), "slice", _made_by(opened), opened.finding_id)
        picture = one.picture()
        across, down = picture.project(one.centre_mm[None])[0]
        window = next(iter(opened.windows[0].values()))
        view = SliceView(window, (float(across), float(down)), CROP_MM, tuple(OUTLINES))
        lines = measure_lines(one.prediction.labels, one.prediction.affine, one.prediction.pixel_mm)
        measures = (one.result or {}).get("measures") or {}
        identity = f"{opened.finding_id}-{at}-flagged"
        figure = flagged_figure(picture, one.outlines(), view, identity, lines, measures)
        plot(figure, "picture", "Flagged slice with contours, contact and diameters", FLAGGED, save=file)


def _flagged_words(document: Mapping[str, Any], one: "Slice", at: int) -> str:
    # A label is Markdown, and a level's name is the software's own word.
    result = one.result or {}
    level = level_words(result.get("level"), result.get("level_certain"))
    where = plain(level, 32) if level else f"slice {at + 1}"
    kind = "Worst slice, not flagged" if document.get("band") == "low" else "Flagged slice"
    return f"{kind}: {where}, suspected grade {document.get('grade')}, with its measures drawn"


def _jump(go_to: Callable[[int], None]) -> None:
    index = picked(st.session_state.get(PROFILE))
    if index is not None:
        go_to(index)


def _range(name: str, level: str | None) -> tuple[float, float] | None:
    found = norm(name, level)
    return None if found is None else (found.mean, found.sd)


def _note(rows: Sequence[str], points: Sequence[ProfilePoint]) -> str:
    """What the bands are, or why there are none, for whoever sees the plot alone."""
    if not set(rows) & set(MEASURES):
        return ""
    levels = [point.norm_level for point in points]
    band = BAND if any(norm(MEASURES[0], level) for level in levels) else ""
    return "; ".join(filter(None, (band, missing_words(levels))))


def _norm_words(points: list[ProfilePoint]) -> str:
    levels = [point.norm_level for point in points]
    used = {found.cohort for level in levels if (found := norm("cord_area_mm2", level))}
    cohorts = "".join(f"<li>{words}</li>" for name, words in COHORTS.items() if name in used or not used)
    why = missing_words(levels)
    return (
        '<div class="panel" style="max-width:34rem"><h2>The norm band</h2>'
        f"{f'<p><b>{why[0].upper()}{why[1:]}.</b></p>' if why else ''}"
        "<p>Broken line: mean of healthy persons at the level; dark and pale band: 1 and 2 standard deviations about "
        f"it. Given for cord area, AP diameter and AP / RL.</p><p>{SOURCE}</p><ul>{cohorts}</ul><p>{CAVEATS}</p></div>"
    )


def _table(opened: "Opened", stack: "Stack") -> str:
    results = [one.result for one in stack.slices if one.result is not None]
    return profile_csv(results, opened.document.get("model") or [], opened.software_version)


def _made_by(opened: "Opened") -> str:
    models = ", ".join(f"{one.get('name')} {one.get('version')}" for one in opened.document.get("model") or [])
    return f"version {opened.software_version}, model {models or 'not named'}"
